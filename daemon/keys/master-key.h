/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The master key and the card secrets derived from it: SP 800-108r1 KDF in
 * counter mode (section 4.1) with AES-256-CMAC as PRF, done inside the token:
 *
 *   K(i) = CMAC(master key, [i]32 || label || 0x00 || context || [L]32)
 *
 * label: the purpose ("tessera piv management key", "tessera piv puk");
 * context: card serial || 0x00 || [key version]32, and for a PUK that is not the
 * first of its kind || [generation]32; L: bits asked for. docs/security
 * repeats this so that a stranger can derive the secrets again.
 */
#ifndef TESSERA_KEYS_MASTER_KEY_H
#define TESSERA_KEYS_MASTER_KEY_H

#include "common/secret.h"
#include "token/token.h"

#define MASTER_KEY_KDF "SP800-108-CMAC-AES256"

struct master_key;

/* May be used from any thread. Finds the master key's current version in the token, or makes
 * version 1. */
struct master_key *master_key_open(struct token *token, struct error *error);
/*
 * The same without making one: ERROR_NOT_FOUND. least: versions up to this one are looked for even
 * where the token lacks those before it.
 */
struct master_key *master_key_find(struct token *token, uint32_t least, struct error *error);
void master_key_close(struct master_key *key);
/* The label of a version's key in the token; heap. */
char *master_key_label(uint32_t version);
/* The current version, from 1. */
uint32_t master_key_version(const struct master_key *key);

/* Whether the token has that version. */
bool master_key_has(struct master_key *key, uint32_t version, bool *found, struct error *error);
/* Makes the next version, which becomes the current one. ERROR_EXISTS for two at once. */
bool master_key_rotate(struct master_key *key, struct error *error);
/* Its key check value: first 3 bytes of a zero block encrypted under it. ERROR_NOT_FOUND. */
bool master_key_check_value(
	struct master_key *key, uint32_t version, uint8_t value[3], struct error *error);

/* The management key of a card for a PIV algorithm reference (03, 08, 0A, 0C); 3DES with odd
 * parity, no weak key. */
bool master_key_derive_management_key(struct master_key *key, const char *serial, uint32_t version,
	uint8_t algorithm, struct secret *value, struct error *error);
/*
 * The PUK of a card: 8 decimal digits. generation: how often it was changed because somebody had
 * been shown it.
 */
bool master_key_derive_puk(struct master_key *key, const char *serial, uint32_t version,
	uint32_t generation, struct secret *value, struct error *error);
/* Key check value of a management key: first 3 bytes of a zero block encrypted under it (3DES,
 * AES). */
bool management_key_check_value(
	const struct secret *key, uint8_t algorithm, uint8_t value[3], struct error *error);

#endif
