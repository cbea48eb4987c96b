/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GENERATE ASYMMETRIC KEY PAIR (SP 800-73-4 part 2, 3.3.1) and the YubiKey's import of keys. */
#include "common/tlv.h"
#include "vcard/card.h"
#include "vcard/keys.h"

enum {
	TAG_ALGORITHM = 0x80,
	TAG_PIN_POLICY = 0xAA,
	TAG_TOUCH_POLICY = 0xAB,
	TAG_CONTROL = 0xAC,
	TAG_PUBLIC_KEY = 0x7F49,
};

/* SP 800-73-4 part 1, table 4b, and the YubiKey's defaults for its other slots. */
static uint8_t default_pin_policy(uint8_t slot)
{
	switch (slot) {
	case SLOT_SIGNATURE:
		return PIN_ALWAYS;
	case SLOT_CARD_AUTHENTICATION:
	case SLOT_ATTESTATION:
		return PIN_NEVER;
	default:
		return PIN_ONCE;
	}
}

/* One byte, no more than maximum; absent is 0. False for anything else. */
static bool read_policy(struct reader elements, uint32_t tag, uint8_t maximum, uint8_t *policy)
{
	struct reader value;

	*policy = 0;
	if (!tlv_find(elements, tag, &value))
		return true;
	*policy = reader_u8(&value);
	return !value.failed && reader_left(&value) == 0 && *policy <= maximum;
}

static bool read_policies(
	const struct vcard *card, struct reader elements, uint8_t slot, struct card_key *key)
{
	if (card_is_nist(card))
		elements = (struct reader){0};
	if (!read_policy(elements, TAG_PIN_POLICY, PIN_ALWAYS, &key->pin_policy) ||
		!read_policy(elements, TAG_TOUCH_POLICY, TOUCH_CACHED, &key->touch_policy))
		return false;
	if (key->pin_policy == PIN_DEFAULT)
		key->pin_policy = default_pin_policy(slot);
	if (key->touch_policy == TOUCH_DEFAULT)
		key->touch_policy = TOUCH_NEVER;
	return true;
}

/* Takes the key over. */
static uint16_t put_key(struct vcard *card, uint8_t slot, const struct card_key *key)
{
	struct card_key *place = state_new_key(&card->state, slot);

	if (!place) {
		EVP_PKEY_free(key->pkey);
		return SW_NO_MEMORY;
	}
	*place = *key;
	place->slot = slot;
	card->dirty = true;
	return SW_SUCCESS;
}

static const struct key_algorithm *find_algorithm(const struct vcard *card, uint8_t id)
{
	return key_algorithm_find(id, card->options.profile, card->options.firmware);
}

uint16_t command_generate_key(struct vcard *card, const struct apdu *apdu, struct buffer *response)
{
	_cleanup_buffer_ struct buffer public_key = BUFFER_INIT;
	struct card_key key = {.origin = ORIGIN_GENERATED};
	struct reader control, value;

	if (apdu->p1 != 0 || !card_has_slot(card, apdu->p2))
		return SW_WRONG_PARAMETERS;
	if (!card->status.management)
		return SW_SECURITY_STATUS;
	if (!tlv_find(apdu->data, TAG_CONTROL, &control) ||
		!tlv_find(control, TAG_ALGORITHM, &value) || reader_left(&value) != 1 ||
		!read_policies(card, control, apdu->p2, &key))
		return SW_WRONG_DATA;
	key.algorithm = reader_u8(&value);
	const struct key_algorithm *algorithm = find_algorithm(card, key.algorithm);
	if (!algorithm)
		return SW_WRONG_DATA;
	key.pkey = key_generate(algorithm);
	if (!key.pkey || !key_append_public(algorithm, key.pkey, &public_key)) {
		EVP_PKEY_free(key.pkey);
		return SW_FAILED;
	}
	tlv_append(response, TAG_PUBLIC_KEY, public_key.data, public_key.length);
	return put_key(card, apdu->p2, &key);
}

uint16_t command_import_key(struct vcard *card, const struct apdu *apdu, struct buffer *response)
{
	struct card_key key = {.algorithm = apdu->p1, .origin = ORIGIN_IMPORTED};
	const struct key_algorithm *algorithm = find_algorithm(card, apdu->p1);

	(void)response;
	if (!card_has_slot(card, apdu->p2))
		return SW_WRONG_PARAMETERS;
	if (!card->status.management)
		return SW_SECURITY_STATUS;
	if (!algorithm || !read_policies(card, apdu->data, apdu->p2, &key))
		return SW_WRONG_DATA;
	key.pkey = key_import(algorithm, apdu->data);
	return key.pkey ? put_key(card, apdu->p2, &key) : SW_WRONG_DATA;
}
