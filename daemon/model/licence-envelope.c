/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <openssl/pem.h>

#include "common/alloc.h"
#include "model/document.h"
#include "model/licence-private.h"
#include "model/licence.h"

#define SIGNATURE_LENGTH 64 /* RFC 8032, section 5.1.6 */
#define ALPHABET	 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free);
DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free);
DEFINE_CLEANUP(BIO *, BIO_free_all);

/* One digit's 6 bits; the text has no other characters. */
static uint32_t digit_value(char digit)
{
	return (uint32_t)(strchr(ALPHABET, digit) - ALPHABET);
}

/* Appends the bytes of up to four digits. False for a lone digit or bits that say nothing. */
static bool decode_group(const char *digits, size_t count, struct buffer *bytes)
{
	uint32_t group = 0;

	for (size_t i = 0; i < 4; i++)
		group = group << 6 | (i < count ? digit_value(digits[i]) : 0);
	for (size_t i = 0; i + 1 < count; i++)
		buffer_append_u8(bytes, (uint8_t)(group >> (16 - 8 * i)));
	return count != 1 && (count == 4 || (group << 8 * (count - 1) & 0xFFFFFF) == 0);
}

static bool decode(const char *text, struct buffer *bytes)
{
	size_t length = strlen(text);
	bool valid = strspn(text, ALPHABET) == length;

	for (size_t i = 0; valid && i < length; i += 4)
		valid = decode_group(text + i, length - i < 4 ? length - i : 4, bytes);
	return valid && !bytes->failed;
}

static bool read_bytes(const struct document_node *root, const char *member, struct buffer *bytes,
	struct error *error)
{
	struct document_node node;
	const char *text;

	return document_member(root, member, &node, error) &&
	       document_string(&node, 1, DOCUMENT_SIZE_MAXIMUM, &text, error) &&
	       (decode(text, bytes) ||
		       document_fail(&node, error, "it must be base64url without padding"));
}

static bool check_format(const struct document_node *root, struct error *error)
{
	static const char *const members[] = {"format", "payload", "signature"};
	struct document_node node;
	const char *format;

	if (!document_check_members(root, members, ARRAY_SIZE(members), error) ||
		!document_member(root, "format", &node, error) ||
		!document_string(&node, 1, DOCUMENT_SIZE_MAXIMUM, &format, error))
		return false;
	return strcmp(format, LICENCE_FORMAT) == 0 ||
	       document_fail(&node, error, "it must be \"" LICENCE_FORMAT "\"");
}

static bool verify(EVP_PKEY *public_key, const struct buffer *payload,
	const struct buffer *signature, struct error *error)
{
	EVP_MD_CTX *context _cleanup_(EVP_MD_CTX_freep) = EVP_MD_CTX_new();

	if (context && signature->length == SIGNATURE_LENGTH &&
		EVP_DigestVerifyInit(context, NULL, NULL, NULL, public_key) == 1 &&
		EVP_DigestVerify(context, signature->data, signature->length, payload->data,
			payload->length) == 1)
		return true;
	return error_set_field(error, ERROR_INVALID_LICENCE, "/signature",
		"the licence is not signed by the configured key");
}

bool licence_open(
	const char *document, EVP_PKEY *public_key, struct buffer *payload, struct error *error)
{
	struct buffer signature _cleanup_buffer_ = BUFFER_INIT;
	_cleanup_json_ json_t *json = document_load(document, ERROR_INVALID_LICENCE, error);
	struct document_node root = document_root(json, ERROR_INVALID_LICENCE);

	return json && check_format(&root, error) && read_bytes(&root, "payload", payload, error) &&
	       read_bytes(&root, "signature", &signature, error) &&
	       verify(public_key, payload, &signature, error);
}

EVP_PKEY *licence_public_key(const char *pem, struct error *error)
{
	BIO *text _cleanup_(BIO_free_allp) = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key _cleanup_(EVP_PKEY_freep) =
		text ? PEM_read_bio_PUBKEY(text, NULL, NULL, NULL) : NULL;

	if (!key || !EVP_PKEY_is_a(key, "ED25519")) {
		error_set(error, ERROR_INVALID_ARGUMENT, "it holds no Ed25519 public key in PEM");
		return NULL;
	}
	return steal_pointer(&key);
}
