/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vcard/certificate.h"

#include <openssl/rand.h>
#include <openssl/x509v3.h>

#define SERIAL_LENGTH	  16
#define OID_DEVICE_SERIAL "1.3.6.1.4.1.41482.3.7" /* Yubico's arc for attestation extensions */

static bool set_random_serial(X509 *certificate)
{
	uint8_t bytes[SERIAL_LENGTH];

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return false;
	bytes[0] = (bytes[0] & 0x3F) | 0x40;
	BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	bool done = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
	BN_free(number);
	return done;
}

bool certificate_set_name(X509_NAME *name, const char *common_name)
{
	return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
		       (const unsigned char *)common_name, -1, -1, 0) == 1;
}

X509 *certificate_new(EVP_PKEY *pkey, const char *subject)
{
	_cleanup_certificate_ X509 *certificate = X509_new();

	if (!certificate || X509_set_version(certificate, X509_VERSION_3) != 1 ||
		!set_random_serial(certificate) || X509_set_pubkey(certificate, pkey) != 1 ||
		!ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate), "20200101000000Z") ||
		!ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate), "20520101000000Z") ||
		!certificate_set_name(X509_get_subject_name(certificate), subject))
		return NULL;
	return steal_pointer(&certificate);
}

bool certificate_add_extension(X509 *certificate, const char *oid, const void *value, size_t length)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension = NULL;
	bool done = object && octets && ASN1_OCTET_STRING_set(octets, value, (int)length) == 1;

	if (done)
		extension = X509_EXTENSION_create_by_OBJ(NULL, object, 0, octets);
	done = extension && X509_add_ext(certificate, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(octets);
	ASN1_OBJECT_free(object);
	return done;
}

bool certificate_add_known_extension(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	bool done = extension && X509_add_ext(certificate, extension, -1) == 1;

	X509_EXTENSION_free(extension);
	return done;
}

bool certificate_add_device_serial(X509 *certificate, uint32_t serial)
{
	if (serial == 0)
		return true;
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	unsigned char *der = NULL;
	int length = number && ASN1_INTEGER_set_uint64(number, serial) == 1
			     ? i2d_ASN1_INTEGER(number, &der)
			     : -1;
	bool done = length > 0 &&
		    certificate_add_extension(certificate, OID_DEVICE_SERIAL, der, (size_t)length);
	OPENSSL_free(der);
	ASN1_INTEGER_free(number);
	return done;
}

bool certificate_append(X509 *certificate, struct buffer *out)
{
	unsigned char *der = NULL;
	int length = i2d_X509(certificate, &der);

	if (length <= 0)
		return false;
	buffer_append(out, der, (size_t)length);
	OPENSSL_free(der);
	return !out->failed;
}
