/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* AES-256-GCM (SP 800-38D) under a key that is used once. */
#ifndef TESSERA_KEYS_WRAP_H
#define TESSERA_KEYS_WRAP_H

#include "common/buffer.h"
#include "common/error.h"
#include "common/secret.h"

#define WRAP_KEY_LENGTH	  32 /* bytes */
#define WRAP_TAG_LENGTH	  16
#define WRAP_NONCE_LENGTH 12

/*
 * Fills *wrapped with nonce, ciphertext and tag. associated: text that is not hidden, but what is
 * wrapped can be opened only together with it.
 */
bool wrap(const struct secret *key, const char *associated, const struct buffer *plain,
	struct buffer *wrapped, struct error *error);
/* plain should wipe itself (BUFFER_INIT_WIPE). ERROR_DATA_INVALID for any other key, text or bytes.
 */
bool unwrap(const struct secret *key, const char *associated, const struct buffer *wrapped,
	struct buffer *plain, struct error *error);

#endif
