/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.tessera1.Provider: what the PKCS#11 module needs. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bus/provider-private.h"
#include "common/alloc.h"
#include "operation/contact.h"
#include "operation/slots.h"

/* One object of GetObjects. */
#define OBJECT_SIGNATURE "(usayayua(uay))"

enum token_flag {
	TOKEN_PRESENT = 1 << 0,
	TOKEN_PIN_BLOCKED = 1 << 1,
	TOKEN_PIN_LAST_TRY = 1 << 2,
	TOKEN_PIN_TRIES_LOST = 1 << 3,
	TOKEN_PIN_NOT_SET = 1 << 4,
	TOKEN_SUSPENDED = 1 << 5,
	TOKEN_PIN_EXPIRED = 1 << 6,
	TOKEN_WITHOUT_PIN = 1 << 7,
	TOKEN_FIXED = 1 << 8,
};

static const uint32_t state_flags[LIFECYCLE_STATE_COUNT] = {
	[LIFECYCLE_REGISTERED] = TOKEN_PRESENT | TOKEN_PIN_NOT_SET,
	[LIFECYCLE_ISSUED] = TOKEN_PRESENT | TOKEN_PIN_NOT_SET,
	[LIFECYCLE_ACTIVE] = TOKEN_PRESENT,
	[LIFECYCLE_INACTIVE] = TOKEN_PRESENT | TOKEN_SUSPENDED,
	[LIFECYCLE_REVOKED] = TOKEN_PRESENT | TOKEN_SUSPENDED,
	[LIFECYCLE_EXPIRED] = TOKEN_PRESENT | TOKEN_SUSPENDED,
};

static uint32_t pin_flags(const struct card_secret_state *pin)
{
	uint32_t flags = 0;

	if (pin->blocked)
		flags |= TOKEN_PIN_BLOCKED;
	if (pin->tries_left == 1)
		flags |= TOKEN_PIN_LAST_TRY;
	if (pin->tries_left >= 0 && pin->tries_left < card_secret_tries(pin))
		flags |= TOKEN_PIN_TRIES_LOST;
	return flags;
}

static uint32_t flags_of(const struct contact_status *status)
{
	if (!status->card_present || !status->credential || status->problem)
		return 0;
	uint32_t flags = state_flags[status->credential->state];
	if (status->credential->state == LIFECYCLE_ACTIVE && status->pin_expires_at &&
		time(NULL) >= status->pin_expires_at)
		flags |= TOKEN_PIN_EXPIRED;
	if (status->without_pin)
		flags |= TOKEN_WITHOUT_PIN;
	return flags & TOKEN_PRESENT ? flags | pin_flags(&status->pin) : 0;
}

static void append_token(DBusMessageIter *array, const struct contact_status *status)
{
	uint32_t flags = flags_of(status);
	bool present = flags & TOKEN_PRESENT;
	DBusMessageIter item;

	message_open(array, DBUS_TYPE_STRUCT, NULL, &item);
	message_append_u32(&item, status->number);
	message_append_string(&item, status->reader_name);
	message_append_u32(&item, flags);
	message_append_string(&item, present ? status->label : "");
	message_append_string(&item, present ? status->manufacturer : "");
	message_append_string(&item, present ? status->model : "");
	message_append_string(&item, present ? status->serial : "");
	message_append_u32(&item, present ? status->pin_minimum : 0);
	message_append_u32(&item, present ? status->pin_maximum : 0);
	message_append_u64(&item, status->generation);
	message_close(array, &item);
}

struct provider_client *provider_client_of(const struct bus_call *call)
{
	return private_connection_client(call->caller->connection);
}

/* A slot whose token is away is shown empty. */
static void append_slot(DBusMessageIter *array, struct slot *slot)
{
	struct hsm_information information _cleanup_(hsm_information_clear) = {0};
	const struct slot_record *record = slot_record(slot);
	struct hsm *hsm = slot_hsm(slot, NULL);
	bool present = hsm != NULL;
	uint32_t flags = TOKEN_PRESENT | TOKEN_FIXED;
	DBusMessageIter item;

	if (hsm)
		hsm_information(hsm, &information);
	if (record->pin != SLOT_PIN_CALLER)
		flags |= TOKEN_WITHOUT_PIN;
	else if (!information.has_user_pin)
		flags |= TOKEN_PIN_NOT_SET;
	message_open(array, DBUS_TYPE_STRUCT, NULL, &item);
	message_append_u32(&item, (uint32_t)record->number);
	message_append_string(&item, record->name);
	message_append_u32(&item, present ? flags : 0);
	message_append_string(&item, present ? information.label : "");
	message_append_string(&item, present ? information.manufacturer : "");
	message_append_string(&item, present ? information.model : "");
	message_append_string(&item, present ? information.serial : "");
	message_append_u32(&item, information.pin_minimum);
	message_append_u32(&item, information.pin_maximum);
	message_append_u64(&item, slot_generation(slot));
	message_close(array, &item);
}

/* Those that the caller may use a key of. */
static void append_slots(struct bus_call *call, DBusMessageIter *array)
{
	struct bus *bus = call->context;
	const struct slot_user *user = provider_client_user(provider_client_of(call));
	size_t count;
	struct slot **list = slots_list(bus->services->slots, &count);

	for (size_t i = 0; i < count; i++) {
		if (slot_is_visible(list[i], user))
			append_slot(array, list[i]);
	}
	slots_list_free(list, count);
}

static bool get_tokens(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	struct contacts *contacts = bus->services->contacts;
	DBusMessageIter array;
	size_t count;

	(void)error;
	/* First the wish for news, then the look: a change in between is told twice, not lost. */
	private_connection_watch_tokens(call->caller->connection);
	const struct contact_reach reach = provider_reach(provider_client_of(call));
	slots_await(bus->services->slots);
	message_append_u64(&call->out, contacts_generation(contacts));
	_cleanup_free_ unsigned *numbers = contacts_list(contacts, &count);
	message_open(&call->out, DBUS_TYPE_ARRAY, "(usussssuut)", &array);
	for (size_t i = 0; i < count; i++) {
		_cleanup_contact_status_ struct contact_status status = {0};
		if (contacts_status(contacts, numbers[i], &status, NULL) &&
			contact_check_reach(&status, &reach, NULL))
			append_token(&array, &status);
	}
	append_slots(call, &array);
	message_close(&call->out, &array);
	return true;
}

static void append_key(DBusMessageIter *array, const struct contact_key *key)
{
	uint32_t flags = key->pin == PIN_USE_ALWAYS ? 1 : key->pin == PIN_USE_NEVER ? 2 : 0;
	DBusMessageIter item, attributes;

	message_open(array, DBUS_TYPE_STRUCT, NULL, &item);
	message_append_u32(&item, key->slot);
	message_append_string(&item, key->label);
	message_append_bytes(&item, key->certificate.data, key->certificate.length);
	message_append_bytes(&item, key->public_key.data, key->public_key.length);
	message_append_u32(&item, flags);
	message_open(&item, DBUS_TYPE_ARRAY, "(uay)", &attributes);
	message_close(&item, &attributes);
	message_close(array, &item);
}

static bool get_card_objects(struct bus_call *call, uint32_t slot, struct error *error)
{
	struct bus *bus = call->context;
	struct contact_key *keys = NULL;
	DBusMessageIter array;
	uint64_t generation;
	size_t count = 0;

	_cleanup_contact_status_ struct contact_status status = {0};
	const struct contact_reach reach = provider_reach(provider_client_of(call));

	contacts_await(bus->services->contacts, slot);
	if (!contacts_status(bus->services->contacts, slot, &status, error) ||
		!contact_check_reach(&status, &reach, error) ||
		!contacts_keys(bus->services->contacts, slot, &generation, &keys, &count, error))
		return false;
	message_append_u64(&call->out, generation);
	message_append_u32(&call->out, 0);
	message_open(&call->out, DBUS_TYPE_ARRAY, OBJECT_SIGNATURE, &array);
	for (size_t i = 0; i < count; i++)
		append_key(&array, &keys[i]);
	message_close(&call->out, &array);
	contact_keys_free(keys, count);
	return true;
}

/* Where the daemon gives the PIN for each use, programs need not know that it is wanted. */
static const uint8_t *value_of(const struct hsm_object *object,
	const struct hsm_attribute *attribute, bool pin_for_each_use)
{
	static const CK_BBOOL no = CK_FALSE;

	if (attribute->type == CKA_ALWAYS_AUTHENTICATE && attribute->length == sizeof(no) &&
		!pin_for_each_use)
		return &no;
	return object->values.data + attribute->offset;
}

static void append_object(
	DBusMessageIter *array, const struct hsm_object *object, bool pin_for_each_use)
{
	DBusMessageIter item, attributes, attribute;

	message_open(array, DBUS_TYPE_STRUCT, NULL, &item);
	message_append_u32(&item, object->number);
	message_append_string(&item, object->label);
	message_append_bytes(&item, NULL, 0);
	message_append_bytes(&item, NULL, 0);
	message_append_u32(&item, object->wants_pin && pin_for_each_use);
	message_open(&item, DBUS_TYPE_ARRAY, "(uay)", &attributes);
	for (size_t i = 0; i < object->attribute_count; i++) {
		const struct hsm_attribute *value = &object->attributes[i];
		message_open(&attributes, DBUS_TYPE_STRUCT, NULL, &attribute);
		message_append_u32(&attribute, (uint32_t)value->type);
		message_append_bytes(
			&attribute, value_of(object, value, pin_for_each_use), value->length);
		message_close(&attributes, &attribute);
	}
	message_close(&item, &attributes);
	message_close(array, &item);
}

static bool get_slot_objects(
	struct bus_call *call, uint32_t number, uint32_t after, struct error *error)
{
	struct slot_view view _cleanup_(slot_view_clear) = {0};
	DBusMessageIter array;

	if (!provider_view_slot(provider_client_of(call), number, after, &view, error))
		return false;
	message_append_u64(&call->out, view.generation);
	message_append_u32(&call->out, view.next);
	message_open(&call->out, DBUS_TYPE_ARRAY, OBJECT_SIGNATURE, &array);
	for (size_t i = 0; i < view.count; i++)
		append_object(&array, view.shown[i], view.pin_for_each_use);
	message_close(&call->out, &array);
	return true;
}

static bool get_objects(struct bus_call *call, struct error *error)
{
	uint32_t slot = message_read_u32(&call->in);
	uint32_t after = message_read_u32(&call->in);

	return slot >= SLOT_NUMBER_FIRST ? get_slot_objects(call, slot, after, error)
					 : get_card_objects(call, slot, error);
}

static bool login(struct bus_call *call, struct error *error)
{
	struct secret pin _cleanup_secret_ = SECRET_INIT;
	uint32_t slot = message_read_u32(&call->in);

	return message_read_secret(&call->in, &pin, error) &&
	       provider_login(provider_client_of(call), slot, &pin, &call->audited, error);
}

static bool logout(struct bus_call *call, struct error *error)
{
	call->audited = true; /* no change: the end of what login was recorded for */
	return provider_logout(provider_client_of(call), message_read_u32(&call->in), error);
}

bool provider_read_use(const char *name, size_t length, enum key_use *use, struct error *error)
{
	static const char *const names[] = {[KEY_USE_SIGN] = "sign",
		[KEY_USE_DECRYPT] = "decrypt",
		[KEY_USE_DERIVE] = "derive",
		[KEY_USE_ENCRYPT] = "encrypt"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (length == strlen(names[i]) && memcmp(name, names[i], length) == 0) {
			*use = (enum key_use)i;
			return true;
		}
	}
	return error_set_field(error, ERROR_INVALID_ARGUMENT, "operation",
		"it must be sign, decrypt, derive or encrypt");
}

bool provider_read_pin(struct bus_call *call, struct secret *pin, struct error *error)
{
	const uint8_t *data;
	size_t length;

	message_read_bytes(&call->in, &data, &length);
	call->holds_no_secret = length == 0;
	return length == 0 || secret_set(pin, data, length) ||
	       error_set(error, ERROR_FAILED, "no memory is left for a secret");
}

static bool use_key(struct bus_call *call, struct error *error)
{
	struct secret pin _cleanup_secret_ = SECRET_INIT;
	struct buffer output _cleanup_buffer_ = BUFFER_INIT_WIPE;
	struct provider_use use = {.pin = &pin,
		.output = &output,
		.habit = private_connection_habit(call->caller->connection)};
	const uint8_t *parameter;
	const char *operation;
	size_t length;

	call->audited = true; /* no change; a wrong PIN is recorded where it is proved */
	message_read_bytes(&call->in, &use.input, &use.length);
	use.slot = message_read_u32(&call->in);
	use.key = message_read_u32(&call->in);
	operation = message_read_string(&call->in);
	if (!provider_read_use(operation, strlen(operation), &use.use, error))
		return false;
	use.mechanism = message_read_u32(&call->in);
	message_read_bytes(&call->in, &parameter, &length);
	use.parameter = (struct reader)READER_INIT(parameter, length);
	if (!provider_read_pin(call, &pin, error))
		return false;
	if (!provider_use_key(provider_client_of(call), &use, error))
		return false;
	message_append_bytes(&call->out, output.data, output.length);
	return true;
}

static bool open_channel(struct bus_call *call, struct error *error)
{
	call->audited = true; /* no change */
	int descriptor = private_connection_open_channel(call->caller->connection, error);

	if (descriptor < 0)
		return false;
	if (!dbus_message_iter_append_basic(&call->out, DBUS_TYPE_UNIX_FD, &descriptor))
		abort();
	close(descriptor);
	return true;
}

static bool change_pin(struct bus_call *call, struct error *error)
{
	struct secret old_pin _cleanup_secret_ = SECRET_INIT;
	struct secret new_pin _cleanup_secret_ = SECRET_INIT;
	uint32_t slot = message_read_u32(&call->in);

	return message_read_secret(&call->in, &old_pin, error) &&
	       message_read_secret(&call->in, &new_pin, error) &&
	       provider_change_pin(
		       provider_client_of(call), slot, &old_pin, &new_pin, &call->audited, error);
}

static bool change_officer_pin(struct bus_call *call, struct error *error)
{
	struct secret old_pin _cleanup_secret_ = SECRET_INIT;
	struct secret new_pin _cleanup_secret_ = SECRET_INIT;
	uint32_t slot = message_read_u32(&call->in);

	return message_read_secret(&call->in, &old_pin, error) &&
	       message_read_secret(&call->in, &new_pin, error) &&
	       provider_change_officer_pin(
		       provider_client_of(call), slot, &old_pin, &new_pin, &call->audited, error);
}

static bool check_unblock_code(struct bus_call *call, struct error *error)
{
	struct secret code _cleanup_secret_ = SECRET_INIT;
	uint32_t slot = message_read_u32(&call->in);

	call->audited = true; /* a wrong code is recorded where it is proved */
	return message_read_secret(&call->in, &code, error) &&
	       provider_check_code(provider_client_of(call), slot, &code, error);
}

static bool init_pin(struct bus_call *call, struct error *error)
{
	struct secret code _cleanup_secret_ = SECRET_INIT;
	struct secret pin _cleanup_secret_ = SECRET_INIT;
	uint32_t slot = message_read_u32(&call->in);

	call->audited = true;
	return message_read_secret(&call->in, &code, error) &&
	       message_read_secret(&call->in, &pin, error) &&
	       provider_init_pin(provider_client_of(call), slot, &code, &pin, error);
}

#define MECHANISM                                                                                  \
	{"mechanism", "u"},                                                                        \
	{                                                                                          \
		"parameter", "ay"                                                                  \
	}
#define ATTRIBUTES                                                                                 \
	{                                                                                          \
		"attributes", "a(uay)"                                                             \
	}
#define GENERATIONS                                                                                \
	{"before", "t"},                                                                           \
	{                                                                                          \
		"generation", "t"                                                                  \
	}
#define MADE {"number", "u"}, GENERATIONS

static const struct bus_method methods[] = {
	{"GetTokens", NULL, BUS_ARGUMENTS({"generation", "t"}, {"tokens", "a(usussssuut)"}),
		BUS_ANYONE, 0, get_tokens},
	{"GetObjects", BUS_ARGUMENTS({"slot", "u"}, {"after", "u"}),
		BUS_ARGUMENTS({"generation", "t"}, {"next", "u"}, {"keys", "a" OBJECT_SIGNATURE}),
		BUS_ANYONE, 0, get_objects},
	{"Login", BUS_ARGUMENTS({"slot", "u"}, {"pin", "ay"}), NULL, BUS_HOLDER, BUS_SECRET, login},
	{"Logout", BUS_ARGUMENTS({"slot", "u"}), NULL, BUS_HOLDER, 0, logout},
	{"UseKey",
		BUS_ARGUMENTS({"input", "ay"}, {"slot", "u"}, {"key", "u"}, {"operation", "s"},
			{"mechanism", "u"}, {"parameter", "ay"}, {"pin", "ay"}),
		BUS_ARGUMENTS({"output", "ay"}), BUS_HOLDER, BUS_SECRET, use_key},
	{"BeginUse",
		BUS_ARGUMENTS(
			{"slot", "u"}, {"key", "u"}, {"operation", "s"}, MECHANISM, {"pin", "ay"}),
		BUS_ARGUMENTS({"use", "u"}), BUS_HOLDER, BUS_SECRET, begin_use_call},
	{"ContinueUse", BUS_ARGUMENTS({"input", "ay"}, {"slot", "u"}, {"use", "u"}),
		BUS_ARGUMENTS({"output", "ay"}), BUS_HOLDER, 0, continue_use_call},
	{"EndUse", BUS_ARGUMENTS({"slot", "u"}, {"use", "u"}, {"signature", "ay"}),
		BUS_ARGUMENTS({"output", "ay"}, {"has_more", "b"}), BUS_HOLDER, 0, end_use_call},
	{"CancelUse", BUS_ARGUMENTS({"slot", "u"}, {"use", "u"}), NULL, BUS_HOLDER, 0,
		cancel_use_call},
	{"OpenChannel", NULL, BUS_ARGUMENTS({"channel", "h"}), BUS_HOLDER, 0, open_channel},
	{"ChangePin", BUS_ARGUMENTS({"slot", "u"}, {"old_pin", "ay"}, {"new_pin", "ay"}), NULL,
		BUS_HOLDER, BUS_SECRET, change_pin},
	{"ChangeOfficerPin", BUS_ARGUMENTS({"slot", "u"}, {"old_pin", "ay"}, {"new_pin", "ay"}),
		NULL, BUS_HOLDER, BUS_SECRET, change_officer_pin},
	{"CheckUnblockCode", BUS_ARGUMENTS({"slot", "u"}, {"code", "ay"}), NULL, BUS_HOLDER,
		BUS_SECRET, check_unblock_code},
	{"InitPin", BUS_ARGUMENTS({"slot", "u"}, {"code", "ay"}, {"pin", "ay"}), NULL, BUS_HOLDER,
		BUS_SECRET, init_pin},
	{"GetMechanisms", BUS_ARGUMENTS({"slot", "u"}), BUS_ARGUMENTS({"mechanisms", "a(uuuu)"}),
		BUS_ANYONE, 0, get_mechanisms_call},
	{"VerifyWithKey",
		BUS_ARGUMENTS({"data", "ay"}, {"signature", "ay"}, {"slot", "u"}, {"key", "u"},
			MECHANISM),
		NULL, BUS_HOLDER, 0, verify_with_key_call},
	{"CreateObject", BUS_ARGUMENTS({"slot", "u"}, ATTRIBUTES), BUS_ARGUMENTS(MADE), BUS_HOLDER,
		BUS_SECRET, create_object_call},
	{"CopyObject", BUS_ARGUMENTS({"slot", "u"}, {"object", "u"}, ATTRIBUTES),
		BUS_ARGUMENTS(MADE), BUS_HOLDER, 0, copy_object_call},
	{"SetAttributes", BUS_ARGUMENTS({"slot", "u"}, {"object", "u"}, ATTRIBUTES),
		BUS_ARGUMENTS(GENERATIONS), BUS_HOLDER, 0, set_attributes_call},
	{"DestroyObject", BUS_ARGUMENTS({"slot", "u"}, {"object", "u"}), BUS_ARGUMENTS(GENERATIONS),
		BUS_HOLDER, 0, destroy_object_call},
	{"GenerateKey", BUS_ARGUMENTS({"slot", "u"}, MECHANISM, ATTRIBUTES), BUS_ARGUMENTS(MADE),
		BUS_HOLDER, 0, generate_key_call},
	{"GenerateKeyPair",
		BUS_ARGUMENTS({"slot", "u"}, MECHANISM, {"public_attributes", "a(uay)"},
			{"private_attributes", "a(uay)"}),
		BUS_ARGUMENTS({"public", "u"}, {"private", "u"}, GENERATIONS), BUS_HOLDER, 0,
		generate_key_pair_call},
	{"WrapKey", BUS_ARGUMENTS({"slot", "u"}, {"wrapping_key", "u"}, MECHANISM, {"key", "u"}),
		BUS_ARGUMENTS({"wrapped", "ay"}), BUS_HOLDER, 0, wrap_key_call},
	{"UnwrapKey",
		BUS_ARGUMENTS({"slot", "u"}, {"unwrapping_key", "u"}, MECHANISM, {"wrapped", "ay"},
			ATTRIBUTES),
		BUS_ARGUMENTS(MADE), BUS_HOLDER, 0, unwrap_key_call},
	{"DeriveKey",
		BUS_ARGUMENTS(
			{"slot", "u"}, {"base_key", "u"}, MECHANISM, {"input", "ay"}, ATTRIBUTES),
		BUS_ARGUMENTS(MADE), BUS_HOLDER, 0, derive_key_call},
	{"GetSecretValue", BUS_ARGUMENTS({"slot", "u"}, {"object", "u"}),
		BUS_ARGUMENTS({"value", "ay"}), BUS_HOLDER, 0, get_secret_value_call},
	{"GetRandom", BUS_ARGUMENTS({"slot", "u"}, {"length", "u"}),
		BUS_ARGUMENTS({"random", "ay"}), BUS_HOLDER, 0, get_random_call},
	{"SeedRandom", BUS_ARGUMENTS({"slot", "u"}, {"seed", "ay"}), NULL, BUS_HOLDER, 0,
		seed_random_call},
	{"InitToken", BUS_ARGUMENTS({"slot", "u"}, {"so_pin", "ay"}, {"label", "s"}), NULL,
		BUS_HOLDER, BUS_SECRET, init_token_call},
	{0},
};

const struct bus_interface provider_interface = {
	.name = PROVIDER_INTERFACE,
	.private_only = true,
	.methods = methods,
	.signals =
		(const struct bus_signal[]){
			{"TokensChanged", BUS_ARGUMENTS({"generation", "t"})},
			{0},
		},
};
