/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Versions of the master key, and its backups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "unit/store/fixture.h"

static void versions_are_listed_in_order_and_forgotten(void **state)
{
	static const uint32_t versions[] = {3, 1, 2};
	struct fixture *fixture = *state;
	_cleanup_free_ struct master_key_record *records = NULL;
	struct error error _cleanup_error_ = ERROR_INIT;
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		struct master_key_record record = {
			.version = versions[i], .key_check_value = {(uint8_t)versions[i], 2, 3}};
		assert_true(store_master_key_add(fixture->store, &record, NULL));
		assert_true(record.made_at > 0);
		assert_false(store_master_key_add(fixture->store, &record, &error));
		assert_int_equal(error.code, ERROR_EXISTS);
	}
	fixture_reopen(fixture);
	assert_true(store_master_key_list(fixture->store, &records, &count, NULL));
	assert_int_equal(count, 3);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(records[i].version, i + 1);
		assert_int_equal(records[i].key_check_value[0], i + 1);
	}
	assert_true(store_master_key_forget_all(fixture->store, NULL));
	free(steal_pointer(&records));
	assert_true(store_master_key_list(fixture->store, &records, &count, NULL));
	assert_int_equal(count, 0);
}

static void cards_are_counted_by_version_while_they_are_managed(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_free_ int64_t *ids = NULL;
	int64_t count = 0;
	size_t length = 0;

	for (enum lifecycle_state s = 0; s < LIFECYCLE_STATE_COUNT; s++) {
		struct credential *credential _cleanup_credential_ =
			sample_credential(lifecycle_state_name(s));
		credential->state = s;
		credential->key_version = 7;
		assert_true(store_credential_save(fixture->store, credential, NULL));
		count += lifecycle_is_managed(s);
	}
	int64_t found = -1;
	assert_true(store_master_key_count_cards(fixture->store, 7, &found, NULL));
	assert_int_equal(found, count);
	assert_true(store_master_key_list_cards(fixture->store, 7, 0, 2, &ids, &length, NULL));
	assert_int_equal(length, 2);
	assert_true(store_master_key_count_cards(fixture->store, 8, &found, NULL));
	assert_int_equal(found, 0);
}

static void spoiled_check_values_are_refused(void **state)
{
	struct fixture *fixture = *state;
	struct master_key_record record = {.version = 1};
	_cleanup_free_ struct master_key_record *records = NULL;
	struct error error _cleanup_error_ = ERROR_INIT;
	size_t count = 0;

	assert_true(store_master_key_add(fixture->store, &record, NULL));
	fixture_sql(fixture, "UPDATE master_key SET key_check_value = x'0102'");
	assert_false(store_master_key_list(fixture->store, &records, &count, &error));
	assert_int_equal(error.code, ERROR_STORE_FAILED);
}

/* --- backups --- */

static bool add(
	struct store *store, const char *id, int64_t made_at, uint32_t version, struct error *error)
{
	struct key_backup_card_record cards[] = {{.serial = (char *)"card-1", .key_digest = {1}},
		{.serial = (char *)"card-2", .key_digest = {2}}};
	const struct key_backup_record record = {.id = (char *)id,
		.made_at = made_at,
		.needed = 2,
		.newest_version = version,
		.cards = cards,
		.card_count = ARRAY_SIZE(cards)};

	return store_key_backup_add(store, &record, error);
}

static void the_last_backup_of_the_newest_version_counts(void **state)
{
	struct fixture *fixture = *state;
	struct key_backup_record record _cleanup_(key_backup_record_clear) = {0};
	struct error error _cleanup_error_ = ERROR_INIT;

	assert_false(store_key_backup_newest(fixture->store, &record, &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
	assert_true(add(fixture->store, "b", 100, 2, NULL));
	assert_true(add(fixture->store, "a", 200, 2, NULL));
	assert_true(add(fixture->store, "c", 300, 1, NULL));
	assert_false(add(fixture->store, "a", 400, 9, &error));
	assert_int_equal(error.code, ERROR_EXISTS);
	fixture_reopen(fixture);
	assert_true(store_key_backup_newest(fixture->store, &record, NULL));
	assert_string_equal(record.id, "a");
	assert_int_equal(record.made_at, 200);
	assert_int_equal(record.needed, 2);
	assert_int_equal(record.newest_version, 2);
	assert_int_equal(record.card_count, 2);
	assert_string_equal(record.cards[1].serial, "card-2");
	assert_int_equal(record.cards[1].key_digest[0], 2);
}

static void a_backup_that_cannot_be_saved_whole_leaves_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct key_backup_card_record cards[] = {
		{.serial = (char *)"card-1"}, {.serial = (char *)"card-1"}};
	const struct key_backup_record record = {.id = (char *)"a",
		.needed = 1,
		.newest_version = 1,
		.cards = cards,
		.card_count = 2};
	struct key_backup_record read _cleanup_(key_backup_record_clear) = {0};

	assert_false(store_key_backup_add(fixture->store, &record, NULL));
	assert_false(store_key_backup_newest(fixture->store, &read, NULL));
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(versions_are_listed_in_order_and_forgotten),
		WITH_STORE(cards_are_counted_by_version_while_they_are_managed),
		WITH_STORE(spoiled_check_values_are_refused),
		WITH_STORE(the_last_backup_of_the_newest_version_counts),
		WITH_STORE(a_backup_that_cannot_be_saved_whole_leaves_nothing),
	};

	return cmocka_run_group_tests_name("store/master-key", tests, NULL, NULL);
}
