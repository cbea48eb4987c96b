/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a card's keys do. */
#include "unit/pkcs11/fake-provider.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>

static size_t rsa_raw(EVP_PKEY *key, const unsigned char *in, int length, unsigned char *out)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
	size_t size = 512;

	EVP_PKEY_decrypt_init(context);
	EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING);
	if (EVP_PKEY_decrypt(context, out, &size, in, (size_t)length) <= 0)
		size = 0;
	EVP_PKEY_CTX_free(context);
	return size;
}

static size_t ec_sign(EVP_PKEY *key, const unsigned char *in, int length, unsigned char *out)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
	int field = (EVP_PKEY_get_bits(key) + 7) / 8;
	unsigned char der[200];
	const unsigned char *start = der;
	size_t size = sizeof(der);

	EVP_PKEY_sign_init(context);
	bool done = length == field && /* as real cards insist */
		    EVP_PKEY_sign(context, der, &size, in, (size_t)length) > 0;
	EVP_PKEY_CTX_free(context);
	ECDSA_SIG *pair = done ? d2i_ECDSA_SIG(NULL, &start, (long)size) : NULL;
	if (!pair)
		return 0;
	BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, field);
	BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + field, field);
	ECDSA_SIG_free(pair);
	return 2 * (size_t)field;
}

static size_t ec_derive(EVP_PKEY *key, const unsigned char *in, int length, unsigned char *out)
{
	EVP_PKEY *peer = EVP_PKEY_new();
	size_t size = 0;

	if (EVP_PKEY_copy_parameters(peer, key) > 0 &&
		EVP_PKEY_set1_encoded_public_key(peer, in, (size_t)length) > 0) {
		EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
		size = 512;
		EVP_PKEY_derive_init(context);
		if (EVP_PKEY_derive_set_peer(context, peer) <= 0 ||
			EVP_PKEY_derive(context, out, &size) <= 0)
			size = 0;
		EVP_PKEY_CTX_free(context);
	}
	EVP_PKEY_free(peer);
	return size;
}

size_t fake_compute(EVP_PKEY *key, const char *operation, const unsigned char *in, int length,
	unsigned char *out)
{
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA)
		return rsa_raw(key, in, length, out);
	return strcmp(operation, "derive") == 0 ? ec_derive(key, in, length, out)
						: ec_sign(key, in, length, out);
}
