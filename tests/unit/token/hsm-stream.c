/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Uses of keys whose input comes in parts: how they go on, and all the ways in which they end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/hmac.h>

#include "common/alloc.h"
#include "lib/token-fixture.h"
#include "token/attributes.h"
#include "token/hsm-private.h"
#include "token/token-private.h"

#define KEY_BYTES     32
#define STREAMS_LIMIT 64 /* of an owner */

struct fixture {
	struct token_fixture *own;
	struct hsm *hsm;
	struct hsm_owner *owner, *other;
	struct secret pin;
	uint32_t hmac, aes, open_hmac; /* the owner's keys; the last one is not private */
};

static const uint8_t key_value[KEY_BYTES] = "a key that the test knows";
static const uint8_t text[100000] = {1, 2, 3};

static void append_flag(struct buffer *attributes, uint32_t type, bool value)
{
	CK_BBOOL flag = value;

	attributes_append(attributes, type, &flag, sizeof(flag));
}

static uint32_t import(struct fixture *fixture, CK_KEY_TYPE type, bool is_private)
{
	static const CK_ATTRIBUTE_TYPE uses[] = {CKA_SIGN, CKA_VERIFY, CKA_ENCRYPT, CKA_DECRYPT};
	_cleanup_buffer_ struct buffer template = BUFFER_INIT;
	CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
	struct hsm_reply reply = {0};

	attributes_append(&template, CKA_CLASS, &object_class, sizeof(object_class));
	attributes_append(&template, CKA_KEY_TYPE, &type, sizeof(type));
	attributes_append(&template, CKA_VALUE, key_value, sizeof(key_value));
	append_flag(&template, CKA_TOKEN, false);
	append_flag(&template, CKA_PRIVATE, is_private);
	for (size_t i = 0; i < ARRAY_SIZE(uses); i++)
		append_flag(&template, uses[i], true);
	const struct hsm_request request = {
		.operation = HSM_CREATE, .templates = {reader_of(&template)}};
	assert_true(hsm_call(fixture->hsm, fixture->owner, &request, &reply, NULL));
	return reply.numbers[0];
}

static int setup(void **state)
{
	struct fixture *fixture = xnew(struct fixture);
	bool changed;

	fixture->own = token_fixture_new();
	secret_set(&fixture->pin, "271828", 6);
	const struct hsm_options options = {
		.module = TOKEN_MODULE, .label = "web", .new_pin = &fixture->pin};
	fixture->hsm = hsm_open(&options, NULL);
	if (!fixture->hsm || !hsm_login(fixture->hsm, &fixture->pin, &changed, NULL))
		return -1;
	fixture->owner = hsm_owner_new(fixture->hsm);
	fixture->other = hsm_owner_new(fixture->hsm);
	fixture->hmac = import(fixture, CKK_GENERIC_SECRET, true);
	fixture->aes = import(fixture, CKK_AES, true);
	fixture->open_hmac = import(fixture, CKK_GENERIC_SECRET, false);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	hsm_owner_free(fixture->owner);
	hsm_owner_free(fixture->other);
	hsm_close(fixture->hsm);
	secret_clear(&fixture->pin);
	token_fixture_free(fixture->own);
	free(fixture);
	return 0;
}

static bool begin(struct fixture *fixture, uint32_t stream, enum hsm_operation use, uint32_t key,
	uint32_t mechanism, struct error *error)
{
	static const uint8_t gcm[24] = {0, 0, 0, 128, 0, 0, 0, 12};
	const struct hsm_request request = {.operation = HSM_BEGIN,
		.use = use,
		.stream = stream,
		.object = key,
		.mechanism = mechanism,
		.parameter = READER_INIT(gcm, mechanism == CKM_AES_GCM ? 20 : 0)};
	struct hsm_reply reply = {0};

	return hsm_call(fixture->hsm, fixture->owner, &request, &reply, error);
}

static bool go_on(struct fixture *fixture, struct hsm_owner *owner, uint32_t stream, size_t length,
	struct buffer *output, struct error *error)
{
	const struct hsm_request request = {
		.operation = HSM_CONTINUE, .stream = stream, .input = READER_INIT(text, length)};
	struct hsm_reply reply = {.output = output};

	return hsm_call(fixture->hsm, owner, &request, &reply, error);
}

static bool end(
	struct fixture *fixture, uint32_t stream, struct buffer *output, struct hsm_reply *reply)
{
	const struct hsm_request request = {.operation = HSM_END, .stream = stream};

	*reply = (struct hsm_reply){.output = output};
	return hsm_call(fixture->hsm, fixture->owner, &request, reply, NULL);
}

static void expect_gone(struct fixture *fixture, struct hsm_owner *owner, uint32_t stream)
{
	_cleanup_buffer_ struct buffer output = BUFFER_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	assert_false(go_on(fixture, owner, stream, 1, &output, &error));
	assert_int_equal(error.code, ERROR_TOKEN_REFUSED);
	assert_int_equal(error.ckr, CKR_OPERATION_NOT_INITIALIZED);
}

static void expect_code(bool done, const struct error *error, enum error_code code)
{
	assert_false(done);
	assert_int_equal(error->code, code);
}

static void a_mac_in_parts_is_that_of_the_whole(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_buffer_ struct buffer output = BUFFER_INIT;
	struct hsm_reply reply;
	uint8_t expected[32], whole[1100];
	unsigned length = 0;

	memcpy(whole, text, 100);
	memcpy(whole + 100, text, 1000);
	HMAC(EVP_sha256(), key_value, KEY_BYTES, whole, sizeof(whole), expected, &length);
	assert_true(begin(fixture, 1, HSM_SIGN, fixture->hmac, CKM_SHA256_HMAC, NULL));
	assert_true(go_on(fixture, fixture->owner, 1, 100, &output, NULL));
	assert_true(go_on(fixture, fixture->owner, 1, 0, &output, NULL));
	assert_true(go_on(fixture, fixture->owner, 1, 1000, &output, NULL));
	assert_int_equal(output.length, 0);
	assert_true(end(fixture, 1, &output, &reply));
	assert_int_equal(reply.numbers[0], 0);
	assert_int_equal(output.length, 32);
	assert_memory_equal(output.data, expected, 32);
	expect_gone(fixture, fixture->owner, 1);
	assert_int_equal(hsm_streams_count(fixture->hsm), 0);
}

static void long_output_comes_in_several_answers(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_buffer_ struct buffer hidden = BUFFER_INIT, shown = BUFFER_INIT;
	struct hsm_reply reply;

	assert_true(begin(fixture, 1, HSM_ENCRYPT, fixture->aes, CKM_AES_GCM, NULL));
	assert_true(go_on(fixture, fixture->owner, 1, sizeof(text), &hidden, NULL));
	assert_int_equal(hidden.length, HSM_STREAM_OUTPUT_MAX);
	do
		assert_true(end(fixture, 1, &hidden, &reply));
	while (reply.numbers[0] > 0);
	assert_int_equal(hidden.length, sizeof(text) + 16);

	const struct hsm_request request = {.operation = HSM_CONTINUE,
		.stream = 2,
		.input = READER_INIT(hidden.data, hidden.length)};
	assert_true(begin(fixture, 2, HSM_DECRYPT, fixture->aes, CKM_AES_GCM, NULL));
	reply = (struct hsm_reply){.output = &shown};
	assert_true(hsm_call(fixture->hsm, fixture->owner, &request, &reply, NULL));
	assert_int_equal(shown.length, 0); /* before the tag has been verified */
	assert_true(end(fixture, 2, &shown, &reply));
	assert_int_equal(reply.numbers[0], sizeof(text) - HSM_STREAM_OUTPUT_MAX);
	/* What has been ended takes no more input, and is gone then. */
	expect_gone(fixture, fixture->owner, 2);
	assert_int_equal(hsm_streams_count(fixture->hsm), 0);
}

static void wrong_uses_are_refused(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_error_ struct error error = ERROR_INIT;
	static const struct {
		enum hsm_operation use;
		uint32_t mechanism;
		enum error_code code;
	} cases[] = {
		{HSM_SIGN, CKM_RSA_PKCS, ERROR_NOT_SUPPORTED},
		{HSM_SIGN, CKM_ECDSA, ERROR_NOT_SUPPORTED},
		{HSM_DERIVE, CKM_ECDH1_DERIVE, ERROR_NOT_SUPPORTED},
		{HSM_WRAP, CKM_AES_CBC, ERROR_NOT_SUPPORTED},
		{HSM_BEGIN, CKM_SHA256_HMAC, ERROR_NOT_SUPPORTED},
		{HSM_ENCRYPT, CKM_SHA256_HMAC, ERROR_NOT_SUPPORTED},
		{HSM_ENCRYPT, CKM_AES_CBC, ERROR_INVALID_ARGUMENT}, /* no IV */
		{HSM_SIGN, CKM_AES_CMAC, ERROR_TOKEN_REFUSED},	    /* the key's type */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool done =
			begin(fixture, 1, cases[i].use, fixture->hmac, cases[i].mechanism, &error);
		expect_code(done, &error, cases[i].code);
		error_clear(&error);
	}
	expect_code(begin(fixture, 0, HSM_SIGN, fixture->hmac, CKM_SHA256_HMAC, &error), &error,
		ERROR_INVALID_ARGUMENT);
	error_clear(&error);
	expect_code(begin(fixture, 1, HSM_SIGN, 9999, CKM_SHA256_HMAC, &error), &error,
		ERROR_NOT_FOUND);
	error_clear(&error);
	assert_int_equal(hsm_streams_count(fixture->hsm), 0);
	assert_true(begin(fixture, 1, HSM_SIGN, fixture->hmac, CKM_SHA256_HMAC, NULL));
	expect_code(begin(fixture, 1, HSM_SIGN, fixture->hmac, CKM_SHA256_HMAC, &error), &error,
		ERROR_EXISTS);
}

static void they_belong_to_their_owner(void **state)
{
	struct fixture *fixture = *state;
	struct hsm_reply reply = {0};
	const struct hsm_request cancel = {.operation = HSM_CANCEL, .stream = 1};

	assert_true(begin(fixture, 1, HSM_SIGN, fixture->hmac, CKM_SHA256_HMAC, NULL));
	expect_gone(fixture, fixture->other, 1);
	expect_gone(fixture, NULL, 1);
	assert_true(hsm_call(fixture->hsm, fixture->other, &cancel, &reply, NULL));
	assert_int_equal(hsm_streams_count(fixture->hsm), 1);
	assert_true(hsm_call(fixture->hsm, fixture->owner, &cancel, &reply, NULL));
	assert_true(hsm_call(fixture->hsm, fixture->owner, &cancel, &reply, NULL));
	assert_int_equal(hsm_streams_count(fixture->hsm), 0);
}

static void they_end_with_owner_logout_slot_and_time(void **state)
{
	struct fixture *fixture = *state;

	for (uint32_t i = 1; i <= 2; i++)
		assert_true(begin(fixture, i, HSM_SIGN, i == 1 ? fixture->hmac : fixture->open_hmac,
			CKM_SHA256_HMAC, NULL));
	hsm_streams_end_idle(fixture->hsm, 60000);
	assert_int_equal(hsm_streams_count(fixture->hsm), 2);
	hsm_owner_logout(fixture->owner); /* what is not private goes on */
	assert_int_equal(hsm_streams_count(fixture->hsm), 1);
	hsm_streams_end_idle(fixture->hsm, 0);
	assert_int_equal(hsm_streams_count(fixture->hsm), 0);
	assert_true(begin(fixture, 3, HSM_SIGN, fixture->open_hmac, CKM_SHA256_HMAC, NULL));
	hsm_end_streams(fixture->hsm);
	assert_int_equal(hsm_streams_count(fixture->hsm), 0);
	assert_true(begin(fixture, 4, HSM_SIGN, fixture->open_hmac, CKM_SHA256_HMAC, NULL));
	hsm_owner_free(steal_pointer(&fixture->owner));
	assert_int_equal(hsm_streams_count(fixture->hsm), 0);
}

static void an_owner_has_so_many_and_no_more(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_error_ struct error error = ERROR_INIT;

	for (uint32_t i = 1; i <= STREAMS_LIMIT; i++)
		assert_true(begin(fixture, i, HSM_SIGN, fixture->hmac, CKM_SHA256_HMAC, NULL));
	expect_code(
		begin(fixture, STREAMS_LIMIT + 1, HSM_SIGN, fixture->hmac, CKM_SHA256_HMAC, &error),
		&error, ERROR_TOKEN_REFUSED);
	assert_int_equal(error.ckr, CKR_DEVICE_MEMORY);
	assert_int_equal(hsm_streams_count(fixture->hsm), STREAMS_LIMIT);
	/* The token is used by other things all the same. */
	const struct hsm_request random = {.operation = HSM_GET_RANDOM, .length = 8};
	_cleanup_buffer_ struct buffer output = BUFFER_INIT;
	struct hsm_reply reply = {.output = &output};
	assert_true(hsm_call(fixture->hsm, NULL, &random, &reply, NULL));
}

static void what_is_held_has_a_limit(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_buffer_ struct buffer output = BUFFER_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;
	size_t held = 0;

	assert_true(begin(fixture, 1, HSM_DECRYPT, fixture->aes, CKM_AES_GCM, NULL));
	while (held + sizeof(text) <= HSM_STREAM_HELD_MAX) {
		assert_true(go_on(fixture, fixture->owner, 1, sizeof(text), &output, NULL));
		held += sizeof(text);
	}
	expect_code(go_on(fixture, fixture->owner, 1, sizeof(text), &output, &error), &error,
		ERROR_DATA_LENGTH);
	expect_gone(fixture, fixture->owner, 1);
	assert_int_equal(hsm_streams_count(fixture->hsm), 0);
}

struct crowd {
	struct fixture *fixture;
	uint32_t first;
	bool failed;
};

static void *use_often(void *argument)
{
	struct crowd *crowd = argument;
	struct hsm_reply reply;

	for (uint32_t i = 0; i < 20; i++) {
		_cleanup_buffer_ struct buffer output = BUFFER_INIT;
		uint32_t stream = crowd->first + i;
		crowd->failed |= !begin(crowd->fixture, stream, HSM_SIGN, crowd->fixture->hmac,
					 CKM_SHA256_HMAC, NULL) ||
				 !go_on(crowd->fixture, crowd->fixture->owner, stream, 5000,
					 &output, NULL) ||
				 !end(crowd->fixture, stream, &output, &reply) ||
				 output.length != 32;
	}
	return NULL;
}

static void threads_have_theirs_at_once(void **state)
{
	struct fixture *fixture = *state;
	struct crowd crowds[4];
	pthread_t threads[ARRAY_SIZE(crowds)];

	for (size_t i = 0; i < ARRAY_SIZE(crowds); i++) {
		crowds[i] = (struct crowd){fixture, (uint32_t)(1 + 100 * i), false};
		assert_int_equal(pthread_create(&threads[i], NULL, use_often, &crowds[i]), 0);
	}
	for (int i = 0; i < 50; i++)
		hsm_streams_end_idle(fixture->hsm, 60000);
	for (size_t i = 0; i < ARRAY_SIZE(crowds); i++) {
		pthread_join(threads[i], NULL);
		assert_false(crowds[i].failed);
	}
	assert_int_equal(hsm_streams_count(fixture->hsm), 0);
}

#define WITH_TOKEN(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TOKEN(a_mac_in_parts_is_that_of_the_whole),
		WITH_TOKEN(long_output_comes_in_several_answers),
		WITH_TOKEN(wrong_uses_are_refused),
		WITH_TOKEN(they_belong_to_their_owner),
		WITH_TOKEN(they_end_with_owner_logout_slot_and_time),
		WITH_TOKEN(an_owner_has_so_many_and_no_more),
		WITH_TOKEN(what_is_held_has_a_limit),
		WITH_TOKEN(threads_have_theirs_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
