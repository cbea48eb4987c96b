/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The JSON Web Token by which a certificate proves the application (RFC 7523, 3; RFC 7515). */
#include <string.h>

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "common/alloc.h"
#include "core/signing-key.h"
#include "directory/entra-private.h"

#define LIFE_SECONDS 300 /* "5-10 minutes after nbf at most" */
#define KEY_BITS_MIN 2048

DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free);

/* RFC 7515, 2: base64 of RFC 4648, 5, without padding. */
static void append_base64url(struct buffer *buffer, const void *data, size_t length)
{
	size_t room = (length + 2) / 3 * 4;
	_cleanup_free_ unsigned char *text = xcalloc(room + 1, 1);

	EVP_EncodeBlock(text, data, (int)length);
	for (size_t i = 0; i < room && text[i] != '='; i++) {
		uint8_t c = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
		buffer_append_u8(buffer, c);
	}
}

static void append_json(struct buffer *buffer, json_t *json)
{
	_cleanup_free_ char *text = json_dumps(json, JSON_COMPACT | JSON_PRESERVE_ORDER);

	append_base64url(buffer, text, strlen(text));
	json_decref(json);
}

/* A random UUID (RFC 9562, 5.4). */
static bool make_id(char *text, size_t size)
{
	uint8_t id[16];

	if (RAND_bytes(id, sizeof(id)) != 1)
		return false;
	id[6] = (uint8_t)((id[6] & 0x0f) | 0x40);
	id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
	_cleanup_free_ char *hex = hex_encode(id, sizeof(id));
	if (!hex)
		return false;
	snprintf(text, size, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
		hex + 20);
	return true;
}

static json_t *make_header(const struct entra_assertion *assertion)
{
	_cleanup_buffer_ struct buffer thumbprint = BUFFER_INIT;
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	X509_digest(assertion->certificate, EVP_sha256(), digest, &length);
	append_base64url(&thumbprint, digest, length);
	return json_pack("{s:s, s:s, s:s%}", "alg", assertion->is_pkcs1 ? "RS256" : "PS256", "typ",
		"JWT", "x5t#S256", (const char *)thumbprint.data, (int)thumbprint.length);
}

static json_t *make_claims(const struct entra_assertion *assertion, const char *id)
{
	json_int_t now = (json_int_t)assertion->now;

	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "aud", assertion->audience, "iss",
		assertion->client_id, "sub", assertion->client_id, "jti", id, "nbf", now, "iat",
		now, "exp", now + LIFE_SECONDS);
}

/* RFC 7518, 3.3 and 3.5 (a salt as long as the digest). */
static bool sign(const struct entra_assertion *assertion, const struct buffer *signed_part,
	struct buffer *signature)
{
	EVP_MD_CTX *context _cleanup_(EVP_MD_CTX_freep) = EVP_MD_CTX_new();
	EVP_PKEY_CTX *padding = NULL;
	size_t length = 0;

	if (!context ||
		EVP_DigestSignInit(context, &padding, EVP_sha256(), NULL, assertion->key) != 1 ||
		EVP_PKEY_CTX_set_rsa_padding(padding,
			assertion->is_pkcs1 ? RSA_PKCS1_PADDING : RSA_PKCS1_PSS_PADDING) != 1 ||
		(!assertion->is_pkcs1 &&
			EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST) != 1) ||
		EVP_DigestSign(context, NULL, &length, signed_part->data, signed_part->length) != 1)
		return false;
	uint8_t *room = buffer_extend(signature, length);
	if (!room ||
		EVP_DigestSign(context, room, &length, signed_part->data, signed_part->length) != 1)
		return false;
	buffer_truncate(signature, length);
	return true;
}

bool entra_check_certificate(X509 *certificate, struct error *error)
{
	EVP_PKEY *key = X509_get0_pubkey(certificate);

	return (key && EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) >= KEY_BITS_MIN) ||
	       error_set_field(error, ERROR_INVALID_ARGUMENT, "secret",
		       "Entra ID takes certificates of RSA keys of %d bits and more alone",
		       KEY_BITS_MIN);
}

bool entra_assertion_make(
	const struct entra_assertion *assertion, struct secret *token, struct error *error)
{
	_cleanup_buffer_ struct buffer text = BUFFER_INIT_WIPE, signature = BUFFER_INIT;
	char id[37];

	if (!make_id(id, sizeof(id)))
		return error_set(error, ERROR_FAILED, "no random numbers can be had");
	append_json(&text, make_header(assertion));
	buffer_append_u8(&text, '.');
	append_json(&text, make_claims(assertion, id));
	if (!sign(assertion, &text, &signature)) {
		signing_key_error(
			ERROR_TOKEN_FAILED, "the client certificate's key does not sign", error);
		ERR_clear_error();
		return false;
	}
	buffer_append_u8(&text, '.');
	append_base64url(&text, signature.data, signature.length);
	return secret_set(token, text.data, text.length) ||
	       error_set(error, ERROR_FAILED, "no memory is left for secrets");
}
