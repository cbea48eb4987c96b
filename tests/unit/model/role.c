/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/role.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/alloc.h"

static void names_become_a_set_and_back(void **state)
{
	char *names[] = {(char *)"unblock", (char *)"view-cards", (char *)"unblock"};
	permission_set permissions = 0;

	(void)state;
	assert_true(permissions_from_names(names, 3, &permissions, NULL));
	assert_int_equal(permissions,
		permission_bit(PERMISSION_UNBLOCK) | permission_bit(PERMISSION_VIEW_CARDS));
	_cleanup_free_ char *text = permissions_text(permissions);
	assert_string_equal(text, "view-cards unblock");
	_cleanup_free_ char *nothing = permissions_text(0);
	assert_string_equal(nothing, "");
}

static void what_no_custom_role_can_have_is_refused(void **state)
{
	static const char *const refused[] = {
		"anyone", "holder", "manage-owners", "", "Issue", "issue unblock", "no-such"};
	permission_set permissions = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		char *names[] = {(char *)"issue", (char *)refused[i]};
		struct error error _cleanup_error_ = ERROR_INIT;
		assert_false(permissions_from_names(names, 2, &permissions, &error));
		assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
	}
	assert_false(permissions_from_names(NULL, 0, &permissions, NULL));
	assert_int_equal(permissions, 7);
}

static void names_and_descriptions_are_checked(void **state)
{
	static const struct {
		const char *name, *description;
		enum error_code code;
	} cases[] = {
		{"night-desk", "Unblocks at night.", ERROR_NONE},
		{"2nd", "", ERROR_NONE},
		{"", "", ERROR_INVALID_ARGUMENT},
		{"-x", "", ERROR_INVALID_ARGUMENT},
		{"Night", "", ERROR_INVALID_ARGUMENT},
		{"night desk", "", ERROR_INVALID_ARGUMENT},
		{"night,desk", "", ERROR_INVALID_ARGUMENT},
		{"x\n", "", ERROR_INVALID_ARGUMENT},
		{"x", "two\nlines", ERROR_INVALID_ARGUMENT},
		{"x", "\033[31m", ERROR_INVALID_ARGUMENT},
		{"elevated", "", ERROR_EXISTS},
		{"self", "", ERROR_EXISTS},
		{"system-owner", "", ERROR_EXISTS},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error error _cleanup_error_ = ERROR_INIT;
		const struct role_record record = {
			.name = (char *)cases[i].name, .description = (char *)cases[i].description};
		assert_int_equal(role_record_check(&record, &error), cases[i].code == ERROR_NONE);
		assert_int_equal(error.code, cases[i].code);
	}
	char name[66] = "", description[ROLE_DESCRIPTION_MAXIMUM + 2] = "";
	memset(name, 'a', 64);
	memset(description, 'b', ROLE_DESCRIPTION_MAXIMUM);
	const struct role_record longest = {.name = name, .description = description};
	assert_true(role_record_check(&longest, NULL));
	name[64] = 'a';
	assert_false(role_record_check(&longest, NULL));
	name[64] = '\0';
	description[ROLE_DESCRIPTION_MAXIMUM] = 'b';
	assert_false(role_record_check(&longest, NULL));
}

static void an_administrator_has_all_but_owners_and_recovery(void **state)
{
	permission_set all = 0;

	(void)state;
	for (enum permission i = PERMISSION_VIEW_CARDS; i < PERMISSION_COUNT; i++)
		all |= permission_bit(i);
	assert_int_equal(role_find(ROLE_ADMINISTRATOR)->permissions,
		all & ~(permission_bit(PERMISSION_MANAGE_OWNERS) |
			      permission_bit(PERMISSION_RECOVER_KEYS)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_become_a_set_and_back),
		cmocka_unit_test(what_no_custom_role_can_have_is_refused),
		cmocka_unit_test(names_and_descriptions_are_checked),
		cmocka_unit_test(an_administrator_has_all_but_owners_and_recovery),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
