/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates as authorities on the network give them. */
#ifndef TESSERA_AUTHORITY_ISSUED_H
#define TESSERA_AUTHORITY_ISSUED_H

#include <openssl/x509.h>

#include "authority/authority.h"
#include "common/buffer.h"
#include "common/error.h"

/* The bytes of base64, white space in it or not; false when it is none. */
bool issued_decode_base64(const char *text, struct buffer *bytes);
/* Appends the certificate's DER; false for NULL. */
bool issued_put(X509 *x509, struct buffer *der);
/* NULL when it is no certificate. */
X509 *issued_parse(const struct buffer *der);

/*
 * DER of a certificate as an answer has it: PEM, bare base64, or PKCS#7 in either (its first that
 * is no authority's). ERROR_AUTHORITY_FAILED.
 */
bool issued_decode(const char *text, struct buffer *der, struct error *error);

/* Heap: lower-case hex of the SHA-256 of the public key's encoding. */
char *issued_key_digest(EVP_PKEY *key);
/* Whether the certificate is for the key with that digest. */
bool issued_has_key(const struct buffer *der, const char *key_digest);
/* Whether the key of the one certificate has signed the other; false for any that is none. */
bool issued_is_signed_by(const struct buffer *der, const struct buffer *issuer_der);

/* In a profile's settings: its issuer's certificate, as issued_decode() reads it. */
#define ISSUED_ISSUER "issuer"
/* Whether the profile's issuer, where it is known, has signed it. ERROR_AUTHORITY_FAILED. */
bool issued_check_issuer(
	const struct authority_profile *profile, const struct buffer *der, struct error *error);
/* The issuer of the kept profiles that can be used, if they have one. ERROR_NOT_SUPPORTED. */
bool issued_ca_certificate(struct authority *authority, struct buffer *der, struct error *error);

/* text_shown() (common/text.h). */
char *issued_words(const char *text, size_t maximum);

#endif
