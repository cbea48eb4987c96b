/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Secure messaging with a card as SCP03 does it (GlobalPlatform Card Specification, Amendment D,
 * 6.2): commands and answers are encrypted (AES-128) and carry a MAC that depends on all that was
 * said before. Who passes them on can neither read nor change nor repeat them; only end them.
 */
#ifndef TESSERA_CARD_SECURE_CHANNEL_H
#define TESSERA_CARD_SECURE_CHANNEL_H

#include "card/apdu.h"
#include "common/secret.h"

/* Bytes of a key, of a block and of a MAC before it is cut. */
#define SECURE_CHANNEL_BLOCK 16
/* S-ENC, S-MAC and S-RMAC, one after the other. */
#define SECURE_CHANNEL_KEYS (3 * SECURE_CHANNEL_BLOCK)

struct secure_channel;

/*
 * keys: SECURE_CHANNEL_KEYS bytes, taken. chaining: the MAC chaining value that the first command
 * begins with. NULL when out of memory.
 */
struct secure_channel *secure_channel_new(
	struct secret *keys, const uint8_t chaining[SECURE_CHANNEL_BLOCK]);
void secure_channel_free(struct secure_channel *channel); /* NULL is allowed */
DEFINE_CLEANUP(struct secure_channel *, secure_channel_free);

/*
 * apdu_exchange() through the channel, as one command of extended length. The card protects what it
 * did (9000); a status that says that it did not comes without data, and as anybody on the way may
 * have written it.
 *
 * Errors: apdu_exchange_whole()'s; ERROR_CARD_FAILED for an answer that is not the card's, after
 * which the channel is of no use any more and refuses every command.
 */
bool secure_channel_exchange(struct secure_channel *channel, struct apdu_channel *way,
	const struct apdu *command, struct buffer *response, uint16_t *status, struct error *error);
/* An answer was not the card's. */
bool secure_channel_is_broken(const struct secure_channel *channel);

/* CMAC with AES-128 (NIST SP 800-38B) of the messages, one after the other. */
bool aes_cmac(const uint8_t key[SECURE_CHANNEL_BLOCK], const struct reader *messages, size_t count,
	uint8_t mac[SECURE_CHANNEL_BLOCK], struct error *error);

#endif
