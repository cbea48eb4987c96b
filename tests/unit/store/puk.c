/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "unit/store/fixture.h"

#define SERIAL "yubikey-1"

static const struct puk_record exposed = {.generation = 3,
	.next_generation = 4,
	.old_first = true,
	.state = PUK_EXPOSED,
	.exposed_at = 1700000000,
	.exposed_until = 1700086400};

static int64_t add_credential(const struct fixture *fixture, const char *serial)
{
	_cleanup_credential_ struct credential *credential = sample_credential(serial);

	assert_true(store_credential_save(fixture->store, credential, NULL));
	return credential->id;
}

static void set(const struct fixture *fixture, const char *serial, const struct puk_record *record)
{
	struct error error _cleanup_error_ = ERROR_INIT;

	if (!store_puk_set(fixture->store, serial, record, &error))
		fail_msg("%s", error_message(&error));
}

static void assert_record(
	const struct fixture *fixture, const char *serial, const struct puk_record *expected)
{
	struct puk_record record;

	assert_true(store_puk_get(fixture->store, serial, &record, NULL));
	assert_int_equal(record.generation, expected->generation);
	assert_int_equal(record.next_generation, expected->next_generation);
	assert_int_equal(record.old_first, expected->old_first);
	assert_int_equal(record.state, expected->state);
	assert_int_equal(record.exposed_at, expected->exposed_at);
	assert_int_equal(record.exposed_until, expected->exposed_until);
}

static void assert_exposed(const struct fixture *fixture, int64_t after, unsigned limit,
	const int64_t *expected, size_t expected_count)
{
	_cleanup_free_ int64_t *ids = NULL;
	size_t count = 99;

	assert_true(store_puk_list_exposed(fixture->store, after, limit, &ids, &count, NULL));
	assert_int_equal(count, expected_count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(ids[i], expected[i]);
}

static void a_card_without_a_row_has_the_first_puk_that_nobody_saw(void **state)
{
	const struct puk_record none = {.state = PUK_OURS};

	assert_record(*state, SERIAL, &none);
}

static void a_record_comes_back_as_it_was_and_outlives_the_store(void **state)
{
	struct fixture *fixture = *state;

	set(fixture, SERIAL, &exposed);
	assert_record(fixture, SERIAL, &exposed);
	fixture_reopen(fixture);
	assert_record(fixture, SERIAL, &exposed);
}

static void a_second_record_takes_the_place_of_the_first_of_that_card_only(void **state)
{
	const struct puk_record foreign = {.generation = 4, .state = PUK_FOREIGN};

	set(*state, SERIAL, &exposed);
	set(*state, "yubikey-2", &exposed);
	set(*state, SERIAL, &foreign);
	assert_record(*state, SERIAL, &foreign);
	assert_record(*state, "yubikey-2", &exposed);
}

static void every_state_and_the_largest_generation_are_kept(void **state)
{
	for (enum puk_state each = 0; each < PUK_STATE_COUNT; each++) {
		const struct puk_record record = {
			.generation = UINT32_MAX, .next_generation = UINT32_MAX, .state = each};
		set(*state, SERIAL, &record);
		assert_record(*state, SERIAL, &record);
	}
}

static void exposed_cards_are_listed_page_by_page(void **state)
{
	const struct puk_record ours = {.generation = 4, .state = PUK_OURS};
	int64_t first = add_credential(*state, "one"), second = add_credential(*state, "two");
	int64_t third = add_credential(*state, "three");
	const int64_t all[] = {first, second, third}, without[] = {first, third};

	assert_exposed(*state, 0, 10, NULL, 0);
	set(*state, "two", &exposed);
	set(*state, "three", &exposed);
	set(*state, "one", &exposed);
	set(*state, "nobody", &exposed); /* the serial of no credential */
	assert_exposed(*state, 0, 10, all, 3);
	assert_exposed(*state, 0, 2, all, 2);
	assert_exposed(*state, second, 2, &third, 1);
	assert_exposed(*state, third, 2, NULL, 0);
	set(*state, "two", &ours);
	assert_exposed(*state, 0, 10, without, 2);
}

static void a_damaged_record_is_an_error_and_changes_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct error error _cleanup_error_ = ERROR_INIT;
	struct puk_record record = {.generation = 77};

	set(fixture, SERIAL, &exposed);
	fixture_sql(fixture, "UPDATE puk SET state = 'lent'");
	assert_false(store_puk_get(fixture->store, SERIAL, &record, &error));
	assert_int_equal(error.code, ERROR_STORE_FAILED);
	assert_int_equal(record.generation, 77);
}

static void a_transaction_that_is_rolled_back_leaves_the_record(void **state)
{
	struct fixture *fixture = *state;
	const struct puk_record ours = {.generation = 4, .state = PUK_OURS};

	set(fixture, SERIAL, &exposed);
	assert_true(store_begin(fixture->store, NULL));
	set(fixture, SERIAL, &ours);
	store_rollback(fixture->store);
	assert_record(fixture, SERIAL, &exposed);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_card_without_a_row_has_the_first_puk_that_nobody_saw),
		TEST(a_record_comes_back_as_it_was_and_outlives_the_store),
		TEST(a_second_record_takes_the_place_of_the_first_of_that_card_only),
		TEST(every_state_and_the_largest_generation_are_kept),
		TEST(exposed_cards_are_listed_page_by_page),
		TEST(a_damaged_record_is_an_error_and_changes_nothing),
		TEST(a_transaction_that_is_rolled_back_leaves_the_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
