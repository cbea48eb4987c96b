/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER (SP 800-73-4 part 2, 3.2), SET PIN RETRIES. */
#include <string.h>

#include <openssl/crypto.h>

#include "vcard/card.h"

#define PIN_MINIMUM 6

/* The tries left, as many as fit into one digit. */
static uint16_t wrong_tries(const struct reference_data *reference)
{
	uint8_t left = reference->tries_left;

	return SW_WRONG_TRIES | (left < 0x0F ? left : 0x0F);
}

static uint16_t tries_status(const struct reference_data *reference)
{
	return reference->tries_left ? wrong_tries(reference) : SW_BLOCKED;
}

static bool counted_wrong(uint16_t status)
{
	return (status & 0xFFF0) == SW_WRONG_TRIES;
}

static void forget_pin(struct vcard *card)
{
	card->status.pin_verified = card->status.pin_fresh = false;
}

static void mark_pin_verified(struct vcard *card)
{
	card->status.pin_verified = card->status.pin_fresh = true;
}

/* Six to eight characters, then FF to the end; the standard's card takes digits only. */
static bool is_well_formed(const struct vcard *card, uint8_t reference, const uint8_t *value)
{
	size_t length = STATE_REFERENCE_LENGTH;
	bool digits_only = card_is_nist(card) && reference == REFERENCE_PIN;

	while (length > 0 && value[length - 1] == 0xFF)
		length--;
	for (size_t i = 0; i < length; i++) {
		bool is_digit = value[i] >= '0' && value[i] <= '9';
		if (value[i] == 0xFF || (digits_only && !is_digit))
			return false;
	}
	return length >= PIN_MINIMUM;
}

static bool is_right(const struct reference_data *reference, const uint8_t *value)
{
	return CRYPTO_memcmp(reference->value, value, STATE_REFERENCE_LENGTH) == 0;
}

/* Compares, and counts: success restores the retry counter, failure takes one from it. */
static uint16_t try_reference(
	struct vcard *card, struct reference_data *reference, const uint8_t *value)
{
	if (reference->tries_left == 0)
		return SW_BLOCKED;
	if (!is_right(reference, value)) {
		reference->tries_left--;
		card->dirty = true;
		return wrong_tries(reference);
	}
	if (reference->tries_left != reference->tries_maximum) {
		reference->tries_left = reference->tries_maximum;
		card->dirty = true;
	}
	return SW_SUCCESS;
}

/*
 * Proves the old value, for a new one that may be well formed or not. The standard's card refuses a
 * malformed new value and looks no further; the YubiKey still counts a wrong old one, and ykman
 * blocks the PUK with that.
 */
static uint16_t authorise_change(struct vcard *card, struct reference_data *reference,
	const uint8_t *old, bool new_is_well_formed)
{
	if (reference->tries_left == 0)
		return SW_BLOCKED;
	if (!new_is_well_formed && (card_is_nist(card) || is_right(reference, old)))
		return SW_WRONG_DATA;
	return try_reference(card, reference, old);
}

static void set_value(struct vcard *card, struct reference_data *reference, const uint8_t *value)
{
	memcpy(reference->value, value, STATE_REFERENCE_LENGTH);
	reference->tries_left = reference->tries_maximum;
	card->dirty = true;
}

uint16_t command_verify(struct vcard *card, const struct apdu *apdu, struct buffer *response)
{
	struct reader data = apdu->data;
	size_t length = reader_left(&data);

	(void)response;
	if (apdu->p2 != REFERENCE_PIN)
		return SW_REFERENCE_NOT_FOUND;
	if (apdu->p1 == 0xFF && length == 0) {
		forget_pin(card);
		return SW_SUCCESS;
	}
	if (apdu->p1 != 0)
		return SW_WRONG_PARAMETERS;
	if (length == 0)
		return card->status.pin_verified ? SW_SUCCESS : tries_status(&card->state.pin);
	if (length != STATE_REFERENCE_LENGTH)
		return SW_WRONG_DATA;
	forget_pin(card);
	uint16_t status =
		try_reference(card, &card->state.pin, reader_bytes(&data, STATE_REFERENCE_LENGTH));
	if (status == SW_SUCCESS)
		mark_pin_verified(card);
	return status;
}

uint16_t command_change_reference_data(
	struct vcard *card, const struct apdu *apdu, struct buffer *response)
{
	struct reader data = apdu->data;
	const uint8_t *old = reader_bytes(&data, STATE_REFERENCE_LENGTH);
	const uint8_t *new = reader_bytes(&data, STATE_REFERENCE_LENGTH);
	bool is_pin = apdu->p2 == REFERENCE_PIN;
	struct reference_data *reference = is_pin ? &card->state.pin : &card->state.puk;

	(void)response;
	if (apdu->p1 != 0)
		return SW_WRONG_PARAMETERS;
	if (!is_pin && apdu->p2 != REFERENCE_PUK)
		return SW_REFERENCE_NOT_FOUND;
	if (!new || reader_left(&data) > 0)
		return SW_WRONG_DATA;
	uint16_t status =
		authorise_change(card, reference, old, is_well_formed(card, apdu->p2, new));
	if (is_pin && counted_wrong(status))
		forget_pin(card);
	if (status != SW_SUCCESS)
		return status;
	set_value(card, reference, new);
	if (is_pin && card_is_nist(card))
		mark_pin_verified(card);
	return SW_SUCCESS;
}

uint16_t command_reset_retry_counter(
	struct vcard *card, const struct apdu *apdu, struct buffer *response)
{
	struct reader data = apdu->data;
	const uint8_t *puk = reader_bytes(&data, STATE_REFERENCE_LENGTH);
	const uint8_t *pin = reader_bytes(&data, STATE_REFERENCE_LENGTH);

	(void)response;
	if (apdu->p1 != 0)
		return SW_WRONG_PARAMETERS;
	if (apdu->p2 != REFERENCE_PIN)
		return SW_REFERENCE_NOT_FOUND;
	if (!pin || reader_left(&data) > 0)
		return SW_WRONG_DATA;
	uint16_t status = authorise_change(
		card, &card->state.puk, puk, is_well_formed(card, REFERENCE_PIN, pin));
	if (status == SW_SUCCESS)
		set_value(card, &card->state.pin, pin);
	if (status == SW_SUCCESS || counted_wrong(status))
		forget_pin(card);
	return status;
}

/* YubiKey: new retry counts put PIN and PUK back to their factory values. */
uint16_t command_set_pin_retries(
	struct vcard *card, const struct apdu *apdu, struct buffer *response)
{
	(void)response;
	if (!card->status.management || !card->status.pin_verified)
		return SW_SECURITY_STATUS;
	if (apdu->p1 == 0 || apdu->p2 == 0)
		return SW_WRONG_PARAMETERS;
	card_restore_references(card, apdu->p1, apdu->p2);
	forget_pin(card);
	return SW_SUCCESS;
}
