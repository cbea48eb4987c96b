/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who calls, and what that one may do. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/audit.h"
#include "bus/bus-private.h"
#include "common/alloc.h"
#include "common/buffer.h"
#include "common/log.h"
#include "core/user.h"
#include "operation/login.h"
#include "operation/self-rights.h"
#include "operation/template-rules.h"

bool caller_is_manager(const struct bus *bus, uid_t uid)
{
	const char *name = bus->options->admin_group;
	size_t count;
	gid_t gid;

	if (uid == 0 || uid == geteuid())
		return true;
	if (!name || !name[0] || !group_find(name, &gid))
		return false;
	_cleanup_free_ gid_t *groups = user_groups(uid, &count);
	for (size_t i = 0; i < count; i++) {
		if (groups[i] == gid)
			return true;
	}
	return false;
}

unsigned caller_guest(const struct bus_caller *caller)
{
	return caller->is_manager ? 0 : (unsigned)caller->uid;
}

bool caller_may_do(
	void *context, const struct bus_caller *caller, unsigned permission, struct error *error)
{
	struct bus *bus = context;

	return logins_may(bus->services->logins, caller->name, (enum permission)permission, error);
}

struct contact_reach caller_reach(const struct bus_call *call)
{
	struct bus *bus = call->context;
	unsigned permission = call->method->permission;
	bool by_right =
		permission >= BUS_FIRST_RIGHT && caller_may_do(bus, call->caller, permission, NULL);

	return (struct contact_reach){.user = call->caller->uid,
		.kind = by_right						   ? REACH_ALL
			: bus->services->remote_readers == REMOTE_READERS_EVERYONE ? REACH_OWN
										   : REACH_HERE};
}

/* The methods of a card that its holder may be let call (/self-service of its template). */
static const struct {
	const char *method;
	enum self_service service;
} holders_methods[] = {
	{"Reissue", SELF_SERVICE_REISSUE},
	{"Update", SELF_SERVICE_REISSUE},
	{"Renew", SELF_SERVICE_REISSUE},
	{"Unblock", SELF_SERVICE_UNBLOCK},
	{"UnblockGenerated", SELF_SERVICE_UNBLOCK},
	{"Report", SELF_SERVICE_REPORT_LOST},
	{"Activate", SELF_SERVICE_ACTIVATE},
	{"ActivateGenerated", SELF_SERVICE_ACTIVATE},
	{"Retire", SELF_SERVICE_RETIRE},
};

/* Whether the method is one that holders may be let call; *service is which. */
static bool is_holders_method(const struct bus_call *call, enum self_service *service)
{
	for (size_t i = 0; i < ARRAY_SIZE(holders_methods); i++) {
		*service = holders_methods[i].service;
		if (strcmp(holders_methods[i].method, call->method->name) == 0)
			return true;
	}
	return false;
}

struct self_caller caller_self(const struct bus_caller *caller)
{
	return (struct self_caller){.name = caller->name, .uid = caller->uid};
}

bool caller_holds(const struct bus_call *call, int64_t credential_id, struct self_leave *leave)
{
	struct bus *bus = call->context;
	const struct self_caller self = caller_self(call->caller);
	enum self_service service;

	if (!is_holders_method(call, &service))
		return false;
	struct credential *credential _cleanup_credential_ =
		store_credential_by_id(bus->services->store, credential_id, NULL);
	return credential && self_may(bus->services, &self, credential, service, leave);
}

bool caller_may_unblock(
	const struct bus_call *call, const struct credential *credential, struct error *error)
{
	struct bus *bus = call->context;
	struct services *services = bus->services;
	struct template *template _cleanup_template_ = card_template(services, credential, error);

	if (!template)
		return !credential->template_name;
	const struct template_unblock *rules = &template->unblock;
	return rules->role_count == 0 || caller_holds(call, credential->id, NULL) ||
	       logins_have_role(
		       services->logins, call->caller->name, rules->roles, rules->role_count) ||
	       error_set_field(error, ERROR_ACCESS_DENIED, "/unblock/roles",
		       "the operator has no role that the card's template \"%s\" lets unblock",
		       template->name);
}

/* Issue by a template whose cards people issue, who have proved who they are as it says; whether it
 * is their first is the verb's. */
static bool may_issue_own(const struct bus *bus, const struct bus_call *call)
{
	DBusMessageIter arguments;

	if (call->kind != &manager_kind || strcmp(call->method->name, "Issue") != 0 ||
		!dbus_message_iter_init(call->message, &arguments) ||
		!dbus_message_iter_next(&arguments))
		return false;
	struct template *template _cleanup_template_ =
		store_template_get(bus->services->store, message_read_string(&arguments), 0, NULL);
	const struct self_caller self = caller_self(call->caller);
	struct self_person person _cleanup_self_person_ = {0};
	return template && template->enabled && template->issue.by == ISSUE_BY_USER &&
	       self_find_person(bus->services, &self, template, false, &person, NULL);
}

bool caller_may_object(void *context, const struct bus_call *call)
{
	if (call->kind == &credential_kind)
		return caller_holds(call, name_to_number(call->name), NULL);
	return may_issue_own(context, call);
}

bool caller_may_read_object(void *context, const struct bus_call *call)
{
	return call->kind == &job_kind && job_is_own(context, call);
}

bool caller_may_know(void *context, const struct bus_call *call, struct error *error)
{
	struct bus *bus = context;
	size_t count;

	if (call->kind == &job_kind)
		return error_set(error, ERROR_NOT_FOUND, "you have started no job %s", call->name);
	if (call->kind != &credential_kind)
		return true;
	int64_t number = name_to_number(call->name);
	_cleanup_free_ int64_t *own =
		logins_credentials(bus->services->logins, call->caller->name, &count);
	for (size_t i = 0; i < count; i++) {
		if (own[i] == number)
			return true;
	}
	return contacts_find(bus->services->contacts, number) != 0 ||
	       error_set(error, ERROR_NOT_FOUND, "no such card is in a reader");
}

char *caller_actor(uid_t uid, pid_t pid)
{
	char link[64], executable[256];

	snprintf(link, sizeof(link), "/proc/%ld/exe", (long)pid);
	ssize_t length = pid > 0 ? readlink(link, executable, sizeof(executable) - 1) : -1;
	if (length <= 0)
		return xasprintf("uid=%lu pid=%ld", (unsigned long)uid, (long)pid);
	executable[length] = '\0';
	return xasprintf("uid=%lu pid=%ld exe=%s", (unsigned long)uid, (long)pid, executable);
}

void *caller_begin(void *context, const struct bus_call *call)
{
	struct bus *bus = context;

	/* Programs that use a card are no operators', and many. */
	if (permission_only_reads((enum permission)call->method->permission) ||
		call->interface == &provider_interface)
		return NULL;
	return logins_actor(bus->services->logins, call->caller->name, call->caller->actor);
}

void caller_end(void *who)
{
	audit_actor_free(who);
}

struct audit_actor *caller_actor_with_operators(const struct bus_call *call)
{
	struct bus *bus = call->context;
	const struct audit_actor *before = call->who;
	struct audit_actor *actor =
		logins_actor(bus->services->logins, call->caller->name, call->caller->actor);

	for (size_t i = 0; before && i < before->signer_count; i++)
		audit_actor_add(actor, before->signers[i]);
	return actor;
}

/* "AddTemplate" is add-template, a template's "Update" is update-template. Heap. */
static char *operation_name(const struct bus_call *call)
{
	static const struct bus_kind *const named[] = {
		&template_kind, &connection_kind, &type_kind, &job_kind, &licence_kind, &slot_kind};
	struct buffer name = BUFFER_INIT;

	/* ActivateGenerated is activate, ReissueKeepingFields is reissue. */
	const char *generated = strstr(call->method->name, "Generated");
	const char *end = generated ? generated : strstr(call->method->name, "KeepingFields");

	for (const char *c = call->method->name; *c && c != end; c++) {
		if (isupper((unsigned char)*c) && name.length > 0)
			buffer_append_u8(&name, '-');
		buffer_append_u8(&name, (uint8_t)tolower((unsigned char)*c));
	}
	for (size_t i = 0; i < ARRAY_SIZE(named); i++) {
		/* Keys in slots are credentials: enroll, renew and retire are those of a key. */
		if (call->kind != named[i] ||
			(call->kind == &slot_kind &&
				call->method->permission != PERMISSION_CHANGE_SLOTS))
			continue;
		buffer_append_u8(&name, '-');
		buffer_append_string(&name, strrchr(call->kind->path, '/') + 1);
	}
	buffer_append_u8(&name, 0);
	if (name.failed)
		abort();
	return (char *)name.data;
}

/* for_nothing: anyone can make it happen at will. */
static void record(
	const struct bus_call *call, const char *card, const struct error *result, bool for_nothing)
{
	struct bus *bus = call->context;
	struct services *services = bus->services;
	struct error failure _cleanup_error_ = ERROR_INIT;
	_cleanup_free_ char *operation = operation_name(call);
	struct audit_actor *actor _cleanup_audit_actor_ = caller_actor_with_operators(call);
	bool written = for_nothing
			       ? audit_write_refusal(services->store, &services->refusals, actor,
					 operation, card, 0, result, call->path, &failure)
			       : audit_write(services->store, actor, operation, card, 0, result,
					 call->path, &failure);

	if (!written)
		log_error("audit record not written: %s", error_message(&failure));
}

void caller_denied(void *context, const struct bus_call *call, const struct error *error)
{
	struct error denial _cleanup_error_ = ERROR_INIT;
	bool is_quorum = error->code == ERROR_QUORUM_MISSING;

	(void)context;
	error_set(&denial, ERROR_ACCESS_DENIED, "the caller has no right to this");
	record(call, NULL, is_quorum ? error : &denial, true);
}

void caller_done(void *context, const struct bus_call *call, const struct error *error)
{
	bool is_credential = call->kind == &credential_kind && call->object;

	(void)context;
	if (permission_only_reads((enum permission)call->method->permission))
		return;
	/* Whoever has no right to anything could fail without end. */
	record(call, is_credential ? credential_object(call->object)->serial : NULL, error,
		call->method->permission == PERMISSION_HOLDER);
}
