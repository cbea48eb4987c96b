/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The KDF, with its PRF in a SoftHSM2 token, against published values and against OpenSSL's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "keys/kdf.h"
#include "lib/token-fixture.h"

/*
 * NIST CAVP, KBKDF counter mode (CounterMode.zip, KDFCTR_gen.rsp), group
 * [PRF=CMAC_AES256] [CTRLOCATION=BEFORE_FIXED] [RLEN=32_BITS]:
 * csrc.nist.gov/projects/cryptographic-algorithm-validation-program, as
 * reprinted in OpenSSL's test/recipes/30-test_evp_data/evpkdf_kbkdf_counter.txt.
 */
static const struct {
	const char *name;
	const char *key;
	const char *fixed;
	const char *output;
} vectors[] = {
	{"COUNT=0, L=128", "d0b1b3b70b2393c48ca05159e7e28cbeadea93f28a7cdae964e5136070c45d5c",
		"dd2f151a3f173492a6fbbb602189d51ddf8ef79fc8e96b8fcbe6dabe73a35b48104f9dff2d63d48786"
		"d2b3af177091d646a9efae005bdfacb61a1214",
		"8c449fb474d1c1d4d2a33827103b656a"},
	{"COUNT=10, L=256", "d54b6fd94f7cf98fd955517f937e9927f9536caebe148fba1818c1ba46bba3a4",
		"94c4a0c69526196c1377cebf0a2ae0fb4b57797c61bea8eeb0518ca08652d14a5e1bd1b116b1794ac8"
		"a476acbdbbcd4f6142d7b8515bad09ec72f7af",
		"2e1efed4aef3fdd324e098c0a07c0d97f8fd2c748a996ce29861ca042474daea"},
	{"COUNT=20, L=160", "99f212241a343c1c8c2104ca6d28062413d985c21e6bba27fde0c622e2e4e6b7",
		"af8dc1cb7d1f82ca834628c20f0fc81920eb3ff3f75d3f4e3000593e9c15872479711d99d1b7be794f"
		"58d80a31bb112219dc16e6354111ab1161e21d",
		"7f778c625bf0d083169a51584f6683f24af7c35e"},
	{"COUNT=30, L=320", "dabde95d751ff1c132bd49f80f4ee347bf39218cf8bfec61bc3ad865d9aa1182",
		"55da554307ed756764d4e97febb77ce85391b53225ee09417ad57def48ead090e3d1e7c2ed04f02462"
		"a6324ea0163b18f86201c69db27fd50b4c42c5",
		"5cc29221cfa6f3a4ded7afeef5a59c05bac787fc5e98a35ee0c96ba582b05c42f758966566084f69"},
};

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

static bool token_prf(
	void *context, const uint8_t *data, size_t length, uint8_t mac[16], struct error *error)
{
	return token_cmac(context, "kdf test", data, length, mac, error);
}

static void the_published_vectors_come_out_of_the_token(void **state)
{
	struct token_fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		_cleanup_buffer_ struct buffer key = BUFFER_INIT, fixed = BUFFER_INIT,
					       expected = BUFFER_INIT;
		_cleanup_secret_ struct secret output = SECRET_INIT;

		assert_true(hex_decode(vectors[i].key, &key));
		assert_true(hex_decode(vectors[i].fixed, &fixed));
		assert_true(hex_decode(vectors[i].output, &expected));
		token_fixture_import_aes(fixture, "kdf test", key.data, key.length);
		assert_true(secret_allocate(&output, expected.length));
		assert_true(kdf_counter(
			token_prf, fixture->token, fixed.data, fixed.length, &output, NULL));
		if (memcmp(output.data, expected.data, expected.length) != 0)
			fail_msg("%s differs", vectors[i].name);
		assert_true(token_destroy(fixture->token, "kdf test", NULL));
	}
}

/* OpenSSL's KBKDF: an implementation that is not ours. */
static void openssl_kbkdf(const uint8_t *key, const uint8_t *fixed, size_t fixed_length,
	uint8_t *output, size_t length)
{
	char mode[] = "COUNTER", mac[] = "CMAC", cipher[] = "AES-256-CBC";
	int no = 0;
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MODE, mode, 0),
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MAC, mac, 0),
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_CIPHER, cipher, 0),
		OSSL_PARAM_construct_int(OSSL_KDF_PARAM_KBKDF_USE_L, &no),
		OSSL_PARAM_construct_int(OSSL_KDF_PARAM_KBKDF_USE_SEPARATOR, &no),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)key, 32),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)fixed, fixed_length),
		OSSL_PARAM_construct_end(),
	};
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "KBKDF", NULL);
	EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);

	assert_int_equal(EVP_KDF_derive(context, output, length, parameters), 1);
	EVP_KDF_CTX_free(context);
	EVP_KDF_free(kdf);
}

static void random_inputs_agree_with_openssl(void **state)
{
	struct token_fixture *fixture = *state;

	for (int i = 0; i < 100; i++) {
		uint8_t key[32], fixed[200], expected[100], sizes[2];
		_cleanup_secret_ struct secret output = SECRET_INIT;

		RAND_bytes(key, sizeof(key));
		RAND_bytes(fixed, sizeof(fixed));
		RAND_bytes(sizes, sizeof(sizes));
		size_t fixed_length = 1 + sizes[0] % (sizeof(fixed) - 1);
		size_t length = 1 + sizes[1] % (sizeof(expected) - 1);
		token_fixture_import_aes(fixture, "kdf test", key, sizeof(key));
		assert_true(secret_allocate(&output, length));
		assert_true(
			kdf_counter(token_prf, fixture->token, fixed, fixed_length, &output, NULL));
		openssl_kbkdf(key, fixed, fixed_length, expected, length);
		assert_memory_equal(output.data, expected, length);
		assert_true(token_destroy(fixture->token, "kdf test", NULL));
	}
}

static void a_failing_prf_and_a_wrong_length_are_errors(void **state)
{
	struct token_fixture *fixture = *state;
	_cleanup_secret_ struct secret output = SECRET_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;
	uint8_t fixed[1] = {0};

	assert_false(kdf_counter(token_prf, fixture->token, fixed, 1, &output, &error));
	assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
	assert_true(secret_allocate(&output, 16));
	assert_false(kdf_counter(token_prf, fixture->token, fixed, 1, &output, &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_vectors_come_out_of_the_token),
		cmocka_unit_test(random_inputs_agree_with_openssl),
		cmocka_unit_test(a_failing_prf_and_a_wrong_length_are_errors),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
