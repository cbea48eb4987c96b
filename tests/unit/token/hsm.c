/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A token beside the daemon's own, in the same SoftHSM2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "common/alloc.h"
#include "core/signing-key.h"
#include "lib/token-fixture.h"
#include "token/hsm-private.h"
#include "token/token-private.h"

struct fixture {
	struct token_fixture *own;
	struct token *keys; /* "web", as another program would fill it */
	struct hsm *hsm;    /* the same token */
	struct secret pin;
};

static struct token *open_keys(const struct fixture *fixture)
{
	const struct token_options options = {.module = TOKEN_MODULE, .label = "web"};

	return token_open(&options, &fixture->pin, NULL);
}

static int setup(void **state)
{
	struct fixture *fixture = xnew(struct fixture);

	fixture->own = token_fixture_new();
	secret_set(&fixture->pin, "271828", 6);
	const struct hsm_options options = {
		.module = TOKEN_MODULE, .label = "web", .new_pin = &fixture->pin};
	fixture->hsm = hsm_open(&options, NULL);
	fixture->keys = open_keys(fixture);
	if (!fixture->hsm || !fixture->keys ||
		!token_generate_pair(fixture->keys, "rsa", KEY_ALGORITHM_RSA_2048, NULL) ||
		!token_generate_pair(fixture->keys, "ec", KEY_ALGORITHM_EC_P256, NULL))
		return -1;
	session_pool_logout(fixture->keys->sessions);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	hsm_close(fixture->hsm);
	token_close(fixture->keys);
	secret_clear(&fixture->pin);
	token_fixture_free(fixture->own);
	free(fixture);
	return 0;
}

static void log_in(struct fixture *fixture)
{
	bool changed = false;

	assert_true(hsm_login(fixture->hsm, &fixture->pin, &changed, NULL));
}

/* The number of the private key of that label; 0 when none shows. */
static uint32_t find_key(struct fixture *fixture, const char *label)
{
	_cleanup_hsm_objects_ struct hsm_objects *objects = hsm_objects(fixture->hsm);

	for (size_t i = 0; i < objects->count; i++) {
		if (objects->items[i]->object_class == CKO_PRIVATE_KEY &&
			strcmp(objects->items[i]->label, label) == 0)
			return objects->items[i]->number;
	}
	return 0;
}

static bool use(struct fixture *fixture, uint32_t key, enum key_use use_, uint32_t mechanism,
	size_t length, struct buffer *output, struct error *error)
{
	static const uint8_t data[300] = {1, 2, 3};
	const struct hsm_request wanted = {.operation = (enum hsm_operation)use_,
		.object = key,
		.mechanism = mechanism,
		.input = READER_INIT(data, length)};
	struct hsm_reply reply = {.output = output};

	return hsm_call(fixture->hsm, NULL, &wanted, &reply, error);
}

static void expect_refusal(struct fixture *fixture, uint32_t key, enum key_use use_,
	uint32_t mechanism, size_t length, enum error_code code)
{
	_cleanup_buffer_ struct buffer output = BUFFER_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	assert_false(use(fixture, key, use_, mechanism, length, &output, &error));
	assert_int_equal(error.code, code);
	assert_int_equal(output.length, 0);
}

static bool signs(struct fixture *fixture, const char *label, uint32_t mechanism, size_t length)
{
	_cleanup_buffer_ struct buffer output = BUFFER_INIT;

	return use(fixture, find_key(fixture, label), KEY_USE_SIGN, mechanism, 32, &output, NULL) &&
	       output.length == length;
}

static void private_keys_show_after_a_login(void **state)
{
	struct fixture *fixture = *state;
	bool changed = false;

	assert_int_equal(find_key(fixture, "rsa"), 0);
	assert_true(hsm_login(fixture->hsm, &fixture->pin, &changed, NULL));
	assert_true(changed);
	assert_int_not_equal(find_key(fixture, "rsa"), 0);
	assert_int_not_equal(find_key(fixture, "ec"), 0);
	hsm_logout(fixture->hsm);
	/* What was shown is shown on, but not used. */
	expect_refusal(
		fixture, find_key(fixture, "ec"), KEY_USE_SIGN, CKM_ECDSA, 32, ERROR_PIN_REQUIRED);
}

static void numbers_stay_while_objects_come_and_go(void **state)
{
	struct fixture *fixture = *state;
	bool changed = false;

	log_in(fixture);
	uint32_t rsa = find_key(fixture, "rsa"), ec = find_key(fixture, "ec");
	assert_true(hsm_refresh(fixture->hsm, &changed, NULL));
	assert_false(changed);
	assert_true(token_generate_pair(fixture->keys, "new", KEY_ALGORITHM_EC_P256, NULL));
	assert_true(token_destroy(fixture->keys, "ec", NULL));
	assert_true(hsm_refresh(fixture->hsm, &changed, NULL));
	assert_true(changed);
	assert_int_equal(find_key(fixture, "rsa"), rsa);
	assert_int_equal(find_key(fixture, "ec"), 0);
	assert_true(find_key(fixture, "new") > ec);
	expect_refusal(fixture, ec, KEY_USE_SIGN, CKM_ECDSA, 32, ERROR_NOT_FOUND);
	hsm_logout(fixture->hsm);
}

static void the_daemons_own_keys_are_never_shown(void **state)
{
	struct fixture *fixture = *state;
	bool changed;

	log_in(fixture);
	assert_true(token_generate_pair(
		fixture->keys, "tessera ca local", KEY_ALGORITHM_EC_P256, NULL));
	assert_true(token_generate_aes(fixture->keys, "tessera master key 1", NULL));
	assert_true(hsm_refresh(fixture->hsm, &changed, NULL));
	_cleanup_hsm_objects_ struct hsm_objects *objects = hsm_objects(fixture->hsm);
	assert_int_equal(objects->count, 4);
	for (size_t i = 0; i < objects->count; i++)
		assert_int_not_equal(objects->items[i]->object_class, CKO_SECRET_KEY);
	hsm_logout(fixture->hsm);
}

static void no_secret_is_among_the_attributes(void **state)
{
	static const CK_ATTRIBUTE_TYPE secrets[] = {CKA_VALUE, CKA_PRIVATE_EXPONENT, CKA_PRIME_1,
		CKA_PRIME_2, CKA_EXPONENT_1, CKA_EXPONENT_2, CKA_COEFFICIENT};
	struct fixture *fixture = *state;

	log_in(fixture);
	_cleanup_hsm_objects_ struct hsm_objects *objects = hsm_objects(fixture->hsm);
	for (size_t i = 0; i < objects->count; i++) {
		assert_true(objects->items[i]->attribute_count > 10);
		for (size_t j = 0; j < objects->items[i]->attribute_count; j++) {
			for (size_t k = 0; k < ARRAY_SIZE(secrets); k++)
				assert_int_not_equal(
					objects->items[i]->attributes[j].type, secrets[k]);
		}
	}
	hsm_logout(fixture->hsm);
}

/* The token is logged in once for all: the second login compares, and the last logout ends it. */
static void each_login_proves_its_pin(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_secret_ struct secret wrong = SECRET_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;
	bool changed;

	secret_set(&wrong, "271829", 6);
	assert_false(hsm_login(fixture->hsm, &wrong, &changed, &error));
	assert_int_equal(error.code, ERROR_PIN_WRONG);
	log_in(fixture);
	assert_false(hsm_login(fixture->hsm, &wrong, &changed, &error));
	assert_int_equal(error.code, ERROR_PIN_WRONG);
	log_in(fixture);
	hsm_logout(fixture->hsm);
	assert_true(signs(fixture, "ec", CKM_ECDSA, 64));
	hsm_logout(fixture->hsm);
	assert_false(signs(fixture, "ec", CKM_ECDSA, 64));
	/* A token that somebody else has logged in does not take any PIN. */
	assert_true(session_pool_login(fixture->keys->sessions, &fixture->pin, NULL));
	assert_false(hsm_login(fixture->hsm, &wrong, &changed, &error));
	assert_int_equal(error.code, ERROR_PIN_WRONG);
}

static void keys_do_what_they_can_and_nothing_else(void **state)
{
	struct fixture *fixture = *state;

	log_in(fixture);
	assert_true(signs(fixture, "rsa", CKM_RSA_PKCS, 256));
	assert_true(signs(fixture, "ec", CKM_ECDSA, 64));
	/* What a key cannot do, or with other lengths. */
	uint32_t rsa = find_key(fixture, "rsa"), ec = find_key(fixture, "ec");
	expect_refusal(fixture, ec, KEY_USE_SIGN, CKM_SHA256_HMAC, 32, ERROR_TOKEN_REFUSED);
	expect_refusal(fixture, rsa, KEY_USE_SIGN, CKM_RSA_PKCS_PSS, 32, ERROR_INVALID_ARGUMENT);
	expect_refusal(fixture, 4711, KEY_USE_SIGN, CKM_ECDSA, 32, ERROR_NOT_FOUND);
	expect_refusal(fixture, ec, KEY_USE_DERIVE, CKM_ECDH1_DERIVE, 0, ERROR_DATA_LENGTH);
	/* SoftHSM2 would end the process. */
	expect_refusal(fixture, rsa, KEY_USE_SIGN, CKM_RSA_X_509, 257, ERROR_DATA_LENGTH);
	expect_refusal(fixture, rsa, KEY_USE_DECRYPT, CKM_RSA_X_509, 300, ERROR_DATA_LENGTH);
	hsm_logout(fixture->hsm);
}

static void generate_jealous_key(struct fixture *fixture)
{
	_cleanup_session_ struct session session = SESSION_INIT;
	static CK_BYTE curve[] = {6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7};
	CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_BBOOL yes = CK_TRUE;
	CK_OBJECT_HANDLE public_key, private_key;
	CK_ATTRIBUTE public_template[] = {
		{CKA_TOKEN, &yes, sizeof(yes)}, {CKA_EC_PARAMS, curve, sizeof(curve)}};
	CK_ATTRIBUTE private_template[] = {{CKA_TOKEN, &yes, sizeof(yes)},
		{CKA_LABEL, (void *)(uintptr_t) "jealous", 7}, {CKA_SIGN, &yes, sizeof(yes)},
		{CKA_PRIVATE, &yes, sizeof(yes)}, {CKA_ALWAYS_AUTHENTICATE, &yes, sizeof(yes)}};

	assert_true(session_take(fixture->keys->sessions, &session, NULL));
	assert_int_equal(session.functions->C_GenerateKeyPair(session.handle, &mechanism,
				 public_template, ARRAY_SIZE(public_template), private_template,
				 ARRAY_SIZE(private_template), &public_key, &private_key),
		CKR_OK);
}

static bool signs_with_pin(struct fixture *fixture, const char *pin, struct error *error)
{
	static const uint8_t data[32] = {1};
	_cleanup_buffer_ struct buffer output = BUFFER_INIT;
	_cleanup_secret_ struct secret secret = SECRET_INIT;
	const struct hsm_request request = {.operation = HSM_SIGN,
		.object = find_key(fixture, "jealous"),
		.mechanism = CKM_ECDSA,
		.input = READER_INIT(data, sizeof(data)),
		.pin = &secret};
	struct hsm_reply reply = {.output = &output};

	if (pin)
		secret_set(&secret, pin, strlen(pin));
	return hsm_call(fixture->hsm, NULL, &request, &reply, error) && output.length == 64;
}

/* CKA_ALWAYS_AUTHENTICATE: the caller's PIN, or that of the login where the daemon keeps it. */
static void a_key_that_wants_its_pin_for_each_use_gets_it(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_error_ struct error error = ERROR_INIT;
	bool changed;

	log_in(fixture);
	generate_jealous_key(fixture);
	assert_true(hsm_refresh(fixture->hsm, &changed, NULL));
	assert_true(signs_with_pin(fixture, "271828", NULL));
	assert_true(signs_with_pin(fixture, NULL, NULL));
	assert_false(signs_with_pin(fixture, "271829", &error));
	assert_int_equal(error.code, ERROR_PIN_WRONG);
	assert_true(signs_with_pin(fixture, NULL, NULL));
	hsm_logout(fixture->hsm);
}

static void a_lost_login_is_made_up_for(void **state)
{
	struct fixture *fixture = *state;

	log_in(fixture);
	session_pool_logout(fixture->keys->sessions);
	assert_true(signs(fixture, "ec", CKM_ECDSA, 64));
	hsm_logout(fixture->hsm);
}

/* C_SignInit that was called ahead: half of SoftHSM2's time for a signature. */
static void a_session_that_is_ready_signs_as_any_other(void **state)
{
	struct fixture *fixture = *state;
	bool changed;

	log_in(fixture);
	uint32_t rsa = find_key(fixture, "rsa"), ec = find_key(fixture, "ec");
	for (unsigned i = 0; i < 3; i++) {
		hsm_make_ready(fixture->hsm, ec, KEY_USE_SIGN, CKM_ECDSA);
		assert_true(signs(fixture, "ec", CKM_ECDSA, 64));
	}
	/* Many ready ones leave room for other uses, and what cannot be made ready is left alone.
	 */
	for (unsigned i = 0; i < 2 * SESSION_POOL_MAX; i++)
		hsm_make_ready(fixture->hsm, i % 2 ? ec : rsa, KEY_USE_SIGN,
			i % 2 ? CKM_ECDSA : CKM_RSA_PKCS);
	hsm_make_ready(fixture->hsm, ec, KEY_USE_DERIVE, CKM_ECDH1_DERIVE);
	hsm_make_ready(fixture->hsm, ec, KEY_USE_SIGN, CKM_RSA_PKCS);
	hsm_make_ready(fixture->hsm, 4711, KEY_USE_SIGN, CKM_ECDSA);
	for (unsigned i = 0; i < SESSION_POOL_MAX; i++) {
		assert_true(signs(fixture, "ec", CKM_ECDSA, 64));
		assert_true(signs(fixture, "rsa", CKM_RSA_PKCS, 256));
	}
	/* A key that has gone signs no more, ready or not; nor does one after the last logout. */
	hsm_make_ready(fixture->hsm, ec, KEY_USE_SIGN, CKM_ECDSA);
	hsm_make_ready(fixture->hsm, rsa, KEY_USE_SIGN, CKM_RSA_PKCS);
	assert_true(token_destroy(fixture->keys, "ec", NULL));
	assert_true(hsm_refresh(fixture->hsm, &changed, NULL));
	expect_refusal(fixture, ec, KEY_USE_SIGN, CKM_ECDSA, 32, ERROR_NOT_FOUND);
	hsm_make_ready(fixture->hsm, rsa, KEY_USE_SIGN, CKM_RSA_PKCS);
	hsm_logout(fixture->hsm);
	expect_refusal(fixture, rsa, KEY_USE_SIGN, CKM_RSA_PKCS, 32, ERROR_PIN_REQUIRED);
}

static void *sign_often(void *argument)
{
	struct fixture *fixture = argument;
	bool done = true;

	for (unsigned i = 0; i < 40 && done; i++)
		done = signs(fixture, "ec", CKM_ECDSA, 64);
	return done ? fixture : NULL;
}

/* SoftHSM2 crashes when objects are made beside other calls: session.h keeps them apart. */
static void threads_sign_while_keys_are_made(void **state)
{
	struct fixture *fixture = *state;
	pthread_t threads[4];

	log_in(fixture);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i], NULL, sign_often, fixture);
	for (unsigned i = 0; i < 5; i++) {
		_cleanup_free_ char *label = xasprintf("key %u", i);
		assert_true(token_generate_pair(fixture->keys, label, KEY_ALGORITHM_EC_P256, NULL));
	}
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		void *result = NULL;
		pthread_join(threads[i], &result);
		assert_ptr_equal(result, fixture);
	}
	hsm_logout(fixture->hsm);
}

static void a_token_that_is_not_there_is_not_made_unasked(void **state)
{
	const struct hsm_options options = {.module = TOKEN_MODULE, .label = "nothing"};
	const struct hsm_options other = {
		.module = TOKEN_MODULE, .label = "web", .serial = "0123456789abcdef"};
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_null(hsm_open(&options, &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
	assert_null(hsm_open(&other, &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(private_keys_show_after_a_login, setup, teardown),
		cmocka_unit_test_setup_teardown(
			numbers_stay_while_objects_come_and_go, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_daemons_own_keys_are_never_shown, setup, teardown),
		cmocka_unit_test_setup_teardown(no_secret_is_among_the_attributes, setup, teardown),
		cmocka_unit_test_setup_teardown(each_login_proves_its_pin, setup, teardown),
		cmocka_unit_test_setup_teardown(
			keys_do_what_they_can_and_nothing_else, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_key_that_wants_its_pin_for_each_use_gets_it, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lost_login_is_made_up_for, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_session_that_is_ready_signs_as_any_other, setup, teardown),
		cmocka_unit_test_setup_teardown(threads_sign_while_keys_are_made, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_token_that_is_not_there_is_not_made_unasked, setup, teardown),
	};

	return cmocka_run_group_tests_name("token/hsm", tests, NULL, NULL);
}
