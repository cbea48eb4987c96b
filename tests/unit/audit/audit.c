/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "audit/audit.h"
#include "audit/verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "common/log.h"
#include "unit/store/fixture.h"

/* Writes count records of the card. */
static void write_records(struct store *store, const char *card, int count)
{
	for (int i = 0; i < count; i++)
		assert_true(audit_write(
			store, AUDIT_CALLER("uid=0 pid=1"), "issue", card, 7, NULL, NULL, NULL));
}

static bool list(struct store *store, const char *card, int64_t after, unsigned limit,
	struct audit_record **records, size_t *count)
{
	const struct audit_filter filter = {.card = card, .after = after, .limit = limit};
	int64_t next;

	return store_audit_list(store, &filter, records, count, &next, NULL);
}

static int64_t first_bad(struct store *store, int64_t *records)
{
	struct audit_verifier verifier _cleanup_audit_verifier_ = {0};

	assert_true(audit_verify(store, NULL, &verifier, records, NULL));
	return verifier.bad;
}

static void an_empty_trail_is_whole(void **state)
{
	struct fixture *fixture = *state;
	int64_t records;

	assert_int_equal(first_bad(fixture->store, &records), 0);
	assert_int_equal(records, 0);
}

static void a_record_tells_who_did_what_and_how_it_ended(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_error_ struct error result = ERROR_INIT;
	struct audit_record *read;
	size_t count;

	error_set(&result, ERROR_PIN_WRONG, "2 tries are left");
	assert_true(audit_write(fixture->store, AUDIT_CALLER("uid=1000"), "activate", "yubikey-1",
		12, &result, "first PIN", NULL));
	assert_true(audit_write(
		fixture->store, AUDIT_CALLER("uid=0"), "template-save", NULL, 0, NULL, NULL, NULL));
	assert_true(list(fixture->store, NULL, 0, 10, &read, &count));
	assert_int_equal(count, 2);
	assert_int_equal(read[0].id, 1);
	assert_true(read[0].time_us > 1600000000000000);
	assert_string_equal(read[0].actor, "uid=1000");
	assert_string_equal(read[0].operation, "activate");
	assert_string_equal(read[0].card, "yubikey-1");
	assert_string_equal(read[0].outcome, "PinWrong");
	assert_string_equal(read[0].detail, "first PIN: 2 tries are left");
	assert_int_equal(read[0].job, 12);
	assert_string_equal(read[1].outcome, "ok");
	assert_null(read[1].card);
	assert_null(read[1].detail);
	audit_records_free(read, count);
}

static void records_are_listed_by_card_and_in_pages(void **state)
{
	struct fixture *fixture = *state;
	struct audit_record *read;
	size_t count;

	write_records(fixture->store, "one", 3);
	write_records(fixture->store, "two", 3);
	assert_true(list(fixture->store, "two", 4, 10, &read, &count));
	assert_int_equal(count, 2);
	assert_int_equal(read[0].id, 5);
	audit_records_free(read, count);
	assert_true(list(fixture->store, NULL, 1, 2, &read, &count));
	assert_int_equal(count, 2);
	assert_int_equal(read[1].id, 3);
	audit_records_free(read, count);
}

static void a_long_trail_is_whole_also_after_a_restart(void **state)
{
	struct fixture *fixture = *state;
	int64_t records;

	write_records(fixture->store, "one", 300);
	fixture_reopen(fixture);
	write_records(fixture->store, "two", 300);
	assert_int_equal(first_bad(fixture->store, &records), 0);
	assert_int_equal(records, 600);
}

static void every_kind_of_tampering_shows(void **state)
{
	static const struct {
		const char *sql;
		int64_t bad;
	} cases[] = {
		{"UPDATE audit SET outcome = 'PinWrong' WHERE id = 4", 4},
		{"UPDATE audit SET time_us = time_us - 1 WHERE id = 5", 5},
		{"UPDATE audit SET actor = 'uid=1' WHERE id = 1", 1},
		{"UPDATE audit SET card = NULL WHERE id = 2", 2},
		{"UPDATE audit SET detail = '' WHERE id = 2", 2},
		{"UPDATE audit SET operator = 'grace' WHERE id = 2", 2},
		{"UPDATE audit SET signature = x'00' WHERE id = 2", 2},
		{"UPDATE audit SET job = 8 WHERE id = 6", 6},
		{"UPDATE audit SET operation = 'issu', card = 'eone' WHERE id = 3", 3},
		{"UPDATE audit SET hash = x'00' WHERE id = 3", 3},
		{"DELETE FROM audit WHERE id = 1", 1},
		{"DELETE FROM audit WHERE id = 3", 3},
		{"DELETE FROM audit WHERE id = 6", 6},
		{"DELETE FROM audit", 1},
		{"UPDATE audit SET id = -id WHERE id IN (2, 3); UPDATE audit SET id = 5 + id"
		 " WHERE id < 0",
			2},
		{"INSERT INTO audit SELECT 7, time_us, actor, operation, card, outcome, detail,"
		 " job, hash, operator, signature, caller FROM audit WHERE id = 6",
			7},
		{"DELETE FROM audit WHERE id = 4; UPDATE audit SET id = id - 1 WHERE id > 4", 4},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t records;
		fixture_sql(
			fixture, "DELETE FROM audit; DELETE FROM counter; DELETE FROM audit_run");
		write_records(fixture->store, "one", 6);
		assert_int_equal(first_bad(fixture->store, &records), 0);
		fixture_sql(fixture, cases[i].sql);
		int64_t bad = first_bad(fixture->store, &records);
		if (bad != cases[i].bad)
			fail_msg("%s shows at %lld", cases[i].sql, (long long)bad);
	}
}

static void a_record_of_a_rolled_back_transaction_leaves_no_gap(void **state)
{
	struct fixture *fixture = *state;
	int64_t records;

	write_records(fixture->store, "one", 1);
	assert_true(store_begin(fixture->store, NULL));
	write_records(fixture->store, "two", 1);
	store_rollback(fixture->store);
	write_records(fixture->store, "three", 1);
	assert_int_equal(first_bad(fixture->store, &records), 0);
	assert_int_equal(records, 2);
}

/* 0xC3 0xA4 is one character: it is kept whole or left out. */
static void long_texts_are_cut_between_characters(void **state)
{
	struct fixture *fixture = *state;
	struct audit_record *read;
	size_t count;
	char text[4001] = "x";

	for (size_t i = 1; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\xC3\xA4", 3);
	assert_true(
		audit_write(fixture->store, AUDIT_CALLER(text), text, text, 0, NULL, text, NULL));
	assert_true(list(fixture->store, NULL, 0, 1, &read, &count));
	assert_int_equal(strlen(read[0].actor), 1023);
	assert_int_equal(strlen(read[0].detail), 1023);
	assert_int_equal(strlen(read[0].operation), 127);
	assert_int_equal(strlen(read[0].card), 127);
	audit_records_free(read, count);
}

static void a_store_that_fails_is_told(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_error_ struct error error = ERROR_INIT;
	struct audit_verifier verifier _cleanup_audit_verifier_ = {0};
	int64_t records;

	fixture_sql(fixture, "DROP TABLE audit");
	assert_false(audit_write(
		fixture->store, AUDIT_CALLER("uid=0"), "issue", NULL, 0, NULL, NULL, &error));
	assert_int_equal(error.code, ERROR_STORE_FAILED);
	assert_non_null(strstr(error_message(&error), "the audit record of issue"));
	assert_false(audit_verify(fixture->store, NULL, &verifier, &records, &error));
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(an_empty_trail_is_whole),
		WITH_STORE(a_record_tells_who_did_what_and_how_it_ended),
		WITH_STORE(records_are_listed_by_card_and_in_pages),
		WITH_STORE(a_long_trail_is_whole_also_after_a_restart),
		WITH_STORE(every_kind_of_tampering_shows),
		WITH_STORE(a_record_of_a_rolled_back_transaction_leaves_no_gap),
		WITH_STORE(long_texts_are_cut_between_characters),
		WITH_STORE(a_store_that_fails_is_told),
	};

	log_set_level(LOG_LEVEL_WARNING); /* the trail is written hundreds of times */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
