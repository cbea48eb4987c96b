/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "common/macros.h"
#include "dbus/path.h"

static const struct {
	const char *name, *path;
} cases[] = {
	{"employee", "/p/employee"},
	{"12", "/p/12"},
	{"two-words", "/p/two_2dwords"},
	{"a_b", "/p/a_5fb"},
	{"\xc3\xa9", "/p/_c3_a9"},
	{"../x", "/p/_2e_2e_2fx"},
	{"", "/p/_"},
};

static void a_name_becomes_a_path_element_and_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *path = path_of("/p", cases[i].name);
		_cleanup_free_ char *name = path_child_name("/p", path);
		assert_string_equal(path, cases[i].path);
		assert_string_equal(name, cases[i].name);
	}
}

static void what_no_name_becomes_is_no_element(void **state)
{
	static const char *const elements[] = {"_6", "_zz", "_41", "_2D", "a_", "_2d_", "_00"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(elements); i++)
		assert_null(path_element_name(elements[i]));
}

static void only_direct_children_have_a_name(void **state)
{
	(void)state;
	assert_null(path_child_name("/p", "/p"));
	assert_null(path_child_name("/p", "/p/"));
	assert_null(path_child_name("/p", "/p/a/b"));
	assert_null(path_child_name("/p", "/pq/a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_becomes_a_path_element_and_back),
		cmocka_unit_test(what_no_name_becomes_is_no_element),
		cmocka_unit_test(only_direct_children_have_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
