/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11/digest.h"

#include <pthread.h>

#include <openssl/provider.h>

#define SHA2_PREFIX(size, number)                                                                  \
	19,                                                                                        \
	{                                                                                          \
		0x30, 0x11 + (size), 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03,   \
			0x04, 0x02, (number), 0x05, 0x00, 0x04, (size)                             \
	}

static const struct digest digests[] = {
	{CKM_SHA_1, CKG_MGF1_SHA1, CKD_SHA1_KDF, "SHA1", 20, 15,
		{0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2B, 0x0E, 0x03, 0x02, 0x1A, 0x05, 0x00, 0x04,
			0x14}},
	{CKM_SHA224, CKG_MGF1_SHA224, CKD_SHA224_KDF, "SHA224", 28, SHA2_PREFIX(28, 4)},
	{CKM_SHA256, CKG_MGF1_SHA256, CKD_SHA256_KDF, "SHA256", 32, SHA2_PREFIX(32, 1)},
	{CKM_SHA384, CKG_MGF1_SHA384, CKD_SHA384_KDF, "SHA384", 48, SHA2_PREFIX(48, 2)},
	{CKM_SHA512, CKG_MGF1_SHA512, CKD_SHA512_KDF, "SHA512", 64, SHA2_PREFIX(64, 3)},
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static OSSL_LIB_CTX *context;

static void make_context(void)
{
	OSSL_LIB_CTX *fresh = OSSL_LIB_CTX_new();

	if (fresh && !OSSL_PROVIDER_load(fresh, "default")) {
		OSSL_LIB_CTX_free(fresh);
		fresh = NULL;
	}
	context = fresh;
}

OSSL_LIB_CTX *crypto_context(void)
{
	pthread_once(&once, make_context);
	return context;
}

const struct digest *digest_of_mechanism(CK_MECHANISM_TYPE mechanism)
{
	for (size_t i = 0; i < ARRAY_SIZE(digests); i++) {
		if (digests[i].mechanism == mechanism)
			return &digests[i];
	}
	return NULL;
}

const struct digest *digest_of_mgf(CK_RSA_PKCS_MGF_TYPE mgf)
{
	for (size_t i = 0; i < ARRAY_SIZE(digests); i++) {
		if (digests[i].mgf == mgf)
			return &digests[i];
	}
	return NULL;
}

const struct digest *digest_of_kdf(CK_ULONG kdf)
{
	for (size_t i = 0; i < ARRAY_SIZE(digests); i++) {
		if (digests[i].kdf == kdf)
			return &digests[i];
	}
	return NULL;
}

EVP_MD_CTX *digest_start(const struct digest *digest)
{
	OSSL_LIB_CTX *library = crypto_context();
	EVP_MD *md = library ? EVP_MD_fetch(library, digest->name, NULL) : NULL;
	EVP_MD_CTX *started = md ? EVP_MD_CTX_new() : NULL;

	if (started && !EVP_DigestInit_ex2(started, md, NULL)) {
		EVP_MD_CTX_free(started);
		started = NULL;
	}
	EVP_MD_free(md);
	return started;
}

bool digest_bytes(
	const struct digest *digest, struct reader first, struct reader second, uint8_t *out)
{
	EVP_MD_CTX *started = digest_start(digest);
	bool done = started && EVP_DigestUpdate(started, first.data, first.length) &&
		    EVP_DigestUpdate(started, second.data, second.length) &&
		    EVP_DigestFinal_ex(started, out, NULL);

	EVP_MD_CTX_free(started);
	return done;
}
