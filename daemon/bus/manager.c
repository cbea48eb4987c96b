/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.tessera1.Manager */
#include <limits.h>
#include <string.h>

#include "bus/bus-private.h"
#include "bus/verb.h"
#include "common/alloc.h"
#include "dbus/path.h"
#include "operation/appoint.h"
#include "operation/contact.h"
#include "operation/documents.h"
#include "operation/key-backup.h"
#include "operation/login.h"
#include "operation/operators.h"
#include "operation/templates.h"
#include "operation/types.h"

#define LIST_MAX 1000

static void get_version(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	(void)object;
	message_append_string(value, VERSION_STRING);
}

static void get_store_id(void *context, const void *object, DBusMessageIter *value)
{
	struct bus *bus = context;

	(void)object;
	message_append_string(value, store_id(bus->services->store));
}

static void get_initialized(void *context, const void *object, DBusMessageIter *value)
{
	struct bus *bus = context;

	(void)object;
	message_append_bool(value, operators_initialised(bus->services));
}

static void get_locked(void *context, const void *object, DBusMessageIter *value)
{
	struct bus *bus = context;

	(void)object;
	message_append_bool(value, bus->services->token == NULL);
}

static void get_service_available(void *context, const void *object, DBusMessageIter *value)
{
	struct bus *bus = context;

	(void)object;
	message_append_bool(value, contacts_service_available(bus->services->contacts));
}

static void get_master_key_backup(void *context, const void *object, DBusMessageIter *value)
{
	struct bus *bus = context;

	(void)object;
	message_append_string(value, key_backup_state_name(key_backup_state(bus->services)));
}

static void get_private_address(void *context, const void *object, DBusMessageIter *value)
{
	struct bus *bus = context;
	char *path = dbus_address_escape_value(bus->options->socket);

	(void)object;
	if (!path)
		abort();
	_cleanup_free_ char *address = xasprintf("unix:path=%s", path);
	dbus_free(path);
	message_append_string(value, address);
}

bool read_reader(struct bus_call *call, struct contact_status *status, struct error *error)
{
	struct bus *bus = call->context;
	const char *path = message_read_string(&call->in);
	_cleanup_free_ char *name = path_child_name(reader_kind.path, path);
	int64_t number = name ? name_to_number(name) : 0;

	if (number == 0 || number > UINT_MAX)
		return error_set_field(
			error, ERROR_NOT_FOUND, "reader", "there is no reader %s", path);
	/* Who logs in with the own card is no operator yet. */
	struct contact_reach reach = caller_reach(call);
	if (reach.kind == REACH_HERE)
		reach.kind = REACH_OWN;
	return contacts_status(bus->services->contacts, (unsigned)number, status, error) &&
	       contact_check_reach(status, &reach, error);
}

static bool read_issue_option(
	void *context, const char *name, DBusMessageIter *value, struct error *error)
{
	struct verb *verb = context;

	if (strcmp(name, "roles") == 0)
		return option_read_strings(name, value, &verb->roles, &verb->role_count, error);
	if (strcmp(name, "custodian") == 0)
		return option_read_bool(name, value, &verb->custodian, error);
	if (strcmp(name, "pin") == 0)
		return option_read_secret(name, value, &verb->pin, error);
	if (strcmp(name, "generate-pin") == 0)
		return option_read_bool(name, value, &verb->makes_pin, error);
	if (strcmp(name, "expires-at") == 0)
		return option_read_i64(name, value, &verb->expires_at, error);
	if (strcmp(name, "person") == 0)
		return option_read_string(name, value, &verb->person, error);
	if (strcmp(name, "person-id") == 0)
		return option_read_string(name, value, &verb->person_id, error);
	return option_unknown(
		name, "roles, custodian, pin, generate-pin, expires-at, person, person-id", error);
}

/* Making an operator is more than issuing a card. */
static bool may_issue(struct bus_call *call, const struct verb *verb, struct error *error)
{
	struct bus *bus = call->context;

	return (verb->role_count == 0 && !verb->custodian) ||
	       (logins_may(bus->services->logins, call->caller->name, PERMISSION_MANAGE_OPERATORS,
			error) &&
		       appoint_check_roles(bus->services, call->caller->name, 0, verb->roles,
			       verb->role_count, error));
}

/* By a template whose cards people issue to themselves: who the caller is. */
static bool find_person(struct bus_call *call, struct verb *verb, struct error *error)
{
	struct bus *bus = call->context;
	const struct self_caller self = caller_self(call->caller);
	struct error refusal _cleanup_error_ = ERROR_INIT;
	struct template *template _cleanup_template_ =
		store_template_get(bus->services->store, verb->text, 0, NULL);

	if (!template || template->issue.by != ISSUE_BY_USER)
		return true;
	verb->self = xnew(struct self_person);
	if (!self_find_person(
		    bus->services, &self, template, !verb->is_own, verb->self, &refusal)) {
		self_person_clear(verb->self);
		free(steal_pointer(&verb->self));
		/* The verb says why an operator cannot; and who was let has to be somebody. */
		return !verb->is_own || error_move(error, &refusal);
	}
	if (template->issue.holder == ISSUE_HOLDER_DIRECTORY) {
		free(verb->person);
		free(verb->person_id);
		verb->person = xstrdup(verb->self->login);
		verb->person_id = xstrdup(verb->self->person_id);
	}
	if (verb->is_own)
		verb_take_leave(verb, call, &verb->self->leave);
	return true;
}

static bool issue(struct bus_call *call, struct error *error)
{
	_cleanup_contact_status_ struct contact_status status = {0};
	_cleanup_verb_ struct verb *verb = verb_new(call, LIFECYCLE_ISSUE);

	if (!read_reader(call, &status, error))
		return false;
	verb->reader = status.number;
	verb->text = xstrdup(message_read_string(&call->in));
	if (!read_fields(&call->in, &verb->holder, error))
		return false;
	if (!options_each(&call->in, read_issue_option, verb, error) ||
		!may_issue(call, verb, error) || !find_person(call, verb, error))
		return false;
	return verb_start(call, steal_pointer(&verb), status.reader_name, error);
}

static bool register_card(struct bus_call *call, struct error *error)
{
	_cleanup_contact_status_ struct contact_status status = {0};
	_cleanup_verb_ struct verb *verb = verb_new(call, LIFECYCLE_REGISTER);

	if (!read_reader(call, &status, error))
		return false;
	verb->reader = status.number;
	return verb_start(call, steal_pointer(&verb), status.reader_name, error);
}

bool manager_check_limit(uint32_t limit, struct error *error)
{
	if (limit < 1 || limit > LIST_MAX)
		return error_set_field(
			error, ERROR_INVALID_ARGUMENT, "limit", "it must be 1 to %d", LIST_MAX);
	return true;
}

static bool read_state(DBusMessageIter *iter, enum lifecycle_state *state, struct error *error)
{
	const char *name = message_read_string(iter);

	*state = name[0] ? lifecycle_state_from_name(name) : LIFECYCLE_STATE_COUNT;
	if (name[0] && *state == LIFECYCLE_STATE_COUNT)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "state",
			"there is no state \"%.64s\"", name);
	return true;
}

static bool list_credentials(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	enum lifecycle_state state = LIFECYCLE_STATE_COUNT;
	DBusMessageIter paths;
	size_t count = 0;

	if (!read_state(&call->in, &state, error))
		return false;
	int64_t after = message_read_i64(&call->in);
	uint32_t limit = message_read_u32(&call->in);
	_cleanup_free_ int64_t *ids = NULL;
	if (!manager_check_limit(limit, error) || !store_credential_list(bus->services->store,
							  state, after, limit, &ids, &count, error))
		return false;
	message_open(&call->out, DBUS_TYPE_ARRAY, "o", &paths);
	for (size_t i = 0; i < count; i++)
		append_number_path(&paths, &credential_kind, ids[i]);
	message_close(&call->out, &paths);
	return true;
}

static bool find_credential(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	const char *serial = message_read_string(&call->in);
	_cleanup_credential_ struct credential *credential =
		store_credential_by_serial(bus->services->store, serial, error);

	if (!credential && error->code == ERROR_NOT_FOUND)
		return error_set(
			error, ERROR_NOT_FOUND, "no card with the serial \"%s\" is known", serial);
	if (!credential)
		return false;
	append_number_path(&call->out, &credential_kind, credential->id);
	return true;
}

typedef bool (*save_function)(
	struct services *, const char *, const char *, char **, struct error *);

/* Saves a new document of a kind, answers with the object's path. */
static bool add_document(struct bus_call *call, const struct bus_kind *kind, save_function save,
	const char *operation, struct error *error)
{
	struct bus *bus = call->context;
	_cleanup_free_ char *name = NULL;
	bool done = save(bus->services, NULL, message_read_string(&call->in), &name, error);

	if (done) {
		_cleanup_free_ char *path = path_of(kind->path, name);
		bus_service_sync(bus->service, kind);
		message_append_path(&call->out, path);
	}
	return audit_change(call, operation, name, done, error);
}

static bool add_template(struct bus_call *call, struct error *error)
{
	return add_document(call, &template_kind, template_document_save, "add-template", error);
}

static bool add_connection(struct bus_call *call, struct error *error)
{
	return add_document(
		call, &connection_kind, connection_document_save, "add-connection", error);
}

static bool add_type(struct bus_call *call, struct error *error)
{
	return add_document(call, &type_kind, type_document_add, "add-type", error);
}

static bool read_match(DBusMessageIter *iter, bool *is_prefix, struct error *error)
{
	const char *match = message_read_string(iter);

	*is_prefix = strcmp(match, "prefix") == 0;
	return *is_prefix || strcmp(match, "exact") == 0 ||
	       error_set_field(
		       error, ERROR_INVALID_ARGUMENT, "match", "it must be exact or prefix");
}

static bool find_credentials(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	struct search search = {.field = message_read_string(&call->in)};
	_cleanup_free_ int64_t *ids = NULL;
	_cleanup_free_ char *next = NULL;
	DBusMessageIter paths;
	size_t count = 0;

	search.text = message_read_string(&call->in);
	if (!read_match(&call->in, &search.is_prefix, error))
		return false;
	search.after = message_read_string(&call->in);
	search.limit = message_read_u32(&call->in);
	if (!manager_check_limit(search.limit, error) ||
		!store_credential_search(bus->services->store, &search, &ids, &count, &next, error))
		return false;
	message_open(&call->out, DBUS_TYPE_ARRAY, "o", &paths);
	for (size_t i = 0; i < count; i++)
		append_number_path(&paths, &credential_kind, ids[i]);
	message_close(&call->out, &paths);
	message_append_string(&call->out, next);
	return true;
}

/* What is told of a backup. */
#define BACKUP_ARGUMENTS                                                                           \
	BUS_ARGUMENTS({"made_at", "x"}, {"version", "u"}, {"is_newest", "b"}, {"needed", "u"},     \
		{"cards", "a(ssb)"})

static const struct bus_method methods[] = {
	{"Issue",
		BUS_ARGUMENTS({"reader", "o"}, {"template", "s"}, {"holder", "a{ss}"},
			{"options", "a{sv}"}),
		BUS_ARGUMENTS({"job", "o"}), PERMISSION_ISSUE, BUS_SECRET, issue},
	{"Register", BUS_ARGUMENTS({"reader", "o"}), BUS_ARGUMENTS({"job", "o"}),
		PERMISSION_REGISTER, 0, register_card},
	{"ListCredentials", BUS_ARGUMENTS({"state", "s"}, {"after", "x"}, {"limit", "u"}),
		BUS_ARGUMENTS({"credentials", "ao"}), PERMISSION_VIEW_CARDS, BUS_SLOW,
		list_credentials},
	{"FindCredential", BUS_ARGUMENTS({"serial", "s"}), BUS_ARGUMENTS({"credential", "o"}),
		PERMISSION_VIEW_CARDS, 0, find_credential},
	{"FindCredentials",
		BUS_ARGUMENTS({"field", "s"}, {"text", "s"}, {"match", "s"}, {"after", "s"},
			{"limit", "u"}),
		BUS_ARGUMENTS({"credentials", "ao"}, {"next", "s"}), PERMISSION_VIEW_CARDS,
		BUS_SLOW, find_credentials},
	{"AddTemplate", BUS_ARGUMENTS({"document", "s"}), BUS_ARGUMENTS({"template", "o"}),
		PERMISSION_CHANGE_TEMPLATES, BUS_SLOW, add_template},
	{"ImportTemplates", BUS_ARGUMENTS({"document", "s"}, {"options", "a{sv}"}),
		BUS_ARGUMENTS({"templates", "ao"}), PERMISSION_CHANGE_TEMPLATES, BUS_SLOW,
		manager_import_templates},
	{"ListDrift", BUS_ARGUMENTS({"template", "s"}, {"after", "x"}, {"limit", "u"}),
		BUS_ARGUMENTS({"cards", "a(ossxa(ss))"}, {"next", "x"}), PERMISSION_VIEW_CARDS,
		BUS_SLOW, manager_list_drift},
	{"AddConnection", BUS_ARGUMENTS({"document", "s"}), BUS_ARGUMENTS({"connection", "o"}),
		PERMISSION_CHANGE_CONNECTIONS, BUS_SLOW, add_connection},
	{"AddSlot",
		BUS_ARGUMENTS(
			{"name", "s"}, {"module", "s"}, {"token_label", "s"}, {"options", "a{sv}"}),
		BUS_ARGUMENTS({"slot", "o"}), PERMISSION_CHANGE_SLOTS, BUS_SLOW | BUS_SECRET,
		add_slot_call},
	{"AddType", BUS_ARGUMENTS({"document", "s"}), BUS_ARGUMENTS({"type", "o"}),
		PERMISSION_CHANGE_TYPES, BUS_SLOW, add_type},
	{"ListAudit", BUS_ARGUMENTS({"filter", "a{ss}"}, {"after", "x"}, {"limit", "u"}),
		BUS_ARGUMENTS({"records", "a(xxsssssusayay)"}, {"next", "x"}),
		PERMISSION_READ_AUDIT, BUS_SLOW, manager_list_audit},
	{"VerifyAudit", NULL,
		BUS_ARGUMENTS({"records", "x"}, {"first_bad", "x"}, {"problem", "s"},
			{"checkpoints", "x"}, {"covered", "x"}),
		PERMISSION_READ_AUDIT, BUS_SLOW, manager_verify_audit},
	{"WriteCheckpoint", NULL, BUS_ARGUMENTS({"checkpoint", "x"}, {"covered", "x"}),
		PERMISSION_READ_AUDIT, BUS_SLOW, manager_write_checkpoint},
	{"ListCheckpoints", BUS_ARGUMENTS({"after", "x"}, {"limit", "u"}),
		BUS_ARGUMENTS({"checkpoints", "a(xxayxayay)"}), PERMISSION_READ_AUDIT, BUS_SLOW,
		manager_list_checkpoints},
	{"AddSystemOwner", BUS_ARGUMENTS({"reader", "o"}, {"pin", "s"}, {"options", "a{sv}"}),
		BUS_ARGUMENTS({"job", "o"}), BUS_ANYONE, BUS_SLOW | BUS_SECRET,
		add_system_owner_call},
	{"BeginLogin", BUS_ARGUMENTS({"serial", "s"}), BUS_ARGUMENTS({"challenge", "ay"}),
		BUS_ANYONE, BUS_SLOW, login_begin_call},
	{"FinishLogin", BUS_ARGUMENTS({"serial", "s"}, {"signature", "ay"}), NULL, BUS_ANYONE,
		BUS_SLOW, login_finish_call},
	{"Login", BUS_ARGUMENTS({"reader", "o"}, {"pin", "s"}, {"options", "a{sv}"}), NULL,
		BUS_HOLDER, BUS_SLOW | BUS_SECRET, login_call},
	{"Logout", NULL, NULL, BUS_ANYONE, 0, logout_call},
	{"ListLogins", NULL, BUS_ARGUMENTS({"logins", "a(sss)"}), BUS_ANYONE, 0, list_logins_call},
	{"ListOperators", NULL, BUS_ARGUMENTS({"operators", "a(soasbbxx)"}),
		PERMISSION_VIEW_SETTINGS, BUS_SLOW, list_operators_call},
	{"SetOperator",
		BUS_ARGUMENTS(
			{"credential", "o"}, {"roles", "as"}, {"active", "b"}, {"custodian", "b"}),
		NULL, PERMISSION_MANAGE_OPERATORS, BUS_SLOW, set_operator_call},
	{"RemoveOperator", BUS_ARGUMENTS({"credential", "o"}), NULL, PERMISSION_MANAGE_OPERATORS,
		BUS_SLOW, remove_operator_call},
	{"ListMasterKeys", NULL, BUS_ARGUMENTS({"keys", "a(ussxx)"}), PERMISSION_VIEW_SETTINGS,
		BUS_SLOW, list_master_keys_call},
	{"ListCardsOfMasterKey", BUS_ARGUMENTS({"version", "u"}, {"after", "x"}, {"limit", "u"}),
		BUS_ARGUMENTS({"credentials", "ao"}), PERMISSION_VIEW_CARDS, BUS_SLOW,
		list_cards_of_master_key_call},
	{"RotateMasterKey", NULL, BUS_ARGUMENTS({"version", "u"}), PERMISSION_ROTATE_KEYS, BUS_SLOW,
		rotate_master_key_call},
	{"RevokeMany", BUS_ARGUMENTS({"cards", "as"}, {"reason", "s"}), BUS_ARGUMENTS({"job", "o"}),
		PERMISSION_BULK_REVOKE, BUS_SLOW, revoke_many_call},
	{"BackUpMasterKey", BUS_ARGUMENTS({"cards", "as"}, {"needed", "u"}),
		BUS_ARGUMENTS({"document", "s"}), PERMISSION_EXPORT_KEYS, BUS_SLOW,
		back_up_master_key_call},
	{"LookAtMasterKeyBackup", BUS_ARGUMENTS({"document", "s"}), BACKUP_ARGUMENTS,
		PERMISSION_VIEW_SETTINGS, BUS_SLOW, look_at_key_backup_call},
	{"GetLastMasterKeyBackup", NULL, BACKUP_ARGUMENTS, PERMISSION_VIEW_SETTINGS, BUS_SLOW,
		last_key_backup_call},
	{"BeginMasterKeyRestore", BUS_ARGUMENTS({"document", "s"}),
		BUS_ARGUMENTS({"needed", "u"}, {"cards", "a(ss)"}), BUS_ANYONE, BUS_SLOW,
		begin_key_restore_call},
	{"OpenMasterKeyShare", BUS_ARGUMENTS({"reader", "o"}, {"pin", "s"}),
		BUS_ARGUMENTS({"opened", "u"}, {"needed", "u"}), BUS_ANYONE, BUS_SLOW | BUS_SECRET,
		open_key_share_call},
	{"FinishMasterKeyRestore", NULL, NULL, BUS_ANYONE, BUS_SLOW, finish_key_restore_call},
	{"ListExposed", BUS_ARGUMENTS({"after", "x"}, {"limit", "u"}),
		BUS_ARGUMENTS({"credentials", "ao"}), PERMISSION_VIEW_CARDS, BUS_SLOW,
		list_exposed_call},
	{"ListRoles", NULL, BUS_ARGUMENTS({"roles", "a(ssasb)"}), BUS_ANYONE, BUS_SLOW,
		list_roles_call},
	{"ListPermissions", NULL, BUS_ARGUMENTS({"permissions", "a(ssb)"}), BUS_ANYONE, 0,
		list_permissions_call},
	{"AddRole", BUS_ARGUMENTS({"name", "s"}, {"description", "s"}, {"permissions", "as"}), NULL,
		PERMISSION_MANAGE_OPERATORS, BUS_SLOW, add_role_call},
	{"ChangeRole", BUS_ARGUMENTS({"name", "s"}, {"description", "s"}, {"permissions", "as"}),
		NULL, PERMISSION_MANAGE_OPERATORS, BUS_SLOW, change_role_call},
	{"RemoveRole", BUS_ARGUMENTS({"name", "s"}), NULL, PERMISSION_MANAGE_OPERATORS, BUS_SLOW,
		remove_role_call},
	{"ListQuorums", NULL, BUS_ARGUMENTS({"quorums", "a(ssuu)"}), PERMISSION_VIEW_SETTINGS,
		BUS_SLOW, list_quorums_call},
	{"SetQuorum", BUS_ARGUMENTS({"operation", "s"}, {"count", "u"}), NULL,
		PERMISSION_MANAGE_OPERATORS, BUS_SLOW, set_quorum_call},
	{"ListExpiring",
		BUS_ARGUMENTS(
			{"until", "x"}, {"after_end", "x"}, {"after_id", "x"}, {"limit", "u"}),
		BUS_ARGUMENTS({"certificates", "a(xosssssssx)"}), PERMISSION_VIEW_CARDS, BUS_SLOW,
		list_expiring_call},
	{"ListPeople", BUS_ARGUMENTS({"after", "x"}, {"limit", "u"}),
		BUS_ARGUMENTS({"people", "a(ossssssxxsssa(sss))"}, {"next", "x"}),
		PERMISSION_VIEW_CARDS, BUS_SLOW, list_people_call},
	{"CheckPeople", BUS_ARGUMENTS({"options", "a{sv}"}), BUS_ARGUMENTS({"job", "o"}),
		PERMISSION_SUSPEND, BUS_SLOW, check_people_call},
	{"ListTasks", NULL, BUS_ARGUMENTS({"tasks", "a(xsssssxxxs)"}), PERMISSION_VIEW_CARDS,
		BUS_SLOW, list_tasks_call},
	{"RunTask", BUS_ARGUMENTS({"id", "x"}), NULL, PERMISSION_CHANGE_CONNECTIONS, BUS_SLOW,
		run_task_call},
	{"RemoveTask", BUS_ARGUMENTS({"id", "x"}, {"reason", "s"}), NULL,
		PERMISSION_CHANGE_CONNECTIONS, BUS_SLOW, remove_task_call},
	{"ConfirmTask", BUS_ARGUMENTS({"id", "x"}), BUS_ARGUMENTS({"done", "b"}),
		PERMISSION_CHANGE_CONNECTIONS, BUS_SLOW, confirm_task_call},
	{0},
};

static const struct bus_interface manager_interface = {
	.name = MANAGER_INTERFACE,
	.methods = methods,
	.signals =
		(const struct bus_signal[]){
			{"TaskOverdue", BUS_ARGUMENTS({"id", "x"}, {"kind", "s"}, {"since", "x"})},
			{"PersonChanged", BUS_ARGUMENTS({"card", "o"}, {"what", "s"})},
			{"PeopleMissing", BUS_ARGUMENTS({"connection", "s"}, {"missing", "u"},
						  {"count", "u"})},
			{0},
		},
	.properties =
		(const struct bus_property[]){
			{"Version", "s", get_version},
			{"StoreId", "s", get_store_id},
			{"Initialized", "b", get_initialized},
			{"Locked", "b", get_locked},
			{"ReaderServiceAvailable", "b", get_service_available},
			{"PrivateAddress", "s", get_private_address},
			{"MasterKeyBackup", "s", get_master_key_backup},
			{0},
		},
};

const struct bus_kind manager_kind = {
	.path = BUS_ROOT,
	.is_single = true,
	.interfaces = (const struct bus_interface *const[]){&manager_interface,
		&self_service_interface, &provider_interface, &reader_agent_interface, NULL},
};
