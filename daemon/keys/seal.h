/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sealing a secret to cards: CMS EnvelopedData (RFC 5652, section 6) with
 * AES-256-CBC, a recipient for each card's key-management certificate: RSAES-OAEP
 * with SHA-256 (RFC 3560) or ECDH (RFC 5753).
 */
#ifndef TESSERA_KEYS_SEAL_H
#define TESSERA_KEYS_SEAL_H

#include <openssl/x509.h>

#include "common/buffer.h"
#include "common/error.h"
#include "common/secret.h"

/* Fills *sealed with DER. count is 1 at least. ERROR_FAILED. */
bool seal(const struct secret *secret, X509 *const *certificates, size_t count,
	struct buffer *sealed, struct error *error);

/*
 * Opens what was sealed to a certificate, with its key (core/signing-key.h's deciphering key where
 * it is on a card). maximum: bytes that the secret may have. ERROR_DATA_INVALID for what was not
 * sealed to this certificate or was damaged, and the key's own errors.
 */
bool unseal(const struct buffer *sealed, X509 *certificate, EVP_PKEY *key, size_t maximum,
	struct secret *secret, struct error *error);

#endif
