/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The YubiKey's management of a PIV card: management key, metadata, reset, moving keys. */
#include <string.h>

#include "common/tlv.h"
#include "vcard/card.h"
#include "vcard/keys.h"

#define AES_SINCE     VCARD_FIRMWARE(5, 4, 2)
#define MOVE_TO_TRASH 0xFF

/* Elements of GET METADATA. */
enum {
	METADATA_ALGORITHM = 1,
	METADATA_POLICY,
	METADATA_ORIGIN,
	METADATA_PUBLIC_KEY,
	METADATA_IS_DEFAULT,
	METADATA_RETRIES,
};

/* P2 of SET MANAGEMENT KEY: FF never, FE always, FD cached. */
static uint8_t touch_of(uint8_t p2)
{
	return p2 >= 0xFD ? (uint8_t)(0xFF - p2 + TOUCH_NEVER) : TOUCH_DEFAULT;
}

uint16_t command_set_management_key(
	struct vcard *card, const struct apdu *apdu, struct buffer *response)
{
	struct management_key *management = &card->state.management;
	struct reader data = apdu->data;
	const struct block_cipher *cipher = block_cipher_find(reader_u8(&data));
	uint8_t reference = reader_u8(&data);
	uint8_t length = reader_u8(&data);
	const uint8_t *value = reader_bytes(&data, length);

	(void)response;
	if (!card->status.management)
		return SW_SECURITY_STATUS;
	if (apdu->p1 != 0xFF || touch_of(apdu->p2) == TOUCH_DEFAULT)
		return SW_WRONG_PARAMETERS;
	if (!value || reader_left(&data) > 0 || !cipher || reference != SLOT_MANAGEMENT ||
		length != cipher->key_length)
		return SW_WRONG_DATA;
	if (cipher->id != ALGORITHM_3DES && card->options.firmware < AES_SINCE)
		return SW_WRONG_DATA;
	explicit_bzero(management, sizeof(*management));
	management->algorithm = cipher->id;
	management->touch_policy = touch_of(apdu->p2);
	management->length = length;
	memcpy(management->value, value, length);
	card->dirty = true;
	return SW_SUCCESS;
}

static void put_pair(struct buffer *out, uint32_t tag, uint8_t first, uint8_t second)
{
	tlv_append(out, tag, (uint8_t[]){first, second}, 2);
}

static uint16_t reference_metadata(
	const struct vcard *card, uint8_t reference, struct buffer *response)
{
	const struct reference_data *data =
		reference == REFERENCE_PIN ? &card->state.pin : &card->state.puk;

	tlv_append(response, METADATA_ALGORITHM, (uint8_t[]){0xFF}, 1);
	tlv_append(response, METADATA_IS_DEFAULT,
		(uint8_t[]){card_is_factory_value(card, reference)}, 1);
	put_pair(response, METADATA_RETRIES, data->tries_maximum, data->tries_left);
	return SW_SUCCESS;
}

static uint16_t management_metadata(const struct vcard *card, struct buffer *response)
{
	const struct management_key *management = &card->state.management;

	tlv_append(response, METADATA_ALGORITHM, &management->algorithm, 1);
	put_pair(response, METADATA_POLICY, PIN_DEFAULT, management->touch_policy);
	tlv_append(response, METADATA_IS_DEFAULT,
		(uint8_t[]){card_is_factory_value(card, SLOT_MANAGEMENT)}, 1);
	return SW_SUCCESS;
}

static uint16_t key_metadata(struct vcard *card, uint8_t slot, struct buffer *response)
{
	_cleanup_buffer_ struct buffer public_key = BUFFER_INIT;
	const struct card_key *key = state_key(&card->state, slot);

	if (!key)
		return SW_REFERENCE_NOT_FOUND;
	const struct key_algorithm *algorithm =
		key_algorithm_find(key->algorithm, card->options.profile, card->options.firmware);
	if (!algorithm || !key_append_public(algorithm, key->pkey, &public_key))
		return SW_FAILED;
	tlv_append(response, METADATA_ALGORITHM, &key->algorithm, 1);
	put_pair(response, METADATA_POLICY, key->pin_policy, key->touch_policy);
	tlv_append(response, METADATA_ORIGIN, &key->origin, 1);
	tlv_append(response, METADATA_PUBLIC_KEY, public_key.data, public_key.length);
	return SW_SUCCESS;
}

uint16_t command_get_metadata(struct vcard *card, const struct apdu *apdu, struct buffer *response)
{
	if (apdu->p1 != 0)
		return SW_WRONG_PARAMETERS;
	if (apdu->p2 == REFERENCE_PIN || apdu->p2 == REFERENCE_PUK)
		return reference_metadata(card, apdu->p2, response);
	if (apdu->p2 == SLOT_MANAGEMENT)
		return management_metadata(card, response);
	return key_metadata(card, apdu->p2, response);
}

uint16_t command_reset(struct vcard *card, const struct apdu *apdu, struct buffer *response)
{
	(void)response;
	if (apdu->p1 != 0 || apdu->p2 != 0)
		return SW_WRONG_PARAMETERS;
	if (card->state.pin.tries_left > 0 || card->state.puk.tries_left > 0)
		return SW_CONDITIONS;
	card_restore_factory(card);
	return SW_SUCCESS;
}

/* P1: slot to move to, or FF to delete; P2: slot to move from. Since firmware 5.7. */
uint16_t command_move_key(struct vcard *card, const struct apdu *apdu, struct buffer *response)
{
	struct card_key *key = state_key(&card->state, apdu->p2);

	(void)response;
	if (!card->status.management)
		return SW_SECURITY_STATUS;
	if (apdu->p1 != MOVE_TO_TRASH &&
		(!card_has_slot(card, apdu->p1) || apdu->p1 == SLOT_ATTESTATION))
		return SW_WRONG_PARAMETERS;
	if (!key)
		return SW_REFERENCE_NOT_FOUND;
	if (apdu->p1 == MOVE_TO_TRASH) {
		state_drop_key(&card->state, apdu->p2);
	} else if (apdu->p1 != apdu->p2) {
		state_drop_key(&card->state, apdu->p1);
		key->slot = apdu->p1;
	}
	card->dirty = true;
	return SW_SUCCESS;
}
