/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11/public.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "pkcs11/pad.h"

DEFINE_CLEANUP(EVP_PKEY_CTX *, EVP_PKEY_CTX_free);
#define _cleanup_context_ _cleanup_(EVP_PKEY_CTX_freep)

static EVP_PKEY *read_key(const struct buffer *info)
{
	const unsigned char *der = info->data;
	OSSL_LIB_CTX *library = crypto_context();

	return library ? d2i_PUBKEY_ex(NULL, &der, (long)info->length, library, NULL) : NULL;
}

bool public_has_point(const struct key *key, struct view point)
{
	_cleanup_buffer_ struct buffer info = BUFFER_INIT;

	if (key->type == CKK_EC)
		key_build_ec(&info, key->parameters, point);
	else
		key_build_edwards(&info, key->parameters, point);
	ERR_set_mark();
	EVP_PKEY *public = info.failed || !info.length ? NULL : read_key(&info);
	ERR_pop_to_mark();
	EVP_PKEY_free(public);
	return public != NULL;
}

static EVP_PKEY_CTX *context_new(const struct key *key)
{
	OSSL_LIB_CTX *library = crypto_context();
	EVP_PKEY *public = read_key(&key->public_key);

	EVP_PKEY_CTX *context = public ? EVP_PKEY_CTX_new_from_pkey(library, public, NULL) : NULL;
	EVP_PKEY_free(public);
	return context;
}

static const char *md_name(const struct digest *digest)
{
	return digest->name;
}

static bool set_padding(EVP_PKEY_CTX *context, const struct operation *operation)
{
	switch (operation->mechanism->scheme) {
	case SCHEME_RSA_PKCS1:
		return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) > 0;
	case SCHEME_RSA_RAW:
		return EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) > 0;
	case SCHEME_RSA_PSS: {
		OSSL_PARAM parameters[] = {
			OSSL_PARAM_construct_utf8_string(
				"digest", (char *)(uintptr_t)md_name(operation->parameter.hash), 0),
			OSSL_PARAM_construct_utf8_string("mgf1-digest",
				(char *)(uintptr_t)md_name(operation->parameter.mgf), 0),
			OSSL_PARAM_construct_end()};
		return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0 &&
		       EVP_PKEY_CTX_set_params(context, parameters) > 0 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(
			       context, (int)operation->parameter.salt_length) > 0;
	}
	case SCHEME_RSA_OAEP: {
		OSSL_PARAM parameters[] = {
			OSSL_PARAM_construct_utf8_string(
				"digest", (char *)(uintptr_t)md_name(operation->parameter.hash), 0),
			OSSL_PARAM_construct_utf8_string("mgf1-digest",
				(char *)(uintptr_t)md_name(operation->parameter.mgf), 0),
			OSSL_PARAM_construct_octet_string("oaep-label",
				operation->parameter.bytes.data, operation->parameter.bytes.length),
			OSSL_PARAM_construct_end()};
		if (!operation->parameter.bytes.length)
			parameters[2] = OSSL_PARAM_construct_end();
		return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0 &&
		       EVP_PKEY_CTX_set_params(context, parameters) > 0;
	}
	default:
		return true;
	}
}

/* r || s to ECDSA-Sig-Value (RFC 3279, 2.2.3). */
static bool encode_ecdsa(struct buffer *der, const uint8_t *signature, size_t length)
{
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(signature, (int)(length / 2), NULL);
	BIGNUM *s = BN_bin2bn(signature + length / 2, (int)(length / 2), NULL);
	unsigned char *encoded = NULL;
	int size = 0;

	if (pair && r && s && ECDSA_SIG_set0(pair, r, s)) {
		r = s = NULL; /* the pair owns them */
		size = i2d_ECDSA_SIG(pair, &encoded);
	}
	if (size > 0)
		buffer_append(der, encoded, (size_t)size);
	OPENSSL_free(encoded);
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(pair);
	return size > 0 && !der->failed;
}

static size_t signature_size(const struct operation *operation)
{
	return operation->mechanism->scheme == SCHEME_ECDSA ||
			       operation->mechanism->scheme == SCHEME_EDDSA
		       ? 2 * key_field_size(operation->key)
		       : key_modulus_size(operation->key);
}

/* The message in the shape that OpenSSL compares, the signature in the one that it reads. */
static CK_RV prepare_verify(struct operation *operation, const uint8_t *signature, size_t length,
	struct buffer *message, struct buffer *encoded)
{
	_cleanup_buffer_ struct buffer plain = BUFFER_INIT;
	CK_RV rv = operation_message(operation, &plain);

	if (rv != CKR_OK)
		return rv;
	if (operation->mechanism->scheme == SCHEME_RSA_RAW)
		rv = pad_zeros(message, length, &plain);
	else
		buffer_move(message, &plain);
	if (operation->mechanism->scheme == SCHEME_RSA_PSS &&
		message->length != operation->parameter.hash->size)
		rv = CKR_DATA_LEN_RANGE;
	if (operation->mechanism->scheme != SCHEME_ECDSA)
		buffer_append(encoded, signature, length);
	else if (!encode_ecdsa(encoded, signature, length))
		return CKR_HOST_MEMORY;
	return encoded->failed ? CKR_HOST_MEMORY : rv;
}

/* Ed25519 and Ed448 digest the message themselves, twice. */
static CK_RV verify_edwards(struct operation *operation, const uint8_t *signature, size_t length)
{
	_cleanup_context_ EVP_PKEY_CTX *context = context_new(operation->key);
	EVP_MD_CTX *digest = context ? EVP_MD_CTX_new() : NULL;
	int valid = -1;

	if (digest && EVP_DigestVerifyInit_ex(digest, NULL, NULL, crypto_context(), NULL,
			      EVP_PKEY_CTX_get0_pkey(context), NULL) > 0)
		valid = EVP_DigestVerify(
			digest, signature, length, operation->data.data, operation->data.length);
	EVP_MD_CTX_free(digest);
	return valid == 1 ? CKR_OK : CKR_SIGNATURE_INVALID;
}

CK_RV public_verify(struct operation *operation, const uint8_t *signature, size_t length)
{
	_cleanup_buffer_ struct buffer message = BUFFER_INIT;
	_cleanup_buffer_ struct buffer encoded = BUFFER_INIT;
	_cleanup_context_ EVP_PKEY_CTX *context = NULL;

	if (length != signature_size(operation))
		return CKR_SIGNATURE_LEN_RANGE;
	if (operation->mechanism->scheme == SCHEME_EDDSA) {
		ERR_set_mark();
		CK_RV valid_edwards = verify_edwards(operation, signature, length);
		ERR_pop_to_mark();
		return valid_edwards;
	}
	CK_RV rv = prepare_verify(operation, signature, length, &message, &encoded);
	if (rv != CKR_OK)
		return rv;
	/* What OpenSSL notes about a signature must not show up in the program's error queue. */
	ERR_set_mark();
	context = context_new(operation->key);
	bool ready =
		context && EVP_PKEY_verify_init(context) > 0 && set_padding(context, operation);
	int valid = ready ? EVP_PKEY_verify(context, encoded.data, encoded.length, message.data,
				    message.length)
			  : -1;
	ERR_pop_to_mark();
	if (!ready)
		return CKR_FUNCTION_FAILED;
	return valid == 1 ? CKR_OK : CKR_SIGNATURE_INVALID;
}

CK_RV public_encrypt(struct operation *operation, struct buffer *result)
{
	_cleanup_buffer_ struct buffer message = BUFFER_INIT_WIPE;
	_cleanup_context_ EVP_PKEY_CTX *context = NULL;
	size_t size = key_modulus_size(operation->key);
	uint8_t *room = buffer_extend(result, size);
	CK_RV rv = operation->mechanism->scheme == SCHEME_RSA_RAW
			   ? pad_zeros(&message, size, &operation->data)
			   : operation_message(operation, &message);

	if (!room)
		return CKR_HOST_MEMORY;
	if (rv != CKR_OK)
		return rv;
	ERR_set_mark();
	context = context_new(operation->key);
	bool ready =
		context && EVP_PKEY_encrypt_init(context) > 0 && set_padding(context, operation);
	bool done =
		ready && EVP_PKEY_encrypt(context, room, &size, message.data, message.length) > 0;
	ERR_pop_to_mark();
	if (!ready)
		return CKR_FUNCTION_FAILED;
	return done ? CKR_OK : CKR_DATA_LEN_RANGE;
}

CK_RV public_recover(struct operation *operation, struct buffer *result)
{
	_cleanup_buffer_ struct buffer block = BUFFER_INIT;
	_cleanup_context_ EVP_PKEY_CTX *context = NULL;
	const struct buffer *signature = &operation->data;
	size_t size = key_modulus_size(operation->key);
	uint8_t *room = buffer_extend(&block, size);

	if (!room)
		return CKR_HOST_MEMORY;
	if (signature->length != size)
		return CKR_SIGNATURE_LEN_RANGE;
	ERR_set_mark();
	context = context_new(operation->key);
	bool ready = context && EVP_PKEY_encrypt_init(context) > 0 &&
		     EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) > 0;
	bool done = ready &&
		    EVP_PKEY_encrypt(context, room, &size, signature->data, signature->length) > 0;
	ERR_pop_to_mark();
	if (!ready)
		return CKR_FUNCTION_FAILED;
	if (!done)
		return CKR_SIGNATURE_INVALID;
	if (operation->mechanism->scheme == SCHEME_RSA_PKCS1)
		return unpad_signature(result, &block);
	buffer_append(result, block.data, block.length);
	return result->failed ? CKR_HOST_MEMORY : CKR_OK;
}
