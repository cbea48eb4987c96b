/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Digests, and the OpenSSL library context that the module keeps to itself. */
#ifndef TESSERA_PKCS11_DIGEST_H
#define TESSERA_PKCS11_DIGEST_H

#include <openssl/evp.h>
#include "pkcs11/cryptoki.h"

#include "common/buffer.h"

#define DIGEST_SIZE_MAXIMUM 64

struct digest {
	CK_MECHANISM_TYPE mechanism;
	CK_RSA_PKCS_MGF_TYPE mgf;
	CK_ULONG kdf; /* CKD_ of ECDH */
	const char *name;
	size_t size;
	/* DigestInfo up to the digest (RFC 8017, 9.2, note 1). */
	size_t prefix_length;
	uint8_t prefix[19];
};

/* NULL for an unknown one. */
const struct digest *digest_of_mechanism(CK_MECHANISM_TYPE mechanism);
const struct digest *digest_of_mgf(CK_RSA_PKCS_MGF_TYPE mgf);
const struct digest *digest_of_kdf(CK_ULONG kdf);

/*
 * A library context with nothing but the default provider, made once and never freed. The
 * program's own configuration may name this very module as its provider, and the program may
 * clean OpenSSL up before it calls C_Finalize: neither reaches this context. NULL when out of
 * memory.
 */
OSSL_LIB_CTX *crypto_context(void);

/* A started digest, or NULL. */
EVP_MD_CTX *digest_start(const struct digest *digest);
/* Digest of two parts (second may be NULL) into out[digest->size]. */
bool digest_bytes(
	const struct digest *digest, struct reader first, struct reader second, uint8_t *out);

#endif
