/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "connection/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/alloc.h"

static struct connection_memory *memory;

static int set_up(void **state)
{
	(void)state;
	memory = connection_memory_new();
	return memory ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	connection_memory_free(memory);
	return 0;
}

static void keep(const char *key, const char *text, int64_t seconds)
{
	_cleanup_secret_ struct secret token = SECRET_INIT;

	assert_true(secret_set(&token, text, strlen(text)));
	connection_memory_keep(memory, key, &token, seconds);
}

static bool has(const char *key, const char *text)
{
	_cleanup_secret_ struct secret token = SECRET_INIT;

	return connection_memory_find(memory, key, &token) && token.length == strlen(text) &&
	       memcmp(token.data, text, token.length) == 0;
}

static void drop(const char *key, const char *text)
{
	_cleanup_secret_ struct secret token = SECRET_INIT;

	assert_true(secret_set(&token, text, strlen(text)));
	connection_memory_drop(memory, key, &token);
}

static void tokens_are_kept_until_their_end(void **state)
{
	(void)state;
	keep("one", "a", 1000);
	keep("two", "b", 1000);
	assert_true(has("one", "a"));
	assert_true(has("two", "b"));
	assert_false(has("three", "c"));
	keep("one", "c", 1000);
	assert_true(has("one", "c"));
	keep("three", "d", 0);
	assert_false(has("three", "d"));
	keep("one", "e", -5);
	assert_true(has("one", "c"));
}

static void only_the_token_that_failed_is_dropped(void **state)
{
	(void)state;
	keep("one", "new", 1000);
	drop("one", "old");
	assert_true(has("one", "new"));
	drop("one", "new");
	assert_false(has("one", "new"));
	drop("one", "new");
}

static void the_one_that_ends_first_makes_room(void **state)
{
	(void)state;
	for (int i = 0; i < 200; i++) {
		_cleanup_free_ char *key = xasprintf("%d", i);
		keep(key, "x", 1000 + (i == 7 ? 0 : i));
	}
	assert_false(has("7", "x"));
	assert_false(has("100", "x"));
	assert_true(has("199", "x"));
	assert_true(has("140", "x"));
}

static void keys_differ_when_anything_does(void **state)
{
	static const char *const texts[][2] = {{"a", "bc"}, {"ab", "c"}, {"", "abc"}, {"a", NULL}};
	_cleanup_secret_ struct secret one = SECRET_INIT, other = SECRET_INIT;
	char *keys[8];

	(void)state;
	assert_true(secret_set(&one, "1", 1));
	assert_true(secret_set(&other, "2", 1));
	for (size_t i = 0; i < 8; i++)
		keys[i] = connection_memory_key(memory, texts[i / 2], 2, i % 2 ? &one : &other);
	for (size_t i = 0; i < 8; i++) {
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(keys[i], keys[j]);
	}
	_cleanup_free_ char *again = connection_memory_key(memory, texts[0], 2, &other);
	assert_string_equal(again, keys[0]);
	for (size_t i = 0; i < 8; i++)
		free(keys[i]);
}

static void notes_are_given_to_who_knows_their_names(void **state)
{
	_cleanup_free_ char *one = connection_memory_note(memory, "cursor", "0 https://a/b");
	_cleanup_free_ char *two = connection_memory_note(memory, "cursor", "1 ");
	_cleanup_free_ char *text = connection_memory_noted(memory, "cursor", one);
	_cleanup_free_ char *again = connection_memory_noted(memory, "cursor", one);

	(void)state;
	assert_string_not_equal(one, two);
	assert_int_equal(strlen(one), 32);
	assert_string_equal(text, "0 https://a/b");
	assert_string_equal(again, text);
	assert_null(connection_memory_noted(memory, "another", one));
	assert_null(connection_memory_noted(memory, "cursor", ""));
	assert_null(connection_memory_noted(memory, "cursor", "0 https://a/b"));
}

static void the_oldest_notes_are_forgotten(void **state)
{
	_cleanup_free_ char *first = connection_memory_note(memory, "cursor", "first");
	_cleanup_free_ char *last = NULL;

	(void)state;
	for (int i = 0; i < 256; i++) {
		free(last);
		last = connection_memory_note(memory, "cursor", "x");
	}
	assert_null(connection_memory_noted(memory, "cursor", first));
	_cleanup_free_ char *text = connection_memory_noted(memory, "cursor", last);
	assert_string_equal(text, "x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tokens_are_kept_until_their_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			only_the_token_that_failed_is_dropped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_one_that_ends_first_makes_room, set_up, tear_down),
		cmocka_unit_test_setup_teardown(keys_differ_when_anything_does, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			notes_are_given_to_who_knows_their_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_oldest_notes_are_forgotten, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
