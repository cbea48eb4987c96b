/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keys/wrap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char associated[] = "{\"needed\":2}";
static const char plain_text[] = "what is hidden";

static void make(struct secret *key, struct buffer *wrapped)
{
	struct buffer plain _cleanup_buffer_ = BUFFER_INIT;

	assert_true(secret_allocate(key, WRAP_KEY_LENGTH));
	memset(key->data, 7, key->length);
	buffer_append_string(&plain, plain_text);
	assert_true(wrap(key, associated, &plain, wrapped, NULL));
}

static void what_is_wrapped_comes_back(void **state)
{
	struct secret key _cleanup_secret_ = SECRET_INIT;
	struct buffer wrapped _cleanup_buffer_ = BUFFER_INIT;
	struct buffer again _cleanup_buffer_ = BUFFER_INIT;
	struct buffer opened _cleanup_buffer_ = BUFFER_INIT_WIPE;

	(void)state;
	make(&key, &wrapped);
	assert_int_equal(wrapped.length, strlen(plain_text) + WRAP_NONCE_LENGTH + WRAP_TAG_LENGTH);
	assert_true(unwrap(&key, associated, &wrapped, &opened, NULL));
	assert_int_equal(opened.length, strlen(plain_text));
	assert_memory_equal(opened.data, plain_text, opened.length);
	secret_clear(&key);
	make(&key, &again);
	assert_memory_not_equal(again.data, wrapped.data, wrapped.length);
}

static void any_change_is_found(void **state)
{
	struct secret key _cleanup_secret_ = SECRET_INIT;
	struct buffer wrapped _cleanup_buffer_ = BUFFER_INIT;
	struct buffer opened _cleanup_buffer_ = BUFFER_INIT_WIPE;
	struct error error _cleanup_error_ = ERROR_INIT;

	(void)state;
	make(&key, &wrapped);
	for (size_t i = 0; i < wrapped.length; i++) {
		wrapped.data[i] ^= 1;
		assert_false(unwrap(&key, associated, &wrapped, &opened, &error));
		assert_int_equal(error.code, ERROR_DATA_INVALID);
		wrapped.data[i] ^= 1;
	}
	assert_false(unwrap(&key, "{\"needed\":1}", &wrapped, &opened, NULL));
	for (size_t length = wrapped.length; length-- > 0;) {
		buffer_truncate(&wrapped, length);
		assert_false(unwrap(&key, associated, &wrapped, &opened, NULL));
	}
	assert_int_equal(opened.length, 0);
}

static void another_key_opens_nothing(void **state)
{
	struct secret key _cleanup_secret_ = SECRET_INIT;
	struct buffer wrapped _cleanup_buffer_ = BUFFER_INIT;
	struct buffer opened _cleanup_buffer_ = BUFFER_INIT_WIPE;

	(void)state;
	make(&key, &wrapped);
	key.data[31] ^= 1;
	assert_false(unwrap(&key, associated, &wrapped, &opened, NULL));
	key.data[31] ^= 1;
	secret_truncate(&key, 16);
	assert_false(unwrap(&key, associated, &wrapped, &opened, NULL));
	assert_false(wrap(&key, associated, &wrapped, &opened, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wrapped_comes_back),
		cmocka_unit_test(any_change_is_found),
		cmocka_unit_test(another_key_opens_nothing),
	};

	return cmocka_run_group_tests_name("keys/wrap", tests, NULL, NULL);
}
