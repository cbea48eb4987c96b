/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "common/check-digits.h"
#include "common/macros.h"

static bool fits(const char *text)
{
	return check_digits_fit((const uint8_t *)text, strlen(text));
}

/* 794 and 44 are the example of ISO/IEC 7064, MOD 97-10. */
static void digits_are_those_of_the_standard(void **state)
{
	static const struct {
		const char *digits, *check;
	} cases[] = {{"794", "44"}, {"07877436", "94"}, {"00000000", "01"}, {"96", "04"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t check[2];
		check_digits_make((const uint8_t *)cases[i].digits, strlen(cases[i].digits), check);
		assert_memory_equal(check, cases[i].check, 2);
	}
	assert_true(fits("79444"));
	assert_true(fits("0787743694"));
}

static void every_wrong_digit_and_every_swap_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < 10; i++) {
		char code[] = "0787743694";
		for (char digit = '0'; digit <= '9'; digit++) {
			bool same = digit == "0787743694"[i];
			code[i] = digit;
			assert_int_equal(fits(code), same);
		}
		code[i] = "0787743694"[i];
		if (i < 9 && code[i] != code[i + 1]) {
			char swapped = code[i];
			code[i] = code[i + 1];
			code[i + 1] = swapped;
			assert_false(fits(code));
		}
	}
}

static void what_is_no_number_does_not_fit(void **state)
{
	(void)state;
	assert_false(fits(""));
	assert_false(fits("01"));
	assert_false(fits("07877436 94"));
	assert_false(fits("078774369x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digits_are_those_of_the_standard),
		cmocka_unit_test(every_wrong_digit_and_every_swap_is_found),
		cmocka_unit_test(what_is_no_number_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
