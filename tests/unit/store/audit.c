/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of audit records, and finding credentials. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "store/store.h"
#include "unit/store/fixture.h"

#define SECOND INT64_C(1000000)

static void write_record(struct store *store, int64_t time_us, const char *actor,
	const char *operation, const char *card, const char *outcome)
{
	struct audit_record record _cleanup_audit_record_ = {.time_us = time_us,
		.actor = xstrdup(actor),
		.operation = xstrdup(operation),
		.card = xstrdup(card),
		.outcome = xstrdup(outcome)};

	assert_true(store_audit_append(store, &record, NULL, NULL, NULL));
}

/* The ids of all pages of a list, "1 2 3 ". Heap. */
static char *ids_of(struct store *store, struct audit_filter filter)
{
	char *all = xstrdup("");

	do {
		struct audit_record *records;
		size_t count;
		assert_true(
			store_audit_list(store, &filter, &records, &count, &filter.after, NULL));
		for (size_t i = 0; i < count; i++) {
			char *longer = xasprintf("%s%lld ", all, (long long)records[i].id);
			free(all);
			all = longer;
		}
		audit_records_free(records, count);
	} while (filter.after);
	return all;
}

static void write_samples(struct store *store)
{
	write_record(store, 100 * SECOND, "tesserad", "add-template", NULL, "ok");
	write_record(store, 110 * SECOND, "uid=0 pid=1", "issue", "one", "ok");
	write_record(store, 120 * SECOND, "uid=10 pid=2", "login", "one", "PinWrong");
	write_record(store, 130 * SECOND, "uid=10 pid=3", "login", "one", "ok");
	write_record(store, 140 * SECOND, "uid=1 pid=4", "login", "two", "PinBlocked");
	write_record(store, 150 * SECOND, "uid=0 pid=5", "retire", "one", "ok");
}

static void records_are_found_by_every_filter(void **state)
{
	static const struct {
		struct audit_filter filter;
		const char *ids;
	} cases[] = {
		{{0}, "1 2 3 4 5 6 "},
		{{.newest_first = true}, "6 5 4 3 2 1 "},
		{{.after = 4}, "5 6 "},
		{{.after = 4, .newest_first = true}, "3 2 1 "},
		{{.card = "one"}, "2 3 4 6 "},
		{{.card = "one", .newest_first = true}, "6 4 3 2 "},
		{{.card = "on"}, ""},
		{{.caller = "uid=1"}, "5 "},
		{{.caller = "uid=0"}, "2 6 "},
		{{.caller = "tesserad"}, "1 "},
		{{.operation = "login"}, "3 4 5 "},
		{{.outcome = "ok"}, "1 2 4 6 "},
		{{.outcome = "PinWrong"}, "3 "},
		{{.outcome = AUDIT_NOT_OK}, "3 5 "},
		{{.outcome = AUDIT_NOT_OK, .caller = "uid=10"}, "3 "},
		{{.outcome = AUDIT_NOT_OK, .newest_first = true}, "5 3 "},
		{{.operation = "login", .outcome = "ok"}, "4 "},
		{{.operation = "login", .card = "one", .caller = "uid=10", .outcome = "ok"}, "4 "},
		{{.operator_name = "grace"}, ""},
		{{.since_us = 120 * SECOND}, "3 4 5 6 "},
		{{.until_us = 120 * SECOND}, "1 2 "},
		{{.since_us = 110 * SECOND, .until_us = 140 * SECOND}, "2 3 4 "},
		{{.since_us = 110 * SECOND, .until_us = 140 * SECOND, .newest_first = true},
			"4 3 2 "},
		{{.since_us = 200 * SECOND}, ""},
		{{.until_us = 50 * SECOND}, ""},
		{{.since_us = 110 * SECOND, .operation = "login", .card = "one"}, "3 4 "},
	};
	struct fixture *fixture = *state;

	write_samples(fixture->store);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (unsigned limit = 1; limit < 8; limit += 3) {
			struct audit_filter filter = cases[i].filter;
			filter.limit = limit;
			_cleanup_free_ char *ids = ids_of(fixture->store, filter);
			if (strcmp(ids, cases[i].ids) != 0)
				fail_msg("case %zu, limit %u: %s", i, limit, ids);
		}
	}
}

/* Two threads may take their times in another order than they write. */
static void times_never_go_back_by_less_than_a_second(void **state)
{
	struct fixture *fixture = *state;
	struct audit_record *records;
	const struct audit_filter all = {.limit = 10};
	size_t count;
	int64_t next;

	write_record(fixture->store, 100 * SECOND, "uid=0", "one", NULL, "ok");
	write_record(fixture->store, 100 * SECOND - 5, "uid=0", "two", NULL, "ok");
	assert_true(store_audit_list(fixture->store, &all, &records, &count, &next, NULL));
	assert_true(records[1].time_us == 100 * SECOND);
	audit_records_free(records, count);
}

static void records_are_found_where_the_clock_was_set_back(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < 5; i++)
		write_record(fixture->store, (500 + i * 10) * SECOND, "uid=0", "x", NULL, "ok");
	for (int i = 0; i < 5; i++)
		write_record(fixture->store, (100 + i * 10) * SECOND, "uid=0", "x", NULL, "ok");
	for (int i = 0; i < 5; i++)
		write_record(fixture->store, (505 + i * 10) * SECOND, "uid=0", "x", NULL, "ok");
	_cleanup_free_ char *early = ids_of(
		fixture->store, (struct audit_filter){.until_us = 121 * SECOND, .limit = 10});
	_cleanup_free_ char *twice = ids_of(fixture->store,
		(struct audit_filter){
			.since_us = 520 * SECOND, .until_us = 540 * SECOND, .limit = 10});
	assert_string_equal(early, "6 7 8 ");
	assert_string_equal(twice, "3 4 13 14 ");
}

/* More records than are looked at for one page: there is a next one though nothing was found. */
static void a_page_ends_though_nothing_fits(void **state)
{
	struct fixture *fixture = *state;
	struct audit_record *records;
	size_t count;
	int64_t next;

	assert_true(store_begin(fixture->store, NULL));
	for (int i = 0; i < 5000; i++)
		write_record(fixture->store, i, "uid=0", "x", NULL, "ok");
	write_record(fixture->store, 5000, "uid=1", "x", NULL, "ok");
	assert_true(store_commit(fixture->store, NULL));
	_cleanup_free_ char *found = ids_of(fixture->store,
		(struct audit_filter){
			.operation = "x", .outcome = "ok", .since_us = 4999, .limit = 5});
	assert_string_equal(found, "5000 5001 ");
	/* "ok" alone goes along all records. */
	fixture_sql(fixture, "UPDATE audit SET outcome = 'late' WHERE id <= 5000");
	assert_true(store_audit_list(fixture->store,
		&(struct audit_filter){.outcome = "ok", .limit = 10}, &records, &count, &next,
		NULL));
	assert_int_equal(count, 0);
	assert_int_equal(next, 4000);
	audit_records_free(records, count);
}

/* --- finding credentials --- */

static void save(struct store *store, const char *serial, const char *name, const char *email)
{
	_cleanup_credential_ struct credential *credential = sample_credential(serial);
	struct certificate certificate _cleanup_certificate_ = CERTIFICATE_INIT;

	fields_set(&credential->holder, "name", name);
	fields_set(&credential->holder, "email", email);
	assert_true(store_credential_save(store, credential, NULL));
	certificate.credential_id = credential->id;
	certificate.slot = 0x9A;
	certificate.authority = xstrdup("local");
	certificate.serial_hex = xasprintf("ab%02llx", (long long)credential->id);
	certificate.status = certificate.status_before_hold = CERTIFICATE_VALID;
	assert_true(store_certificate_save(store, &certificate, NULL));
}

/* The ids of all pages, "1 2 ". Heap. */
static char *search(struct store *store, const char *field, const char *text, bool is_prefix)
{
	char *all = xstrdup(""), *after = xstrdup("");

	do {
		int64_t *ids;
		size_t count;
		char *next;
		const struct search wanted = {field, text, is_prefix, after, 2};
		assert_true(store_credential_search(store, &wanted, &ids, &count, &next, NULL));
		for (size_t i = 0; i < count; i++) {
			char *longer = xasprintf("%s%lld ", all, (long long)ids[i]);
			free(all);
			all = longer;
		}
		free(ids);
		free(after);
		after = next;
	} while (after[0]);
	free(after);
	return all;
}

static void credentials_are_found_by_what_is_known_of_them(void **state)
{
	static const struct {
		const char *field, *text;
		bool is_prefix;
		const char *ids;
	} cases[] = {
		{"serial", "card-2", false, "2 "},
		{"serial", "card", true, "1 2 3 "},
		{"serial", "CARD", true, ""},
		{"holder.name", "Ada Lovelace", false, "1 3 "},
		{"holder.name", "ada lovelace", false, "1 3 "},
		{"holder.name", "ada", false, ""},
		{"holder.name", "ada", true, "1 3 "},
		{"holder.email", "ada", true, "1 3 "},
		{"holder.email", "ada2", true, "3 "},
		{"holder.upn", "ada", true, ""},
		{"holder", "grace", true, "2 "},
		{"certificate", "AB02", false, "2 "},
		{"certificate", "ab", true, "1 2 3 "},
		{"certificate", "02", true, ""},
	};
	struct fixture *fixture = *state;

	save(fixture->store, "card-1", "Ada Lovelace", "ada1@example.org");
	save(fixture->store, "card-2", "Grace Hopper", "hopper@example.org");
	save(fixture->store, "card-3", "ADA Lovelace", "ada2@example.org");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *ids =
			search(fixture->store, cases[i].field, cases[i].text, cases[i].is_prefix);
		if (strcmp(ids, cases[i].ids) != 0)
			fail_msg("%s %s: %s", cases[i].field, cases[i].text, ids);
	}
}

static void a_new_holder_takes_the_place_of_the_old_one(void **state)
{
	struct fixture *fixture = *state;

	save(fixture->store, "card-1", "Ada Lovelace", "ada@example.org");
	_cleanup_credential_ struct credential *credential =
		store_credential_by_serial(fixture->store, "card-1", NULL);
	fields_set(&credential->holder, "name", "Grace Hopper");
	assert_true(store_credential_save(fixture->store, credential, NULL));
	_cleanup_free_ char *old = search(fixture->store, "holder.name", "ada", true);
	_cleanup_free_ char *new = search(fixture->store, "holder.name", "grace", true);
	assert_string_equal(old, "");
	assert_string_equal(new, "1 ");
}

static void a_wrong_search_is_refused(void **state)
{
	static const struct search cases[] = {{"colour", "x", false, "", 10},
		{"serial", "", true, "", 10}, {"serial", "x", true, "y", 10},
		{"serial", "x", true, "0:x", 10}};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_error_ struct error error = ERROR_INIT;
		int64_t *ids;
		size_t count;
		char *next;
		assert_false(store_credential_search(
			fixture->store, &cases[i], &ids, &count, &next, &error));
		assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
	}
}

/* A store as version 4 of the schema made it. */
static void an_older_store_is_brought_up_to_date(void **state)
{
	struct fixture *fixture = *state;

	write_samples(fixture->store);
	save(fixture->store, "card-1", "Ada Lovelace", "Ada@example.org");
	fixture_sql(fixture,
		"DROP TABLE key_backup_card; DROP TABLE key_backup;"
		"DROP INDEX credential_user; ALTER TABLE credential DROP COLUMN user_id;"
		"ALTER TABLE credential DROP COLUMN state_before;"
		"DROP TABLE secure_card;"
		"DROP TABLE self_code; DROP TABLE lock_out;"
		"DROP TABLE person; DROP INDEX credential_person;"
		"ALTER TABLE credential DROP COLUMN person_connection;"
		"ALTER TABLE credential DROP COLUMN person_id;"
		"ALTER TABLE credential DROP COLUMN person_given;"
		"DROP TABLE role; DROP TABLE quorum;"
		"DROP TABLE hsm_key;"
		"DROP TABLE slot_rule; DROP TABLE slot;"
		"DROP TABLE mail; DROP TABLE notice; DROP INDEX certificate_ends;"
		"DROP TABLE task; ALTER TABLE certificate DROP COLUMN request;"
		"DROP INDEX credential_template; ALTER TABLE template DROP COLUMN saved_at;"
		"DROP TABLE master_key; DROP TABLE puk; DROP INDEX credential_key_version;"
		"DROP INDEX credential_expires; ALTER TABLE credential DROP COLUMN expires_at;"
		"ALTER TABLE credential DROP COLUMN replaces;"
		"ALTER TABLE credential DROP COLUMN replaced_by;"
		"DROP TABLE audit_run; DROP TABLE audit_checkpoint; DROP TABLE credential_field;"
		"DROP INDEX certificate_serial; DROP INDEX certificate_revoked;"
		"DROP INDEX audit_caller; DROP INDEX "
		"audit_operation;"
		"DROP INDEX audit_outcome; DROP TABLE audit_operator; DROP INDEX audit_failed;"
		"ALTER TABLE audit DROP COLUMN operator; ALTER TABLE audit DROP COLUMN signature;"
		"ALTER TABLE audit DROP COLUMN caller;"
		"UPDATE audit SET time_us = 1 WHERE id = 4;"
		"UPDATE schema_version SET version = 4");
	fixture_reopen(fixture);
	_cleanup_free_ char *caller =
		ids_of(fixture->store, (struct audit_filter){.caller = "uid=10", .limit = 9});
	_cleanup_free_ char *early =
		ids_of(fixture->store, (struct audit_filter){.until_us = 105 * SECOND, .limit = 9});
	_cleanup_free_ char *holder =
		search(fixture->store, "holder.email", "ada@example.org", false);
	assert_string_equal(caller, "3 4 ");
	assert_string_equal(early, "1 4 ");
	assert_string_equal(holder, "1 ");
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(records_are_found_by_every_filter),
		WITH_STORE(times_never_go_back_by_less_than_a_second),
		WITH_STORE(records_are_found_where_the_clock_was_set_back),
		WITH_STORE(a_page_ends_though_nothing_fits),
		WITH_STORE(credentials_are_found_by_what_is_known_of_them),
		WITH_STORE(a_new_holder_takes_the_place_of_the_old_one),
		WITH_STORE(a_wrong_search_is_refused),
		WITH_STORE(an_older_store_is_brought_up_to_date),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
