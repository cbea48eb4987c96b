/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/card-key.h"

#include "core/signing-key.h"
#include "keys/seal.h"

bool card_key_use(void *context, const uint8_t *input, size_t length, struct buffer *output,
	struct error *error)
{
	const struct key_on_card *key = context;

	return key->card->driver->use_key(
		key->card, key->slot, key->algorithm, key->use, input, length, output, error);
}

bool card_key_find(
	struct contacts *contacts, unsigned reader, struct key_on_card *key, struct error *error)
{
	enum pin_use pin;

	return contacts_key_info(contacts, reader, key->slot, &key->algorithm, &pin) ||
	       error_set(
		       error, ERROR_NOT_FOUND, "the card has no %s key", key_slot_name(key->slot));
}

static enum key_algorithm algorithm_of(EVP_PKEY *key)
{
	bool is_rsa = EVP_PKEY_is_a(key, "RSA");

	for (enum key_algorithm i = KEY_ALGORITHM_NONE + 1; key && i < KEY_ALGORITHM_COUNT; i++) {
		if (key_algorithm_is_rsa(i) == is_rsa &&
			(int)key_algorithm_bits(i) == EVP_PKEY_get_bits(key))
			return i;
	}
	return KEY_ALGORITHM_NONE;
}

bool card_key_unseal(struct card *card, X509 *certificate, const struct buffer *sealed,
	size_t maximum, struct secret *secret, struct error *error)
{
	struct key_on_card on_card = {.card = card,
		.slot = KEY_SLOT_KEY_MANAGEMENT,
		.algorithm = algorithm_of(X509_get0_pubkey(certificate))};

	if (on_card.algorithm == KEY_ALGORITHM_NONE)
		return error_set(
			error, ERROR_DATA_INVALID, "the certificate's key is none that cards have");
	on_card.use = key_algorithm_is_rsa(on_card.algorithm) ? KEY_USE_DECRYPT : KEY_USE_DERIVE;
	EVP_PKEY *key _cleanup_(EVP_PKEY_freep) =
		deciphering_key_new(X509_get0_pubkey(certificate), card_key_use, &on_card, error);
	return key && unseal(sealed, certificate, key, maximum, secret, error);
}

void card_key_note_pin(struct contacts *contacts, unsigned reader, const struct error *failure)
{
	const struct card_secret_state state = {
		.tries_left = failure->code == ERROR_PIN_WRONG ? (int)failure->detail : 0,
		.blocked = failure->code == ERROR_PIN_BLOCKED || failure->detail == 0};

	if (failure->code == ERROR_PIN_WRONG || failure->code == ERROR_PIN_BLOCKED)
		contacts_note_pin(contacts, reader, &state);
}
