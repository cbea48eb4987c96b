/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Manager's methods about system owners and operators. */
#include <string.h>

#include "bus/bus-private.h"
#include "bus/polkit.h"
#include "common/alloc.h"
#include "dbus/path.h"
#include "operation/appoint.h"
#include "operation/contact.h"
#include "operation/login.h"
#include "operation/operators.h"
#include "operation/owner.h"

/* --- system owners --- */

/* One call of AddSystemOwner. */
struct addition {
	struct bus *bus;
	struct audit_actor *actor;
	char *caller;
	unsigned reader;
	struct contact_reach reach;
	char *name;
	struct secret pin, token_pin;
};

static void addition_free(void *context)
{
	struct addition *addition = context;

	audit_actor_free(addition->actor);
	free(addition->caller);
	free(addition->name);
	secret_clear(&addition->pin);
	secret_clear(&addition->token_pin);
	free(addition);
}
DEFINE_CLEANUP(struct addition *, addition_free);

static bool run_addition(struct job *job, void *context, struct error *error)
{
	struct addition *addition = context;
	struct operation operation = {.services = addition->bus->services,
		.job = job,
		.actor = addition->actor,
		.reach = addition->reach};
	struct secret code _cleanup_secret_ = SECRET_INIT;
	const struct owner_request request = {.reader = addition->reader,
		.name = addition->name,
		.pin = &addition->pin,
		.token_pin = &addition->token_pin};

	if (!operation_add_owner(&operation, &request, &code, error))
		return false;
	job_secret(job, addition->caller, &code);
	return true;
}

static void end_addition(void *context)
{
	struct addition *addition = context;

	bus_service_changed(addition->bus->service, &manager_kind, NULL);
	bus_service_sync(addition->bus->service, &template_kind);
	bus_service_sync(addition->bus->service, &connection_kind);
	addition_free(addition);
}

static bool read_owner_option(
	void *context, const char *name, DBusMessageIter *value, struct error *error)
{
	struct addition *addition = context;

	if (strcmp(name, "name") == 0)
		return option_read_string(name, value, &addition->name, error);
	if (strcmp(name, "token-pin") == 0)
		return option_read_secret(name, value, &addition->token_pin, error);
	return option_unknown(name, "name, token-pin", error);
}

/*
 * Others than managers. One at a time: a person may be asked for a password, and those who wait
 * hold threads.
 */
static bool may_initialise(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;

	if (atomic_exchange(&bus->asks_polkit, true))
		return error_set(error, ERROR_BUSY,
			"another user is being asked for leave to initialise Tessera; try again");
	bool may = polkit_check(call, &polkit_initialize, error) ||
		   error_prefix(error, "initialising Tessera");
	atomic_store(&bus->asks_polkit, false);
	return may;
}

/* The first owner is added by who runs the machine, the next by an owner. */
static bool may_add_owner(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;

	if (operators_initialised(bus->services))
		return logins_may(
			bus->services->logins, call->caller->name, PERMISSION_MANAGE_OWNERS, error);
	return call->caller->is_manager || may_initialise(call, error);
}

static bool start_addition(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	struct contact_status status _cleanup_contact_status_ = {0};
	struct addition *addition _cleanup_(addition_freep) = xnew(struct addition);

	if (!read_reader(call, &status, error) ||
		!message_read_secret(&call->in, &addition->pin, error) ||
		!options_each(&call->in, read_owner_option, addition, error))
		return false;
	addition->bus = bus;
	addition->reader = status.number;
	addition->reach = (struct contact_reach){REACH_OWN, call->caller->uid};
	addition->caller = xstrdup(call->caller->name);
	addition->actor = caller_actor_with_operators(call);
	unsigned id = jobs_start(bus->services->jobs, caller_guest(call->caller),
		"add-system-owner", status.reader_name, run_addition, steal_pointer(&addition),
		end_addition, error);
	if (id == 0)
		return false;
	bus_job_changed(bus, id, false);
	append_number_path(&call->out, &job_kind, id);
	return true;
}

bool add_system_owner_call(struct bus_call *call, struct error *error)
{
	if (!may_add_owner(call, error)) {
		caller_denied(call->context, call, error);
		return false;
	}
	/* Once it runs, the operation records its end. */
	return start_addition(call, error) ||
	       audit_change(call, "add-system-owner", NULL, false, error);
}

/* --- operators --- */

bool list_operators_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	struct operator_record *operators;
	DBusMessageIter array, item;
	size_t count;

	if (!store_operator_list(bus->services->store, &operators, &count, error))
		return false;
	message_open(&call->out, DBUS_TYPE_ARRAY, "(soasbbxx)", &array);
	for (size_t i = 0; i < count; i++) {
		message_open(&array, DBUS_TYPE_STRUCT, NULL, &item);
		message_append_string(&item, operators[i].id);
		append_number_path(&item, &credential_kind, operators[i].credential_id);
		message_append_strings(&item, operators[i].roles, operators[i].role_count);
		message_append_bool(&item, operators[i].active);
		message_append_bool(&item, operators[i].sealed.length > 0);
		message_append_i64(&item, operators[i].created_at);
		message_append_i64(&item, operators[i].last_login_at);
		message_close(&array, &item);
	}
	message_close(&call->out, &array);
	operators_free(operators, count);
	return true;
}

/* The number in a credential's path, which must not be the caller's own card. */
static bool read_credential(struct bus_call *call, int64_t *id, struct error *error)
{
	struct bus *bus = call->context;
	const char *path = message_read_string(&call->in);
	_cleanup_free_ char *name = path_child_name(credential_kind.path, path);

	*id = name ? name_to_number(name) : 0;
	if (*id == 0)
		return error_set_field(
			error, ERROR_NOT_FOUND, "credential", "there is no credential %s", path);
	return logins_check_other(bus->services->logins, call->caller->name, *id, error);
}

static bool set_operator(struct bus_call *call, char **detail, struct error *error)
{
	struct bus *bus = call->context;
	char **roles = NULL;
	size_t count = 0;
	int64_t id;

	if (!read_credential(call, &id, error))
		return false;
	read_strings(&call->in, &roles, &count);
	struct operator_change change = {.roles = roles, .role_count = count};
	change.active = message_read_bool(&call->in);
	change.custodian = message_read_bool(&call->in);
	bool done =
		appoint_check_roles(bus->services, call->caller->name, id, roles, count, error) &&
		operators_set(bus->services, id, &change, error);
	struct operator_record named = {.roles = roles, .role_count = count};
	_cleanup_free_ char *text = operator_roles_text(&named);
	*detail = xasprintf("credential %lld: %s%s%s", (long long)id, text,
		change.active ? "" : ", deactivated", change.custodian ? ", custodian" : "");
	strings_free(roles, count);
	return done;
}

bool set_operator_call(struct bus_call *call, struct error *error)
{
	_cleanup_free_ char *detail = NULL;
	bool done = set_operator(call, &detail, error);

	return audit_change(call, "set-operator", detail, done, error);
}

bool remove_operator_call(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	int64_t id = 0;
	bool done = read_credential(call, &id, error) &&
		    appoint_check_roles(bus->services, call->caller->name, id, NULL, 0, error) &&
		    operators_remove(bus->services, id, error);
	_cleanup_free_ char *detail = xasprintf("credential %lld", (long long)id);

	return audit_change(call, "remove-operator", detail, done, error);
}
