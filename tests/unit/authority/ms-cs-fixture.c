/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit/authority/ms-cs-fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/x509v3.h>

#define SECURITY_OID "1.3.6.1.4.1.311.25.2"
#define SID_OID	     "1.3.6.1.4.1.311.25.2.1"

static void add(X509 *certificate, int nid, const char *value)
{
	X509V3_CTX context;

	if (!value)
		return;
	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

void ms_cs_sample_add(X509 *certificate, const char *oid, const unsigned char *der, int length)
{
	ASN1_OBJECT *type = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();

	assert_int_equal(ASN1_OCTET_STRING_set(value, der, length), 1);
	X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, type, 0, value);
	assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(type);
}

void ms_cs_sample_add_sid(X509 *certificate, const char *sid)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_TYPE *value = ASN1_TYPE_new();
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	unsigned char *der = NULL;

	assert_int_equal(ASN1_STRING_set(octets, sid, -1), 1);
	ASN1_TYPE_set(value, V_ASN1_OCTET_STRING, octets);
	assert_int_equal(GENERAL_NAME_set0_othername(name, OBJ_txt2obj(SID_OID, 1), value), 1);
	assert_int_equal(sk_GENERAL_NAME_push(names, name), 1);
	int length = i2d_GENERAL_NAMES(names, &der);
	ms_cs_sample_add(certificate, SECURITY_OID, der, length);
	OPENSSL_free(der);
	GENERAL_NAMES_free(names);
}

/* One more alternative name; OpenSSL's text form has no commas in URIs. */
static void add_uri(X509 *certificate, const char *uri)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *text = ASN1_IA5STRING_new();

	assert_non_null(names);
	assert_int_equal(ASN1_STRING_set(text, uri, -1), 1);
	GENERAL_NAME_set0_value(name, GEN_URI, text);
	assert_int_equal(sk_GENERAL_NAME_push(names, name) > 0, 1);
	assert_int_equal(
		X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, X509V3_ADD_REPLACE),
		1);
	GENERAL_NAMES_free(names);
}

X509 *ms_cs_sample_new(const struct ms_cs_sample *sample, EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	bool is_usual = sample->begins == 0 && sample->ends == 0;

	assert_int_equal(X509_set_version(certificate, X509_VERSION_3), 1);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 4711);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
		(const unsigned char *)"Sample", -1, -1, 0);
	X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
	X509_gmtime_adj(X509_getm_notBefore(certificate), is_usual ? -3600 : sample->begins);
	X509_gmtime_adj(X509_getm_notAfter(certificate), is_usual ? 3600 : sample->ends);
	X509_set_pubkey(certificate, key);
	add(certificate, NID_ext_key_usage, sample->purposes);
	add(certificate, NID_subject_alt_name, sample->names);
	if (sample->uri)
		add_uri(certificate, sample->uri);
	add(certificate, NID_key_usage, sample->key_usage);
	if (sample->sid)
		ms_cs_sample_add_sid(certificate, sample->sid);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	return certificate;
}
