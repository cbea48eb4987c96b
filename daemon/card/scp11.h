/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SCP11b (GlobalPlatform Card Specification, Amendment F): a card proves by a certified key that it
 * is one, and agrees with us on the keys of a secure channel. We prove nothing by it.
 */
#ifndef TESSERA_CARD_SCP11_H
#define TESSERA_CARD_SCP11_H

#include <openssl/evp.h>

#include "card/secure-channel.h"

/* Key identifier of SCP11b's key in the security domain (Amendment F, 5.1). */
#define SCP11B_KEY_IDENTIFIER 0x13

/* PK.SD.ECKA, the card's static key, whose certificate was verified (security-domain.h). */
struct scp11_key {
	EVP_PKEY *public_key; /* owned; NULL: none */
	uint8_t version;
};
static inline void scp11_key_clear(struct scp11_key *key)
{
	EVP_PKEY_free(key->public_key);
	*key = (struct scp11_key){0};
}

/*
 * Opens a channel to the selected application. ERROR_CARD_FAILED when the card does not have the
 * key, or refuses; the transport's errors. The caller frees it.
 */
struct secure_channel *scp11_open(
	struct apdu_channel *way, const struct scp11_key *key, struct error *error);

#endif
