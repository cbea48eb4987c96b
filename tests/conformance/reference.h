/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The same computations by OpenSSL, outside of the module. */
#pragma once

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>

/* A cipher by its name ("AES-128-CBC", padded as it is by default); false when OpenSSL refuses. */
bool reference_encrypt(const char *cipher, const void *key, const void *iv, bool padded,
	const void *data, size_t length, unsigned char *output, size_t *output_length);
bool reference_gcm(const void *key, const void *iv, size_t iv_length, const void *aad,
	size_t aad_length, const void *data, size_t length, unsigned char *output,
	unsigned char tag[16]);
/* "HMAC" with a digest, or "CMAC" with a cipher */
bool reference_mac(const char *mac, const char *of, const void *key, size_t key_length,
	const void *data, size_t length, unsigned char *output, size_t *output_length);
bool reference_digest(const char *digest, const void *data, size_t length, unsigned char *output,
	size_t *output_length);

struct padding {
	int rsa;	    /* RSA_..._PADDING; 0 for EC */
	const char *digest; /* of the data, or what they are a digest of; NULL: none is named */
	const char *mgf;    /* PSS, OAEP */
	int salt;	    /* PSS */
	const char *label;  /* OAEP */
};

/* The data are hashed before when hash is true. */
bool reference_verify(EVP_PKEY *key, const struct padding *padding, bool hash, const void *data,
	size_t length, const void *signature, size_t signature_length);
bool reference_seal(EVP_PKEY *key, const struct padding *padding, const void *data, size_t length,
	unsigned char *output, size_t *output_length);
/* By a private key of OpenSSL's, without a digest. */
bool reference_sign(EVP_PKEY *key, const struct padding *padding, const void *data, size_t length,
	unsigned char *signature, size_t *signature_length);
/* Two numbers of the same length, as PKCS#11 has them. */
bool reference_verify_ecdsa(EVP_PKEY *key, const char *digest, bool hash, const void *data,
	size_t length, const void *signature, size_t signature_length);
