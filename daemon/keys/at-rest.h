/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Secrets in the store, sealed by a key of the daemon's token: AES-256-GCM under a key that is
 * derived (keys/kdf.h) from the AES key "tessera secrets" in there, which never leaves it.
 */
#ifndef TESSERA_KEYS_AT_REST_H
#define TESSERA_KEYS_AT_REST_H

#include "common/buffer.h"
#include "common/error.h"
#include "common/secret.h"
#include "token/token.h"

/*
 * purpose: what the secret is of ("slot web"); it opens for the same purpose only. The key is made
 * when it is first needed. Fills *sealed with a version of one byte (1), a nonce of 12, the secret
 * enciphered and a tag of 16.
 */
bool at_rest_seal(struct token *token, const char *purpose, const struct secret *secret,
	struct buffer *sealed, struct error *error);
/* ERROR_DATA_INVALID for what was sealed elsewhere, for something else, or was damaged. */
bool at_rest_open(struct token *token, const char *purpose, const struct buffer *sealed,
	struct secret *secret, struct error *error);

#endif
