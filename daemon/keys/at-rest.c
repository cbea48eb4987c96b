/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keys/at-rest.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "keys/kdf.h"

#define KEY_LABEL    "tessera secrets"
#define LABEL	     "tessera secret at rest"
#define FORMAT	     1
#define KEY_LENGTH   32
#define NONCE_LENGTH 12
#define TAG_LENGTH   16

DEFINE_CLEANUP(EVP_CIPHER_CTX *, EVP_CIPHER_CTX_free);

/* The key is made when it is first needed; two at once make one. */
static bool prepare_key(struct token *token, struct error *error)
{
	struct error failure _cleanup_error_ = ERROR_INIT;
	bool found = false;

	if (!token_has_key(token, KEY_LABEL, &found, error))
		return false;
	if (found || token_generate_aes(token, KEY_LABEL, &failure) || failure.code == ERROR_EXISTS)
		return true;
	return error_move(error, &failure);
}

static bool prf(
	void *context, const uint8_t *data, size_t length, uint8_t mac[16], struct error *error)
{
	return token_cmac(context, KEY_LABEL, data, length, mac, error);
}

static bool derive(
	struct token *token, const char *purpose, struct secret *key, struct error *error)
{
	_cleanup_buffer_ struct buffer fixed = BUFFER_INIT;

	buffer_append_string(&fixed, LABEL);
	buffer_append_u8(&fixed, 0);
	buffer_append_string(&fixed, purpose);
	buffer_append_u8(&fixed, 0);
	buffer_append_u32(&fixed, KEY_LENGTH * 8);
	if (fixed.failed || !secret_allocate(key, KEY_LENGTH))
		return error_set(error, ERROR_FAILED, "out of memory");
	return kdf_counter(prf, token, fixed.data, fixed.length, key, error);
}

bool at_rest_seal(struct token *token, const char *purpose, const struct secret *secret,
	struct buffer *sealed, struct error *error)
{
	EVP_CIPHER_CTX *context _cleanup_(EVP_CIPHER_CTX_freep) = EVP_CIPHER_CTX_new();
	_cleanup_secret_ struct secret key = SECRET_INIT;
	int length;

	if (!prepare_key(token, error) || !derive(token, purpose, &key, error))
		return false;
	buffer_clear(sealed);
	buffer_append_u8(sealed, FORMAT);
	buffer_fill(sealed, 0, NONCE_LENGTH + secret->length + TAG_LENGTH);
	if (sealed->failed || !context)
		return error_set(error, ERROR_FAILED, "out of memory");
	uint8_t *nonce = sealed->data + 1, *text = nonce + NONCE_LENGTH;
	if (RAND_bytes(nonce, NONCE_LENGTH) == 1 &&
		EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, key.data, nonce) &&
		EVP_EncryptUpdate(context, text, &length, secret->data, (int)secret->length) &&
		EVP_EncryptFinal_ex(context, text + length, &length) &&
		EVP_CIPHER_CTX_ctrl(
			context, EVP_CTRL_AEAD_GET_TAG, TAG_LENGTH, text + secret->length))
		return true;
	return error_set(error, ERROR_FAILED, "a secret cannot be sealed");
}

bool at_rest_open(struct token *token, const char *purpose, const struct buffer *sealed,
	struct secret *secret, struct error *error)
{
	EVP_CIPHER_CTX *context _cleanup_(EVP_CIPHER_CTX_freep) = EVP_CIPHER_CTX_new();
	_cleanup_secret_ struct secret key = SECRET_INIT;
	const size_t overhead = 1 + NONCE_LENGTH + TAG_LENGTH;
	int length;

	if (sealed->length < overhead || sealed->data[0] != FORMAT)
		return error_set(error, ERROR_DATA_INVALID, "a sealed secret is damaged");
	if (!derive(token, purpose, &key, error))
		return false;
	if (!context || !secret_allocate(secret, sealed->length - overhead))
		return error_set(error, ERROR_FAILED, "out of memory");
	const uint8_t *nonce = sealed->data + 1, *text = nonce + NONCE_LENGTH;
	if (EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL, key.data, nonce) &&
		EVP_DecryptUpdate(context, secret->data, &length, text, (int)secret->length) &&
		EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_LENGTH,
			(void *)(uintptr_t)(text + secret->length)) &&
		EVP_DecryptFinal_ex(context, secret->data + length, &length))
		return true;
	secret_clear(secret);
	return error_set(error, ERROR_DATA_INVALID,
		"a sealed secret is damaged, or was sealed by another token");
}
