/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/pin-policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "common/macros.h"
#include "lib/scratch.h"
#include "model/weak-pins.h"

static const struct pin_policy digits = {.minimum_length = 6,
	.maximum_length = 8,
	.characters = PIN_DIGITS,
	.maximum_repeats = 2,
	.maximum_sequence = 3};
static const struct pin_policy alphanumeric = {
	.minimum_length = 7, .maximum_length = 8, .characters = PIN_ALPHANUMERIC};

static const struct pin_context no_context;

/* What pin_policy_check answers; checks that the message does not tell the PIN. */
static enum error_code check_beside(
	const struct pin_policy *policy, const struct pin_context *context, const char *text)
{
	_cleanup_secret_ struct secret pin = SECRET_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	assert_true(secret_set(&pin, text, strlen(text)));
	bool allowed = pin_policy_check(policy, &pin, context, &error);
	assert_int_equal(allowed, error.code == ERROR_NONE);
	if (!allowed && *text)
		assert_null(strstr(error_message(&error), text));
	return error.code;
}

static enum error_code check(const struct pin_policy *policy, const char *text)
{
	return check_beside(policy, &no_context, text);
}

static void pins_are_judged_by_every_rule(void **state)
{
	static const struct {
		const struct pin_policy *policy;
		const char *pin;
		enum error_code code;
	} cases[] = {
		{&digits, "271828", ERROR_NONE},
		{&digits, "27182845", ERROR_NONE},
		{&digits, "", ERROR_PIN_LENGTH},
		{&digits, "27182", ERROR_PIN_LENGTH},
		{&digits, "271828459", ERROR_PIN_LENGTH},
		{&digits, "27182a", ERROR_PIN_POLICY},
		{&digits, "27 182", ERROR_PIN_POLICY},
		{&digits, "27182/", ERROR_PIN_POLICY},
		{&digits, "27182:", ERROR_PIN_POLICY},
		{&digits, "112233", ERROR_NONE},
		{&digits, "111223", ERROR_PIN_POLICY},
		{&digits, "271888", ERROR_PIN_POLICY},
		{&digits, "123765", ERROR_NONE},
		{&digits, "123486", ERROR_PIN_POLICY},
		{&digits, "864321", ERROR_PIN_POLICY},
		{&digits, "890123", ERROR_PIN_POLICY},
		{&digits, "908172", ERROR_NONE},
		{&alphanumeric, "abcXYZ1", ERROR_NONE},
		{&alphanumeric, "abcXYZ", ERROR_PIN_LENGTH},
		{&alphanumeric, "abc-XYZ1", ERROR_PIN_POLICY},
		{&alphanumeric, "abcd@XYZ", ERROR_PIN_POLICY},
		{&alphanumeric, "abcd`XYZ", ERROR_PIN_POLICY},
		{&alphanumeric, "Z\xC3\xBCrich1", ERROR_PIN_POLICY},
		{&pin_policy_default, "111111", ERROR_NONE},
		{&pin_policy_default, "a b\"c'd!", ERROR_NONE},
		{&pin_policy_default, "Z\xC3\xBCrich", ERROR_NONE},
		{&pin_policy_default, "12345\n", ERROR_PIN_POLICY},
		{&pin_policy_default, "12345\x7F", ERROR_PIN_POLICY},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		enum error_code code = check(cases[i].policy, cases[i].pin);
		if (code != cases[i].code)
			fail_msg("\"%s\" gives %s", cases[i].pin, error_name(code));
	}
}

/* 0xFF is what a shorter PIN is padded with: a PIN that ends so would be another one. */
static void padding_is_never_part_of_a_pin(void **state)
{
	(void)state;
	assert_int_equal(check(&pin_policy_default, "123456\xFF"), ERROR_PIN_POLICY);
}

static void a_nul_byte_is_never_part_of_a_pin(void **state)
{
	_cleanup_secret_ struct secret pin = SECRET_INIT;

	(void)state;
	assert_true(secret_set(&pin, "12345\0", 6));
	assert_false(pin_policy_check(&pin_policy_default, &pin, &no_context, NULL));
}

static void a_pin_that_is_not_there_is_too_short(void **state)
{
	struct secret pin = SECRET_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_false(pin_policy_check(&pin_policy_default, &pin, &no_context, &error));
	assert_int_equal(error.code, ERROR_PIN_LENGTH);
	assert_string_equal(error_message(&error), "the PIN must have 6 to 8 characters");
}

static void a_limit_of_one_forbids_any_pair(void **state)
{
	static const struct pin_policy strict = {.minimum_length = 6,
		.maximum_length = 8,
		.characters = PIN_DIGITS,
		.maximum_repeats = 1,
		.maximum_sequence = 1};

	(void)state;
	assert_int_equal(check(&strict, "135791"), ERROR_NONE);
	assert_int_equal(check(&strict, "113579"), ERROR_PIN_POLICY);
	assert_int_equal(check(&strict, "124680"), ERROR_PIN_POLICY);
	assert_int_equal(check(&strict, "975310"), ERROR_PIN_POLICY);
}

static void character_kinds_have_names_that_lead_back(void **state)
{
	(void)state;
	for (enum pin_characters kind = 0; kind < PIN_CHARACTERS_COUNT; kind++)
		assert_int_equal(pin_characters_from_name(pin_characters_name(kind)), kind);
	assert_int_equal(pin_characters_from_name("letters"), PIN_CHARACTERS_COUNT);
	assert_int_equal(pin_characters_from_name(NULL), PIN_CHARACTERS_COUNT);
	assert_null(pin_characters_name(PIN_CHARACTERS_COUNT));
}

static void required_classes_are_counted(void **state)
{
	static const struct pin_policy policy = {.minimum_length = 6,
		.maximum_length = 8,
		.characters = PIN_ANY,
		.required = {[PIN_CLASS_DIGITS] = 2,
			[PIN_CLASS_UPPER] = 1,
			[PIN_CLASS_LOWER] = 1,
			[PIN_CLASS_LETTERS] = 3,
			[PIN_CLASS_SPECIAL] = 1}};

	(void)state;
	assert_int_equal(pin_policy_required_length(&policy), 6);
	assert_int_equal(check(&policy, "Abc4-2"), ERROR_NONE);
	assert_int_equal(check(&policy, "Abc4-x"), ERROR_PIN_POLICY);
	assert_int_equal(check(&policy, "abc4-2"), ERROR_PIN_POLICY);
	assert_int_equal(check(&policy, "ABC4-2"), ERROR_PIN_POLICY);
	assert_int_equal(check(&policy, "Ab74-2"), ERROR_PIN_POLICY);
	assert_int_equal(check(&policy, "Abc432"), ERROR_PIN_POLICY);
	/* A letter beyond ASCII is none of A to Z. */
	assert_int_equal(check(&policy, "Ab\xC3\xBC"
					"42"),
		ERROR_PIN_POLICY);
}

static void the_message_names_the_class_that_is_missing(void **state)
{
	static const struct pin_policy policy = {.minimum_length = 6,
		.maximum_length = 8,
		.characters = PIN_ANY,
		.required = {[PIN_CLASS_UPPER] = 2}};
	_cleanup_secret_ struct secret pin = SECRET_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_true(secret_set(&pin, "Abcdef", 6));
	assert_false(pin_policy_check(&policy, &pin, &no_context, &error));
	assert_string_equal(
		error_message(&error), "the PIN must have at least 2 capital letters (A to Z)");
}

static void words_and_numbers_of_the_holder_are_refused(void **state)
{
	static const struct pin_policy policy = {.minimum_length = 6,
		.maximum_length = 8,
		.characters = PIN_ANY,
		.refuses_holder_data = true};
	static const struct {
		const char *value, *pin;
		enum error_code code;
	} cases[] = {
		{"Ada Lovelace", "lovelace", ERROR_PIN_POLICY},
		{"Ada Lovelace", "LOVELACE", ERROR_PIN_POLICY},
		{"Ada Lovelace", "lovela", ERROR_PIN_POLICY},
		{"Ada Lovelace", "ecalevol", ERROR_PIN_POLICY},
		{"Ada Lovelace", "17ada17", ERROR_PIN_POLICY},
		{"Ada Lovelace", "17adi17", ERROR_NONE},
		{"Al", "17al17", ERROR_NONE},
		{"Z\xC3\xBCrich", "Z\xC3\xBCrich", ERROR_PIN_POLICY},
		{"4711", "924711", ERROR_PIN_POLICY},
		{"4711", "921174", ERROR_PIN_POLICY},
		{"4711", "924171", ERROR_NONE},
		{"E4711b", "924711", ERROR_PIN_POLICY},
		{"1980-12-24", "801224", ERROR_PIN_POLICY},
		{"1980-12-24", "422108", ERROR_PIN_POLICY},
		{"1980-12-24", "291980", ERROR_PIN_POLICY},
		{"1980-12-24", "271219", ERROR_NONE},
		{"+49 170 5551234", "555123", ERROR_PIN_POLICY},
		{"ada@example.org", "example", ERROR_PIN_POLICY},
		{"agent007", "907007", ERROR_PIN_POLICY},
		{"", "271828", ERROR_NONE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_fields_ struct fields holder = FIELDS_INIT;
		struct pin_context context = {.holder = &holder};
		fields_set(&holder, "field", cases[i].value);
		if (check_beside(&policy, &context, cases[i].pin) != cases[i].code)
			fail_msg("%s of %s", cases[i].pin, cases[i].value);
		assert_int_equal(
			check_beside(&pin_policy_default, &context, cases[i].pin), ERROR_NONE);
	}
}

static void the_templates_own_words_are_refused(void **state)
{
	char *words[] = {(char[]){"tessera"}, (char[]){"0815"}};
	const struct pin_policy policy = {.minimum_length = 6,
		.maximum_length = 8,
		.characters = PIN_ANY,
		.forbidden = words,
		.forbidden_count = 2};

	(void)state;
	assert_int_equal(check(&policy, "Tessera1"), ERROR_PIN_POLICY);
	assert_int_equal(check(&policy, "1aresset"), ERROR_PIN_POLICY);
	assert_int_equal(check(&policy, "990815"), ERROR_PIN_POLICY);
	assert_int_equal(check(&policy, "518099"), ERROR_PIN_POLICY);
	assert_int_equal(check(&policy, "tesser"), ERROR_NONE);
	assert_int_equal(check(&policy, "990851"), ERROR_NONE);
}

static const struct pin_policy no_weak = {
	.minimum_length = 6, .maximum_length = 8, .characters = PIN_ANY, .refuses_weak = true};

static void weak_pins_are_refused_by_the_list(void **state)
{
	_cleanup_free_ char *folder = scratch_new();
	_cleanup_free_ char *path = xasprintf("%s/list", folder);
	FILE *file = fopen(path, "w");

	(void)state;
	assert_non_null(file);
	fputs("# a comment\n\n271828\nPassword\r\n161803", file);
	fclose(file);
	_cleanup_(weak_pins_freep) struct weak_pins *list = weak_pins_read(path, NULL);
	const struct pin_context context = {.weak = list};
	assert_non_null(list);
	assert_int_equal(check_beside(&no_weak, &context, "271828"), ERROR_PIN_POLICY);
	assert_int_equal(check_beside(&no_weak, &context, "161803"), ERROR_PIN_POLICY);
	assert_int_equal(check_beside(&no_weak, &context, "pAssworD"), ERROR_PIN_POLICY);
	assert_int_equal(check_beside(&no_weak, &context, "2718281"), ERROR_NONE);
	assert_int_equal(check_beside(&no_weak, &context, "password1" + 1), ERROR_NONE);
	assert_int_equal(check_beside(&no_weak, &context, "314159"), ERROR_NONE);
	assert_int_equal(check_beside(&pin_policy_default, &context, "271828"), ERROR_NONE);
	scratch_free(steal_pointer(&folder));
}

static void the_shipped_list_has_what_everybody_tries(void **state)
{
	static const char *const weak[] = {"123456", "654321", "111111", "121212", "12345678",
		"000000", "147258", "19801980", "password", "QWERTY", "1q2w3e4r", "112233"};
	_cleanup_(weak_pins_freep) struct weak_pins *list =
		weak_pins_read(SOURCE_FOLDER "/data/weak-pins", NULL);
	const struct pin_context context = {.weak = list};

	(void)state;
	assert_non_null(list);
	for (size_t i = 0; i < ARRAY_SIZE(weak); i++) {
		if (check_beside(&no_weak, &context, weak[i]) != ERROR_PIN_POLICY)
			fail_msg("%s is missing", weak[i]);
	}
	assert_int_equal(check_beside(&no_weak, &context, "730194"), ERROR_NONE);
}

static void without_the_list_a_policy_that_wants_it_refuses_all(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_null(weak_pins_read("/nowhere", &error));
	assert_int_equal(error.code, ERROR_FAILED);
	assert_int_equal(check(&no_weak, "730194"), ERROR_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pins_are_judged_by_every_rule),
		cmocka_unit_test(padding_is_never_part_of_a_pin),
		cmocka_unit_test(a_nul_byte_is_never_part_of_a_pin),
		cmocka_unit_test(a_pin_that_is_not_there_is_too_short),
		cmocka_unit_test(a_limit_of_one_forbids_any_pair),
		cmocka_unit_test(required_classes_are_counted),
		cmocka_unit_test(the_message_names_the_class_that_is_missing),
		cmocka_unit_test(words_and_numbers_of_the_holder_are_refused),
		cmocka_unit_test(the_templates_own_words_are_refused),
		cmocka_unit_test(weak_pins_are_refused_by_the_list),
		cmocka_unit_test(the_shipped_list_has_what_everybody_tries),
		cmocka_unit_test(without_the_list_a_policy_that_wants_it_refuses_all),
		cmocka_unit_test(character_kinds_have_names_that_lead_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
