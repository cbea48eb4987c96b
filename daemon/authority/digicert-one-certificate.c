/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates as the API writes them. */
#include <string.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/x509v3.h>

#include "authority/digicert-one-private.h"
#include "authority/issued.h"
#include "common/alloc.h"

DEFINE_CLEANUP(X509 *, X509_free);
DEFINE_CLEANUP(PKCS7 *, PKCS7_free);
DEFINE_CLEANUP(BIO *, BIO_free_all);

/* --- decoding --- */

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
	       issued_put(leaf_of(pkcs7->d.sign->cert), der);
}

static bool decode_bare(const char *text, struct buffer *der)
{
	_cleanup_buffer_ struct buffer bytes = BUFFER_INIT;

	if (!issued_decode_base64(text, &bytes))
		return false;
	const unsigned char *position = bytes.data;
	X509 *x509 _cleanup_(X509_freep) = d2i_X509(NULL, &position, (long)bytes.length);
	if (x509 && position == bytes.data + bytes.length)
		return issued_put(x509, der);
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
	return issued_put(x509, der);
}

bool digicert_one_decode(const char *text, struct buffer *der, struct error *error)
{
	bool good = strstr(text, "-----BEGIN ") ? decode_pem(text, der) : decode_bare(text, der);

	ERR_clear_error();
	return good || error_set(error, ERROR_AUTHORITY_FAILED,
			       "DigiCert ONE gave a certificate that cannot be read");
}

/* --- issuers --- */

bool digicert_one_check_issuer(
	const struct authority_profile *profile, const struct buffer *der, struct error *error)
{
	const char *text = json_string_value(json_object_get(profile->settings, "issuer"));
	_cleanup_buffer_ struct buffer issuer_der = BUFFER_INIT;

	if (!text || !digicert_one_decode(text, &issuer_der, NULL))
		return true;
	return issued_is_signed_by(der, &issuer_der) ||
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
