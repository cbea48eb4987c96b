/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What Microsoft CS may issue: a certificate's names, SID extension and purposes. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/x509v3.h>

#include "authority/ms-cs-check.h"
#include "common/alloc.h"
#include "fuzz/fuzz.h"
#include "model/holder.h"

#define SECURITY_OID "1.3.6.1.4.1.311.25.2"
#define SID_OID	     "1.3.6.1.4.1.311.25.2.1"
#define NAMES_OID    "2.5.29.17"
#define PURPOSES_OID "2.5.29.37"
#define SID	     "S-1-5-21-1-2-3-4"

static void check(X509 *certificate)
{
	static const char *const purposes[] = {MS_CS_PURPOSE_CLIENT_AUTH};
	const struct ms_cs_expected expected = {.upn = "ada@lab.example", .sid = SID};
	const struct ms_cs_expected strict = {
		.purposes = purposes, .purpose_count = ARRAY_SIZE(purposes)};
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_free_ char *warning = NULL, *other = NULL;
	_cleanup_free_ char *sid = ms_cs_sid_of(certificate, NULL);

	if (sid && !holder_sid_is_valid(sid))
		abort();
	bool good = ms_cs_check_issued(certificate, &expected, &warning, &error);
	/* Never another's: and a failure is told. */
	if (good != (error.code == ERROR_NONE) || (!good && warning) ||
		(good && sid && strcasecmp(sid, SID) != 0))
		abort();
	if (ms_cs_check_issued(certificate, &strict, &other, NULL) &&
		!ms_cs_has_purpose(certificate, MS_CS_PURPOSE_CLIENT_AUTH))
		abort();
}

/* The input as the value of one extension, so that the fuzzer need not find its way there. */
static X509 *with_extension(const char *oid, const uint8_t *data, size_t length)
{
	X509 *certificate = X509_new();
	ASN1_OBJECT *type = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();

	ASN1_OCTET_STRING_set(value, data, (int)length);
	X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, type, 0, value);
	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(type);
	return certificate;
}

/* As the text of a SID where it has its place, so that what is behind the structure is reached. */
static X509 *with_sid(const uint8_t *data, size_t length)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_TYPE *value = ASN1_TYPE_new();
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	unsigned char *der = NULL;

	ASN1_STRING_set(octets, data, (int)length);
	ASN1_TYPE_set(value, V_ASN1_OCTET_STRING, octets);
	GENERAL_NAME_set0_othername(name, OBJ_txt2obj(SID_OID, 1), value);
	sk_GENERAL_NAME_push(names, name);
	int size = i2d_GENERAL_NAMES(names, &der);
	X509 *certificate = with_extension(SECURITY_OID, der, (size_t)size);
	OPENSSL_free(der);
	GENERAL_NAMES_free(names);
	return certificate;
}

static void check_and_free(X509 *certificate)
{
	if (certificate)
		check(certificate);
	X509_free(certificate);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	const unsigned char *position = data;

	check_and_free(d2i_X509(NULL, &position, (long)length));
	check_and_free(with_extension(SECURITY_OID, data, length));
	check_and_free(with_extension(NAMES_OID, data, length));
	check_and_free(with_extension(PURPOSES_OID, data, length));
	check_and_free(with_sid(data, length));
	return 0;
}
