/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/person.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/x509v3.h>

#include "common/audit-login.h"

#define DAY_SECONDS (24 * 3600)

X509 *person_certify(EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *issuer_key)
{
	X509 *certificate = X509_new();
	X509_NAME *subject = X509_get_subject_name(certificate);
	static int number;

	X509_set_version(certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++number);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY_SECONDS);
	X509_gmtime_adj(X509_getm_notAfter(certificate), DAY_SECONDS);
	X509_NAME_add_entry_by_txt(
		subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(certificate, issuer ? X509_get_subject_name(issuer) : subject);
	X509_set_pubkey(certificate, key);
	if (!issuer) {
		X509_EXTENSION *is_authority =
			X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
		assert_int_equal(X509_add_ext(certificate, is_authority, -1), 1);
		X509_EXTENSION_free(is_authority);
	}
	assert_true(X509_sign(certificate, issuer_key, EVP_sha256()) > 0);
	return certificate;
}

void person_equip(struct person *person, const char *curve, X509 *issuer, EVP_PKEY *issuer_key)
{
	person->key = EVP_EC_gen(curve);
	assert_non_null(person->key);
	person->certificate = person_certify(
		person->key, person->name, issuer, issuer_key ? issuer_key : person->key);
}

void person_forget(struct person *person)
{
	EVP_PKEY_free(person->key);
	X509_free(person->certificate);
}

void person_sign(
	const struct person *person, const struct buffer *challenge, struct buffer *signature)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t bytes[256];
	size_t length = sizeof(bytes);

	assert_int_equal(EVP_DigestSignInit(
				 context, NULL, audit_login_digest(person->key), NULL, person->key),
		1);
	assert_int_equal(
		EVP_DigestSign(context, bytes, &length, challenge->data, challenge->length), 1);
	EVP_MD_CTX_free(context);
	buffer_append(signature, bytes, length);
}

void person_append_certificate(const struct person *person, struct buffer *der)
{
	unsigned char *bytes = NULL;
	int length = i2d_X509(person->certificate, &bytes);

	assert_true(length > 0);
	buffer_append(der, bytes, (size_t)length);
	OPENSSL_free(bytes);
}
