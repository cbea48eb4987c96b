/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/holder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "common/macros.h"

static void fields_go_through_json_and_back(void **state)
{
	_cleanup_fields_ struct fields fields = FIELDS_INIT;
	_cleanup_fields_ struct fields back = FIELDS_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	fields_set(&fields, "name", "Zo\xC3\xAB \"Z\" O'Hara\\");
	fields_set(&fields, "a-first", "");
	_cleanup_free_ char *json = holder_to_json(&fields);
	fields_set(&back, "old", "gone");
	assert_true(holder_from_json(&back, json, &error));
	assert_int_equal(back.count, 2);
	assert_string_equal(back.items[0].name, "name");
	assert_string_equal(fields_get(&back, "name"), "Zo\xC3\xAB \"Z\" O'Hara\\");
	assert_string_equal(fields_get(&back, "a-first"), "");
}

static void no_fields_are_an_empty_object(void **state)
{
	struct fields fields = FIELDS_INIT;
	_cleanup_free_ char *json = holder_to_json(&fields);

	(void)state;
	assert_string_equal(json, "{}");
	assert_true(holder_from_json(&fields, json, NULL));
	assert_int_equal(fields.count, 0);
}

static void json_that_is_no_object_of_strings_is_refused(void **state)
{
	static const struct {
		const char *json;
		const char *field;
	} cases[] = {
		{"", ""},
		{"[]", ""},
		{"\"name\"", ""},
		{"{\"name\": 1}", "/name"},
		{"{\"name\": null}", "/name"},
		{"{\"a/b~c\": {}}", "/a~1b~0c"},
		{"{\"name\": \"one\", \"name\": \"two\"}", ""},
		{"{\"name\": \"nul \\u0000 inside\"}", ""},
		{"{\"name\": \"\xFF\"}", ""},
		{"{\"name\": \"Ada\"} trailing", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_error_ struct error error = ERROR_INIT;
		_cleanup_fields_ struct fields fields = FIELDS_INIT;
		fields_set(&fields, "kept", "yes");
		assert_false(holder_from_json(&fields, cases[i].json, &error));
		assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
		assert_string_equal(error.field, cases[i].field);
		assert_string_equal(fields_get(&fields, "kept"), "yes");
	}
}

static void a_caller_may_give_ordinary_fields(void **state)
{
	_cleanup_fields_ struct fields fields = FIELDS_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	fields_set(&fields, "name", "Zo\xC3\xAB");
	fields_set(&fields, "Cost_Centre-2", "");
	assert_true(holder_check(&fields, &error));
}

static void a_caller_may_not_give_strange_fields(void **state)
{
	char long_name[FIELD_NAME_MAXIMUM + 2] = "";
	char long_value[FIELD_VALUE_MAXIMUM + 2] = "";
	memset(long_name, 'a', sizeof(long_name) - 1);
	memset(long_value, 'a', sizeof(long_value) - 1);
	const struct {
		const char *name;
		const char *value;
	} cases[] = {
		{"", "x"},
		{"1st", "x"},
		{"with space", "x"},
		{"{name}", "x"},
		{long_name, "x"},
		{"name", long_value},
		{"name", "two\nlines"},
		{"name", "delete\x7F"},
		{"name", "\xFF\xFE"},
		{"name", "\xC0\x80"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_fields_ struct fields fields = FIELDS_INIT;
		_cleanup_error_ struct error error = ERROR_INIT;
		fields_set(&fields, cases[i].name, cases[i].value);
		assert_false(holder_check(&fields, &error));
		assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
		assert_string_equal(error.field, cases[i].name);
	}
}

static void a_caller_may_not_give_countless_fields(void **state)
{
	_cleanup_fields_ struct fields fields = FIELDS_INIT;

	(void)state;
	for (int i = 0; i <= FIELDS_MAXIMUM; i++) {
		_cleanup_free_ char *name = xasprintf("field%d", i);
		assert_true(holder_check(&fields, NULL));
		fields_set(&fields, name, "x");
	}
	assert_false(holder_check(&fields, NULL));
}

static void a_sid_has_the_form_of_one(void **state)
{
	static const struct {
		const char *value;
		bool is_good;
	} cases[] = {{"S-1-5-21-1004336348-1177238915-682003330-512", true}, {"s-1-5-32", true},
		{"", true}, {"S-1-5", false}, {"S-1-5-", false}, {"S-1-5-21-", false},
		{"4711", false}, {"S-1-5-21-1 ", false}, {"S-1-5-2100000000000000", false},
		{"XS-1-5-21", false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_fields_ struct fields fields = FIELDS_INIT;
		_cleanup_error_ struct error error = ERROR_INIT;
		fields_set(&fields, "sid", cases[i].value);
		if (holder_check(&fields, &error) != cases[i].is_good)
			fail_msg("%s", cases[i].value);
		if (!cases[i].is_good)
			assert_string_equal(error.field, "sid");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_go_through_json_and_back),
		cmocka_unit_test(no_fields_are_an_empty_object),
		cmocka_unit_test(json_that_is_no_object_of_strings_is_refused),
		cmocka_unit_test(a_caller_may_give_ordinary_fields),
		cmocka_unit_test(a_caller_may_not_give_strange_fields),
		cmocka_unit_test(a_caller_may_not_give_countless_fields),
		cmocka_unit_test(a_sid_has_the_form_of_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
