/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The clock of lock-outs. */
#include "model/lock-out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/macros.h"

#define START	1800000000
#define MINUTES 60
#define HOURS	3600
#define DAY	(24 * HOURS)

static void fail_times(struct lock_out *lock_out, unsigned times, int64_t now)
{
	for (unsigned i = 0; i < times; i++)
		lock_out_fail(lock_out, now);
}

static void four_failures_lock_nobody_and_the_fifth_does(void **state)
{
	struct lock_out lock_out = {0};

	(void)state;
	assert_false(lock_out_holds(&lock_out, START));
	fail_times(&lock_out, 4, START);
	assert_false(lock_out_holds(&lock_out, START));
	lock_out_fail(&lock_out, START);
	assert_true(lock_out_holds(&lock_out, START));
	assert_true(lock_out_holds(&lock_out, START + 15 * MINUTES - 1));
	assert_false(lock_out_holds(&lock_out, START + 15 * MINUTES));
}

static void each_further_failure_locks_for_twice_as_long_up_to_a_day(void **state)
{
	static const int64_t lasts[] = {15 * MINUTES, 30 * MINUTES, 1 * HOURS, 2 * HOURS, 4 * HOURS,
		8 * HOURS, 16 * HOURS, DAY, DAY, DAY};
	struct lock_out lock_out = {0};
	int64_t now = START;

	(void)state;
	fail_times(&lock_out, 4, now);
	for (size_t i = 0; i < ARRAY_SIZE(lasts); i++) {
		lock_out_fail(&lock_out, now);
		assert_int_equal(lock_out.until - now, lasts[i]);
		now = lock_out.until;
		assert_false(lock_out_holds(&lock_out, now));
	}
}

static void a_day_without_failures_forgives_all(void **state)
{
	struct lock_out lock_out = {0};

	(void)state;
	fail_times(&lock_out, 4, START);
	assert_false(lock_out_is_forgiven(&lock_out, START + DAY - 1));
	lock_out_fail(&lock_out, START + DAY);
	assert_int_equal(lock_out.failures, 1);
	/* The day begins when the lock has ended. */
	fail_times(&lock_out, 4, START + DAY);
	assert_true(lock_out.until > START + DAY);
	assert_false(lock_out_is_forgiven(&lock_out, START + DAY + DAY));
	assert_true(lock_out_is_forgiven(&lock_out, lock_out.until + DAY));
}

static void a_clock_that_is_set_back_locks_nobody_for_ever(void **state)
{
	struct lock_out lock_out = {0};

	(void)state;
	fail_times(&lock_out, 5, START);
	assert_false(lock_out_holds(&lock_out, START - 10 * DAY));
	lock_out_fail(&lock_out, START - 10 * DAY);
	assert_int_equal(lock_out.until - (START - 10 * DAY), 30 * MINUTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(four_failures_lock_nobody_and_the_fifth_does),
		cmocka_unit_test(each_further_failure_locks_for_twice_as_long_up_to_a_day),
		cmocka_unit_test(a_day_without_failures_forgives_all),
		cmocka_unit_test(a_clock_that_is_set_back_locks_nobody_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
