/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "common/alloc.h"
#include "core/signing-key.h"
#include "lib/token-fixture.h"
#include "token/ckr.h"
#include "token/token-private.h"

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

static void the_wrong_pin_is_refused(void **state)
{
	struct token_fixture *fixture = *state;
	_cleanup_error_ struct error error = ERROR_INIT;

	token_close(fixture->token);
	fixture->token = NULL;
	assert_null(token_fixture_open(fixture, "654321", &error));
	assert_int_equal(error.code, ERROR_PIN_WRONG);
	assert_non_null(strstr(error.message, "CKR_PIN_INCORRECT"));
	assert_null(strstr(error.message, "654321"));
}

static void keys_are_still_there_after_reopening(void **state)
{
	struct token_fixture *fixture = *state;
	uint8_t before[16], after[16];

	assert_true(token_generate_aes(fixture->token, "kept", NULL));
	assert_true(token_cmac(fixture->token, "kept", (const uint8_t *)"x", 1, before, NULL));
	token_close(fixture->token);
	fixture->token = token_fixture_open(fixture, "123456", NULL);
	assert_non_null(fixture->token);
	assert_true(token_cmac(fixture->token, "kept", (const uint8_t *)"x", 1, after, NULL));
	assert_memory_equal(before, after, 16);
}

static void expect_open_fails(const char *module, const char *folder, const char *words)
{
	struct token_options options = {
		.module = module, .label = "tessera", .embedded_folder = folder};
	_cleanup_secret_ struct secret pin = SECRET_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	secret_set(&pin, "123456", 6);
	assert_null(token_open(&options, &pin, &error));
	assert_int_equal(error.code, ERROR_TOKEN_FAILED);
	assert_non_null(strstr(error.message, words));
}

static void a_missing_or_wrong_module_is_one_clear_error(void **state)
{
	char own[96];
	struct token_fixture *fixture = *state;

	expect_open_fails("/nonexistent/module.so", NULL, "/nonexistent/module.so");
	expect_open_fails("module.so", NULL, "absolute path");
	expect_open_fails("/etc/passwd", NULL, "/etc/passwd");
	snprintf(own, sizeof(own), "%s/tessera-pkcs11.so", fixture->folder);
	FILE *file = fopen(own, "w");
	assert_non_null(file);
	fclose(file);
	expect_open_fails(own, NULL, "own module");
}

static void an_unknown_label_without_an_embedded_folder_is_an_error(void **state)
{
	struct token_options options = {.module = TOKEN_MODULE, .label = "other"};
	_cleanup_secret_ struct secret pin = SECRET_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	secret_set(&pin, "123456", 6);
	assert_null(token_open(&options, &pin, &error));
	assert_string_equal(error.message, "there is no token labelled \"other\"");
	options.label = "a label of more than thirty-two bytes";
	assert_null(token_open(&options, &pin, &error));
	assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
}

static void the_folder_is_for_its_owner_only(void **state)
{
	struct token_fixture *fixture = *state;
	struct stat status;

	assert_int_equal(stat(fixture->token_folder, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
}

static void a_folder_that_cannot_be_made_is_one_clear_error(void **state)
{
	struct token_fixture *fixture = *state;
	char path[120];

	expect_open_fails(TOKEN_MODULE, "/nonexistent/folder", "/nonexistent/folder");
	snprintf(path, sizeof(path), "%s/softhsm2.conf", fixture->token_folder);
	expect_open_fails(TOKEN_MODULE, path, "softhsm2.conf");
	snprintf(path, sizeof(path), "%s/a#b", fixture->folder);
	expect_open_fails(TOKEN_MODULE, path, "'#'");
}

/* As another user, for whom the parent folder is read-only. */
static void a_read_only_folder_is_one_clear_error(void **state)
{
	struct token_fixture *fixture = *state;
	char path[120];

	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(fixture->folder, 0755), 0);
	snprintf(path, sizeof(path), "%s/mine", fixture->folder);
	assert_int_equal(seteuid(65534), 0);
	expect_open_fails(TOKEN_MODULE, path, "Permission denied");
	assert_int_equal(seteuid(0), 0);
}

static void keys_have_unique_labels_and_can_be_removed(void **state)
{
	struct token_fixture *fixture = *state;
	struct token *token = fixture->token;
	_cleanup_error_ struct error error = ERROR_INIT;
	uint8_t mac[16];
	bool found = true;

	assert_true(token_has_key(token, "key", &found, NULL));
	assert_false(found);
	assert_false(token_cmac(token, "key", mac, 0, mac, &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
	assert_true(token_generate_aes(token, "key", NULL));
	assert_false(token_generate_aes(token, "key", &error));
	assert_int_equal(error.code, ERROR_EXISTS);
	assert_false(token_generate_pair(token, "key", KEY_ALGORITHM_EC_P256, &error));
	assert_int_equal(error.code, ERROR_EXISTS);
	assert_true(token_has_key(token, "key", &found, NULL));
	assert_true(found);
	assert_true(token_destroy(token, "key", NULL));
	assert_true(token_destroy(token, "key", NULL));
	assert_true(token_has_key(token, "key", &found, NULL));
	assert_false(found);
}

static void the_master_key_cannot_be_read(void **state)
{
	struct token_fixture *fixture = *state;
	_cleanup_session_ struct session session = SESSION_INIT;
	uint8_t value[32];
	CK_ATTRIBUTE attribute = {CKA_VALUE, value, sizeof(value)};
	CK_OBJECT_HANDLE handle;

	assert_true(token_generate_aes(fixture->token, "key", NULL));
	assert_true(session_take(fixture->token->sessions, &session, NULL));
	assert_true(token_find_object(&session, CKO_SECRET_KEY, "key", &handle, NULL));
	assert_int_equal(
		session.functions->C_GetAttributeValue(session.handle, handle, &attribute, 1),
		CKR_ATTRIBUTE_SENSITIVE);
}

static void hex(const char *text, struct buffer *buffer)
{
	assert_true(hex_decode(text, buffer));
}

/* SP 800-38B, appendix D.3 (AES-256): examples 9 to 12; RFC 4493, section 4 (AES-128). */
static void cmac_gives_the_published_values(void **state)
{
	static const char key128[] = "2b7e151628aed2a6abf7158809cf4f3c";
	static const char key256[] =
		"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4";
	static const char message[] =
		"6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
		"30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
	static const struct {
		const char *key;
		size_t length;
		const char *mac;
	} examples[] = {
		{key128, 0, "bb1d6929e95937287fa37d129b756746"},
		{key128, 16, "070a16b46b4d4144f79bdd9dd04a287c"},
		{key128, 40, "dfa66747de9ae63030ca32611497c827"},
		{key128, 64, "51f0bebf7e3b9d92fc49741779363cfe"},
		{key256, 0, "028962f61b7bf89efc6b551f4667d983"},
		{key256, 16, "28a7023f452e8f82bd4bf28d8c37c35c"},
		{key256, 40, "aaf3d8f1de5640c232f5b169b9c911e6"},
		{key256, 64, "e1992190549f6ed5696a2c056c315410"},
	};
	struct token_fixture *fixture = *state;
	_cleanup_buffer_ struct buffer data = BUFFER_INIT;

	hex(message, &data);
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		_cleanup_buffer_ struct buffer key = BUFFER_INIT, expected = BUFFER_INIT;
		uint8_t mac[16];
		hex(examples[i].key, &key);
		hex(examples[i].mac, &expected);
		token_fixture_import_aes(fixture, "vector", key.data, key.length);
		assert_true(token_cmac(
			fixture->token, "vector", data.data, examples[i].length, mac, NULL));
		assert_memory_equal(mac, expected.data, 16);
		assert_true(token_destroy(fixture->token, "vector", NULL));
	}
}

/* AES-256 of a zero block under the key 00 01 .. 1f, as OpenSSL computes it. */
static void the_key_check_value_is_that_of_the_key(void **state)
{
	struct token_fixture *fixture = *state;
	uint8_t key[32], value[3], block[32];
	static const uint8_t zero[16];
	int length = 0;

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	token_fixture_import_aes(fixture, "known", key, sizeof(key));
	assert_true(token_key_check_value(fixture->token, "known", value, NULL));
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	EVP_EncryptInit_ex(context, EVP_aes_256_ecb(), NULL, key, NULL);
	EVP_EncryptUpdate(context, block, &length, zero, sizeof(zero));
	EVP_CIPHER_CTX_free(context);
	assert_memory_equal(value, block, 3);
}

static void sign_and_verify(struct token *token, enum key_algorithm algorithm)
{
	uint8_t signature[512];
	size_t length = sizeof(signature);

	assert_true(token_generate_pair(token, "pair", algorithm, NULL));
	EVP_PKEY *key _cleanup_(EVP_PKEY_freep) = token_signing_key(token, "pair", NULL);
	assert_non_null(key);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(
		EVP_DigestSign(context, signature, &length, (const uint8_t *)"text", 4), 1);
	EVP_MD_CTX_free(context);
	context = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(
		EVP_DigestVerify(context, signature, length, (const uint8_t *)"text", 4), 1);
	EVP_MD_CTX_free(context);
	assert_true(token_destroy(token, "pair", NULL));
}

static void key_pairs_sign(void **state)
{
	struct token_fixture *fixture = *state;

	sign_and_verify(fixture->token, KEY_ALGORITHM_EC_P256);
	sign_and_verify(fixture->token, KEY_ALGORITHM_EC_P384);
	sign_and_verify(fixture->token, KEY_ALGORITHM_RSA_2048);
}

/* Tokens without CKM_RSA_X_509 get the padding taken off. */
static void rsa_signs_without_the_raw_mechanism(void **state)
{
	struct token_fixture *fixture = *state;
	struct token *token = fixture->token;
	uint8_t signature[512];
	size_t length = sizeof(signature);

	assert_true(token_generate_pair(token, "pair", KEY_ALGORITHM_RSA_2048, NULL));
	EVP_PKEY *key _cleanup_(EVP_PKEY_freep) = token_signing_key(token, "pair", NULL);
	token->signers->mechanism = CKM_RSA_PKCS;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *parameters;
	EVP_DigestSignInit(context, &parameters, EVP_sha256(), NULL, key);
	assert_int_equal(EVP_DigestSign(context, signature, &length, signature, 4), 1);
	EVP_MD_CTX_free(context);
	context = EVP_MD_CTX_new();
	length = sizeof(signature);
	EVP_DigestSignInit(context, &parameters, EVP_sha256(), NULL, key);
	EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING);
	assert_int_not_equal(EVP_DigestSign(context, signature, &length, signature, 4), 1);
	EVP_MD_CTX_free(context);
	_cleanup_error_ struct error error = ERROR_INIT;
	assert_false(signing_key_error(ERROR_FAILED, "signing", &error));
	assert_int_equal(error.code, ERROR_NOT_SUPPORTED);
}

static void signing_with_a_removed_key_tells_why(void **state)
{
	struct token_fixture *fixture = *state;
	uint8_t signature[512];
	size_t length = sizeof(signature);
	_cleanup_error_ struct error error = ERROR_INIT;

	assert_null(token_signing_key(fixture->token, "pair", &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
	assert_true(token_generate_pair(fixture->token, "pair", KEY_ALGORITHM_EC_P256, NULL));
	EVP_PKEY *key _cleanup_(EVP_PKEY_freep) = token_signing_key(fixture->token, "pair", NULL);
	assert_true(token_destroy(fixture->token, "pair", NULL));
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key);
	assert_int_not_equal(EVP_DigestSign(context, signature, &length, signature, 4), 1);
	EVP_MD_CTX_free(context);
	assert_false(signing_key_error(ERROR_FAILED, "signing", &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
	assert_false(token_generate_pair(fixture->token, "pair", KEY_ALGORITHM_NONE, &error));
	assert_int_equal(error.code, ERROR_NOT_SUPPORTED);
}

/* Returns what went wrong, heap, or NULL. */
static void *compute(void *argument)
{
	struct token *token = argument;
	_cleanup_error_ struct error error = ERROR_INIT;
	uint8_t first[16], mac[16];

	if (!token_cmac(token, "shared", (const uint8_t *)"data", 4, first, &error))
		return xstrdup(error_message(&error));
	for (int i = 0; i < 50; i++) {
		if (!token_cmac(token, "shared", (const uint8_t *)"data", 4, mac, &error))
			return xstrdup(error_message(&error));
		if (memcmp(first, mac, 16) != 0)
			return xstrdup("CMACs differ");
	}
	return NULL;
}

static void twelve_threads_share_the_sessions(void **state)
{
	struct token_fixture *fixture = *state;
	pthread_t threads[12];
	void *results[ARRAY_SIZE(threads)];

	assert_true(token_generate_aes(fixture->token, "shared", NULL));
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, compute, fixture->token), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_join(threads[i], &results[i]), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		if (results[i])
			fail_msg("%s", (char *)results[i]);
	}
}

static void *generate(void *argument)
{
	return token_generate_aes(argument, "one", NULL) ? argument : NULL;
}

static void two_threads_never_make_the_same_key_twice(void **state)
{
	struct token_fixture *fixture = *state;
	pthread_t threads[8];
	void *result;
	int made = 0;

	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i], NULL, generate, fixture->token);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		pthread_join(threads[i], &result);
		made += result != NULL;
	}
	assert_int_equal(made, 1);
}

/* A token whose initialisation was cut off before its PIN was set is left aside. */
static void a_half_initialised_token_does_not_block_a_new_one(void **state)
{
	struct token_fixture *fixture = *state;
	const struct module *module = &fixture->token->module;
	CK_FUNCTION_LIST *functions = module->functions;
	CK_SLOT_ID slots[8];
	CK_ULONG count = ARRAY_SIZE(slots);
	CK_UTF8CHAR label[32];
	const struct token_options half = {.label = "half"};
	CK_SLOT_ID slot;
	bool found = true;

	memset(label, ' ', sizeof(label));
	memcpy(label, "half", 4);
	assert_int_equal(functions->C_GetSlotList(CK_TRUE, slots, &count), CKR_OK);
	assert_int_equal(
		functions->C_InitToken(slots[count - 1], (CK_UTF8CHAR *)"12345678", 8, label),
		CKR_OK);
	assert_true(token_find_slot(module, &half, &slot, &found, NULL));
	assert_false(found);
	_cleanup_secret_ struct secret pin = SECRET_INIT;
	secret_set(&pin, "123456", 6);
	assert_true(token_embedded_initialize(module, "half", &pin, NULL));
	assert_true(token_find_slot(module, &half, &slot, &found, NULL));
	assert_true(found);
}

static void a_process_that_exits_without_closing_does_not_crash(void **state)
{
	struct token_fixture *fixture = *state;
	int status = 0;

	token_close(fixture->token);
	fixture->token = NULL;
	pid_t child = fork();
	if (child == 0) {
		_cleanup_error_ struct error error = ERROR_INIT;
		struct token *token = token_fixture_open(fixture, "123456", &error);
		if (!token)
			fprintf(stderr, "%s\n", error_message(&error));
		exit(token ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void return_values_have_their_names(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_string_equal(ckr_name(CKR_PIN_LOCKED), "CKR_PIN_LOCKED");
	assert_null(ckr_name(0x7fffffff));
	assert_false(ckr_error(CKR_PIN_LOCKED, "x", &error));
	assert_int_equal(error.code, ERROR_PIN_BLOCKED);
	assert_false(ckr_error(CKR_MECHANISM_INVALID, "x", &error));
	assert_int_equal(error.code, ERROR_NOT_SUPPORTED);
	assert_false(ckr_error(0x7fffffff, "x", &error));
	assert_non_null(strstr(error.message, "0x7FFFFFFF"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_wrong_pin_is_refused),
		TEST(keys_are_still_there_after_reopening),
		TEST(a_missing_or_wrong_module_is_one_clear_error),
		TEST(an_unknown_label_without_an_embedded_folder_is_an_error),
		TEST(the_folder_is_for_its_owner_only),
		TEST(a_folder_that_cannot_be_made_is_one_clear_error),
		TEST(a_read_only_folder_is_one_clear_error),
		TEST(keys_have_unique_labels_and_can_be_removed),
		TEST(the_master_key_cannot_be_read),
		TEST(cmac_gives_the_published_values),
		TEST(the_key_check_value_is_that_of_the_key),
		TEST(key_pairs_sign),
		TEST(rsa_signs_without_the_raw_mechanism),
		TEST(signing_with_a_removed_key_tells_why),
		TEST(twelve_threads_share_the_sessions),
		TEST(two_threads_never_make_the_same_key_twice),
		TEST(a_half_initialised_token_does_not_block_a_new_one),
		TEST(a_process_that_exits_without_closing_does_not_crash),
		cmocka_unit_test(return_values_have_their_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
