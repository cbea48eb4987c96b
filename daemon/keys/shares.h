/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A key split in shares (Shamir 1979): byte by byte over GF(2^8) with the
 * polynomial x^8 + x^4 + x^3 + x + 1, a share's number being x and its bytes
 * being y. Any `needed` of them give the key, fewer say nothing of it. With
 * needed = 1 every share is the key itself. The arithmetic takes the same time
 * for all values.
 */
#ifndef TESSERA_KEYS_SHARES_H
#define TESSERA_KEYS_SHARES_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/secret.h"

#define SHARES_MAXIMUM	 255
#define SHARE_KEY_LENGTH 32 /* bytes of the key, and of a share's value */
#define SHARE_SET_LENGTH 16 /* bytes */

/* Invariant: 1 <= needed, and 1 <= number, once it holds a share. */
struct share {
	uint8_t set[SHARE_SET_LENGTH]; /* random: shares that belong together have the same */
	uint8_t needed;
	uint8_t number;
	struct secret value;
};
void share_clear(struct share *share);
void shares_free(struct share *shares, size_t count);

/*
 * Splits a key of SHARE_KEY_LENGTH bytes; *shares is a heap array of count shares with the numbers
 * 1 to count (shares_free). ERROR_INVALID_ARGUMENT unless 1 <= needed <= count <= SHARES_MAXIMUM.
 */
bool shares_split(const struct secret *key, const uint8_t set[SHARE_SET_LENGTH], unsigned needed,
	unsigned count, struct share **shares, struct error *error);
/*
 * Puts a key together from `count` shares of one set; more than are needed are let be.
 * ERROR_DATA_INVALID for shares of different sets, the same one twice, and too few.
 */
bool shares_combine(
	const struct share *shares, size_t count, struct secret *key, struct error *error);

/* A share as bytes, with a checksum that finds accidents: SHARE_PACKED_LENGTH of them. */
#define SHARE_PACKED_LENGTH (1 + SHARE_SET_LENGTH + 2 + SHARE_KEY_LENGTH + 16)
bool share_pack(const struct share *share, struct secret *packed, struct error *error);
/* ERROR_DATA_INVALID for anything that share_pack() has not made. */
bool share_unpack(const struct secret *packed, struct share *share, struct error *error);

#endif
