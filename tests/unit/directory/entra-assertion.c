/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "common/alloc.h"
#include "core/signing-key.h"
#include "directory/entra-private.h"

#define AUDIENCE "https://login.example/t/oauth2/v2.0/token"
#define CLIENT	 "99999999-8888-4777-8666-555555555555"
#define NOW	 1800000000

DEFINE_CLEANUP(X509 *, X509_free);

static X509 *certificate_for(EVP_PKEY *key)
{
	X509 *x509 = X509_new();

	X509_set_version(x509, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
	X509_gmtime_adj(X509_getm_notBefore(x509), 0);
	X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
	X509_set_pubkey(x509, key);
	assert_true(X509_sign(x509, key, EVP_sha256()) > 0);
	return x509;
}

static void decode(const char *text, size_t length, struct buffer *bytes)
{
	_cleanup_free_ char *padded =
		xasprintf("%.*s%.*s", (int)length, text, (int)((4 - length % 4) % 4), "===");
	size_t missing = (4 - length % 4) % 4;

	for (char *c = padded; *c; c++)
		*c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
	uint8_t *room = buffer_extend(bytes, strlen(padded) / 4 * 3);
	int got = EVP_DecodeBlock(room, (const unsigned char *)padded, (int)strlen(padded));
	assert_true(got >= 0);
	buffer_truncate(bytes, (size_t)got - missing);
}

static json_t *decode_json(const char *text, size_t length)
{
	_cleanup_buffer_ struct buffer bytes = BUFFER_INIT;

	decode(text, length, &bytes);
	json_t *json = json_loadb((const char *)bytes.data, bytes.length, 0, NULL);
	assert_non_null(json);
	return json;
}

static bool verifies(EVP_PKEY *key, bool is_pkcs1, const char *text, size_t length,
	const struct buffer *signature)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *padding = NULL;

	assert_int_equal(EVP_DigestVerifyInit(context, &padding, EVP_sha256(), NULL, key), 1);
	EVP_PKEY_CTX_set_rsa_padding(padding, is_pkcs1 ? RSA_PKCS1_PADDING : RSA_PKCS1_PSS_PADDING);
	if (!is_pkcs1)
		EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, 32);
	bool good = EVP_DigestVerify(context, signature->data, signature->length,
			    (const uint8_t *)text, length) == 1;
	EVP_MD_CTX_free(context);
	return good;
}

static void expect_text(const json_t *json, const char *name, const char *value)
{
	assert_string_equal(json_string_value(json_object_get(json, name)), value);
}

static void check_token(const char *text, EVP_PKEY *key, bool is_pkcs1)
{
	const char *claims = strchr(text, '.') + 1, *signature = strchr(claims, '.') + 1;
	json_t *header _cleanup_json_ = decode_json(text, (size_t)(claims - text) - 1);
	json_t *said _cleanup_json_ = decode_json(claims, (size_t)(signature - claims) - 1);
	_cleanup_buffer_ struct buffer bytes = BUFFER_INIT;

	expect_text(header, "alg", is_pkcs1 ? "RS256" : "PS256");
	expect_text(header, "typ", "JWT");
	assert_int_equal(strlen(json_string_value(json_object_get(header, "x5t#S256"))), 43);
	expect_text(said, "aud", AUDIENCE);
	expect_text(said, "iss", CLIENT);
	expect_text(said, "sub", CLIENT);
	assert_true(entra_is_guid(json_string_value(json_object_get(said, "jti"))));
	assert_int_equal(json_integer_value(json_object_get(said, "nbf")), NOW);
	assert_int_equal(json_integer_value(json_object_get(said, "exp")), NOW + 300);
	decode(signature, strlen(signature), &bytes);
	assert_true(verifies(key, is_pkcs1, text, (size_t)(signature - text) - 1, &bytes));
}

static char *make(EVP_PKEY *key, X509 *x509, bool is_pkcs1)
{
	const struct entra_assertion assertion = {AUDIENCE, CLIENT, x509, key, is_pkcs1, NOW};
	_cleanup_secret_ struct secret token = SECRET_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!entra_assertion_make(&assertion, &token, &error))
		fail_msg("%s", error_message(&error));
	return xasprintf("%.*s", (int)token.length, (const char *)token.data);
}

static void both_algorithms_sign_what_is_claimed(void **state)
{
	EVP_PKEY *key _cleanup_(EVP_PKEY_freep) = EVP_RSA_gen(2048);
	X509 *x509 _cleanup_(X509_freep) = certificate_for(key);

	(void)state;
	for (int is_pkcs1 = 0; is_pkcs1 < 2; is_pkcs1++) {
		_cleanup_free_ char *one = make(key, x509, is_pkcs1);
		_cleanup_free_ char *other = make(key, x509, is_pkcs1);
		check_token(one, key, is_pkcs1);
		check_token(other, key, is_pkcs1);
		assert_string_not_equal(one, other);
	}
}

/* A key in a token. */
static bool sign_elsewhere(void *context, const uint8_t *input, size_t length,
	struct buffer *output, struct error *error)
{
	EVP_PKEY_CTX *signing = EVP_PKEY_CTX_new(context, NULL);
	size_t size = length;

	(void)error;
	EVP_PKEY_sign_init(signing);
	EVP_PKEY_CTX_set_rsa_padding(signing, RSA_NO_PADDING);
	assert_int_equal(
		EVP_PKEY_sign(signing, buffer_extend(output, length), &size, input, length), 1);
	EVP_PKEY_CTX_free(signing);
	return true;
}

static bool refuse(void *context, const uint8_t *input, size_t length, struct buffer *output,
	struct error *error)
{
	(void)context, (void)input, (void)length, (void)output;
	return error_set(error, ERROR_TOKEN_FAILED, "the HSM is gone");
}

static void a_key_that_signs_elsewhere_is_as_good(void **state)
{
	EVP_PKEY *key _cleanup_(EVP_PKEY_freep) = EVP_RSA_gen(2048);
	X509 *x509 _cleanup_(X509_freep) = certificate_for(key);
	EVP_PKEY *elsewhere _cleanup_(EVP_PKEY_freep) =
		signing_key_new(key, sign_elsewhere, key, NULL);

	(void)state;
	for (int is_pkcs1 = 0; is_pkcs1 < 2; is_pkcs1++) {
		_cleanup_free_ char *token = make(elsewhere, x509, is_pkcs1);
		check_token(token, key, is_pkcs1);
	}
}

static void why_a_key_does_not_sign_is_told(void **state)
{
	EVP_PKEY *key _cleanup_(EVP_PKEY_freep) = EVP_RSA_gen(2048);
	X509 *x509 _cleanup_(X509_freep) = certificate_for(key);
	EVP_PKEY *gone _cleanup_(EVP_PKEY_freep) = signing_key_new(key, refuse, NULL, NULL);
	const struct entra_assertion assertion = {AUDIENCE, CLIENT, x509, gone, false, NOW};
	_cleanup_secret_ struct secret token = SECRET_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_false(entra_assertion_make(&assertion, &token, &error));
	assert_int_equal(error.code, ERROR_TOKEN_FAILED);
	assert_non_null(strstr(error.message, "the HSM is gone"));
	assert_false(secret_is_set(&token));
}

static void other_keys_are_refused(void **state)
{
	EVP_PKEY *curve _cleanup_(EVP_PKEY_freep) = EVP_EC_gen("P-256");
	EVP_PKEY *small _cleanup_(EVP_PKEY_freep) = EVP_RSA_gen(1024);
	EVP_PKEY *good _cleanup_(EVP_PKEY_freep) = EVP_RSA_gen(2048);
	EVP_PKEY *const keys[] = {curve, small, good};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		X509 *x509 _cleanup_(X509_freep) = certificate_for(keys[i]);
		_cleanup_error_ struct error error = ERROR_INIT;
		assert_int_equal(entra_check_certificate(x509, &error), keys[i] == good);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_algorithms_sign_what_is_claimed),
		cmocka_unit_test(a_key_that_signs_elsewhere_is_as_good),
		cmocka_unit_test(why_a_key_does_not_sign_is_told),
		cmocka_unit_test(other_keys_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
