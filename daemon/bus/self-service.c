/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.tessera1.SelfService: who somebody is, and what is theirs. What they do with it are the
 * methods of the card and of the Manager. */
#include <string.h>

#include "bus/bus-private.h"
#include "bus/polkit.h"
#include "common/alloc.h"
#include "operation/login.h"

/* What a proof needs; which members, depends on the way. */
struct credentials {
	struct secret code, password;
	char *connection, *login;
};

static bool read_credential(
	void *context, const char *name, DBusMessageIter *value, struct error *error)
{
	struct credentials *credentials = context;

	if (strcmp(name, "code") == 0)
		return option_read_secret(name, value, &credentials->code, error);
	if (strcmp(name, "password") == 0)
		return option_read_secret(name, value, &credentials->password, error);
	if (strcmp(name, "login") == 0)
		return option_read_string(name, value, &credentials->login, error);
	if (strcmp(name, "connection") == 0)
		return option_read_string(name, value, &credentials->connection, error);
	return option_unknown(name, "code, connection, login, password", error);
}

static bool prove_system_user(
	struct bus_call *call, const struct self_request *request, struct error *error)
{
	struct bus *bus = call->context;
	struct selves *selves = bus->services->selves;
	struct error refusal _cleanup_error_ = ERROR_INIT;
	bool may = polkit_check(call, &polkit_self, &refusal);

	return self_prove_system_user(selves, request, may ? NULL : &refusal, error);
}

static bool prove(struct bus_call *call, const char *method, struct credentials *credentials,
	struct error *error)
{
	struct bus *bus = call->context;
	struct selves *selves = bus->services->selves;
	struct audit_actor *actor _cleanup_audit_actor_ = caller_actor_with_operators(call);
	const struct self_request request = {
		.caller = call->caller->name, .uid = call->caller->uid, .actor = actor};

	switch (self_way_from_name(method)) {
	case SELF_BY_CODE:
		return self_prove_code(selves, &request, &credentials->code, error);
	case SELF_BY_DIRECTORY:
		return self_prove_password(selves, &request, credentials->connection,
			credentials->login, &credentials->password, error);
	case SELF_BY_SYSTEM_USER:
		return prove_system_user(call, &request, error);
	default:
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "method",
			"it must be code, directory or system-user; with a card one logs in "
			"(Login)");
	}
}

/* On the system bus threads are shared. A connection of the private socket has one of its own,
 * which may wait for a refusal as others of the same user do, but not for a person. */
static bool prove_in_turn(struct bus_call *call, const char *method,
	struct credentials *credentials, struct error *error)
{
	struct bus *bus = call->context;
	struct selves *selves = bus->services->selves;
	const struct bus_caller *caller = call->caller;
	bool waits = !caller->is_private || self_way_from_name(method) == SELF_BY_SYSTEM_USER;

	if (waits && !selves_ask_begin(selves, caller->uid, !caller->is_private, error))
		return false;
	bool proved = prove(call, method, credentials, error);
	if (waits)
		selves_ask_end(selves, caller->uid);
	return proved;
}

static bool authenticate(struct bus_call *call, struct error *error)
{
	const char *method = message_read_string(&call->in);
	struct credentials credentials = {.code = SECRET_INIT, .password = SECRET_INIT};
	bool proved = options_each(&call->in, read_credential, &credentials, error) &&
		      prove_in_turn(call, method, &credentials, error);

	call->audited = true; /* as self-authenticate */
	secret_clear(&credentials.code);
	secret_clear(&credentials.password);
	free(credentials.login);
	free(credentials.connection);
	if (proved)
		message_append_u32(&call->out, SELF_SECONDS);
	return proved;
}

static bool forget(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;

	(void)error;
	selves_end(bus->services->selves, call->caller->name);
	return true;
}

/* --- what is theirs --- */

static void append_card(DBusMessageIter *array, const struct self_card *card)
{
	const struct credential *credential = card->credential;
	DBusMessageIter item, rights;

	message_open(array, DBUS_TYPE_STRUCT, NULL, &item);
	append_number_path(&item, &credential_kind, credential->id);
	message_append_string(&item, credential->serial);
	message_append_string(&item, lifecycle_state_name(credential->state));
	message_append_string(&item, credential->template_name);
	message_append_i64(&item, card->expires_at);
	message_open(&item, DBUS_TYPE_ARRAY, "s", &rights);
	for (size_t i = 0; i < SELF_SERVICE_COUNT; i++) {
		if (card->may[i])
			message_append_string(&rights, self_service_name(i));
	}
	message_close(&item, &rights);
	message_close(array, &item);
}

static bool list_cards(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	const struct self_caller self = caller_self(call->caller);
	struct self_card *cards = NULL;
	DBusMessageIter array;
	size_t count = 0;

	if (!self_cards(bus->services, &self, &cards, &count, error))
		return false;
	message_open(&call->out, DBUS_TYPE_ARRAY, "(osssxas)", &array);
	for (size_t i = 0; i < count; i++)
		append_card(&array, &cards[i]);
	message_close(&call->out, &array);
	self_cards_free(cards, count);
	return true;
}

static void append_template(
	const struct bus_call *call, DBusMessageIter *array, const struct template *template)
{
	struct bus *bus = call->context;
	const struct self_caller self = caller_self(call->caller);
	struct self_person person _cleanup_self_person_ = {0};
	DBusMessageIter item, ways;

	message_open(array, DBUS_TYPE_STRUCT, NULL, &item);
	message_append_string(&item, template->name);
	message_append_string(&item, template->comment);
	message_open(&item, DBUS_TYPE_ARRAY, "s", &ways);
	for (size_t i = 0; i < SELF_WAY_COUNT; i++) {
		if (template->self_service.ways[SELF_SERVICE_ISSUE] &
			self_way_bit((enum self_way)i))
			message_append_string(&ways, self_way_name(i));
	}
	message_close(&item, &ways);
	message_append_bool(&item, template->issue.auto_initiate);
	message_append_bool(
		&item, self_find_person(bus->services, &self, template, false, &person, NULL));
	message_close(array, &item);
}

static bool list_templates(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	DBusMessageIter array;
	char **names = NULL;
	size_t count = 0;

	if (!store_template_list(bus->services->store, &names, &count, error))
		return false;
	message_open(&call->out, DBUS_TYPE_ARRAY, "(ssasbb)", &array);
	for (size_t i = 0; i < count; i++) {
		struct template *template _cleanup_template_ =
			store_template_get(bus->services->store, names[i], 0, NULL);
		if (template && template->enabled && template->issue.by == ISSUE_BY_USER)
			append_template(call, &array, template);
	}
	message_close(&call->out, &array);
	store_names_free(names, count);
	return true;
}

static const struct bus_method methods[] = {
	{"Authenticate", BUS_ARGUMENTS({"method", "s"}, {"credentials", "a{sv}"}),
		BUS_ARGUMENTS({"seconds", "u"}), BUS_ANYONE, BUS_SLOW | BUS_SECRET, authenticate},
	{"Forget", NULL, NULL, BUS_ANYONE, 0, forget},
	{"ListCards", NULL, BUS_ARGUMENTS({"cards", "a(osssxas)"}), BUS_ANYONE, BUS_SLOW,
		list_cards},
	{"ListTemplates", NULL, BUS_ARGUMENTS({"templates", "a(ssasbb)"}), BUS_ANYONE, BUS_SLOW,
		list_templates},
	{"AddCode",
		BUS_ARGUMENTS({"purpose", "s"}, {"card", "o"}, {"template", "s"},
			{"holder", "a{ss}"}, {"options", "a{sv}"}),
		BUS_ARGUMENTS({"code", "s"}, {"expires_at", "x"}), PERMISSION_UNBLOCK, BUS_SLOW,
		self_add_code_call},
	{"ListCodes", NULL, BUS_ARGUMENTS({"codes", "a(sssssxxu)"}), PERMISSION_VIEW_CARDS,
		BUS_SLOW, self_list_codes_call},
	{"RemoveCode", BUS_ARGUMENTS({"code", "s"}), NULL, PERMISSION_UNBLOCK, BUS_SLOW,
		self_remove_code_call},
	{"LiftLockOut", BUS_ARGUMENTS({"kind", "s"}, {"name", "s"}),
		BUS_ARGUMENTS({"was_locked", "b"}), PERMISSION_UNBLOCK, BUS_SLOW, self_lift_call},
	{0},
};

const struct bus_interface self_service_interface = {
	.name = BUS_NAME ".SelfService",
	.methods = methods,
};
