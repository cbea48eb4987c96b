/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void every_slot_has_a_name_that_leads_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEY_SLOT_COUNT; i++) {
		key_slot slot = key_slot_at(i);
		assert_int_not_equal(slot, KEY_SLOT_NONE);
		assert_non_null(key_slot_name(slot));
		assert_int_equal(key_slot_from_name(key_slot_name(slot)), slot);
	}
	assert_int_equal(key_slot_at(KEY_SLOT_COUNT), KEY_SLOT_NONE);
	assert_string_equal(key_slot_name(KEY_SLOT_RETIRED_1 + 2), "retired-3");
	assert_string_equal(key_slot_name(KEY_SLOT_RETIRED_20), "retired-20");
}

static void what_is_no_slot_has_no_name(void **state)
{
	(void)state;
	assert_null(key_slot_name(KEY_SLOT_NONE));
	assert_null(key_slot_name(0x9B)); /* the management key is no key pair */
	assert_null(key_slot_name(0x96));
	assert_int_equal(key_slot_from_name("retired-21"), KEY_SLOT_NONE);
	assert_int_equal(key_slot_from_name(""), KEY_SLOT_NONE);
	assert_int_equal(key_slot_from_name(NULL), KEY_SLOT_NONE);
}

static void every_algorithm_has_a_name_that_leads_back(void **state)
{
	(void)state;
	for (enum key_algorithm a = KEY_ALGORITHM_NONE + 1; a < KEY_ALGORITHM_COUNT; a++) {
		assert_non_null(key_algorithm_name(a));
		assert_int_equal(key_algorithm_from_name(key_algorithm_name(a)), a);
		assert_true(key_algorithm_bits(a) >= 256);
		assert_int_equal(key_algorithm_is_rsa(a), key_algorithm_bits(a) >= 1024);
	}
	assert_null(key_algorithm_name(KEY_ALGORITHM_NONE));
	assert_null(key_algorithm_name(KEY_ALGORITHM_COUNT));
	assert_int_equal(key_algorithm_bits(KEY_ALGORITHM_NONE), 0);
	assert_int_equal(key_algorithm_from_name("rsa"), KEY_ALGORITHM_NONE);
	assert_int_equal(key_algorithm_from_name(NULL), KEY_ALGORITHM_NONE);
}

static void pin_and_touch_uses_have_names_that_lead_back(void **state)
{
	(void)state;
	for (int i = 0; i < PIN_USE_COUNT; i++)
		assert_int_equal(pin_use_from_name(pin_use_name((enum pin_use)i)), i);
	for (int i = 0; i < TOUCH_USE_COUNT; i++)
		assert_int_equal(touch_use_from_name(touch_use_name((enum touch_use)i)), i);
	assert_null(pin_use_name(PIN_USE_COUNT));
	assert_null(touch_use_name(TOUCH_USE_COUNT));
	assert_int_equal(pin_use_from_name("cached"), PIN_USE_COUNT);
	assert_int_equal(pin_use_from_name(NULL), PIN_USE_COUNT);
	assert_int_equal(touch_use_from_name("once"), TOUCH_USE_COUNT);
	assert_int_equal(touch_use_from_name(NULL), TOUCH_USE_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_slot_has_a_name_that_leads_back),
		cmocka_unit_test(what_is_no_slot_has_no_name),
		cmocka_unit_test(every_algorithm_has_a_name_that_leads_back),
		cmocka_unit_test(pin_and_touch_uses_have_names_that_lead_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
