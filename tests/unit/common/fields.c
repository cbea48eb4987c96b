/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_field_is_set_once_and_replaced(void **state)
{
	_cleanup_fields_ struct fields fields = FIELDS_INIT;

	(void)state;
	assert_null(fields_get(&fields, "name"));
	fields_set(&fields, "name", "Ada");
	fields_set(&fields, "email", "ada@example.org");
	fields_set(&fields, "name", "Ada Lovelace");
	assert_int_equal(fields.count, 2);
	assert_string_equal(fields_get(&fields, "name"), "Ada Lovelace");
	assert_string_equal(fields.items[0].name, "name");
}

static void a_field_can_be_set_from_its_own_value(void **state)
{
	_cleanup_fields_ struct fields fields = FIELDS_INIT;

	(void)state;
	fields_set(&fields, "name", "Ada Lovelace");
	fields_set(&fields, "name", fields_get(&fields, "name") + 4);
	assert_string_equal(fields_get(&fields, "name"), "Lovelace");
}

static void a_copy_is_of_its_own(void **state)
{
	_cleanup_fields_ struct fields fields = FIELDS_INIT;
	_cleanup_fields_ struct fields copy = FIELDS_INIT;

	(void)state;
	fields_set(&fields, "name", "Ada");
	fields_set(&copy, "old", "gone");
	fields_copy(&copy, &fields);
	fields_clear(&fields);
	assert_int_equal(copy.count, 1);
	assert_string_equal(fields_get(&copy, "name"), "Ada");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_field_is_set_once_and_replaced),
		cmocka_unit_test(a_field_can_be_set_from_its_own_value),
		cmocka_unit_test(a_copy_is_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
