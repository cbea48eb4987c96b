/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A key on a card in a reader, used while the card is held and its PIN is proved. */
#ifndef TESSERA_OPERATION_CARD_KEY_H
#define TESSERA_OPERATION_CARD_KEY_H

#include <openssl/x509.h>

#include "operation/contact.h"

/* The context of card_key_use(), for the keys of core/signing-key.h. */
struct key_on_card {
	struct card *card;
	key_slot slot;
	enum key_algorithm algorithm;
	enum key_use use;
};

/* Fills the algorithm of the card's key. ERROR_NOT_FOUND when it has none in that slot. */
bool card_key_find(
	struct contacts *contacts, unsigned reader, struct key_on_card *key, struct error *error);
/* A signing_function. */
bool card_key_use(void *context, const uint8_t *input, size_t length, struct buffer *output,
	struct error *error);

/*
 * Opens what was sealed to the card's key-management certificate (keys/seal.h), whether the store
 * knows the card or not. Errors as unseal(), and the card's.
 */
bool card_key_unseal(struct card *card, X509 *certificate, const struct buffer *sealed,
	size_t maximum, struct secret *secret, struct error *error);

/* Notes what a refused PIN has left, for people who look at the reader. */
void card_key_note_pin(struct contacts *contacts, unsigned reader, const struct error *failure);

#endif
