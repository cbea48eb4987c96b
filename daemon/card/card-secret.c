/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card/card.h"

#include <string.h>

#include <openssl/rand.h>

/* More tries than any card's counter holds (one byte). */
#define TRIES_MAXIMUM 512
#define RANDOM_LENGTH 8

static bool set_hex(struct secret *value, const char *hex)
{
	struct buffer bytes _cleanup_buffer_ = BUFFER_INIT_WIPE;

	return hex_decode(hex, &bytes) && secret_set(value, bytes.data, bytes.length);
}

static bool set_text(struct secret *value, const char *text)
{
	return secret_set(value, text, strlen(text));
}

bool card_factory_secret(
	const struct card *card, enum card_secret which, struct secret *value, struct error *error)
{
	const struct card_type *type = card->type;
	const char *text = !type		      ? NULL
			   : which == CARD_SECRET_PIN ? type->factory_pin
			   : which == CARD_SECRET_PUK ? type->factory_puk
						      : type->factory_admin_key;

	if (!text)
		return error_set(error, ERROR_NOT_SUPPORTED,
			"the factory's secrets of this type of card are not known; add a "
			"credential "
			"type that has them");
	if (!(which == CARD_SECRET_ADMIN ? set_hex(value, text) : set_text(value, text)))
		return error_set(error, ERROR_FAILED, "out of memory");
	return true;
}

/* Digits, since some cards take no others. */
static bool random_digits(struct secret *value, struct error *error)
{
	if (!secret_allocate(value, RANDOM_LENGTH))
		return error_set(error, ERROR_FAILED, "out of memory");
	if (RAND_bytes(value->data, RANDOM_LENGTH) != 1)
		return error_set(error, ERROR_FAILED, "no random numbers");
	for (size_t i = 0; i < RANDOM_LENGTH; i++)
		value->data[i] = '0' + value->data[i] % 10;
	return true;
}

/* One try that is almost surely wrong; one that is right only costs more tries. */
static bool try_random(struct card *card, enum card_secret which, struct error *error)
{
	struct secret value _cleanup_secret_ = SECRET_INIT;

	if (!random_digits(&value, error))
		return false;
	return which == CARD_SECRET_PIN
		       ? card->driver->authenticate(card, which, &value, error)
		       : card->driver->change_secret(card, which, which, &value, &value, error);
}

bool card_block(struct card *card, enum card_secret secret, struct error *error)
{
	enum error_code blocked = secret == CARD_SECRET_PIN ? ERROR_PIN_BLOCKED : ERROR_PUK_BLOCKED;

	if (secret == CARD_SECRET_ADMIN)
		return error_set(error, ERROR_NOT_SUPPORTED, "a management key has no tries");
	for (unsigned tries = 0; tries < TRIES_MAXIMUM; tries++) {
		struct error refusal _cleanup_error_ = ERROR_INIT;
		if (try_random(card, secret, &refusal))
			continue;
		if (refusal.code == blocked)
			return true;
		if (refusal.code != ERROR_PIN_WRONG)
			return error_move(error, &refusal);
	}
	return error_set(error, ERROR_CARD_FAILED, "the card does not block after %u wrong tries",
		TRIES_MAXIMUM);
}
