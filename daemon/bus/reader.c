/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.tessera1.Reader */
#include <limits.h>
#include <time.h>

#include "bus/bus-private.h"
#include "common/alloc.h"
#include "operation/contact.h"
#include "operation/information.h"

static void release(void *object)
{
	contact_status_clear(object);
	free(object);
}

static void *find(void *context, const char *name, struct error *error)
{
	struct bus *bus = context;
	struct contact_status *status = xnew(struct contact_status);
	int64_t number = name_to_number(name);

	if (number <= UINT_MAX &&
		contacts_status(bus->services->contacts, (unsigned)number, status, error))
		return status;
	if (number > UINT_MAX)
		error_set(error, ERROR_NOT_FOUND, "there is no reader %s", name);
	free(status);
	return NULL;
}

static char **list(void *context, size_t *count)
{
	struct bus *bus = context;
	_cleanup_free_ unsigned *numbers = contacts_list(bus->services->contacts, count);
	char **names = xcalloc(*count + 1, sizeof(*names));

	for (size_t i = 0; i < *count; i++)
		names[i] = number_to_name(numbers[i]);
	return names;
}

static void get_name(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, ((const struct contact_status *)object)->reader_name);
}

static void get_card_present(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_bool(value, ((const struct contact_status *)object)->card_present);
}

static void get_atr(void *context, const void *object, DBusMessageIter *value)
{
	const struct contact_status *status = object;

	(void)context;
	message_append_bytes(value, status->atr.data, status->atr.length);
}

static void get_card_type(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, ((const struct contact_status *)object)->card_type);
}

static void get_model(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, ((const struct contact_status *)object)->model);
}

static void get_serial(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, ((const struct contact_status *)object)->serial);
}

static void get_state(void *context, const void *object, DBusMessageIter *value)
{
	const struct contact_status *status = object;
	bool known = status->card_present && (status->card_type || status->problem);
	enum lifecycle_state state =
		status->credential ? status->credential->state : LIFECYCLE_UNREGISTERED;

	(void)context;
	message_append_string(value, known ? lifecycle_state_name(state) : "");
}

static void get_credential(void *context, const void *object, DBusMessageIter *value)
{
	const struct contact_status *status = object;

	(void)context;
	append_number_path(
		value, &credential_kind, status->credential ? status->credential->id : 0);
}

static void get_problem(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, ((const struct contact_status *)object)->problem);
}

static void get_user(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, ((const struct contact_status *)object)->user_name);
}

static void get_encrypted(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_bool(value, ((const struct contact_status *)object)->is_encrypted);
}

static bool is_mine(struct bus_call *call, struct error *error)
{
	const struct contact_status *status = call->object;

	(void)error;
	message_append_bool(&call->out, !status->is_remote || status->user == call->caller->uid);
	return true;
}

/* Codes for who shows them; anyone may see them, as programs see the same in the token's flags. */
static const char *pin_state(const struct contact_status *status)
{
	const struct credential *credential = status->credential;

	if (!credential || status->problem ||
		(credential->state != LIFECYCLE_ISSUED && credential->state != LIFECYCLE_ACTIVE &&
			credential->state != LIFECYCLE_INACTIVE))
		return "";
	if (credential_waits_for_pin(credential))
		return "not-set";
	if (status->pin.blocked)
		return "blocked";
	return status->pin_expires_at && status->pin_expires_at <= time(NULL) ? "expired" : "good";
}

static void get_pin_state(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, pin_state(object));
}

static void get_pin_expires_at(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_i64(value, ((const struct contact_status *)object)->pin_expires_at);
}

static void get_unblock_available(void *context, const void *object, DBusMessageIter *value)
{
	const struct contact_status *status = object;

	(void)context;
	message_append_bool(value, status->unblock_code_until > time(NULL));
}

static void get_certificates_expire_at(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_i64(value, ((const struct contact_status *)object)->certificates_end);
}

static bool get_information(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	const struct contact_status *status = call->object;
	_cleanup_free_ char *information = card_information(bus->services, status->number, error);

	if (!information)
		return false;
	message_append_string(&call->out, information);
	return true;
}

static bool detect_type(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	const struct contact_status *status = call->object;
	_cleanup_free_ char *type = NULL;
	_cleanup_free_ char *document = NULL;

	if (!card_detect_type(bus->services, status->number, &type, &document, error))
		return false;
	message_append_string(&call->out, type);
	message_append_string(&call->out, document);
	return true;
}

static const struct bus_interface reader_interface = {
	.name = BUS_NAME ".Reader",
	.methods =
		(const struct bus_method[]){
			{"GetInformation", NULL, BUS_ARGUMENTS({"information", "s"}),
				PERMISSION_VIEW_CARDS, BUS_SLOW, get_information},
			{"DetectType", NULL, BUS_ARGUMENTS({"type", "s"}, {"document", "s"}),
				PERMISSION_VIEW_CARDS, BUS_SLOW, detect_type},
			{"IsMine", NULL, BUS_ARGUMENTS({"mine", "b"}), BUS_ANYONE, 0, is_mine},
			{0},
		},
	.properties =
		(const struct bus_property[]){
			{"Name", "s", get_name},
			{"CardPresent", "b", get_card_present},
			{"Atr", "ay", get_atr},
			{"CardType", "s", get_card_type},
			{"Model", "s", get_model},
			{"Serial", "s", get_serial},
			{"State", "s", get_state},
			{"Credential", "o", get_credential},
			{"Problem", "s", get_problem},
			{"User", "s", get_user},
			{"Encrypted", "b", get_encrypted},
			{"PinState", "s", get_pin_state},
			{"PinExpiresAt", "x", get_pin_expires_at},
			{"UnblockAvailable", "b", get_unblock_available},
			{"CertificatesExpireAt", "x", get_certificates_expire_at},
			{0},
		},
};

const struct bus_kind reader_kind = {
	.path = BUS_ROOT "/reader",
	.interfaces = (const struct bus_interface *const[]){&reader_interface, NULL},
	.find = find,
	.release = release,
	.list = list,
};
