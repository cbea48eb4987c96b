/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance/reference.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <string.h>

bool reference_encrypt(const char *cipher, const void *key, const void *iv, bool padded,
	const void *data, size_t length, unsigned char *output, size_t *output_length)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int made = 0, rest = 0;

	EVP_EncryptInit_ex(context, EVP_get_cipherbyname(cipher), NULL, key, iv);
	EVP_CIPHER_CTX_set_padding(context, padded);
	bool done = EVP_EncryptUpdate(context, output, &made, data, (int)length) == 1 &&
		    EVP_EncryptFinal_ex(context, output + made, &rest) == 1;
	EVP_CIPHER_CTX_free(context);
	*output_length = (size_t)made + (size_t)rest;
	return done;
}

bool reference_gcm(const void *key, const void *iv, size_t iv_length, const void *aad,
	size_t aad_length, const void *data, size_t length, unsigned char *output,
	unsigned char tag[16])
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int made = 0;

	EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), NULL, NULL, NULL);
	EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_IVLEN, (int)iv_length, NULL);
	EVP_EncryptInit_ex(context, NULL, NULL, key, iv);
	bool done = EVP_EncryptUpdate(context, NULL, &made, aad, (int)aad_length) == 1 &&
		    EVP_EncryptUpdate(context, output, &made, data, (int)length) == 1 &&
		    EVP_EncryptFinal_ex(context, output + made, &made) == 1 &&
		    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, 16, tag) == 1;
	EVP_CIPHER_CTX_free(context);
	return done;
}

bool reference_mac(const char *mac, const char *of, const void *key, size_t key_length,
	const void *data, size_t length, unsigned char *output, size_t *output_length)
{
	bool is_cmac = !strcmp(mac, "CMAC");
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(
			is_cmac ? OSSL_MAC_PARAM_CIPHER : OSSL_MAC_PARAM_DIGEST, (char *)of, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *algorithm = EVP_MAC_fetch(NULL, mac, NULL);
	EVP_MAC_CTX *context = EVP_MAC_CTX_new(algorithm);
	bool done = EVP_MAC_init(context, key, key_length, parameters) == 1 &&
		    EVP_MAC_update(context, data, length) == 1 &&
		    EVP_MAC_final(context, output, output_length, EVP_MAX_MD_SIZE) == 1;

	EVP_MAC_CTX_free(context);
	EVP_MAC_free(algorithm);
	return done;
}

bool reference_digest(const char *digest, const void *data, size_t length, unsigned char *output,
	size_t *output_length)
{
	unsigned made = 0;
	bool done =
		EVP_Digest(data, length, output, &made, EVP_get_digestbyname(digest), NULL) == 1;

	*output_length = made;
	return done;
}

static bool set_padding(EVP_PKEY_CTX *context, const struct padding *padding)
{
	bool done = EVP_PKEY_CTX_set_rsa_padding(context, padding->rsa) == 1;

	if (done && padding->rsa == RSA_PKCS1_PSS_PADDING)
		done = EVP_PKEY_CTX_set_rsa_pss_saltlen(context, padding->salt) == 1 &&
		       EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, padding->mgf, NULL) == 1;
	if (done && padding->rsa == RSA_PKCS1_OAEP_PADDING)
		done = EVP_PKEY_CTX_set_rsa_oaep_md_name(context, padding->digest, NULL) == 1 &&
		       EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, padding->mgf, NULL) == 1;
	if (done && padding->label) {
		char *label = OPENSSL_strdup(padding->label);
		done = EVP_PKEY_CTX_set0_rsa_oaep_label(context, label, (int)strlen(label)) == 1;
	}
	return done;
}

bool reference_verify(EVP_PKEY *key, const struct padding *padding, bool hash, const void *data,
	size_t length, const void *signature, size_t signature_length)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
	unsigned char digest[EVP_MAX_MD_SIZE];
	size_t digest_length;
	bool done = EVP_PKEY_verify_init(context) == 1;

	if (hash && done) {
		done = reference_digest(padding->digest, data, length, digest, &digest_length);
		data = digest;
		length = digest_length;
	}
	if (done && padding->digest)
		done = EVP_PKEY_CTX_set_signature_md(
			       context, EVP_get_digestbyname(padding->digest)) == 1;
	if (done && padding->rsa)
		done = set_padding(context, padding);
	done = done && EVP_PKEY_verify(context, signature, signature_length, data, length) == 1;
	EVP_PKEY_CTX_free(context);
	return done;
}

bool reference_sign(EVP_PKEY *key, const struct padding *padding, const void *data, size_t length,
	unsigned char *signature, size_t *signature_length)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
	bool done = EVP_PKEY_sign_init(context) == 1 && set_padding(context, padding) &&
		    EVP_PKEY_sign(context, signature, signature_length, data, length) == 1;

	EVP_PKEY_CTX_free(context);
	return done;
}

bool reference_seal(EVP_PKEY *key, const struct padding *padding, const void *data, size_t length,
	unsigned char *output, size_t *output_length)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
	bool done = EVP_PKEY_encrypt_init(context) == 1 && set_padding(context, padding) &&
		    EVP_PKEY_encrypt(context, output, output_length, data, length) == 1;

	EVP_PKEY_CTX_free(context);
	return done;
}

bool reference_verify_ecdsa(EVP_PKEY *key, const char *digest, bool hash, const void *data,
	size_t length, const void *signature, size_t signature_length)
{
	const struct padding padding = {.digest = digest};
	const unsigned char *bytes = signature;
	int half = (int)(signature_length / 2);
	ECDSA_SIG *numbers = ECDSA_SIG_new();
	unsigned char *der = NULL;

	ECDSA_SIG_set0(numbers, BN_bin2bn(bytes, half, NULL), BN_bin2bn(bytes + half, half, NULL));
	int der_length = i2d_ECDSA_SIG(numbers, &der);
	bool done = der_length > 0 &&
		    reference_verify(key, &padding, hash, data, length, der, (size_t)der_length);
	OPENSSL_free(der);
	ECDSA_SIG_free(numbers);
	return done;
}
