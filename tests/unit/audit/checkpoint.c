/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checkpoints signed in the token, and what a walk over records and checkpoints finds. */
#include "audit/checkpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "audit/audit.h"
#include "audit/verify.h"
#include "common/alloc.h"
#include "common/log.h"
#include "common/utf8.h"
#include "lib/token-fixture.h"
#include "unit/store/fixture.h"

static struct token_fixture *tokens;

static void write_records(struct store *store, int count)
{
	for (int i = 0; i < count; i++)
		assert_true(audit_write(
			store, AUDIT_CALLER("uid=0 pid=1"), "issue", "one", 7, NULL, NULL, NULL));
}

static int64_t write_checkpoint(struct fixture *fixture)
{
	struct audit_checkpoint checkpoint _cleanup_audit_checkpoint_ = AUDIT_CHECKPOINT_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!audit_checkpoint_write(fixture->store, tokens->token, &checkpoint, &error))
		fail_msg("%s", error_message(&error));
	return checkpoint.id;
}

static enum audit_problem verify(
	struct fixture *fixture, const struct buffer *key, struct audit_verifier *verifier)
{
	int64_t records;

	assert_true(audit_verify(fixture->store, key, verifier, &records, NULL));
	return verifier->problem;
}

static void a_checkpoint_covers_what_is_there(void **state)
{
	struct fixture *fixture = *state;
	struct audit_verifier verifier _cleanup_audit_verifier_ = {0};
	struct buffer key _cleanup_buffer_ = BUFFER_INIT;

	write_records(fixture->store, 3);
	assert_int_equal(write_checkpoint(fixture), 1);
	assert_int_equal(write_checkpoint(fixture), 1); /* nothing new */
	write_records(fixture->store, 300);
	assert_int_equal(write_checkpoint(fixture), 2);
	write_records(fixture->store, 1);
	assert_true(audit_checkpoint_key(tokens->token, &key, NULL));
	assert_int_equal(verify(fixture, &key, &verifier), AUDIT_WHOLE);
	assert_int_equal(verifier.last_checkpoint, 2);
	assert_int_equal(verifier.last_record - verifier.covered, 1);
}

static void an_empty_trail_needs_no_checkpoint(void **state)
{
	struct fixture *fixture = *state;

	write_checkpoint(fixture); /* makes the key, whose record it covers */
	fixture_sql(
		fixture, "DELETE FROM audit; DELETE FROM counter; DELETE FROM audit_checkpoint");
	assert_int_equal(write_checkpoint(fixture), 0);
}

static void without_a_token_there_is_none(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_error_ struct error error = ERROR_INIT;

	write_records(fixture->store, 2000);
	assert_true(audit_checkpoint_write_due(fixture->store, NULL, NULL));
	assert_false(audit_checkpoint_write(fixture->store, NULL, NULL, &error));
	assert_int_equal(error.code, ERROR_TOKEN_FAILED);
}

static int64_t last_checkpoint(struct fixture *fixture)
{
	struct audit_checkpoint last _cleanup_audit_checkpoint_ = AUDIT_CHECKPOINT_INIT;

	assert_true(store_checkpoint_last(fixture->store, &last, NULL));
	return last.id;
}

static void one_is_due_after_many_records_or_some_time(void **state)
{
	struct fixture *fixture = *state;

	write_checkpoint(fixture);
	write_records(fixture->store, 10);
	int64_t before = write_checkpoint(fixture);
	write_records(fixture->store, 10);
	assert_true(audit_checkpoint_write_due(fixture->store, tokens->token, NULL));
	assert_int_equal(last_checkpoint(fixture), before);
	write_records(fixture->store, 1000);
	assert_true(audit_checkpoint_write_due(fixture->store, tokens->token, NULL));
	assert_int_equal(last_checkpoint(fixture), before + 1);
	fixture_sql(fixture, "UPDATE audit_checkpoint SET time_us = 1");
	assert_true(audit_checkpoint_write_due(fixture->store, tokens->token, NULL));
	assert_int_equal(last_checkpoint(fixture), before + 1); /* no new record */
	write_records(fixture->store, 1);
	assert_true(audit_checkpoint_write_due(fixture->store, tokens->token, NULL));
	assert_int_equal(last_checkpoint(fixture), before + 2);
}

/* Computes the chain anew from the beginning, as someone with the database alone can. */
static void rewrite_chain(struct fixture *fixture)
{
	const struct audit_filter all = {.limit = 100};
	uint8_t previous[AUDIT_HASH_BYTES] = {0};
	struct audit_record *records;
	size_t count;
	int64_t next;

	assert_true(store_audit_list(fixture->store, &all, &records, &count, &next, NULL));
	for (size_t i = 0; i < count; i++) {
		audit_record_chain(&records[i], previous);
		memcpy(previous, records[i].hash, sizeof(previous));
		_cleanup_free_ char *hex = hex_encode(previous, sizeof(previous));
		_cleanup_free_ char *sql =
			xasprintf("UPDATE audit SET hash = x'%s' WHERE id = %lld", hex,
				(long long)records[i].id);
		fixture_sql(fixture, sql);
	}
	audit_records_free(records, count);
}

static void tampering_with_records_and_checkpoints_shows(void **state)
{
	static const struct {
		const char *sql;
		bool rewrite;
		enum audit_problem problem;
		int64_t bad;
	} cases[] = {
		{"SELECT 1", true, AUDIT_WHOLE, 0},
		{"UPDATE audit SET outcome = 'x' WHERE id = 4", false, AUDIT_CHANGED, 4},
		{"UPDATE audit SET outcome = 'x' WHERE id = 4", true, AUDIT_CHECKPOINT, 1},
		{"UPDATE audit SET outcome = 'x' WHERE id = 8", true, AUDIT_CHECKPOINT, 2},
		{"DELETE FROM audit WHERE id = 4", false, AUDIT_MISSING, 4},
		{"UPDATE audit SET id = -id WHERE id IN (2, 3); UPDATE audit SET id = 5 + id"
		 " WHERE id < 0",
			false, AUDIT_CHANGED, 2},
		{"DELETE FROM audit WHERE id > 8; UPDATE counter SET value = 8 WHERE name = "
		 "'audit'",
			false, AUDIT_TRUNCATED, 9},
		{"DELETE FROM audit_checkpoint WHERE id = 2", false, AUDIT_CHECKPOINT, 3},
		{"UPDATE audit_checkpoint SET time_us = time_us + 1 WHERE id = 2", false,
			AUDIT_CHECKPOINT, 2},
		{"UPDATE audit_checkpoint SET signature = x'3006020101020101' WHERE id = 3", false,
			AUDIT_CHECKPOINT, 3},
		{"UPDATE audit_checkpoint SET public_key = x'' WHERE id = 3", false,
			AUDIT_CHECKPOINT, 3},
		{"UPDATE audit_checkpoint SET record_id = 4 WHERE id = 1", false, AUDIT_CHECKPOINT,
			1},
		{"UPDATE audit_checkpoint SET hash = x'00' WHERE id = 1", false, AUDIT_CHECKPOINT,
			1},
	};

	struct fixture *fixture = *state;
	write_checkpoint(fixture);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct audit_verifier verifier _cleanup_audit_verifier_ = {0};
		fixture_sql(fixture,
			"DELETE FROM audit; DELETE FROM counter; DELETE FROM audit_checkpoint;"
			"DELETE FROM audit_run");
		for (int j = 0; j < 3; j++) {
			write_records(fixture->store, 5);
			write_checkpoint(fixture);
		}
		fixture_sql(fixture, cases[i].sql);
		if (cases[i].rewrite)
			rewrite_chain(fixture);
		verify(fixture, NULL, &verifier);
		if (verifier.problem != cases[i].problem || verifier.bad != cases[i].bad)
			fail_msg("%s: %s %lld: %s", cases[i].sql,
				audit_problem_name(verifier.problem), (long long)verifier.bad,
				verifier.text ? verifier.text : "");
	}
}

static void another_key_than_the_tokens_shows(void **state)
{
	static const uint8_t other[] = "another key";
	struct fixture *fixture = *state;
	struct audit_verifier verifier _cleanup_audit_verifier_ = {0};
	struct buffer key _cleanup_buffer_ = BUFFER_INIT;

	write_records(fixture->store, 2);
	write_checkpoint(fixture);
	buffer_append(&key, other, sizeof(other));
	assert_int_equal(verify(fixture, &key, &verifier), AUDIT_CHECKPOINT);
}

static void bytes_that_are_no_text_are_replaced(void **state)
{
	static const char *const cases[][2] = {{"plain", "plain"}, {"\xC3\xA4", "\xC3\xA4"},
		{"a\xC3", "a?"}, {"\xFFz", "?z"}, {"\xC0\x80", "??"}, {"\xED\xA0\x80", "???"},
		{"\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"}, {"\xF4\x90\x80\x80", "????"}, {"", ""}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *text = xstrdup(cases[i][0]);
		utf8_repair(text);
		assert_string_equal(text, cases[i][1]);
	}
}

static int make_token(void **state)
{
	(void)state;
	tokens = token_fixture_new();
	return 0;
}

static int remove_token(void **state)
{
	(void)state;
	token_fixture_free(tokens);
	return 0;
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(a_checkpoint_covers_what_is_there),
		WITH_STORE(an_empty_trail_needs_no_checkpoint),
		WITH_STORE(without_a_token_there_is_none),
		WITH_STORE(one_is_due_after_many_records_or_some_time),
		WITH_STORE(tampering_with_records_and_checkpoints_shows),
		WITH_STORE(another_key_than_the_tokens_shows),
		cmocka_unit_test(bytes_that_are_no_text_are_replaced),
	};

	log_set_level(LOG_LEVEL_WARNING);
	return cmocka_run_group_tests(tests, make_token, remove_token);
}
