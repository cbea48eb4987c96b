/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/audit-checkpoint.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include "common/alloc.h"

/* Nothing else that the key ever signs begins so. */
#define PURPOSE		    "tessera-audit-checkpoint-1"
#define SIGNATURE_BYTES_MAX 512

void audit_checkpoint_clear(struct audit_checkpoint *checkpoint)
{
	buffer_clear(&checkpoint->public_key);
	buffer_clear(&checkpoint->signature);
	*checkpoint = (struct audit_checkpoint)AUDIT_CHECKPOINT_INIT;
}

void audit_checkpoints_free(struct audit_checkpoint *checkpoints, size_t count)
{
	for (size_t i = 0; checkpoints && i < count; i++)
		audit_checkpoint_clear(&checkpoints[i]);
	free(checkpoints);
}

/* What is signed. */
static void append_content(
	struct buffer *content, const struct audit_checkpoint *checkpoint, const char *store_id)
{
	audit_append_text(content, PURPOSE);
	audit_append_text(content, store_id);
	audit_append_number(content, checkpoint->id);
	audit_append_number(content, checkpoint->record_id);
	buffer_append(content, checkpoint->hash, sizeof(checkpoint->hash));
	audit_append_number(content, checkpoint->time_us);
	if (content->failed)
		abort();
}

bool audit_key_to_der(EVP_PKEY *key, struct buffer *der, struct error *error)
{
	unsigned char *bytes = NULL;
	int length = i2d_PUBKEY(key, &bytes);

	if (length <= 0) {
		ERR_clear_error();
		return error_set(error, ERROR_FAILED, "the key has no public part");
	}
	buffer_append(der, bytes, (size_t)length);
	OPENSSL_free(bytes);
	return true;
}

bool audit_checkpoint_sign(struct audit_checkpoint *checkpoint, const char *store_id, EVP_PKEY *key,
	struct error *error)
{
	_cleanup_buffer_ struct buffer content = BUFFER_INIT;
	uint8_t signature[SIGNATURE_BYTES_MAX];
	size_t length = sizeof(signature);

	append_content(&content, checkpoint, store_id);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool signed_it =
		context &&
		EVP_DigestSignInit_ex(context, NULL, "SHA256", NULL, NULL, key, NULL) == 1 &&
		EVP_DigestSign(context, signature, &length, content.data, content.length) == 1;
	EVP_MD_CTX_free(context);
	if (!signed_it) {
		ERR_clear_error();
		return error_set(error, ERROR_TOKEN_FAILED, "the token did not sign");
	}
	buffer_truncate(&checkpoint->public_key, 0);
	buffer_truncate(&checkpoint->signature, 0);
	buffer_append(&checkpoint->signature, signature, length);
	return audit_key_to_der(key, &checkpoint->public_key, error);
}

bool audit_checkpoint_is_genuine(const struct audit_checkpoint *checkpoint, const char *store_id)
{
	_cleanup_buffer_ struct buffer content = BUFFER_INIT;
	const unsigned char *der = checkpoint->public_key.data;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &der, (long)checkpoint->public_key.length);
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	append_content(&content, checkpoint, store_id);
	bool genuine =
		key && context &&
		EVP_DigestVerifyInit_ex(context, NULL, "SHA256", NULL, NULL, key, NULL) == 1 &&
		EVP_DigestVerify(context, checkpoint->signature.data, checkpoint->signature.length,
			content.data, content.length) == 1;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return genuine;
}

char *audit_key_fingerprint(const struct buffer *der)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];

	SHA256(der->data, der->length, digest);
	return hex_encode(digest, sizeof(digest));
}

void audit_keys_free(struct buffer *keys, size_t count)
{
	for (size_t i = 0; keys && i < count; i++)
		buffer_clear(&keys[i]);
	free(keys);
}

bool audit_keys_from_pem(const char *pem, struct buffer **keys, size_t *count, struct error *error)
{
	BIO *text = BIO_new_mem_buf(pem, -1);
	struct buffer *read = NULL;
	size_t length = 0;
	EVP_PKEY *key;

	while (text && (key = PEM_read_bio_PUBKEY(text, NULL, NULL, NULL))) {
		read = xreallocarray(read, length + 1, sizeof(*read));
		read[length] = (struct buffer)BUFFER_INIT;
		if (audit_key_to_der(key, &read[length], NULL))
			length++;
		EVP_PKEY_free(key);
	}
	BIO_free(text);
	ERR_clear_error();
	if (length == 0) {
		free(read);
		return error_set(error, ERROR_INVALID_ARGUMENT, "there is no public key in PEM");
	}
	*keys = read;
	*count = length;
	return true;
}
