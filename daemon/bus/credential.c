/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.tessera1.Credential */
#include <string.h>

#include "bus/bus-private.h"
#include "bus/verb.h"
#include "common/alloc.h"
#include "common/log.h"
#include "model/holder.h"
#include "operation/appoint.h"
#include "operation/contact.h"
#include "operation/login.h"
#include "operation/operators.h"
#include "operation/pin-history.h"
#include "operation/template-rules.h"

/* The object: the stored credential, its certificates, and the reader that its card is in (or 0).
 */
struct view {
	struct credential *credential;
	struct certificates certificates;
	struct puk_record puk;
	unsigned reader;
};

static void release(void *object)
{
	struct view *view = object;

	credential_free(view->credential);
	certificates_clear(&view->certificates);
	free(view);
}

static void *find(void *context, const char *name, struct error *error)
{
	struct bus *bus = context;
	struct credential *credential =
		store_credential_by_id(bus->services->store, name_to_number(name), error);

	if (!credential)
		return NULL;
	struct view *view = xnew(struct view);
	view->credential = credential;
	if (!store_certificate_list(
		    bus->services->store, credential->id, &view->certificates, error) ||
		!store_puk_get(bus->services->store, credential->serial, &view->puk, error)) {
		release(view);
		return NULL;
	}
	view->reader = contacts_find(bus->services->contacts, credential->id);
	return view;
}

/* Those whose card is in a reader. */
static char **list(void *context, size_t *count)
{
	struct bus *bus = context;
	size_t readers;
	_cleanup_free_ unsigned *numbers = contacts_list(bus->services->contacts, &readers);
	char **names = xcalloc(readers + 1, sizeof(*names));

	*count = 0;
	for (size_t i = 0; i < readers; i++) {
		_cleanup_contact_status_ struct contact_status status = {0};
		if (contacts_status(bus->services->contacts, numbers[i], &status, NULL) &&
			status.credential)
			names[(*count)++] = number_to_name(status.credential->id);
	}
	return names;
}

/* --- properties --- */

static const struct credential *credential_of(const void *object)
{
	return ((const struct view *)object)->credential;
}

const struct credential *credential_object(const void *object)
{
	return credential_of(object);
}

static void get_serial(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, credential_of(object)->serial);
}

static void get_card_type(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, credential_of(object)->card_type);
}

static void get_state(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, lifecycle_state_name(credential_of(object)->state));
}

static void get_holder(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	append_fields(value, &credential_of(object)->holder);
}

static void get_template(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, credential_of(object)->template_name);
}

static void get_template_version(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_i64(value, credential_of(object)->template_version);
}

static void get_reader(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	append_number_path(value, &reader_kind, ((const struct view *)object)->reader);
}

static void get_kdf(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, credential_of(object)->kdf);
}

static void get_key_version(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_u32(value, credential_of(object)->key_version);
}

static void get_key_check_value(void *context, const void *object, DBusMessageIter *value)
{
	const struct credential *credential = credential_of(object);
	_cleanup_free_ char *hex =
		hex_encode(credential->key_check_value, sizeof(credential->key_check_value));

	(void)context;
	message_append_string(value, hex);
}

static void get_puk_state(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, puk_state_name(((const struct view *)object)->puk.state));
}

static void get_puk_exposed_at(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_i64(value, ((const struct view *)object)->puk.exposed_at);
}

static void get_unblock_code_expires_at(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_i64(value, ((const struct view *)object)->puk.exposed_until);
}

static void get_reason(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, credential_of(object)->reason);
}

static void get_expires_at(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_i64(value, credential_of(object)->expires_at);
}

static void get_replaces(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	append_number_path(value, &credential_kind, credential_of(object)->replaces);
}

static void get_replaced_by(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	append_number_path(value, &credential_kind, credential_of(object)->replaced_by);
}

static void get_created_at(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_i64(value, credential_of(object)->created_at);
}

static void get_changed_at(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_i64(value, credential_of(object)->changed_at);
}

/* Asked for here rather than in find(): it takes the template, which few callers want. */
static void get_pin_expires_at(void *context, const void *object, DBusMessageIter *value)
{
	struct bus *bus = context;
	struct error error _cleanup_error_ = ERROR_INIT;
	int64_t expires_at = 0;

	if (!pin_history_expiry(bus->services, credential_of(object), &expires_at, &error))
		log_error("PIN's age not read: %s", error_message(&error));
	message_append_i64(value, expires_at);
}

static void get_certificates(void *context, const void *object, DBusMessageIter *value)
{
	const struct certificates *certificates = &((const struct view *)object)->certificates;
	DBusMessageIter array, item;

	(void)context;
	message_open(value, DBUS_TYPE_ARRAY, "(ssssxs)", &array);
	for (size_t i = 0; i < certificates->count; i++) {
		const struct certificate *certificate = &certificates->items[i];
		message_open(&array, DBUS_TYPE_STRUCT, NULL, &item);
		message_append_string(&item, key_slot_name(certificate->slot));
		message_append_string(&item, certificate->serial_hex);
		message_append_string(&item, certificate->subject);
		message_append_string(&item, certificate->authority);
		message_append_i64(&item, certificate->not_after);
		message_append_string(&item, certificate_status_name(certificate->status));
		message_close(&array, &item);
	}
	message_close(value, &array);
}

/* --- methods --- */

struct verb *credential_verb(const struct bus_call *call, enum lifecycle_verb which)
{
	struct verb *verb = verb_new(call, which);
	struct self_leave leave _cleanup_self_leave_ = {0};

	verb->credential_id = credential_of(call->object)->id;
	if (verb->is_own && caller_holds(call, verb->credential_id, &leave))
		verb_take_leave(verb, call, &leave);
	return verb;
}

/* Verbs that end with a PIN or a code which the caller knows, or with another operator's card. */
static bool gives_power(enum lifecycle_verb which)
{
	return which == LIFECYCLE_UNBLOCK || which == LIFECYCLE_OFFLINE_UNBLOCK ||
	       which == LIFECYCLE_ACTIVATE || which == LIFECYCLE_REISSUE ||
	       which == LIFECYCLE_UPDATE || which == LIFECYCLE_ROTATE || which == LIFECYCLE_REPLACE;
}

static bool may_have_power_of(struct bus_call *call, const struct operator_record *record,
	bool unblocks, struct error *error)
{
	struct bus *bus = call->context;
	struct logins *logins = bus->services->logins;
	const char *caller = call->caller->name;

	if (!operator_has_role(record, ROLE_SYSTEM_OWNER))
		return logins_may(logins, caller, PERMISSION_MANAGE_OPERATORS, error) &&
		       appoint_check_pin(bus->services, caller, record, error);
	if (unblocks)
		return error_set(error, ERROR_ACCESS_DENIED,
			"a system owner's card is unblocked by its own unblock code alone "
			"(--unblock-code-file)");
	return logins_may(logins, caller, PERMISSION_MANAGE_OWNERS, error);
}

/*
 * Who sets the PIN of an operator's card has the operator's power: that takes the right to make
 * such operators. An owner's card is unblocked by its own code alone.
 */
static bool may_on_operators_card(
	struct bus_call *call, const struct verb *verb, struct error *error)
{
	struct bus *bus = call->context;
	struct operator_record record _cleanup_operator_ = OPERATOR_INIT;
	struct error absence _cleanup_error_ = ERROR_INIT;
	bool unblocks =
		verb->which == LIFECYCLE_UNBLOCK || verb->which == LIFECYCLE_OFFLINE_UNBLOCK;

	if (secret_is_set(&verb->code) || !gives_power(verb->which))
		return true;
	if (!store_operator_get(bus->services->store, verb->credential_id, &record, &absence))
		return absence.code == ERROR_NOT_FOUND || error_move(error, &absence);
	if (may_have_power_of(call, &record, unblocks, error))
		return true;
	caller_denied(bus, call, error);
	call->audited = true;
	return false;
}

bool credential_start(struct bus_call *call, struct verb **verb, struct error *error)
{
	return may_on_operators_card(call, *verb, error) &&
	       verb_start(call, steal_pointer(verb), credential_of(call->object)->serial, error);
}

/* A verb whose only argument is the new PIN. */
static bool start_with_pin(struct bus_call *call, enum lifecycle_verb which, struct error *error)
{
	_cleanup_verb_ struct verb *verb = credential_verb(call, which);

	return message_read_secret(&call->in, &verb->pin, error) &&
	       credential_start(call, &verb, error);
}

static bool activate(struct bus_call *call, struct error *error)
{
	return start_with_pin(call, LIFECYCLE_ACTIVATE, error);
}

static bool unblock(struct bus_call *call, struct error *error)
{
	return caller_may_unblock(call, credential_of(call->object), error) &&
	       start_with_pin(call, LIFECYCLE_UNBLOCK, error);
}

/* The same with a PIN that the service makes: the verb's stays unset. */
static bool activate_generated(struct bus_call *call, struct error *error)
{
	_cleanup_verb_ struct verb *verb = credential_verb(call, LIFECYCLE_ACTIVATE);

	return credential_start(call, &verb, error);
}

static bool unblock_generated(struct bus_call *call, struct error *error)
{
	_cleanup_verb_ struct verb *verb = credential_verb(call, LIFECYCLE_UNBLOCK);

	return caller_may_unblock(call, credential_of(call->object), error) &&
	       credential_start(call, &verb, error);
}

static bool unblock_with_code(struct bus_call *call, struct error *error)
{
	_cleanup_verb_ struct verb *verb = credential_verb(call, LIFECYCLE_UNBLOCK);

	if (!message_read_secret(&call->in, &verb->code, error) ||
		!message_read_secret(&call->in, &verb->pin, error))
		return false;
	if (verb->code.length == 0)
		return error_set_field(
			error, ERROR_INVALID_ARGUMENT, "code", "there is no unblock code");
	return credential_start(call, &verb, error);
}

static bool offline_unblock(struct bus_call *call, struct error *error)
{
	_cleanup_verb_ struct verb *verb = credential_verb(call, LIFECYCLE_OFFLINE_UNBLOCK);

	return caller_may_unblock(call, credential_of(call->object), error) &&
	       credential_start(call, &verb, error);
}

static bool rotate(struct bus_call *call, struct error *error)
{
	_cleanup_verb_ struct verb *verb = credential_verb(call, LIFECYCLE_ROTATE);

	return credential_start(call, &verb, error);
}

static bool change_pin(struct bus_call *call, struct error *error)
{
	_cleanup_verb_ struct verb *verb = credential_verb(call, LIFECYCLE_CHANGE_PIN);

	return message_read_secret(&call->in, &verb->pin, error) &&
	       message_read_secret(&call->in, &verb->new_pin, error) &&
	       credential_start(call, &verb, error);
}

/* A text that may be left out. */
static char *read_optional(DBusMessageIter *iter)
{
	const char *text = message_read_string(iter);

	return text[0] ? xstrdup(text) : NULL;
}

/* A holder who may reissue the own card does not become someone else by it. */
static bool check_reissuer(struct bus_call *call, const struct verb *verb, struct error *error)
{
	struct bus *bus = call->context;

	return (!verb->text && verb->holder.count == 0) ||
	       logins_may(bus->services->logins, call->caller->name, PERMISSION_REISSUE, error);
}

static bool reissue(struct bus_call *call, struct error *error)
{
	_cleanup_verb_ struct verb *verb = credential_verb(call, LIFECYCLE_REISSUE);

	verb->text = read_optional(&call->in);
	return read_fields(&call->in, &verb->holder, error) && check_reissuer(call, verb, error) &&
	       credential_start(call, &verb, error);
}

static bool start_with_reason(struct bus_call *call, enum lifecycle_verb which, struct error *error)
{
	_cleanup_verb_ struct verb *verb = credential_verb(call, which);

	verb->text = read_optional(&call->in);
	if (verb->text && strlen(verb->text) > FIELD_VALUE_MAXIMUM)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "reason",
			"it is longer than %d bytes", FIELD_VALUE_MAXIMUM);
	return credential_start(call, &verb, error);
}

static bool suspend(struct bus_call *call, struct error *error)
{
	return start_with_reason(call, LIFECYCLE_SUSPEND, error);
}

static bool resume(struct bus_call *call, struct error *error)
{
	_cleanup_verb_ struct verb *verb = credential_verb(call, LIFECYCLE_RESUME);

	return credential_start(call, &verb, error);
}

static bool revoke_credential(struct bus_call *call, struct error *error)
{
	return start_with_reason(call, LIFECYCLE_REVOKE, error);
}

static bool retire(struct bus_call *call, struct error *error)
{
	return start_with_reason(call, LIFECYCLE_RETIRE, error);
}

static bool unregister(struct bus_call *call, struct error *error)
{
	_cleanup_verb_ struct verb *verb = credential_verb(call, LIFECYCLE_UNREGISTER);

	return credential_start(call, &verb, error);
}

/* What revokes for good takes the right to do that. */
static bool report(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	const char *kind = message_read_string(&call->in);
	enum lifecycle_verb which = lifecycle_report_from_name(kind);

	if (which == LIFECYCLE_VERB_COUNT)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "kind",
			"a card is reported lost, stolen, damaged or compromised, not \"%.64s\"",
			kind);
	if (lifecycle_rule(which)->certificates == CERTIFICATES_REVOKED &&
		!logins_may(bus->services->logins, call->caller->name, PERMISSION_REVOKE, error))
		return false;
	_cleanup_verb_ struct verb *verb = credential_verb(call, which);
	return credential_start(call, &verb, error);
}

static bool read_replace_option(
	void *context, const char *name, DBusMessageIter *value, struct error *error)
{
	struct verb *verb = context;

	if (strcmp(name, "expires-at") == 0)
		return option_read_i64(name, value, &verb->expires_at, error);
	if (strcmp(name, "pin") == 0)
		return option_read_secret(name, value, &verb->pin, error);
	if (strcmp(name, "generate-pin") == 0)
		return option_read_bool(name, value, &verb->makes_pin, error);
	if (strcmp(name, "keep-fields") == 0)
		return option_read_bool(name, value, &verb->keep_fields, error);
	return option_unknown(name, "expires-at, pin, generate-pin, keep-fields", error);
}

static bool replace(struct bus_call *call, struct error *error)
{
	_cleanup_contact_status_ struct contact_status status = {0};
	_cleanup_verb_ struct verb *verb = credential_verb(call, LIFECYCLE_REPLACE);

	if (!read_reader(call, &status, error) ||
		!options_each(&call->in, read_replace_option, verb, error))
		return false;
	verb->reader = status.number;
	return credential_start(call, &verb, error);
}

/* The newest certificate of a slot; the store lists them oldest first. */
static const struct certificate *newest_certificate(
	const struct certificates *certificates, key_slot slot)
{
	for (size_t i = certificates->count; i > 0; i--) {
		const struct certificate *certificate = &certificates->items[i - 1];
		if (certificate->slot == slot && certificate->der.length > 0)
			return certificate;
	}
	return NULL;
}

static bool get_certificate(struct bus_call *call, struct error *error)
{
	const struct view *view = call->object;
	const char *name = message_read_string(&call->in);
	key_slot slot = key_slot_from_name(name);
	const struct certificate *certificate =
		slot == KEY_SLOT_NONE ? NULL : newest_certificate(&view->certificates, slot);

	if (!certificate)
		return error_set_field(error, ERROR_NOT_FOUND, "slot",
			"the credential has no certificate in slot \"%.64s\"", name);
	message_append_bytes(&call->out, certificate->der.data, certificate->der.length);
	return true;
}

#define JOB_RESULT BUS_ARGUMENTS({"job", "o"})

static const struct bus_method methods[] = {
	{"Activate", BUS_ARGUMENTS({"pin", "s"}), JOB_RESULT, PERMISSION_ACTIVATE, BUS_SECRET,
		activate},
	{"ActivateGenerated", NULL, JOB_RESULT, PERMISSION_ACTIVATE, 0, activate_generated},
	{"ChangePin", BUS_ARGUMENTS({"old_pin", "s"}, {"new_pin", "s"}), JOB_RESULT, BUS_HOLDER,
		BUS_SECRET, change_pin},
	{"Unblock", BUS_ARGUMENTS({"pin", "s"}), JOB_RESULT, PERMISSION_UNBLOCK, BUS_SECRET,
		unblock},
	{"UnblockGenerated", NULL, JOB_RESULT, PERMISSION_UNBLOCK, 0, unblock_generated},
	{"UnblockWithCode", BUS_ARGUMENTS({"code", "s"}, {"pin", "s"}), JOB_RESULT, BUS_HOLDER,
		BUS_SECRET, unblock_with_code},
	{"OfflineUnblock", NULL, JOB_RESULT, PERMISSION_UNBLOCK, 0, offline_unblock},
	{"Rotate", NULL, JOB_RESULT, PERMISSION_ROTATE_KEYS, 0, rotate},
	{"Reissue", BUS_ARGUMENTS({"template", "s"}, {"holder", "a{ss}"}), JOB_RESULT,
		PERMISSION_REISSUE, 0, reissue},
	{"ReissueKeepingFields", BUS_ARGUMENTS({"template", "s"}), JOB_RESULT, PERMISSION_REISSUE,
		0, credential_reissue_keeping_fields},
	{"Update", BUS_ARGUMENTS({"options", "a{sv}"}), JOB_RESULT, PERMISSION_REISSUE, 0,
		credential_update},
	{"Renew", BUS_ARGUMENTS({"pin", "s"}, {"options", "a{sv}"}), JOB_RESULT, PERMISSION_REISSUE,
		BUS_SECRET, credential_renew},
	{"Suspend", BUS_ARGUMENTS({"reason", "s"}), JOB_RESULT, PERMISSION_SUSPEND, 0, suspend},
	{"Resume", NULL, JOB_RESULT, PERMISSION_SUSPEND, 0, resume},
	{"Revoke", BUS_ARGUMENTS({"reason", "s"}), JOB_RESULT, PERMISSION_REVOKE, 0,
		revoke_credential},
	{"Retire", BUS_ARGUMENTS({"reason", "s"}), JOB_RESULT, PERMISSION_RETIRE, 0, retire},
	{"Unregister", NULL, JOB_RESULT, PERMISSION_REGISTER, 0, unregister},
	{"Report", BUS_ARGUMENTS({"kind", "s"}), JOB_RESULT, PERMISSION_SUSPEND, 0, report},
	{"Replace", BUS_ARGUMENTS({"reader", "o"}, {"options", "a{sv}"}), JOB_RESULT,
		PERMISSION_REISSUE, BUS_SECRET, replace},
	{"GetCertificate", BUS_ARGUMENTS({"slot", "s"}), BUS_ARGUMENTS({"certificate", "ay"}),
		PERMISSION_VIEW_CARDS, 0, get_certificate},
	{0},
};

static const struct bus_interface credential_interface = {
	.name = BUS_NAME ".Credential",
	.read = PERMISSION_VIEW_CARDS,
	.methods = methods,
	.properties =
		(const struct bus_property[]){
			{"Serial", "s", get_serial},
			{"CardType", "s", get_card_type},
			{"State", "s", get_state},
			{"Holder", "a{ss}", get_holder},
			{"Person", "a{ss}", get_credential_person},
			{"Template", "s", get_template},
			{"TemplateVersion", "x", get_template_version},
			{"Reader", "o", get_reader},
			{"Kdf", "s", get_kdf},
			{"KeyVersion", "u", get_key_version},
			{"KeyCheckValue", "s", get_key_check_value},
			{"PukState", "s", get_puk_state},
			{"PukExposedAt", "x", get_puk_exposed_at},
			{"UnblockCodeExpiresAt", "x", get_unblock_code_expires_at},
			{"Reason", "s", get_reason},
			{"ExpiresAt", "x", get_expires_at},
			{"Replaces", "o", get_replaces},
			{"ReplacedBy", "o", get_replaced_by},
			{"CreatedAt", "x", get_created_at},
			{"ChangedAt", "x", get_changed_at},
			{"PinExpiresAt", "x", get_pin_expires_at},
			{"Certificates", "a(ssssxs)", get_certificates},
			{0},
		},
};

const struct bus_kind credential_kind = {
	.path = BUS_ROOT "/credential",
	.interfaces = (const struct bus_interface *const[]){&credential_interface, NULL},
	.find = find,
	.release = release,
	.list = list,
};
