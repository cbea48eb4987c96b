/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card/piv.h"

#include <string.h>

/* GET DATA and PUT DATA name the object in their data. */
#define OBJECT_P1 0x3F
#define OBJECT_P2 0xFF

#define TAG_TAG_LIST 0x5C
#define TAG_DATA     0x53

/* Object identifiers (SP 800-73-4 part 1, table 3), three bytes */
#define OBJECT_CHUID		     0x5FC102
#define OBJECT_CCC		     0x5FC107
#define OBJECT_DISCOVERY	     0x7E
#define OBJECT_CERTIFICATE_RETIRED_1 0x5FC10D

static const struct {
	key_slot slot;
	uint32_t object;
} certificates[] = {
	{KEY_SLOT_AUTHENTICATION, 0x5FC105},
	{KEY_SLOT_SIGNATURE, 0x5FC10A},
	{KEY_SLOT_KEY_MANAGEMENT, 0x5FC10B},
	{KEY_SLOT_CARD_AUTHENTICATION, 0x5FC101},
};

static uint32_t certificate_of(key_slot slot)
{
	for (size_t i = 0; i < ARRAY_SIZE(certificates); i++) {
		if (certificates[i].slot == slot)
			return certificates[i].object;
	}
	if (slot >= KEY_SLOT_RETIRED_1 && slot <= KEY_SLOT_RETIRED_20)
		return OBJECT_CERTIFICATE_RETIRED_1 + (slot - KEY_SLOT_RETIRED_1);
	return 0;
}

/* 0 with ERROR_INVALID_ARGUMENT when there is no such object. */
static uint32_t identifier_of(enum card_object object, key_slot slot, struct error *error)
{
	uint32_t identifier = object == CARD_OBJECT_CHUID	? OBJECT_CHUID
			      : object == CARD_OBJECT_CCC	? OBJECT_CCC
			      : object == CARD_OBJECT_DISCOVERY ? OBJECT_DISCOVERY
								: certificate_of(slot);

	if (identifier == 0)
		error_set(error, ERROR_INVALID_ARGUMENT, "there is no key slot %02X", slot);
	return identifier;
}

static void append_tag_list(struct buffer *data, uint32_t identifier)
{
	if (identifier == OBJECT_DISCOVERY) {
		tlv_append_header(data, TAG_TAG_LIST, 1);
		buffer_append_u8(data, OBJECT_DISCOVERY);
		return;
	}
	tlv_append_header(data, TAG_TAG_LIST, 3);
	buffer_append_u8(data, (uint8_t)(identifier >> 16));
	buffer_append_u16(data, (uint16_t)identifier);
}

/* GET DATA (SP 800-73-4 part 2, 3.1.2); contents is a view into response. */
static bool get_data(struct card *card, uint32_t identifier, struct buffer *response,
	struct reader *contents, struct error *error)
{
	_cleanup_buffer_ struct buffer data = BUFFER_INIT;
	struct apdu command = {.ins = PIV_INS_GET_DATA,
		.p1 = OBJECT_P1,
		.p2 = OBJECT_P2,
		.answer = APDU_ANSWER_LONG};

	append_tag_list(&data, identifier);
	if (data.failed)
		return error_set(error, ERROR_FAILED, "out of memory");
	command.data = data.data;
	command.length = data.length;
	if (!piv_command(card, &command, "GET DATA", response, error))
		return false;
	/* The Discovery Object is its own tag (SP 800-73-4 part 1, 3.3.2). */
	uint32_t tag = identifier == OBJECT_DISCOVERY ? OBJECT_DISCOVERY : TAG_DATA;
	if (!tlv_find(reader_of(response), tag, contents))
		return piv_malformed("GET DATA", error);
	if (reader_left(contents) == 0)
		return error_set(error, ERROR_NOT_FOUND, "the card's object is empty");
	return true;
}

/* PUT DATA (SP 800-73-4 part 2, 3.3.2) */
static bool put_data(
	struct card *card, uint32_t identifier, const struct buffer *contents, struct error *error)
{
	_cleanup_buffer_ struct buffer data = BUFFER_INIT;
	struct apdu command = {.ins = PIV_INS_PUT_DATA, .p1 = OBJECT_P1, .p2 = OBJECT_P2};

	append_tag_list(&data, identifier);
	tlv_append(&data, TAG_DATA, contents->data, contents->length);
	if (contents->failed || data.failed)
		return error_set(error, ERROR_FAILED, "out of memory");
	command.data = data.data;
	command.length = data.length;
	return piv_admin_command(card, &command, "PUT DATA", NULL, error);
}

bool piv_read(struct card *card, enum card_object object, key_slot slot, struct buffer *data,
	struct error *error)
{
	_cleanup_buffer_ struct buffer response = BUFFER_INIT;
	uint32_t identifier = identifier_of(object, slot, error);
	struct reader contents;

	if (identifier == 0 || !get_data(card, identifier, &response, &contents, error))
		return false;
	buffer_truncate(data, 0);
	if (object == CARD_OBJECT_CERTIFICATE)
		return piv_certificate_unpack(contents, data, error);
	buffer_append(data, contents.data, contents.length);
	return true;
}

/*
 * The serial number of a card without one of its own is its CHUID's GUID, from which the card's
 * secrets are derived: another GUID would strand the card. Deleting it is allowed.
 */
static bool check_chuid(const struct card *card, const struct buffer *chuid, struct error *error)
{
	const char *serial = card->info.serial;
	_cleanup_free_ char *fresh = piv_serial_of_chuid(chuid);

	if (chuid->length == 0 || !serial || strncmp(serial, "guid-", 5) != 0)
		return true;
	if (!fresh || strcmp(fresh, serial) != 0)
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"the CHUID has to keep the GUID that is the card's serial number");
	return true;
}

static bool write_chuid(struct card *card, const struct buffer *chuid, struct error *error)
{
	if (!check_chuid(card, chuid, error) || !put_data(card, OBJECT_CHUID, chuid, error))
		return false;
	if (!card->info.serial)
		card->info.serial = piv_serial_of_chuid(chuid);
	return true;
}

bool piv_write(struct card *card, enum card_object object, key_slot slot, const uint8_t *data,
	size_t length, struct error *error)
{
	_cleanup_buffer_ struct buffer contents = BUFFER_INIT;
	uint32_t identifier = identifier_of(object, slot, error);

	if (identifier == 0)
		return false;
	if (object == CARD_OBJECT_DISCOVERY)
		return error_set(error, ERROR_NOT_SUPPORTED, "the discovery object is the card's");
	if (object == CARD_OBJECT_CERTIFICATE && length)
		piv_certificate_pack(&contents, data, length);
	else
		buffer_append(&contents, data, length);
	return object == CARD_OBJECT_CHUID ? write_chuid(card, &contents, error)
					   : put_data(card, identifier, &contents, error);
}
