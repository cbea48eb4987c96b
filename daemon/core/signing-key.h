/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An OpenSSL private key whose operations are done elsewhere (on a card, in a
 * token): X509_sign, X509_REQ_sign, X509_CRL_sign, CMS_sign work with one that
 * signs, CMS_decrypt with one that deciphers.
 */
#ifndef TESSERA_CORE_SIGNING_KEY_H
#define TESSERA_CORE_SIGNING_KEY_H

#include <openssl/evp.h>

#include "common/buffer.h"
#include "common/error.h"
#include "common/macros.h"

DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free);

/*
 * The raw private-key operation. RSA: input is the padded block of modulus
 * length, output as long (RSASP1). EC: input is the digest, cut to the field
 * size; output is r || s, each of field size.
 */
typedef bool (*signing_function)(void *context, const uint8_t *input, size_t length,
	struct buffer *output, struct error *error);

/*
 * A key with the public part of `public_key` (RSA or EC) that calls sign(context, ...).
 * context must outlive it. The error of the last failed call is kept and
 * fetched with signing_key_error(). NULL with ERROR_NOT_SUPPORTED or ERROR_FAILED.
 */
EVP_PKEY *signing_key_new(
	EVP_PKEY *public_key, signing_function sign, void *context, struct error *error);

/*
 * The same for a key that deciphers. RSA: the function's input is the ciphertext, its output the
 * padded block (RSADP); EC: its input is the peer's uncompressed point, its output the x
 * coordinate of the shared point (ECDH).
 */
EVP_PKEY *deciphering_key_new(
	EVP_PKEY *public_key, signing_function decipher, void *context, struct error *error);

/*
 * Moves the error of the last failed private-key operation on this thread to
 * *error, or, when there was none, fills it from OpenSSL's queue with code
 * fallback. Returns false.
 */
bool signing_key_error(enum error_code fallback, const char *what, struct error *error);

#endif
