/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/lifecycle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/macros.h"

#define NO LIFECYCLE_STATE_COUNT

/* The whole table once more, by state: what each verb leads to, or NO. */
static const enum lifecycle_state expected[LIFECYCLE_STATE_COUNT][LIFECYCLE_VERB_COUNT] = {
	/* issue activate change-pin unblock reissue suspend resume revoke retire update use */
	[LIFECYCLE_UNREGISTERED] = {LIFECYCLE_ISSUED, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO},
	[LIFECYCLE_REGISTERED] = {LIFECYCLE_ISSUED, NO, NO, NO, NO, NO, NO, NO, LIFECYCLE_RETIRED,
		NO, NO},
	[LIFECYCLE_ISSUED] = {NO, LIFECYCLE_ACTIVE, NO, NO, LIFECYCLE_ISSUED, NO, NO,
		LIFECYCLE_REVOKED, LIFECYCLE_RETIRED, LIFECYCLE_ISSUED, NO},
	[LIFECYCLE_ACTIVE] = {NO, NO, LIFECYCLE_ACTIVE, LIFECYCLE_ACTIVE, LIFECYCLE_ISSUED,
		LIFECYCLE_INACTIVE, NO, LIFECYCLE_REVOKED, LIFECYCLE_RETIRED, LIFECYCLE_ACTIVE,
		LIFECYCLE_ACTIVE},
	[LIFECYCLE_INACTIVE] = {NO, NO, NO, NO, NO, NO, LIFECYCLE_ACTIVE, LIFECYCLE_REVOKED,
		LIFECYCLE_RETIRED, NO, NO},
	[LIFECYCLE_REVOKED] = {NO, NO, NO, NO, LIFECYCLE_ISSUED, NO, NO, NO, LIFECYCLE_RETIRED, NO,
		NO},
	[LIFECYCLE_RETIRED] = {LIFECYCLE_ISSUED, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO},
};

static void every_verb_in_every_state_does_what_the_table_says(void **state)
{
	(void)state;
	for (enum lifecycle_state s = 0; s < LIFECYCLE_STATE_COUNT; s++) {
		for (enum lifecycle_verb v = 0; v < LIFECYCLE_VERB_COUNT; v++) {
			_cleanup_error_ struct error error = ERROR_INIT;
			enum lifecycle_state next = NO;
			bool allowed = lifecycle_check(s, v, &next, &error);
			assert_int_equal(allowed, expected[s][v] != NO);
			assert_int_equal(next, expected[s][v]);
			if (!allowed)
				assert_int_equal(error.code, ERROR_WRONG_STATE);
		}
	}
}

static void the_error_names_the_state_and_what_is_allowed(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_false(lifecycle_check(LIFECYCLE_INACTIVE, LIFECYCLE_USE, NULL, &error));
	assert_string_equal(error_message(&error),
		"the card is inactive, where \"use\" is not allowed; allowed: resume, revoke, "
		"retire");
}

static void next_may_be_null(void **state)
{
	(void)state;
	assert_true(lifecycle_check(LIFECYCLE_ACTIVE, LIFECYCLE_USE, NULL, NULL));
}

static void numbers_outside_the_table_are_refused(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_false(lifecycle_check(LIFECYCLE_STATE_COUNT, LIFECYCLE_USE, NULL, &error));
	assert_false(lifecycle_check(LIFECYCLE_ACTIVE, LIFECYCLE_VERB_COUNT, NULL, &error));
	assert_false(lifecycle_check((enum lifecycle_state)99, LIFECYCLE_USE, NULL, &error));
}

static void names_lead_back(void **state)
{
	(void)state;
	for (enum lifecycle_state s = 0; s < LIFECYCLE_STATE_COUNT; s++)
		assert_int_equal(lifecycle_state_from_name(lifecycle_state_name(s)), s);
	assert_int_equal(lifecycle_state_from_name("Active"), LIFECYCLE_STATE_COUNT);
	assert_int_equal(lifecycle_state_from_name(NULL), LIFECYCLE_STATE_COUNT);
	assert_null(lifecycle_state_name(LIFECYCLE_STATE_COUNT));
	assert_string_equal(lifecycle_verb_name(LIFECYCLE_CHANGE_PIN), "change-pin");
	assert_null(lifecycle_verb_name(LIFECYCLE_VERB_COUNT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_verb_in_every_state_does_what_the_table_says),
		cmocka_unit_test(the_error_names_the_state_and_what_is_allowed),
		cmocka_unit_test(next_may_be_null),
		cmocka_unit_test(numbers_outside_the_table_are_refused),
		cmocka_unit_test(names_lead_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
