/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates as answers have them. */
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/x509v3.h>

#include "authority/issued.h"

DEFINE_CLEANUP(X509 *, X509_free);
DEFINE_CLEANUP(PKCS7 *, PKCS7_free);
DEFINE_CLEANUP(BIO *, BIO_free_all);

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

bool issued_decode(const char *text, struct buffer *der, struct error *error)
{
	bool good = strstr(text, "-----BEGIN ") ? decode_pem(text, der) : decode_bare(text, der);

	ERR_clear_error();
	return good || error_set(error, ERROR_AUTHORITY_FAILED,
			       "it gave a certificate that cannot be read");
}
