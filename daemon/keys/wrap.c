/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keys/wrap.h"

#include <limits.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

DEFINE_CLEANUP(EVP_CIPHER_CTX *, EVP_CIPHER_CTX_free);

/* Key and nonce set, the associated text read in. */
static EVP_CIPHER_CTX *begin(
	const struct secret *key, const uint8_t *nonce, const char *associated, int encrypts)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int length;

	if (context && key->length == WRAP_KEY_LENGTH &&
		EVP_CipherInit_ex(context, EVP_aes_256_gcm(), NULL, key->data, nonce, encrypts) ==
			1 &&
		EVP_CipherUpdate(context, NULL, &length, (const uint8_t *)associated,
			(int)strlen(associated)) == 1)
		return context;
	EVP_CIPHER_CTX_free(context);
	return NULL;
}

bool wrap(const struct secret *key, const char *associated, const struct buffer *plain,
	struct buffer *wrapped, struct error *error)
{
	uint8_t nonce[WRAP_NONCE_LENGTH], tag[WRAP_TAG_LENGTH];
	int length = 0, rest = 0;

	if (RAND_bytes(nonce, sizeof(nonce)) != 1 || plain->length > INT_MAX)
		return error_set(error, ERROR_FAILED, "encrypting failed");
	EVP_CIPHER_CTX *context _cleanup_(EVP_CIPHER_CTX_freep) = begin(key, nonce, associated, 1);
	buffer_append(wrapped, nonce, sizeof(nonce));
	uint8_t *room = buffer_extend(wrapped, plain->length);
	if (!context || !room ||
		EVP_CipherUpdate(context, room, &length, plain->data, (int)plain->length) != 1 ||
		EVP_CipherFinal_ex(context, room + length, &rest) != 1 ||
		EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, sizeof(tag), tag) != 1)
		return error_set(error, ERROR_FAILED, "encrypting failed");
	buffer_append(wrapped, tag, sizeof(tag));
	return !wrapped->failed || error_set(error, ERROR_FAILED, "out of memory");
}

bool unwrap(const struct secret *key, const char *associated, const struct buffer *wrapped,
	struct buffer *plain, struct error *error)
{
	struct reader reader = reader_of(wrapped);
	struct buffer opened _cleanup_buffer_ = BUFFER_INIT_WIPE;
	int length = 0, rest = 0;

	if (wrapped->length <= WRAP_NONCE_LENGTH + WRAP_TAG_LENGTH || wrapped->length > INT_MAX)
		return error_set(error, ERROR_DATA_INVALID, "what was encrypted is damaged");
	const uint8_t *nonce = reader_bytes(&reader, WRAP_NONCE_LENGTH);
	size_t hidden = reader_left(&reader) - WRAP_TAG_LENGTH;
	const uint8_t *ciphertext = reader_bytes(&reader, hidden);
	const uint8_t *tag = reader_bytes(&reader, WRAP_TAG_LENGTH);
	EVP_CIPHER_CTX *context _cleanup_(EVP_CIPHER_CTX_freep) = begin(key, nonce, associated, 0);
	uint8_t *room = buffer_extend(&opened, hidden);
	if (!context || !room ||
		EVP_CipherUpdate(context, room, &length, ciphertext, (int)hidden) != 1 ||
		EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, WRAP_TAG_LENGTH, (void *)tag) !=
			1 ||
		EVP_CipherFinal_ex(context, room + length, &rest) != 1)
		return error_set(error, ERROR_DATA_INVALID, "what was encrypted is damaged");
	buffer_move(plain, &opened);
	plain->wipe = true;
	return true;
}
