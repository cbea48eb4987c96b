/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "keys/des.h"
#include "keys/master-key.h"
#include "lib/token-fixture.h"

static const uint8_t known_key[32] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

static int setup(void **state)
{
	*state = token_fixture_new();
	return 0;
}

static int teardown(void **state)
{
	token_fixture_free(*state);
	return 0;
}

/*
 * What docs/security tells a stranger to do, with OpenSSL's KBKDF: label, zero
 * byte, context and length are put in by OpenSSL (SP 800-108r1, 4.1).
 */
static void derive_as_a_stranger(
	const char *label, const char *serial, uint32_t version, uint8_t *output, size_t length)
{
	char mode[] = "COUNTER", mac[] = "CMAC", cipher[] = "AES-256-CBC";
	uint8_t context[64];
	size_t serial_length = strlen(serial);

	memcpy(context, serial, serial_length + 1);
	for (int i = 0; i < 4; i++)
		context[serial_length + 1 + (size_t)i] = (uint8_t)(version >> (24 - 8 * i));
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MODE, mode, 0),
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MAC, mac, 0),
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_CIPHER, cipher, 0),
		OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_KEY, (void *)known_key, sizeof(known_key)),
		OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_SALT, (void *)label, strlen(label)),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, context, serial_length + 5),
		OSSL_PARAM_construct_end(),
	};
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "KBKDF", NULL);
	EVP_KDF_CTX *kdf_context = EVP_KDF_CTX_new(kdf);

	assert_int_equal(EVP_KDF_derive(kdf_context, output, length, parameters), 1);
	EVP_KDF_CTX_free(kdf_context);
	EVP_KDF_free(kdf);
}

static void management_keys_can_be_derived_by_a_stranger(void **state)
{
	static const struct {
		uint8_t algorithm;
		size_t length;
	} cases[] = {{0x03, 24}, {0x08, 16}, {0x0A, 24}, {0x0C, 32}};
	struct token_fixture *fixture = *state;

	token_fixture_import_aes(fixture, "tessera master key 1", known_key, sizeof(known_key));
	struct master_key *key = master_key_open(fixture->token, NULL);
	assert_non_null(key);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_secret_ struct secret value = SECRET_INIT;
		uint8_t expected[32];

		assert_true(master_key_derive_management_key(
			key, "yubikey-12345678", 1, cases[i].algorithm, &value, NULL));
		assert_int_equal(value.length, cases[i].length);
		derive_as_a_stranger("tessera piv management key", "yubikey-12345678", 1, expected,
			cases[i].length);
		if (cases[i].algorithm == 0x03)
			des_set_odd_parity(expected, cases[i].length);
		assert_memory_equal(value.data, expected, cases[i].length);
	}
	master_key_close(key);
}

static void the_puk_is_eight_digits_of_the_derived_number(void **state)
{
	struct token_fixture *fixture = *state;
	_cleanup_secret_ struct secret puk = SECRET_INIT;
	uint8_t derived[32];
	unsigned __int128 number = 0;
	char expected[9];

	token_fixture_import_aes(fixture, "tessera master key 1", known_key, sizeof(known_key));
	struct master_key *key = master_key_open(fixture->token, NULL);
	assert_true(master_key_derive_puk(key, "card", 1, 0, &puk, NULL));
	derive_as_a_stranger("tessera piv puk", "card", 1, derived, sizeof(derived));
	for (int i = 0; i < 16; i++)
		number = number << 8 | derived[i];
	snprintf(expected, sizeof(expected), "%08u", (unsigned)(number % 100000000));
	assert_int_equal(puk.length, 8);
	assert_memory_equal(puk.data, expected, 8);
	master_key_close(key);
}

static void the_first_open_makes_version_one_and_the_next_finds_it(void **state)
{
	struct token_fixture *fixture = *state;
	_cleanup_secret_ struct secret first = SECRET_INIT, second = SECRET_INIT;

	struct master_key *key = master_key_open(fixture->token, NULL);
	assert_int_equal(master_key_version(key), 1);
	assert_true(master_key_derive_puk(key, "card", 1, 0, &first, NULL));
	master_key_close(key);
	key = master_key_open(fixture->token, NULL);
	assert_int_equal(master_key_version(key), 1);
	assert_true(master_key_derive_puk(key, "card", 1, 0, &second, NULL));
	assert_true(secret_equal(&first, &second));
	master_key_close(key);
	assert_true(token_generate_aes(fixture->token, "tessera master key 2", NULL));
	key = master_key_open(fixture->token, NULL);
	assert_int_equal(master_key_version(key), 2);
	assert_true(master_key_derive_puk(key, "card", 1, 0, &second, NULL));
	assert_true(secret_equal(&first, &second));
	assert_true(master_key_derive_puk(key, "card", 2, 0, &second, NULL));
	assert_false(secret_equal(&first, &second));
	master_key_close(key);
}

static void cards_purposes_and_versions_give_different_secrets(void **state)
{
	struct token_fixture *fixture = *state;
	_cleanup_secret_ struct secret one = SECRET_INIT, other = SECRET_INIT;

	struct master_key *key = master_key_open(fixture->token, NULL);
	assert_true(master_key_derive_management_key(key, "card-1", 1, 0x0C, &one, NULL));
	assert_true(master_key_derive_management_key(key, "card-2", 1, 0x0C, &other, NULL));
	assert_false(secret_equal(&one, &other));
	assert_true(master_key_derive_management_key(key, "card-1", 1, 0x08, &other, NULL));
	assert_memory_not_equal(one.data, other.data, 16);
	master_key_close(key);
}

static void wrong_arguments_are_refused(void **state)
{
	struct token_fixture *fixture = *state;
	_cleanup_secret_ struct secret value = SECRET_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;
	char long_serial[200];

	struct master_key *key = master_key_open(fixture->token, NULL);
	assert_false(master_key_derive_puk(key, "card", 0, 0, &value, &error));
	assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
	assert_false(master_key_derive_puk(key, "card", 2, 0, &value, &error));
	assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
	assert_false(master_key_derive_puk(key, "", 1, 0, &value, &error));
	memset(long_serial, 'x', sizeof(long_serial));
	long_serial[sizeof(long_serial) - 1] = '\0';
	assert_false(master_key_derive_puk(key, long_serial, 1, 0, &value, &error));
	assert_false(master_key_derive_management_key(key, "card", 1, 0x07, &value, &error));
	assert_int_equal(error.code, ERROR_NOT_SUPPORTED);
	assert_false(secret_is_set(&value));
	master_key_close(key);
}

static void a_lost_master_key_is_an_error_not_a_new_key(void **state)
{
	struct token_fixture *fixture = *state;
	_cleanup_secret_ struct secret value = SECRET_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	struct master_key *key = master_key_open(fixture->token, NULL);
	assert_true(token_destroy(fixture->token, "tessera master key 1", NULL));
	assert_false(master_key_derive_management_key(key, "card", 1, 0x0C, &value, &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
	master_key_close(key);
}

static void three_des_keys_have_odd_parity(void **state)
{
	uint8_t key[256];

	(void)state;
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	des_set_odd_parity(key, sizeof(key));
	for (size_t i = 0; i < sizeof(key); i++) {
		assert_int_equal(__builtin_popcount(key[i]) % 2, 1);
		assert_int_equal(key[i] & 0xFE, i & 0xFE);
	}
}

static void weak_three_des_keys_are_known(void **state)
{
	uint8_t key[24] = {0x01, 0x02, 0x04, 0x07, 0x08, 0x0B, 0x0D, 0x0E, /* three good keys */
		0x10, 0x13, 0x15, 0x16, 0x19, 0x1A, 0x1C, 0x1F, 0x20, 0x23, 0x25, 0x26, 0x29, 0x2A,
		0x2C, 0x2F};

	(void)state;
	assert_false(des3_key_is_weak(key));
	memcpy(key + 8, key, 8);
	assert_true(des3_key_is_weak(key));
	memcpy(key + 8, "\x1F\xE0\x1F\xE0\x0E\xF1\x0E\xF1", 8);
	assert_true(des3_key_is_weak(key));
	memset(key + 8, 0xFE, 8);
	assert_true(des3_key_is_weak(key));
}

static void check(const uint8_t *bytes, size_t length, uint8_t algorithm, const char *expected)
{
	_cleanup_secret_ struct secret key = SECRET_INIT;
	uint8_t value[3];

	assert_true(secret_set(&key, bytes, length));
	assert_true(management_key_check_value(&key, algorithm, value, NULL));
	assert_memory_equal(value, expected, 3);
}

/* The 3DES one is what GIDS cards show for this factory key; all as `openssl enc` gives them. */
static void key_check_values_are_those_of_a_zero_block(void **state)
{
	static const uint8_t zeros[32];
	static const uint8_t factory[24] = {
		1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8};
	_cleanup_secret_ struct secret key = SECRET_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;
	uint8_t value[3];

	(void)state;
	check(zeros, 16, 0x08, "\x66\xe9\x4b");
	check(zeros, 24, 0x0A, "\xaa\xe0\x69");
	check(zeros, 32, 0x0C, "\xdc\x95\xc0");
	check(factory, 24, 0x03, "\xb0\x73\xdc");
	assert_true(secret_set(&key, zeros, 16));
	assert_false(management_key_check_value(&key, 0x0C, value, &error));
	assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
	assert_false(management_key_check_value(&key, 0x99, value, &error));
	assert_int_equal(error.code, ERROR_NOT_SUPPORTED);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(management_keys_can_be_derived_by_a_stranger),
		TEST(the_puk_is_eight_digits_of_the_derived_number),
		TEST(the_first_open_makes_version_one_and_the_next_finds_it),
		TEST(cards_purposes_and_versions_give_different_secrets),
		TEST(wrong_arguments_are_refused),
		TEST(a_lost_master_key_is_an_error_not_a_new_key),
		cmocka_unit_test(three_des_keys_have_odd_parity),
		cmocka_unit_test(weak_three_des_keys_are_known),
		cmocka_unit_test(key_check_values_are_those_of_a_zero_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
