/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/audit-login.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "common/audit-record.h"

/* No other protocol in which cards sign has bytes that begin so. */
#define PURPOSE		    "tessera-operator-login-1"
#define TEXT_MAXIMUM	    256
#define SIGNATURE_BYTES_MAX 1024

void audit_challenge_clear(struct audit_challenge *challenge)
{
	free(challenge->store_id);
	free(challenge->card);
	*challenge = (struct audit_challenge){0};
}

void audit_challenge_encode(const struct audit_challenge *challenge, struct buffer *bytes)
{
	audit_append_text(bytes, PURPOSE);
	audit_append_text(bytes, challenge->store_id);
	audit_append_text(bytes, challenge->card);
	audit_append_number(bytes, challenge->time_us);
	audit_append_number(bytes, challenge->until_us);
	audit_append_bytes(bytes, challenge->nonce, sizeof(challenge->nonce));
	audit_append_bytes(bytes, challenge->key, sizeof(challenge->key));
	if (bytes->failed)
		abort();
}

/* Exactly length bytes with their length in front. */
static void read_exactly(struct reader *reader, uint8_t *bytes, size_t length)
{
	struct reader field = audit_read_field(reader);
	const uint8_t *data = reader_bytes(&field, length);

	if (!data || reader_left(&field) != 0)
		reader->failed = true;
	else
		memcpy(bytes, data, length);
}

static bool is_purpose(const char *text)
{
	return text && strcmp(text, PURPOSE) == 0;
}

bool audit_challenge_decode(const struct buffer *bytes, struct audit_challenge *challenge)
{
	struct reader reader = reader_of(bytes);
	_cleanup_free_ char *purpose = audit_read_text(&reader, TEXT_MAXIMUM);

	audit_challenge_clear(challenge);
	challenge->store_id = audit_read_text(&reader, TEXT_MAXIMUM);
	challenge->card = audit_read_text(&reader, TEXT_MAXIMUM);
	challenge->time_us = audit_read_number(&reader);
	challenge->until_us = audit_read_number(&reader);
	read_exactly(&reader, challenge->nonce, sizeof(challenge->nonce));
	read_exactly(&reader, challenge->key, sizeof(challenge->key));
	return !reader.failed && reader_left(&reader) == 0 && is_purpose(purpose) &&
	       challenge->store_id && challenge->card;
}

void audit_proof_clear(struct audit_proof *proof)
{
	buffer_clear(&proof->challenge);
	buffer_clear(&proof->signature);
	buffer_clear(&proof->certificate);
}

void audit_proof_encode(const struct audit_proof *proof, struct buffer *bytes)
{
	const struct buffer *const parts[] = {
		&proof->challenge, &proof->signature, &proof->certificate};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		audit_append_bytes(bytes, parts[i]->data, parts[i]->length);
	if (bytes->failed)
		abort();
}

bool audit_proof_decode(const struct buffer *bytes, struct audit_proof *proof)
{
	struct buffer *const parts[] = {&proof->challenge, &proof->signature, &proof->certificate};
	struct reader reader = reader_of(bytes);

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		struct reader field = audit_read_field(&reader);
		buffer_truncate(parts[i], 0);
		if (reader_left(&field) > 0)
			buffer_append(parts[i], field.data, reader_left(&field));
	}
	return !reader.failed && reader_left(&reader) == 0;
}

const EVP_MD *audit_login_digest(const EVP_PKEY *key)
{
	return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && EVP_PKEY_get_bits(key) > 256
		       ? EVP_sha384()
		       : EVP_sha256();
}

bool audit_login_is_signed(
	X509 *certificate, const struct buffer *challenge, const uint8_t *signature, size_t length)
{
	EVP_PKEY *key = X509_get0_pubkey(certificate);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good = key && length <= SIGNATURE_BYTES_MAX && context &&
		    EVP_DigestVerifyInit(context, NULL, audit_login_digest(key), NULL, key) == 1 &&
		    EVP_DigestVerify(
			    context, signature, length, challenge->data, challenge->length) == 1;

	EVP_MD_CTX_free(context);
	ERR_clear_error();
	return good;
}
