/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/information.h"

#include "common/alloc.h"
#include "model/document.h"
#include "operation/information-private.h"

#define LOOK_TIMEOUT_MS 5000

/* A card that cannot be used is opened anew, without driver. */
static struct card *any_card(struct services *services, unsigned reader, struct error *error)
{
	struct error refusal _cleanup_error_ = ERROR_INIT;
	struct card *card = contacts_card(services->contacts, reader, &refusal);

	if (card || (refusal.code != ERROR_CARD_UNKNOWN && refusal.code != ERROR_CARD_FAILED)) {
		if (!card)
			error_move(error, &refusal);
		return card;
	}
	struct transport *transport = contacts_open(services->contacts, reader, error);
	return transport ? card_open(transport) : NULL;
}

bool look_begin(struct look *look, struct services *services, unsigned reader, struct error *error)
{
	if (!contacts_status(services->contacts, reader, &look->status, error))
		return false;
	struct card *card = any_card(services, reader, error);
	if (!card)
		return false;
	if (!card_begin(card, LOOK_TIMEOUT_MS, error)) {
		card_unref(card);
		return false;
	}
	look->card = card;
	return true;
}

void look_end(struct look *look)
{
	if (look->card)
		card_end(look->card);
	card_unref(look->card);
	contact_status_clear(&look->status);
	*look = (struct look)LOOK_INIT;
}

void information_set_hex(json_t *object, const char *member, const uint8_t *bytes, size_t length)
{
	_cleanup_free_ char *hex = length ? hex_encode(bytes, length) : NULL;

	if (hex)
		json_object_set_new(object, member, json_string(hex));
}

char *information_text(const uint8_t *bytes, size_t length)
{
	char *text = xcalloc(length + 1, 1);

	for (size_t i = 0; i < length; i++)
		text[i] = bytes[i] >= ' ' && bytes[i] < 0x7F ? (char)bytes[i] : '.';
	return text;
}

static void set_text(json_t *object, const char *member, const char *text)
{
	if (text)
		json_object_set_new(object, member, json_string(text));
}

static json_t *describe_reader(const struct contact_status *status)
{
	json_t *reader = json_object();

	json_object_set_new(reader, "number", json_integer(status->number));
	set_text(reader, "name", status->reader_name);
	return reader;
}

static json_t *describe_type(struct services *services, const char *name)
{
	json_t *object = json_object();
	_cleanup_card_type_ struct card_type *type = card_types_find(services->types, name);

	set_text(object, "name", name);
	if (!type)
		return object;
	set_text(object, "title", type->title);
	set_text(object, "driver", type->driver);
	json_object_set_new(
		object, "driver_available", json_boolean(card_driver_is_there(type->driver)));
	json_object_set_new(object, "shipped", json_boolean(type->is_shipped));
	return object;
}

static void describe_identity(json_t *information, const struct look *look)
{
	const struct contact_status *status = &look->status;

	set_text(information, "model", status->model);
	set_text(information, "manufacturer", status->manufacturer);
	set_text(information, "serial", status->serial);
	if (look->card->driver && look->card->info.firmware) {
		_cleanup_free_ char *firmware = firmware_text(look->card->info.firmware);
		set_text(information, "firmware", firmware);
	}
	if (status->card_present)
		set_text(information, "state",
			lifecycle_state_name(status->credential ? status->credential->state
								: LIFECYCLE_UNREGISTERED));
}

static json_t *describe_abilities(const struct card_info *info)
{
	json_t *abilities = json_object();
	json_t *algorithms = json_array();

	for (enum key_algorithm i = KEY_ALGORITHM_NONE + 1; i < KEY_ALGORITHM_COUNT; i++) {
		if (info->algorithms & 1U << i)
			json_array_append_new(algorithms, json_string(key_algorithm_name(i)));
	}
	json_object_set_new(abilities, "algorithms", algorithms);
	json_object_set_new(abilities, "metadata", json_boolean(info->has_metadata));
	json_object_set_new(abilities, "attestation", json_boolean(info->can_attest));
	json_object_set_new(abilities, "reset", json_boolean(info->can_reset));
	json_object_set_new(abilities, "set_management_key", json_boolean(info->can_set_admin_key));
	return abilities;
}

char *card_information(struct services *services, unsigned reader, struct error *error)
{
	_cleanup_look_ struct look look = LOOK_INIT;

	if (!look_begin(&look, services, reader, error))
		return NULL;
	struct card *card = look.card;
	_cleanup_json_ json_t *information = json_object();
	json_object_set_new(information, "reader", describe_reader(&look.status));
	json_object_set_new(information, "atr",
		information_atr(card->transport->atr, card->transport->atr_length));
	if (look.status.card_type)
		json_object_set_new(
			information, "type", describe_type(services, look.status.card_type));
	set_text(information, "problem", look.status.problem);
	describe_identity(information, &look);
	json_object_set_new(information, "applications", information_applications(card));
	if (card->driver) {
		json_object_set_new(information, "abilities", describe_abilities(&card->info));
		json_object_set_new(information, "piv", information_piv(card));
		json_object_set_new(information, "secrets", information_secrets(card));
		json_object_set_new(information, "keys", information_keys(card));
	}
	return json_dumps(information, JSON_INDENT(2));
}
