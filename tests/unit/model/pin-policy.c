/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/pin-policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/macros.h"

static const struct pin_policy digits = {.minimum_length = 6,
	.maximum_length = 8,
	.characters = PIN_DIGITS,
	.maximum_repeats = 2,
	.maximum_sequence = 3};
static const struct pin_policy alphanumeric = {
	.minimum_length = 7, .maximum_length = 8, .characters = PIN_ALPHANUMERIC};

/* What pin_policy_check answers; checks that the message does not tell the PIN. */
static enum error_code check(const struct pin_policy *policy, const char *text)
{
	_cleanup_secret_ struct secret pin = SECRET_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	assert_true(secret_set(&pin, text, strlen(text)));
	bool allowed = pin_policy_check(policy, &pin, &error);
	assert_int_equal(allowed, error.code == ERROR_NONE);
	if (!allowed && *text)
		assert_null(strstr(error_message(&error), text));
	return error.code;
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
	assert_false(pin_policy_check(&pin_policy_default, &pin, NULL));
}

static void a_pin_that_is_not_there_is_too_short(void **state)
{
	struct secret pin = SECRET_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_false(pin_policy_check(&pin_policy_default, &pin, &error));
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pins_are_judged_by_every_rule),
		cmocka_unit_test(padding_is_never_part_of_a_pin),
		cmocka_unit_test(a_nul_byte_is_never_part_of_a_pin),
		cmocka_unit_test(a_pin_that_is_not_there_is_too_short),
		cmocka_unit_test(a_limit_of_one_forbids_any_pair),
		cmocka_unit_test(character_kinds_have_names_that_lead_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
