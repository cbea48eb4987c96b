/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates and keys that the program brings (4.6, 4.8, 4.9, 5.7;
 * mechanisms, 2.1.2, 2.1.3, 2.3.3, 2.3.4). */
#include "conformance/operation.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "conformance/reference.h"
#include "conformance/verify.h"

static CK_BYTE data[32] = "signed by what was brought here";

static CK_RV create(struct template *template, CK_OBJECT_HANDLE *object)
{
	return P11->C_CreateObject(suite.session, template->attributes, template->count, object);
}

/* --- certificates --- */

struct certificate {
	unsigned char *value, *subject, *issuer, *serial;
	int value_length, subject_length, issuer_length, serial_length;
};

static bool make_certificate(struct certificate *made)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x509 = X509_new();
	X509_NAME *name = X509_get_subject_name(x509);

	X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_ASC, (const unsigned char *)"Conformance", -1, -1, 0);
	X509_set_issuer_name(x509, name);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), 77);
	X509_gmtime_adj(X509_getm_notBefore(x509), 0);
	X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
	X509_set_pubkey(x509, key);
	bool done = X509_sign(x509, key, EVP_sha256()) > 0;
	made->value_length = i2d_X509(x509, &made->value);
	made->subject_length = i2d_X509_NAME(name, &made->subject);
	made->issuer_length = i2d_X509_NAME(X509_get_issuer_name(x509), &made->issuer);
	made->serial_length = i2d_ASN1_INTEGER(X509_get_serialNumber(x509), &made->serial);
	X509_free(x509);
	EVP_PKEY_free(key);
	return done;
}

static void certificate_template(struct template *template, const struct certificate *certificate)
{
	*template = (struct template){.count = 0};
	template_number(template, CKA_CLASS, CKO_CERTIFICATE);
	template_number(template, CKA_CERTIFICATE_TYPE, CKC_X_509);
	template_boolean(template, CKA_TOKEN, false);
	template_boolean(template, CKA_PRIVATE, false);
	template_bytes(
		template, CKA_SUBJECT, certificate->subject, (size_t)certificate->subject_length);
	template_bytes(template, CKA_VALUE, certificate->value, (size_t)certificate->value_length);
	template_bytes(template, CKA_ID, "brought", 7);
}

static bool reads(
	CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, const void *expected, size_t size)
{
	CK_BYTE value[4096];
	CK_ULONG length = sizeof(value);

	return attribute_bytes(object, type, value, &length) == CKR_OK && length == size &&
	       !memcmp(value, expected, size);
}

static void certificate_created(const struct certificate *certificate)
{
	struct template template, like = {.count = 0};
	CK_OBJECT_HANDLE object, found = CK_INVALID_HANDLE;

	certificate_template(&template, certificate);
	if (!EXPECT("certificate.create", create(&template, &object), CKR_OK))
		return;
	EXPECT_THAT("certificate.value",
		reads(object, CKA_VALUE, certificate->value, (size_t)certificate->value_length));
	EXPECT_THAT("certificate.subject", reads(object, CKA_SUBJECT, certificate->subject,
						   (size_t)certificate->subject_length));
	EXPECT_THAT(
		"certificate.type", attribute_number(object, CKA_CERTIFICATE_TYPE) == CKC_X_509);
	EXPECT_THAT("certificate.is_not_trusted", attribute_boolean(object, CKA_TRUSTED) == 0);
	template_bytes(&like, CKA_VALUE, certificate->value, (size_t)certificate->value_length);
	EXPECT_THAT("certificate.found_by_value",
		find(suite.session, &like, &found, 1) == 1 && found == object);
	template_number(&like, CKA_CERTIFICATE_TYPE, CKC_WTLS);
	EXPECT_THAT("certificate.not_found_by_another_type",
		find(suite.session, &like, &found, 1) == 0);
	certificate_template(&template, certificate);
	template_boolean(&template, CKA_TRUSTED, true);
	/* Only the security officer says so (4.6.1). */
	EXPECT_THAT(
		"certificate.user_does_not_make_it_trusted", create(&template, &object) != CKR_OK);
	certificate_template(&template, certificate);
	template.count = 4;
	EXPECT("certificate.without_subject_and_value", create(&template, &object),
		CKR_TEMPLATE_INCOMPLETE);
	certificate_template(&template, certificate);
	template.numbers[1] = 77;
	EXPECT("certificate.of_unknown_type", create(&template, &object),
		CKR_ATTRIBUTE_VALUE_INVALID);
}

/* A certificate of the token tells the same in its attributes as in its value. */
static void certificates_of_token(void)
{
	struct template like = {.count = 0};
	CK_OBJECT_HANDLE found[16];
	CK_BYTE value[4096];
	CK_ULONG length = sizeof(value);
	unsigned char *serial = NULL, *issuer = NULL, *subject = NULL;

	template_number(&like, CKA_CLASS, CKO_CERTIFICATE);
	template_boolean(&like, CKA_TOKEN, true);
	CK_ULONG count = find(suite.session, &like, found, ARRAY_SIZE(found));
	if (!count) {
		check_skip("certificate.of_token", "the token has no certificate");
		return;
	}
	NEED(attribute_bytes(found[0], CKA_VALUE, value, &length));
	const unsigned char *place = value;
	X509 *x509 = d2i_X509(NULL, &place, (long)length);
	if (!EXPECT_THAT("certificate.of_token", x509 && place == value + length))
		return;
	int serial_length = i2d_ASN1_INTEGER(X509_get_serialNumber(x509), &serial);
	int issuer_length = i2d_X509_NAME(X509_get_issuer_name(x509), &issuer);
	int subject_length = i2d_X509_NAME(X509_get_subject_name(x509), &subject);
	EXPECT_THAT("certificate.serial_of_token",
		reads(found[0], CKA_SERIAL_NUMBER, serial, (size_t)serial_length));
	EXPECT_THAT("certificate.issuer_of_token",
		reads(found[0], CKA_ISSUER, issuer, (size_t)issuer_length));
	EXPECT_THAT("certificate.subject_of_token",
		reads(found[0], CKA_SUBJECT, subject, (size_t)subject_length));
	OPENSSL_free(serial);
	OPENSSL_free(issuer);
	OPENSSL_free(subject);
	X509_free(x509);
}

void import_certificates(void)
{
	struct certificate certificate = {.value = NULL};

	section("4.6");
	NEED(make_certificate(&certificate) ? CKR_OK : CKR_HOST_MEMORY);
	certificate_created(&certificate);
	certificates_of_token();
	OPENSSL_free(certificate.value);
	OPENSSL_free(certificate.subject);
	OPENSSL_free(certificate.issuer);
	OPENSSL_free(certificate.serial);
}

/* --- keys --- */

static void add_number(struct template *template, CK_ATTRIBUTE_TYPE type, EVP_PKEY *key,
	const char *parameter, CK_BYTE *room)
{
	BIGNUM *number = NULL;

	EVP_PKEY_get_bn_param(key, parameter, &number);
	template_bytes(template, type, room, (size_t)BN_bn2bin(number, room));
	BN_clear_free(number);
}

static void key_template(struct template *template, CK_OBJECT_CLASS class, CK_KEY_TYPE type)
{
	*template = (struct template){.count = 0};
	template_number(template, CKA_CLASS, class);
	template_number(template, CKA_KEY_TYPE, type);
	template_boolean(template, CKA_TOKEN, false);
	template_boolean(template, class == CKO_PUBLIC_KEY ? CKA_VERIFY : CKA_SIGN, true);
}

static void rsa_public_key(EVP_PKEY *key)
{
	const struct padding padding = {.rsa = RSA_PKCS1_PADDING};
	CK_MECHANISM pkcs = {CKM_RSA_PKCS, NULL, 0};
	struct template template;
	CK_BYTE modulus[512], exponent[16], signature[512];
	size_t length = sizeof(signature);
	CK_OBJECT_HANDLE object;

	section("M 2.1.2");
	if (!offers("RSA_public_key.create", CKM_RSA_PKCS, CKF_VERIFY))
		return;
	key_template(&template, CKO_PUBLIC_KEY, CKK_RSA);
	EXPECT("RSA_public_key.without_modulus", create(&template, &object),
		CKR_TEMPLATE_INCOMPLETE);
	add_number(&template, CKA_MODULUS, key, OSSL_PKEY_PARAM_RSA_N, modulus);
	EXPECT("RSA_public_key.without_exponent", create(&template, &object),
		CKR_TEMPLATE_INCOMPLETE);
	add_number(&template, CKA_PUBLIC_EXPONENT, key, OSSL_PKEY_PARAM_RSA_E, exponent);
	if (!EXPECT("RSA_public_key.create", create(&template, &object), CKR_OK))
		return;
	EXPECT_THAT("RSA_public_key.bits", attribute_number(object, CKA_MODULUS_BITS) == 2048);
	EXPECT_THAT("RSA_public_key.is_not_local", attribute_boolean(object, CKA_LOCAL) == 0);
	NEED(reference_sign(key, &padding, data, sizeof(data), signature, &length)
			? CKR_OK
			: CKR_GENERAL_ERROR);
	NEED(P11->C_VerifyInit(suite.session, &pkcs, object));
	EXPECT("RSA_public_key.verifies",
		P11->C_Verify(suite.session, data, sizeof(data), signature, length), CKR_OK);
}

static void rsa_private_key(EVP_PKEY *key)
{
	static const struct {
		CK_ATTRIBUTE_TYPE type;
		const char *parameter;
	} parts[] = {
		{CKA_MODULUS, OSSL_PKEY_PARAM_RSA_N},
		{CKA_PUBLIC_EXPONENT, OSSL_PKEY_PARAM_RSA_E},
		{CKA_PRIVATE_EXPONENT, OSSL_PKEY_PARAM_RSA_D},
		{CKA_PRIME_1, OSSL_PKEY_PARAM_RSA_FACTOR1},
		{CKA_PRIME_2, OSSL_PKEY_PARAM_RSA_FACTOR2},
		{CKA_EXPONENT_1, OSSL_PKEY_PARAM_RSA_EXPONENT1},
		{CKA_EXPONENT_2, OSSL_PKEY_PARAM_RSA_EXPONENT2},
		{CKA_COEFFICIENT, OSSL_PKEY_PARAM_RSA_COEFFICIENT1},
	};
	const struct padding padding = {.rsa = RSA_PKCS1_PADDING};
	CK_MECHANISM pkcs = {CKM_RSA_PKCS, NULL, 0};
	struct template template;
	CK_BYTE numbers[ARRAY_SIZE(parts)][512], signature[512];
	CK_ULONG length = sizeof(signature);
	CK_OBJECT_HANDLE object;

	section("M 2.1.3");
	if (!offers("RSA_private_key.create", CKM_RSA_PKCS_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR))
		return;
	key_template(&template, CKO_PRIVATE_KEY, CKK_RSA);
	EXPECT("RSA_private_key.without_modulus", create(&template, &object),
		CKR_TEMPLATE_INCOMPLETE);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		add_number(&template, parts[i].type, key, parts[i].parameter, numbers[i]);
	template_boolean(&template, CKA_SENSITIVE, true);
	template_boolean(&template, CKA_EXTRACTABLE, false);
	if (!EXPECT("RSA_private_key.create", create(&template, &object), CKR_OK))
		return;
	EXPECT("RSA_private_key.signs",
		run_one(&family_sign, &pkcs, object, data, sizeof(data), signature, &length),
		CKR_OK);
	EXPECT_THAT("RSA_private_key.signs_right",
		reference_verify(key, &padding, false, data, sizeof(data), signature, length));
	EXPECT_THAT("RSA_private_key.is_not_local", attribute_boolean(object, CKA_LOCAL) == 0);
	EXPECT_THAT("RSA_private_key.was_not_always_sensitive",
		attribute_boolean(object, CKA_ALWAYS_SENSITIVE) == 0);
	EXPECT_THAT("RSA_private_key.was_extractable_once",
		attribute_boolean(object, CKA_NEVER_EXTRACTABLE) == 0);
}

/* A private key of P-256 that OpenSSL made signs; the public one verifies that. */
static void ec_keys(EVP_PKEY *key)
{
	static const CK_BYTE p256[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
	CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
	struct template public, private;
	CK_BYTE secret[66], point[67] = {4, 65}, signature[128];
	CK_ULONG length = sizeof(signature);
	size_t point_length;
	CK_OBJECT_HANDLE public_key, private_key;

	section("M 2.3.3");
	if (!offers("EC_public_key.create", CKM_ECDSA, CKF_VERIFY))
		return;
	EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point + 2, 65, &point_length);
	key_template(&public, CKO_PUBLIC_KEY, CKK_EC);
	template_bytes(&public, CKA_EC_PARAMS, p256, sizeof(p256));
	EXPECT("EC_public_key.without_point", create(&public, &public_key),
		CKR_TEMPLATE_INCOMPLETE);
	template_bytes(&public, CKA_EC_POINT, point, sizeof(point));
	if (!EXPECT("EC_public_key.create", create(&public, &public_key), CKR_OK))
		return;
	section("M 2.3.4");
	if (!offers("EC_private_key.create", CKM_EC_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR))
		return;
	key_template(&private, CKO_PRIVATE_KEY, CKK_EC);
	template_bytes(&private, CKA_EC_PARAMS, p256, sizeof(p256));
	EXPECT("EC_private_key.without_value", create(&private, &private_key),
		CKR_TEMPLATE_INCOMPLETE);
	add_number(&private, CKA_VALUE, key, OSSL_PKEY_PARAM_PRIV_KEY, secret);
	if (!EXPECT("EC_private_key.create", create(&private, &private_key), CKR_OK))
		return;
	EXPECT("EC_private_key.signs",
		run_one(&family_sign, &ecdsa, private_key, data, sizeof(data), signature, &length),
		CKR_OK);
	EXPECT_THAT("EC_private_key.signs_right",
		reference_verify_ecdsa(key, NULL, false, data, sizeof(data), signature, length));
	verify_signature(
		"EC_public_key", &ecdsa, public_key, data, sizeof(data), signature, length);
}

void import_keys(void)
{
	EVP_PKEY *rsa = EVP_RSA_gen(2048), *ec = EVP_EC_gen("P-256");

	section("4.8");
	NEED(login());
	rsa_public_key(rsa);
	rsa_private_key(rsa);
	ec_keys(ec);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
}
