/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/macros.h"
#include "model/template.h"

static int make_holder(void **state)
{
	static struct fields holder;

	fields_set(&holder, "name", "Ada Lovelace");
	fields_set(&holder, "upn", "ada@example.org");
	fields_set(&holder, "tricky", "{name}");
	fields_set(&holder, "empty", "");
	*state = &holder;
	return 0;
}

static int clear_holder(void **state)
{
	fields_clear(*state);
	return 0;
}

static void patterns_are_expanded(void **state)
{
	static const struct {
		const char *pattern;
		const char *expanded;
	} cases[] = {
		{"{name}", "Ada Lovelace"},
		{"plain", "plain"},
		{"", ""},
		{"<{name}> {upn}!", "<Ada Lovelace> ada@example.org!"},
		{"{upn}{upn}", "ada@example.orgada@example.org"},
		{"{{name}", "{name}"},
		{"{{{name}}", "{Ada Lovelace}"},
		{"a}b", "a}b"},
		{"{{", "{"},
		/* what a field holds is not expanded once more */
		{"{tricky}", "{name}"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *text = pattern_expand(cases[i].pattern, *state, NULL);
		assert_non_null(text);
		assert_string_equal(text, cases[i].expanded);
	}
}

static void a_field_that_is_missing_or_empty_is_named(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	assert_null(pattern_expand("{name} {email}", *state, &error));
	assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
	assert_string_equal(error.field, "email");
	assert_null(pattern_expand("{empty}", *state, &error));
	assert_string_equal(error.field, "empty");
}

static void malformed_patterns_are_refused(void **state)
{
	static const char *const malformed[] = {
		"{", "{name", "x{", "{}", "{ name}", "{na me}", "{1}", "{na{me}", "{-a}"};

	for (size_t i = 0; i < ARRAY_SIZE(malformed); i++) {
		_cleanup_error_ struct error error = ERROR_INIT;
		const char *why = NULL;
		assert_false(pattern_check(malformed[i], &why));
		assert_non_null(why);
		assert_null(pattern_expand(malformed[i], *state, &error));
		assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_are_expanded),
		cmocka_unit_test(a_field_that_is_missing_or_empty_is_named),
		cmocka_unit_test(malformed_patterns_are_refused),
	};

	return cmocka_run_group_tests(tests, make_holder, clear_holder);
}
