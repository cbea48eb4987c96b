/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "store/schema.h"
#include "unit/store/fixture.h"

/* Opens the file again; the caller clears the error, which must be set. */
static void expect_open_fails(struct fixture *fixture, enum error_code code, struct error *error)
{
	store_close(fixture->store);
	fixture->store = store_open(fixture->path, error);
	assert_null(fixture->store);
	assert_int_equal(error->code, code);
}

static void the_files_are_for_their_owner_only(void **state)
{
	struct fixture *fixture = *state;
	struct stat status;

	assert_int_equal(stat(fixture->path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	_cleanup_free_ char *log = xasprintf("%s-wal", fixture->path);
	assert_int_equal(stat(log, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(chmod(fixture->path, 0644), 0);
	fixture_reopen(fixture);
	assert_int_equal(stat(fixture->path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
}

static void a_store_keeps_its_identifier(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_free_ char *id = xstrdup(store_id(fixture->store));

	assert_int_equal(strlen(id), 32);
	fixture_reopen(fixture);
	assert_string_equal(store_id(fixture->store), id);
}

static void two_stores_have_different_identifiers(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_free_ char *path = xasprintf("%s/second.db", fixture->folder);
	struct store *second _cleanup_(store_closep) = store_open(path, NULL);

	assert_non_null(second);
	assert_string_not_equal(store_id(second), store_id(fixture->store));
}

static void a_counter_counts_from_one_and_goes_on(void **state)
{
	struct fixture *fixture = *state;
	int64_t value;

	assert_true(store_counter_get(fixture->store, "crl/local", &value, NULL));
	assert_int_equal(value, 0);
	assert_true(store_counter_next(fixture->store, "crl/local", &value, NULL));
	assert_int_equal(value, 1);
	fixture_reopen(fixture);
	assert_true(store_counter_next(fixture->store, "crl/local", &value, NULL));
	assert_int_equal(value, 2);
	assert_true(store_counter_next(fixture->store, "crl/other", &value, NULL));
	assert_int_equal(value, 1);
	assert_true(store_counter_get(fixture->store, "crl/local", &value, NULL));
	assert_int_equal(value, 2);
}

static void a_value_is_set_replaced_and_may_be_empty(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_buffer_ struct buffer value = BUFFER_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	assert_false(store_value_get(fixture->store, "x", &value, &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
	assert_true(store_value_set(fixture->store, "x", (const uint8_t *)"a\0b", 3, NULL));
	assert_true(store_value_get(fixture->store, "x", &value, NULL));
	assert_int_equal(value.length, 3);
	assert_memory_equal(value.data, "a\0b", 3);
	assert_true(store_value_set(fixture->store, "x", NULL, 0, NULL));
	assert_true(store_value_get(fixture->store, "x", &value, NULL));
	assert_int_equal(value.length, 0);
}

static bool change_two_values(struct store *store, bool commit)
{
	if (!store_begin(store, NULL))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = store;
	if (!store_value_set(store, "one", (const uint8_t *)"1", 1, NULL) ||
		!store_value_set(store, "two", (const uint8_t *)"2", 1, NULL) || !commit)
		return false;
	return store_commit(transaction, NULL);
}

static bool has_value(struct store *store, const char *name)
{
	_cleanup_buffer_ struct buffer value = BUFFER_INIT;

	return store_value_get(store, name, &value, NULL);
}

static void a_transaction_is_all_or_nothing(void **state)
{
	struct fixture *fixture = *state;

	assert_false(change_two_values(fixture->store, false));
	assert_false(has_value(fixture->store, "one"));
	assert_true(change_two_values(fixture->store, true));
	assert_true(has_value(fixture->store, "one"));
	assert_true(has_value(fixture->store, "two"));
}

static void transactions_do_not_nest(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_error_ struct error error = ERROR_INIT;

	assert_true(store_begin(fixture->store, NULL));
	assert_false(store_begin(fixture->store, &error));
	assert_int_equal(error.code, ERROR_FAILED);
	assert_true(store_value_set(fixture->store, "one", NULL, 0, NULL));
	assert_true(store_commit(fixture->store, NULL));
	assert_true(has_value(fixture->store, "one"));
	assert_false(store_commit(fixture->store, &error));
	store_rollback(fixture->store);
}

static void a_failure_spoils_the_whole_transaction(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_credential_ struct credential *one = sample_credential("same");
	_cleanup_credential_ struct credential *other = sample_credential("same");
	_cleanup_error_ struct error error = ERROR_INIT;
	int64_t count;

	assert_true(store_begin(fixture->store, NULL));
	assert_true(store_credential_save(fixture->store, one, NULL));
	assert_false(store_credential_save(fixture->store, other, &error));
	assert_int_equal(error.code, ERROR_EXISTS);
	assert_false(store_value_set(fixture->store, "later", NULL, 0, NULL));
	assert_false(store_commit(fixture->store, &error));
	assert_true(store_credential_count(fixture->store, &count, NULL));
	assert_int_equal(count, 0);
	assert_true(store_value_set(fixture->store, "afterwards", NULL, 0, NULL));
}

static void what_is_merely_not_found_spoils_nothing(void **state)
{
	struct fixture *fixture = *state;

	assert_true(store_begin(fixture->store, NULL));
	assert_null(store_credential_by_serial(fixture->store, "nobody", NULL));
	assert_true(store_value_set(fixture->store, "one", NULL, 0, NULL));
	assert_true(store_commit(fixture->store, NULL));
	assert_true(has_value(fixture->store, "one"));
}

static void a_newer_schema_is_refused_and_left_alone(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_error_ struct error error = ERROR_INIT;

	fixture_sql(fixture, "UPDATE schema_version SET version = version + 1");
	expect_open_fails(fixture, ERROR_STORE_FAILED, &error);
	assert_non_null(strstr(error_message(&error), "newer program"));
	fixture_sql(fixture, "UPDATE schema_version SET version = version - 1");
	fixture_reopen(fixture);
}

static void the_schema_is_brought_up_once(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < 3; i++)
		fixture_reopen(fixture);
	_cleanup_free_ char *check = xasprintf(
		"CREATE TEMP TABLE proof (x CHECK (x = 1)); INSERT INTO proof SELECT count(*)"
		" FROM schema_version WHERE version = %lld",
		(long long)schema_version());
	fixture_sql(fixture, check);
}

static void a_database_of_something_else_is_refused(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_error_ struct error error = ERROR_INIT;

	store_close(fixture->store);
	fixture->store = NULL;
	assert_int_equal(unlink(fixture->path), 0);
	fixture_sql(fixture, "CREATE TABLE bookmarks (url TEXT)");
	expect_open_fails(fixture, ERROR_STORE_FAILED, &error);
	assert_non_null(strstr(error_message(&error), "not a store"));
}

/* A migration that cannot go through leaves the file as it was. */
static void a_failed_migration_changes_nothing(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_error_ struct error error = ERROR_INIT;

	store_close(fixture->store);
	fixture->store = NULL;
	assert_int_equal(unlink(fixture->path), 0);
	/* version 0, but a table of version 1 is in the way */
	fixture_sql(fixture, "CREATE TABLE schema_version (version BIGINT NOT NULL);"
			     "INSERT INTO schema_version VALUES (0); CREATE TABLE audit (x)");
	expect_open_fails(fixture, ERROR_STORE_FAILED, &error);
	assert_non_null(strstr(error_message(&error), "schema version 1"));
	/* fails if the migration left its first table */
	fixture_sql(fixture, "CREATE TABLE counter (x)");
}

static void write_at(const char *path, long offset, const char *bytes, size_t length)
{
	FILE *file = fopen(path, "r+be");

	assert_non_null(file);
	assert_int_equal(fseek(file, offset, SEEK_SET), 0);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	fclose(file);
}

static void a_file_that_is_no_database_is_refused(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_error_ struct error error = ERROR_INIT;

	store_close(fixture->store);
	fixture->store = NULL;
	write_at(fixture->path, 0, "this is just a text, not a database", 35);
	expect_open_fails(fixture, ERROR_STORE_FAILED, &error);
	assert_non_null(strstr(error_message(&error), "damaged"));
	assert_non_null(strstr(error_message(&error), fixture->path));
}

static void a_damaged_page_is_told_when_it_is_read(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_error_ struct error error = ERROR_INIT;
	char garbage[4096];

	for (int i = 0; i < 200; i++) {
		_cleanup_free_ char *name = xasprintf("value-%d", i);
		memset(garbage, i, sizeof(garbage));
		assert_true(
			store_value_set(fixture->store, name, (const uint8_t *)garbage, 64, NULL));
	}
	store_close(fixture->store);
	fixture->store = NULL;
	memset(garbage, 0xA7, sizeof(garbage));
	for (long page = 2; page < 24; page++)
		write_at(fixture->path, page * 4096, garbage, sizeof(garbage));
	fixture->store = store_open(fixture->path, &error);
	if (fixture->store) {
		_cleanup_buffer_ struct buffer value = BUFFER_INIT;
		assert_false(store_value_get(fixture->store, "value-9", &value, &error));
	}
	assert_int_equal(error.code, ERROR_STORE_FAILED);
	assert_non_null(strstr(error_message(&error), "damaged"));
}

static void a_record_that_makes_no_sense_is_told(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_credential_ struct credential *credential = sample_credential("one");
	_cleanup_error_ struct error error = ERROR_INIT;

	assert_true(store_credential_save(fixture->store, credential, NULL));
	fixture_sql(fixture, "UPDATE credential SET state = 'glowing'");
	assert_null(store_credential_by_id(fixture->store, credential->id, &error));
	assert_int_equal(error.code, ERROR_STORE_FAILED);
	fixture_sql(fixture, "UPDATE credential SET state = 'active', key_check_value = x'00'");
	assert_null(store_credential_by_id(fixture->store, credential->id, &error));
	fixture_sql(
		fixture, "UPDATE credential SET key_check_value = x'A50000', holder = 'not JSON'");
	assert_null(store_credential_by_id(fixture->store, credential->id, &error));
	assert_int_equal(error.code, ERROR_STORE_FAILED);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(the_files_are_for_their_owner_only),
		WITH_STORE(a_store_keeps_its_identifier),
		WITH_STORE(two_stores_have_different_identifiers),
		WITH_STORE(a_counter_counts_from_one_and_goes_on),
		WITH_STORE(a_value_is_set_replaced_and_may_be_empty),
		WITH_STORE(a_transaction_is_all_or_nothing),
		WITH_STORE(transactions_do_not_nest),
		WITH_STORE(a_failure_spoils_the_whole_transaction),
		WITH_STORE(what_is_merely_not_found_spoils_nothing),
		WITH_STORE(a_newer_schema_is_refused_and_left_alone),
		WITH_STORE(the_schema_is_brought_up_once),
		WITH_STORE(a_database_of_something_else_is_refused),
		WITH_STORE(a_failed_migration_changes_nothing),
		WITH_STORE(a_file_that_is_no_database_is_refused),
		WITH_STORE(a_damaged_page_is_told_when_it_is_read),
		WITH_STORE(a_record_that_makes_no_sense_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
