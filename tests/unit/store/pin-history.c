/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "unit/store/fixture.h"

static int64_t add_credential(struct fixture *fixture, const char *serial)
{
	_cleanup_credential_ struct credential *credential = sample_credential(serial);

	assert_true(store_credential_save(fixture->store, credential, NULL));
	return credential->id;
}

/* A record that is told apart by its tag. */
static int64_t add(struct fixture *fixture, int64_t credential, uint8_t tag)
{
	struct pin_record record = {0};

	memset(record.tag, tag, sizeof(record.tag));
	assert_true(store_pin_add(fixture->store, credential, &record, NULL));
	assert_true(record.id > 0);
	assert_true(record.pending);
	return record.id;
}

/* The tags, newest first; a pending one is followed by '?'. */
static void assert_history(struct fixture *fixture, int64_t credential, const char *expected)
{
	_cleanup_free_ struct pin_record *records = NULL;
	char found[64] = "";
	size_t count, used = 0;

	assert_true(store_pin_list(fixture->store, credential, &records, &count, NULL));
	for (size_t i = 0; i < count; i++) {
		found[used++] = (char)records[i].tag[15];
		if (records[i].pending)
			found[used++] = '?';
	}
	assert_string_equal(found, expected);
}

static void the_newest_pins_are_kept(void **state)
{
	struct fixture *fixture = *state;
	int64_t card = add_credential(fixture, "one"), other = add_credential(fixture, "two");

	assert_true(store_pin_confirm(fixture->store, other, add(fixture, other, 'x'), 3, NULL));
	for (uint8_t tag = 'a'; tag <= 'e'; tag++)
		assert_true(
			store_pin_confirm(fixture->store, card, add(fixture, card, tag), 3, NULL));
	assert_history(fixture, card, "edc");
	assert_history(fixture, other, "x");
	fixture_reopen(fixture);
	assert_history(fixture, card, "edc");
	assert_true(store_pin_forget_all(fixture->store, card, NULL));
	assert_history(fixture, card, "");
	assert_history(fixture, other, "x");
}

static void a_pending_pin_counts_when_the_next_one_is_set(void **state)
{
	struct fixture *fixture = *state;
	int64_t card = add_credential(fixture, "one");

	assert_true(store_pin_confirm(fixture->store, card, add(fixture, card, 'a'), 9, NULL));
	add(fixture, card, 'b');
	assert_history(fixture, card, "b?a");
	assert_true(store_pin_confirm(fixture->store, card, add(fixture, card, 'c'), 9, NULL));
	assert_history(fixture, card, "cba");
	add(fixture, card, 'd');
	assert_true(store_pin_forget_pending(fixture->store, card, NULL));
	assert_history(fixture, card, "cba");
	assert_true(store_pin_forget(fixture->store, card, add(fixture, card, 'e'), NULL));
	assert_history(fixture, card, "cba");
}

static void the_age_is_that_of_the_newest_pin_that_was_set(void **state)
{
	struct fixture *fixture = *state;
	int64_t card = add_credential(fixture, "one"), set_at = -1;

	assert_true(store_pin_set_at(fixture->store, card, &set_at, NULL));
	assert_int_equal(set_at, 0);
	int64_t first = add(fixture, card, 'a');
	assert_true(store_pin_set_at(fixture->store, card, &set_at, NULL));
	assert_int_equal(set_at, 0);
	assert_true(store_pin_confirm(fixture->store, card, first, 2, NULL));
	assert_true(store_pin_set_at(fixture->store, card, &set_at, NULL));
	assert_true(set_at >= time(NULL) - 60 && set_at <= time(NULL));
	fixture_sql(fixture, "UPDATE pin_history SET set_at = 1000");
	add(fixture, card, 'b');
	assert_true(store_pin_set_at(fixture->store, card, &set_at, NULL));
	assert_int_equal(set_at, 1000);
}

static void a_pin_of_no_credential_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct pin_record record = {0};
	_cleanup_error_ struct error error = ERROR_INIT;

	assert_false(store_pin_add(fixture->store, 99, &record, &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
}

static void a_damaged_record_is_told(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_free_ struct pin_record *records = NULL;
	_cleanup_error_ struct error error = ERROR_INIT;
	int64_t card = add_credential(fixture, "one");
	size_t count;

	add(fixture, card, 'a');
	fixture_sql(fixture, "UPDATE pin_history SET tag = x'00'");
	assert_false(store_pin_list(fixture->store, card, &records, &count, &error));
	assert_int_equal(error.code, ERROR_STORE_FAILED);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(the_newest_pins_are_kept),
		WITH_STORE(a_pending_pin_counts_when_the_next_one_is_set),
		WITH_STORE(the_age_is_that_of_the_newest_pin_that_was_set),
		WITH_STORE(a_pin_of_no_credential_is_refused),
		WITH_STORE(a_damaged_record_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
