/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "authority/issued.h"

#include <limits.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "common/alloc.h"
#include "common/text.h"

DEFINE_CLEANUP(X509 *, X509_free);

bool issued_decode_base64(const char *text, struct buffer *bytes)
{
	EVP_ENCODE_CTX *context = EVP_ENCODE_CTX_new();
	size_t length = strlen(text), before = bytes->length;
	unsigned char *room = length <= INT_MAX ? buffer_extend(bytes, length / 4 * 3 + 4) : NULL;
	int first = 0, last = 0;

	EVP_DecodeInit(context);
	bool good = room &&
		    EVP_DecodeUpdate(
			    context, room, &first, (const unsigned char *)text, (int)length) >= 0 &&
		    EVP_DecodeFinal(context, room + first, &last) == 1;
	EVP_ENCODE_CTX_free(context);
	buffer_truncate(bytes, good ? before + (size_t)(first + last) : before);
	return good && bytes->length > before;
}

bool issued_put(X509 *x509, struct buffer *der)
{
	int length = x509 ? i2d_X509(x509, NULL) : 0;
	unsigned char *room = length > 0 ? buffer_extend(der, (size_t)length) : NULL;

	return room && i2d_X509(x509, &room) == length;
}

X509 *issued_parse(const struct buffer *der)
{
	const unsigned char *position = der->data;
	X509 *x509 = d2i_X509(NULL, &position, (long)der->length);

	ERR_clear_error();
	return x509;
}

char *issued_key_digest(EVP_PKEY *key)
{
	unsigned char *encoded = NULL, digest[SHA256_DIGEST_LENGTH];
	int length = i2d_PUBKEY(key, &encoded);

	SHA256(encoded, length > 0 ? (size_t)length : 0, digest);
	OPENSSL_free(encoded);
	return hex_encode(digest, sizeof(digest));
}

bool issued_has_key(const struct buffer *der, const char *key_digest)
{
	X509 *x509 _cleanup_(X509_freep) = issued_parse(der);
	EVP_PKEY *key = x509 ? X509_get0_pubkey(x509) : NULL;
	_cleanup_free_ char *digest = key ? issued_key_digest(key) : NULL;

	ERR_clear_error();
	return digest && strcmp(digest, key_digest) == 0;
}

bool issued_is_signed_by(const struct buffer *der, const struct buffer *issuer_der)
{
	X509 *issuer _cleanup_(X509_freep) = issued_parse(issuer_der);
	X509 *x509 _cleanup_(X509_freep) = issued_parse(der);
	bool is_signed = issuer && x509 && X509_verify(x509, X509_get0_pubkey(issuer)) == 1;

	ERR_clear_error();
	return is_signed;
}

char *issued_words(const char *text, size_t maximum)
{
	return text_shown(text, maximum);
}
