/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private keys of the virtual card in use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "unit/card/fixture.h"

/* Checks a signature made by use_key with OpenSSL. */
static void check_signature(EVP_PKEY *key, enum key_algorithm algorithm, const uint8_t *input,
	size_t length, const struct buffer *made)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
	struct buffer encoded _cleanup_buffer_ = BUFFER_INIT;
	size_t field = key_algorithm_bits(algorithm) / 8;

	assert_int_equal(EVP_PKEY_verify_init(context), 1);
	if (key_algorithm_is_rsa(algorithm)) {
		uint8_t block[512];
		size_t size = sizeof(block);
		assert_int_equal(made->length, field);
		EVP_PKEY_verify_recover_init(context);
		EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING);
		assert_int_equal(
			EVP_PKEY_verify_recover(context, block, &size, made->data, made->length),
			1);
		assert_memory_equal(block, input, length);
	} else {
		ECDSA_SIG *signature = ECDSA_SIG_new();
		unsigned char *der = NULL;
		assert_int_equal(made->length, 2 * field);
		ECDSA_SIG_set0(signature, BN_bin2bn(made->data, (int)field, NULL),
			BN_bin2bn(made->data + field, (int)field, NULL));
		int der_length = i2d_ECDSA_SIG(signature, &der);
		assert_int_equal(
			EVP_PKEY_verify(context, der, (size_t)der_length, input, length), 1);
		OPENSSL_free(der);
		ECDSA_SIG_free(signature);
	}
	EVP_PKEY_CTX_free(context);
}

static void keys_sign_with_one_command(void **state)
{
	static const struct {
		const struct vcard_options *options;
		enum key_algorithm algorithm;
		bool short_only;
		uint64_t commands;
	} cases[] = {
		{&yubikey, KEY_ALGORITHM_EC_P256, false, 1},
		{&yubikey, KEY_ALGORITHM_EC_P384, true, 1},
		{&yubikey, KEY_ALGORITHM_RSA_2048, false, 1},
		/* two blocks of a chain and one GET RESPONSE */
		{&yubikey, KEY_ALGORITHM_RSA_2048, true, 3},
		{&yubikey_4, KEY_ALGORITHM_RSA_2048, false, 1},
		{&nist, KEY_ALGORITHM_EC_P256, false, 1},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		FIXTURE f = {0};
		struct buffer made _cleanup_buffer_ = BUFFER_INIT;
		size_t size = key_algorithm_bits(cases[i].algorithm) / 8;
		uint8_t input[512] = {0, 1, 0xFF};
		if (cases[i].short_only)
			fixture_open_short(&f, cases[i].options);
		else
			fixture_open(&f, cases[i].options);
		assert_true(fixture_authenticate_admin(&f));
		EVP_PKEY *key = fixture_generate(&f, 0x9A, cases[i].algorithm, PIN_USE_DEFAULT);
		assert_false(fixture_sign(&f, 0x9A, cases[i].algorithm, input, size, &made));
		assert_int_equal(f.error.code, ERROR_PIN_REQUIRED);
		fixture_take_again(&f);
		vcard_reset_count(f.vcard);
		assert_true(fixture_verify(&f, "123456"));
		assert_int_equal(vcard_count(f.vcard), 1);
		fixture_take_again(&f);
		assert_true(fixture_sign(&f, 0x9A, cases[i].algorithm, input, size, &made));
		assert_int_equal(vcard_count(f.vcard), 1 + cases[i].commands);
		check_signature(key, cases[i].algorithm, input, size, &made);
		EVP_PKEY_free(key);
	}
}

static void digests_of_any_length_are_signed(void **state)
{
	static const size_t lengths[] = {20, 32, 48, 64};
	uint8_t digest[64];
	(void)state;
	FIXTURE f = {0};
	fixture_open(&f, &yubikey);

	assert_true(fixture_authenticate_admin(&f));
	EVP_PKEY *key = fixture_generate(&f, 0x9A, KEY_ALGORITHM_EC_P256, PIN_USE_NEVER);
	memset(digest, 0xA5, sizeof(digest));
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct buffer made _cleanup_buffer_ = BUFFER_INIT;
		assert_true(
			fixture_sign(&f, 0x9A, KEY_ALGORITHM_EC_P256, digest, lengths[i], &made));
		check_signature(key, KEY_ALGORITHM_EC_P256, digest, lengths[i], &made);
	}
	EVP_PKEY_free(key);
}

static void input_of_the_wrong_length_is_refused_before_the_card(void **state)
{
	static const struct {
		enum key_algorithm algorithm;
		enum key_use use;
		size_t length;
		enum error_code code;
	} cases[] = {
		{KEY_ALGORITHM_RSA_2048, KEY_USE_SIGN, 255, ERROR_DATA_LENGTH},
		{KEY_ALGORITHM_RSA_2048, KEY_USE_DECRYPT, 257, ERROR_DATA_LENGTH},
		{KEY_ALGORITHM_EC_P256, KEY_USE_SIGN, 0, ERROR_DATA_LENGTH},
		{KEY_ALGORITHM_EC_P256, KEY_USE_DERIVE, 64, ERROR_DATA_LENGTH},
		{KEY_ALGORITHM_EC_P256, KEY_USE_DERIVE, 65, ERROR_DATA_INVALID},
		{KEY_ALGORITHM_EC_P256, KEY_USE_DECRYPT, 32, ERROR_NOT_SUPPORTED},
		{KEY_ALGORITHM_RSA_2048, KEY_USE_DERIVE, 256, ERROR_NOT_SUPPORTED},
		{KEY_ALGORITHM_NONE, KEY_USE_SIGN, 32, ERROR_INVALID_ARGUMENT},
	};
	static const uint8_t input[300];
	struct buffer output _cleanup_buffer_ = BUFFER_INIT;
	(void)state;
	FIXTURE f = {0};
	fixture_open(&f, &yubikey);

	vcard_reset_count(f.vcard);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		error_clear(&f.error);
		assert_false(f.card->driver->use_key(f.card, 0x9A, cases[i].algorithm, cases[i].use,
			input, cases[i].length, &output, &f.error));
		assert_int_equal(f.error.code, cases[i].code);
	}
	assert_int_equal(vcard_count(f.vcard), 0);
}

static void an_rsa_key_decrypts(void **state)
{
	struct buffer output _cleanup_buffer_ = BUFFER_INIT;
	uint8_t plain[256] = {0, 2, 3}, cipher[256];
	size_t length = sizeof(cipher);
	(void)state;
	FIXTURE f = {0};
	fixture_open(&f, &yubikey);

	assert_true(fixture_authenticate_admin(&f));
	EVP_PKEY *key = fixture_generate(&f, 0x9D, KEY_ALGORITHM_RSA_2048, PIN_USE_DEFAULT);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
	EVP_PKEY_encrypt_init(context);
	EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING);
	assert_int_equal(EVP_PKEY_encrypt(context, cipher, &length, plain, sizeof(plain)), 1);
	assert_true(fixture_verify(&f, "123456"));
	assert_true(f.card->driver->use_key(f.card, 0x9D, KEY_ALGORITHM_RSA_2048, KEY_USE_DECRYPT,
		cipher, length, &output, &f.error));
	assert_int_equal(output.length, sizeof(plain));
	assert_memory_equal(output.data, plain, sizeof(plain));
	EVP_PKEY_CTX_free(context);
	EVP_PKEY_free(key);
}

static void an_ec_key_agrees_on_a_secret(void **state)
{
	static const enum key_algorithm algorithms[] = {
		KEY_ALGORITHM_EC_P256, KEY_ALGORITHM_EC_P384};
	(void)state;
	FIXTURE f = {0};
	fixture_open(&f, &yubikey);

	assert_true(fixture_authenticate_admin(&f));
	assert_true(fixture_verify(&f, "123456"));
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
		struct buffer output _cleanup_buffer_ = BUFFER_INIT;
		EVP_PKEY *key = fixture_generate(&f, 0x9D, algorithms[i], PIN_USE_DEFAULT);
		EVP_PKEY *peer = EVP_PKEY_Q_keygen(NULL, NULL, "EC", i ? "P-384" : "P-256");
		unsigned char *point = NULL;
		size_t length = EVP_PKEY_get1_encoded_public_key(peer, &point);
		uint8_t secret[48];
		size_t secret_length = sizeof(secret);
		EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(peer, NULL);
		EVP_PKEY_derive_init(context);
		EVP_PKEY_derive_set_peer(context, key);
		assert_int_equal(EVP_PKEY_derive(context, secret, &secret_length), 1);
		assert_true(f.card->driver->use_key(f.card, 0x9D, algorithms[i], KEY_USE_DERIVE,
			point, length, &output, &f.error));
		assert_int_equal(output.length, secret_length);
		assert_memory_equal(output.data, secret, secret_length);
		EVP_PKEY_CTX_free(context);
		OPENSSL_free(point);
		EVP_PKEY_free(peer);
		EVP_PKEY_free(key);
	}
}

static void a_signature_key_wants_the_pin_each_time(void **state)
{
	static const uint8_t digest[32] = {1};
	struct buffer made _cleanup_buffer_ = BUFFER_INIT;
	(void)state;
	FIXTURE f = {0};
	fixture_open(&f, &yubikey);

	assert_true(fixture_authenticate_admin(&f));
	EVP_PKEY_free(fixture_generate(&f, 0x9C, KEY_ALGORITHM_EC_P256, PIN_USE_DEFAULT));
	assert_true(fixture_verify(&f, "123456"));
	assert_true(fixture_sign(&f, 0x9C, KEY_ALGORITHM_EC_P256, digest, sizeof(digest), &made));
	assert_false(fixture_sign(&f, 0x9C, KEY_ALGORITHM_EC_P256, digest, sizeof(digest), &made));
	assert_int_equal(f.error.code, ERROR_PIN_REQUIRED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_sign_with_one_command),
		cmocka_unit_test(digests_of_any_length_are_signed),
		cmocka_unit_test(input_of_the_wrong_length_is_refused_before_the_card),
		cmocka_unit_test(an_rsa_key_decrypts),
		cmocka_unit_test(an_ec_key_agrees_on_a_secret),
		cmocka_unit_test(a_signature_key_wants_the_pin_each_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
