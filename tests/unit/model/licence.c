/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/licence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/pem.h>

#include "common/alloc.h"
#include "lib/licence-fixture.h"

#define STORE "0123456789abcdef0123456789abcdef"
#define GOOD                                                                                       \
	"{\"customer\": \"Example Ltd\", \"id\": \"L-1\", \"store-id\": \"" STORE "\", "           \
	"\"credentials\": 500, \"not-after\": \"2035-12-31T23:59:59Z\"}"
#define NOT_AFTER 2082758399

static EVP_PKEY *key, *other_key;

static int make_keys(void **state)
{
	(void)state;
	key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	other_key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return key && other_key ? 0 : -1;
}

static int free_keys(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
	return 0;
}

static void assert_refused(const char *document, const char *words)
{
	struct licence licence _cleanup_licence_ = LICENCE_INIT;
	struct error error _cleanup_error_ = ERROR_INIT;

	assert_false(licence_parse(document, key, &licence, &error));
	assert_int_equal(error.code, ERROR_INVALID_LICENCE);
	assert_null(licence.id);
	if (!strstr(error_message(&error), words) && (!error.field || !strstr(error.field, words)))
		fail_msg("'%s' is not in: %s", words, error_message(&error));
}

static void a_signed_licence_is_read_member_by_member(void **state)
{
	struct licence licence _cleanup_licence_ = LICENCE_INIT;
	struct error error _cleanup_error_ = ERROR_INIT;

	(void)state;
	/* All lengths of the last group. */
	for (size_t spaces = 0; spaces < 4; spaces++) {
		_cleanup_free_ char *payload = xasprintf("%s%*s", GOOD, (int)spaces, "");
		_cleanup_free_ char *document = licence_fixture_sign(payload, strlen(payload), key);
		if (!licence_parse(document, key, &licence, &error))
			fail_msg("%s", error_message(&error));
	}
	assert_string_equal(licence.customer, "Example Ltd");
	assert_string_equal(licence.id, "L-1");
	assert_string_equal(licence.store_id, STORE);
	assert_int_equal(licence.credentials, 500);
	assert_int_equal(licence.not_after, NOT_AFTER);
}

static void a_licence_fits_one_store_up_to_its_last_second(void **state)
{
	struct licence licence = {
		.id = (char[]){"L"}, .store_id = (char[]){STORE}, .not_after = 99};
	struct error error _cleanup_error_ = ERROR_INIT;

	(void)state;
	assert_true(licence_check(&licence, STORE, 99, &error));
	assert_false(licence_check(&licence, STORE, 100, &error));
	assert_string_equal(error.field, "/not-after");
	assert_false(licence_check(&licence, "f123456789abcdef0123456789abcdef", 99, &error));
	assert_string_equal(error.field, "/store-id");
	assert_int_equal(error.code, ERROR_INVALID_LICENCE);
}

static void any_changed_character_of_payload_or_signature_is_noticed(void **state)
{
	_cleanup_free_ char *document = licence_fixture_sign(GOOD, strlen(GOOD), key);
	char *begin = strstr(document, "payload") + strlen("payload\": \"");

	(void)state;
	for (char *digit = begin; *digit; digit++) {
		char before = *digit;
		if (!strchr("\": ,}", before) && digit[1] != '"') {
			struct licence licence _cleanup_licence_ = LICENCE_INIT;
			*digit = before == 'A' ? 'B' : 'A';
			if (licence_parse(document, key, &licence, NULL))
				fail_msg("a change at %zd is not noticed", digit - begin);
			*digit = before;
		}
	}
}

static void another_key_is_refused(void **state)
{
	_cleanup_free_ char *document = licence_fixture_sign(GOOD, strlen(GOOD), other_key);

	(void)state;
	assert_refused(document, "not signed by the configured key");
}

static void malformed_payloads_are_refused_though_they_are_signed(void **state)
{
	static const struct {
		const char *payload, *words;
	} cases[] = {
		{"", "payload"},
		{"[]", "payload"},
		{"{", "payload"},
		{GOOD GOOD, "payload"},
		{"{\"customer\": \"a\"}", "/id"},
		{"{\"customer\": \"\", \"id\": \"b\"}", "/customer"},
		{"{\"customer\": \"a\", \"id\": \"b\", \"store-id\": \"12\"}", "/store-id"},
		{"{\"customer\": \"a\", \"id\": \"b\", \"store-id\": \"" STORE
		 "\", \"credentials\": 0}",
			"/credentials"},
		{"{\"customer\": \"a\", \"id\": \"b\", \"store-id\": \"" STORE
		 "\", \"credentials\": \"5\"}",
			"/credentials"},
		{"{\"customer\": \"a\", \"id\": \"b\", \"store-id\": \"" STORE
		 "\", \"credentials\": 1e9}",
			"/credentials"},
		{"{\"customer\": \"a\", \"id\": \"b\", \"store-id\": \"" STORE
		 "\", \"credentials\": 5, \"not-after\": \"2035-12-31\"}",
			"/not-after"},
		{"{\"customer\": \"a\", \"id\": \"b\", \"store-id\": \"" STORE
		 "\", \"credentials\": 5, \"not-after\": \"2035-02-30T00:00:00Z\"}",
			"/not-after"},
		{"{\"customer\": \"a\", \"id\": \"b\", \"store-id\": \"" STORE
		 "\", \"credentials\": 5, \"not-after\": \"2035-12-31T23:59:59Z \"}",
			"/not-after"},
		{"{\"customer\": \"a\", \"id\": \"b\", \"store-id\": \"" STORE
		 "\", \"credentials\": 5, \"not-after\": \"2035-12-31T23:59:59Z\", \"x\": 1}",
			"/x"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *document =
			licence_fixture_sign(cases[i].payload, strlen(cases[i].payload), key);
		assert_refused(document, cases[i].words);
	}
	_cleanup_free_ char *document = licence_fixture_sign(GOOD "\0{}", strlen(GOOD) + 3, key);
	assert_refused(document, "NUL");
}

static void malformed_envelopes_are_refused(void **state)
{
	static const struct {
		const char *document, *words;
	} cases[] = {
		{"", ""},
		{"<html>", "line 1"},
		{"[]", ""},
		{"{\"format\": \"tessera-licence-2\", \"payload\": \"aaaa\", \"signature\": "
		 "\"aaaa\"}",
			"/format"},
		{"{\"format\": \"" LICENCE_FORMAT "\", \"signature\": \"aaaa\"}", "/payload"},
		{"{\"format\": \"" LICENCE_FORMAT "\", \"payload\": \"aaaa\"}", "/signature"},
		{"{\"format\": \"" LICENCE_FORMAT
		 "\", \"payload\": \"a\", \"signature\": \"aaaa\"}",
			"/payload"},
		{"{\"format\": \"" LICENCE_FORMAT
		 "\", \"payload\": \"aaaa=\", \"signature\": \"aaaa\"}",
			"/payload"},
		{"{\"format\": \"" LICENCE_FORMAT
		 "\", \"payload\": \"aa+a\", \"signature\": \"aaaa\"}",
			"/payload"},
		/* Bits beyond the last byte. */
		{"{\"format\": \"" LICENCE_FORMAT
		 "\", \"payload\": \"aB\", \"signature\": \"aaaa\"}",
			"/payload"},
		{"{\"format\": \"" LICENCE_FORMAT
		 "\", \"payload\": \"aaaa\", \"signature\": \"aaaa\"}",
			"/signature"},
		{"{\"format\": \"" LICENCE_FORMAT
		 "\", \"payload\": \"aaaa\", \"signature\": \"aaaa\", \"key\": \"\"}",
			"/key"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_refused(cases[i].document, cases[i].words);
}

static void only_an_ed25519_key_in_pem_verifies_licences(void **state)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	EVP_PKEY *ec = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	EVP_PKEY *cases[] = {key, ec};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		BIO *pem = BIO_new(BIO_s_mem());
		char *text;
		PEM_write_bio_PUBKEY(pem, cases[i]);
		BIO_write(pem, "", 1);
		BIO_get_mem_data(pem, &text);
		EVP_PKEY *read = licence_public_key(text, &error);
		assert_int_equal(read != NULL, i == 0);
		EVP_PKEY_free(read);
		BIO_free(pem);
	}
	assert_null(licence_public_key("", &error));
	assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
	EVP_PKEY_free(ec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signed_licence_is_read_member_by_member),
		cmocka_unit_test(a_licence_fits_one_store_up_to_its_last_second),
		cmocka_unit_test(any_changed_character_of_payload_or_signature_is_noticed),
		cmocka_unit_test(another_key_is_refused),
		cmocka_unit_test(malformed_payloads_are_refused_though_they_are_signed),
		cmocka_unit_test(malformed_envelopes_are_refused),
		cmocka_unit_test(only_an_ed25519_key_in_pem_verifies_licences),
	};

	return cmocka_run_group_tests_name("model/licence", tests, make_keys, free_keys);
}
