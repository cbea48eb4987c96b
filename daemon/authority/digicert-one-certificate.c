/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates as the API writes them. */
#include <string.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include "authority/digicert-one-private.h"
#include "common/alloc.h"

DEFINE_CLEANUP(X509 *, X509_free);
DEFINE_CLEANUP(PKCS7 *, PKCS7_free);
DEFINE_CLEANUP(BIO *, BIO_free_all);

/* --- decoding --- */

static bool put_x509(X509 *x509, struct buffer *der)
{
	int length = x509 ? i2d_X509(x509, NULL) : 0;
	unsigned char *room = length > 0 ? buffer_extend(der, (size_t)length) : NULL;

	return room && i2d_X509(x509, &room) == length;
}

/* Of several certificates the first that signs none of the others. */
static X509 *leaf_of(STACK_OF(X509) * certificates)
{
	for (int i = 0; i < sk_X509_num(certificates); i++) {
		X509 *x509 = sk_X509_value(certificates, i);
		if (X509_check_ca(x509) == 0)
			return x509;
	}
	return sk_X509_num(certificates) > 0 ? sk_X509_value(certificates, 0) : NULL;
}

static bool put_pkcs7(PKCS7 *pkcs7, struct buffer *der)
{
	return pkcs7 && PKCS7_type_is_signed(pkcs7) && pkcs7->d.sign &&
	       put_x509(leaf_of(pkcs7->d.sign->cert), der);
}

/* The bytes of base64 with or without line ends; false when it is none. */
static bool decode_base64(const char *text, struct buffer *bytes)
{
	EVP_ENCODE_CTX *context = EVP_ENCODE_CTX_new();
	size_t length = strlen(text);
	unsigned char *room = buffer_extend(bytes, length / 4 * 3 + 4);
	int first = 0, last = 0;

	EVP_DecodeInit(context);
	bool good = room &&
		    EVP_DecodeUpdate(
			    context, room, &first, (const unsigned char *)text, (int)length) >= 0 &&
		    EVP_DecodeFinal(context, room + first, &last) == 1;
	EVP_ENCODE_CTX_free(context);
	buffer_truncate(bytes, good ? (size_t)(first + last) : 0);
	return good && bytes->length > 0;
}

static bool decode_bare(const char *text, struct buffer *der)
{
	_cleanup_buffer_ struct buffer bytes = BUFFER_INIT;

	if (!decode_base64(text, &bytes))
		return false;
	const unsigned char *position = bytes.data;
	X509 *x509 _cleanup_(X509_freep) = d2i_X509(NULL, &position, (long)bytes.length);
	if (x509 && position == bytes.data + bytes.length)
		return put_x509(x509, der);
	position = bytes.data;
	PKCS7 *pkcs7 _cleanup_(PKCS7_freep) = d2i_PKCS7(NULL, &position, (long)bytes.length);
	return put_pkcs7(pkcs7, der);
}

static bool decode_pem(const char *text, struct buffer *der)
{
	BIO *bio _cleanup_(BIO_free_allp) = BIO_new_mem_buf(text, -1);

	if (strstr(text, "-----BEGIN PKCS7-----") || strstr(text, "-----BEGIN CMS-----")) {
		PKCS7 *pkcs7 _cleanup_(PKCS7_freep) = PEM_read_bio_PKCS7(bio, NULL, NULL, NULL);
		return put_pkcs7(pkcs7, der);
	}
	X509 *x509 _cleanup_(X509_freep) = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	return put_x509(x509, der);
}

bool digicert_one_decode(const char *text, struct buffer *der, struct error *error)
{
	bool good = strstr(text, "-----BEGIN ") ? decode_pem(text, der) : decode_bare(text, der);

	ERR_clear_error();
	return good || error_set(error, ERROR_AUTHORITY_FAILED,
			       "DigiCert ONE gave a certificate that cannot be read");
}

/* --- keys and issuers --- */

char *digicert_one_key_digest(EVP_PKEY *key)
{
	unsigned char *encoded = NULL, digest[SHA256_DIGEST_LENGTH];
	int length = i2d_PUBKEY(key, &encoded);

	SHA256(encoded, length > 0 ? (size_t)length : 0, digest);
	OPENSSL_free(encoded);
	return hex_encode(digest, sizeof(digest));
}

static X509 *parse(const struct buffer *der)
{
	const unsigned char *position = der->data;

	return d2i_X509(NULL, &position, (long)der->length);
}

bool digicert_one_has_key(const struct buffer *der, const char *key_digest)
{
	X509 *x509 _cleanup_(X509_freep) = parse(der);
	EVP_PKEY *key = x509 ? X509_get0_pubkey(x509) : NULL;
	_cleanup_free_ char *digest = key ? digicert_one_key_digest(key) : NULL;

	ERR_clear_error();
	return digest && strcmp(digest, key_digest) == 0;
}

bool digicert_one_check_issuer(
	const struct authority_profile *profile, const struct buffer *der, struct error *error)
{
	const char *text = json_string_value(json_object_get(profile->settings, "issuer"));
	_cleanup_buffer_ struct buffer issuer_der = BUFFER_INIT;

	if (!text || !digicert_one_decode(text, &issuer_der, NULL))
		return true;
	X509 *issuer _cleanup_(X509_freep) = parse(&issuer_der);
	X509 *x509 _cleanup_(X509_freep) = parse(der);
	bool signed_by_it = issuer && x509 && X509_verify(x509, X509_get0_pubkey(issuer)) == 1;
	ERR_clear_error();
	return signed_by_it ||
	       error_set(error, ERROR_AUTHORITY_FAILED,
		       "the certificate that came is not signed by the issuer of the profile "
		       "\"%s\": if its issuer was changed, run tessera connection profiles "
		       "--update",
		       profile->name);
}

/* --- answers --- */

static bool same_serial(const struct certificate *certificate, const char *serial)
{
	const char *own = certificate->serial_hex;

	own += strspn(own, "0");
	serial += strspn(serial, "0");
	return strcasecmp(own, serial) == 0;
}

bool digicert_one_take(struct certificate *certificate, const json_t *object, struct error *error)
{
	const char *text = json_string_value(json_object_get(object, "certificate"));
	const char *serial = json_string_value(json_object_get(object, "serial_number"));
	_cleanup_buffer_ struct buffer der = BUFFER_INIT;

	if (!text || !text[0])
		return error_set(error, ERROR_AUTHORITY_FAILED,
			"DigiCert ONE answers without a certificate");
	if (!digicert_one_decode(text, &der, error) ||
		!certificate_from_der(certificate, der.data, der.length, error))
		return false;
	if (serial && !same_serial(certificate, serial))
		return error_set(error, ERROR_AUTHORITY_FAILED,
			"DigiCert ONE says the serial number %.64s, and the certificate says %s",
			serial, certificate->serial_hex);
	certificate->status = CERTIFICATE_VALID;
	return true;
}
