/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/token-files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "lib/token-fixture.h"
#include "operation/key-content.h"

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

static void mac(struct token *token, uint8_t value[16])
{
	assert_true(token_cmac(token, "kept", (const uint8_t *)"x", 1, value, NULL));
}

static void a_token_moves_by_its_files(void **state)
{
	struct token_fixture *fixture = *state;
	struct token_files files _cleanup_token_files_ = TOKEN_FILES_INIT;
	_cleanup_free_ char *beside = xasprintf("%s/beside", fixture->folder);
	uint8_t before[16], after[16];

	assert_true(token_generate_aes(fixture->token, "kept", NULL));
	mac(fixture->token, before);
	assert_true(token_files_read(fixture->token, &files, NULL));
	assert_true(files.count > 2);
	token_close(steal_pointer(&fixture->token));
	assert_true(token_files_exist(fixture->token_folder));
	assert_true(token_files_write(beside, &files, NULL));

	struct error error _cleanup_error_ = ERROR_INIT;
	assert_false(token_files_move(beside, fixture->token_folder, &error));
	assert_int_equal(error.code, ERROR_EXISTS);
	assert_true(token_files_exist(beside));
	assert_true(token_files_remove(fixture->token_folder, NULL));
	assert_false(token_files_exist(fixture->token_folder));
	assert_true(token_files_move(beside, fixture->token_folder, NULL));
	assert_false(token_files_exist(beside));
	assert_true(token_files_remove(beside, NULL));
	fixture->token = token_fixture_open(fixture, "123456", NULL);
	assert_non_null(fixture->token);
	mac(fixture->token, after);
	assert_memory_equal(before, after, 16);
}

static void names_that_lead_elsewhere_are_refused(void **state)
{
	static const char *const wrong[] = {"", ".", "..", "../x", "a/b", "/etc", ".hidden"};
	struct token_files files _cleanup_token_files_ = TOKEN_FILES_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct buffer content _cleanup_buffer_ = BUFFER_INIT;
		struct error error _cleanup_error_ = ERROR_INIT;
		assert_false(token_files_add(&files, wrong[i], "name", &content, &error));
		assert_int_equal(error.code, ERROR_DATA_INVALID);
		assert_false(token_files_add(&files, "folder", wrong[i], &content, NULL));
	}
	assert_int_equal(files.count, 0);
}

static void a_token_gets_another_pin(void **state)
{
	struct token_fixture *fixture = *state;
	struct secret old _cleanup_secret_ = SECRET_INIT, pin _cleanup_secret_ = SECRET_INIT;
	struct error error _cleanup_error_ = ERROR_INIT;

	assert_true(secret_set(&old, "000000", 6));
	assert_true(secret_set(&pin, "654321", 6));
	assert_false(token_set_pin(fixture->token, &old, &pin, &error));
	assert_int_equal(error.code, ERROR_PIN_WRONG);
	assert_true(secret_set(&old, "123456", 6));
	assert_true(token_set_pin(fixture->token, &old, &pin, NULL));
	token_close(fixture->token);
	fixture->token = token_fixture_open(fixture, "123456", NULL);
	assert_null(fixture->token);
	fixture->token = token_fixture_open(fixture, "654321", NULL);
	assert_non_null(fixture->token);
}

/* --- what a backup hides --- */

static void make_content(struct buffer *content)
{
	struct token_files files _cleanup_token_files_ = TOKEN_FILES_INIT;
	struct secret pin _cleanup_secret_ = SECRET_INIT;

	for (size_t i = 0; i < 3; i++) {
		struct buffer bytes _cleanup_buffer_ = BUFFER_INIT;
		_cleanup_free_ char *name = xasprintf("file-%zu", i);
		buffer_fill(&bytes, (uint8_t)i, i * 10);
		assert_true(token_files_add(&files, "folder", name, &bytes, NULL));
	}
	assert_true(secret_set(&pin, "123456", 6));
	assert_true(key_content_build(&pin, &files, content, NULL));
}

static void content_comes_back(void **state)
{
	struct buffer content _cleanup_buffer_ = BUFFER_INIT_WIPE;
	struct token_files files _cleanup_token_files_ = TOKEN_FILES_INIT;
	struct secret pin _cleanup_secret_ = SECRET_INIT;

	(void)state;
	make_content(&content);
	assert_true(key_content_parse(&content, &pin, &files, NULL));
	assert_int_equal(files.count, 3);
	assert_string_equal(files.items[2].name, "file-2");
	assert_int_equal(files.items[2].content.length, 20);
	assert_int_equal(pin.length, 6);
}

static void cut_and_changed_content_breaks_nothing(void **state)
{
	struct buffer content _cleanup_buffer_ = BUFFER_INIT_WIPE;
	size_t length;

	(void)state;
	make_content(&content);
	length = content.length;
	for (content.length = 0; content.length < length; content.length++) {
		struct token_files files _cleanup_token_files_ = TOKEN_FILES_INIT;
		struct secret pin _cleanup_secret_ = SECRET_INIT;
		if (key_content_parse(&content, &pin, &files, NULL))
			fail_msg("%zu of %zu bytes are taken", content.length, length);
		assert_int_equal(files.count, 0);
	}
	srandom(1);
	for (unsigned round = 0; round < 20000; round++) {
		struct token_files files _cleanup_token_files_ = TOKEN_FILES_INIT;
		struct secret pin _cleanup_secret_ = SECRET_INIT;
		size_t place = (size_t)random() % length;
		uint8_t before = content.data[place];
		content.data[place] = (uint8_t)random();
		if (key_content_parse(&content, &pin, &files, NULL))
			assert_true(files.count >= 1 && pin.length >= 1);
		content.data[place] = before;
	}
}

#define WITH_TOKEN(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TOKEN(a_token_moves_by_its_files),
		WITH_TOKEN(a_token_gets_another_pin),
		cmocka_unit_test(names_that_lead_elsewhere_are_refused),
		cmocka_unit_test(content_comes_back),
		cmocka_unit_test(cut_and_changed_content_breaks_nothing),
	};

	return cmocka_run_group_tests_name("token/token-files", tests, NULL, NULL);
}
