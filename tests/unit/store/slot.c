/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/alloc.h"
#include "unit/store/fixture.h"

static int64_t add(const struct fixture *fixture, const char *name, struct error *error)
{
	_cleanup_slot_record_ struct slot_record *record = xnew(struct slot_record);

	record->name = xstrdup(name);
	record->module = xstrdup("/usr/lib/module.so");
	record->token_label = xstrdup("token");
	record->token_serial = xstrdup("42");
	record->pin = SLOT_PIN_SEALED;
	record->pin_file = xstrdup("");
	record->audit_uses = true;
	record->process = SLOT_PROCESS_OWN;
	record->timeout = 7;
	record->variables = slot_variables_from_text("A=1\nB=2\n");
	buffer_append_string(&record->sealed_pin, "sealed");
	return store_slot_add(fixture->store, record, error) ? record->number : 0;
}

static void set_rule(
	const struct fixture *fixture, const char *subject, const char *key, unsigned operations)
{
	const struct slot_rule rule = {
		(char *)(uintptr_t)subject, (char *)(uintptr_t)key, operations};

	assert_true(store_slot_set_rule(fixture->store, "web", &rule, NULL));
}

static void a_slot_comes_back_as_it_was_saved(void **state)
{
	struct fixture *fixture = *state;
	struct slot_record **records;
	size_t count;

	assert_int_equal(add(fixture, "web", NULL), SLOT_NUMBER_FIRST);
	set_rule(fixture, "user:1000", "tls", 1);
	set_rule(fixture, "group:50", "*", 3);
	set_rule(fixture, "user:1000", "tls", 5);
	fixture_reopen(fixture);
	assert_true(store_slot_list(fixture->store, &records, &count, NULL));
	assert_int_equal(count, 1);
	const struct slot_record *record = records[0];
	assert_string_equal(record->name, "web");
	assert_string_equal(record->module, "/usr/lib/module.so");
	assert_string_equal(record->token_label, "token");
	assert_string_equal(record->token_serial, "42");
	assert_int_equal(record->number, SLOT_NUMBER_FIRST);
	assert_int_equal(record->pin, SLOT_PIN_SEALED);
	assert_true(record->audit_uses);
	assert_int_equal(record->process, SLOT_PROCESS_OWN);
	assert_int_equal(record->timeout, 7);
	assert_string_equal(record->variables[1], "B=2");
	assert_int_equal(record->sealed_pin.length, 6);
	assert_int_equal(record->rule_count, 2);
	assert_string_equal(record->rules[0].subject, "group:50");
	assert_string_equal(record->rules[1].key, "tls");
	assert_int_equal(record->rules[1].operations, 5);
	slot_records_free(records, count);
}

static void a_slot_is_changed(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_error_ struct error error = ERROR_INIT;
	struct slot_record **records;
	size_t count;

	add(fixture, "web", NULL);
	assert_true(store_slot_list(fixture->store, &records, &count, NULL));
	slot_variables_free(records[0]->variables);
	records[0]->variables = NULL;
	records[0]->process = SLOT_PROCESS_DAEMON;
	records[0]->timeout = 8;
	records[0]->audit_uses = false;
	assert_true(store_slot_change(fixture->store, records[0], NULL));
	slot_records_free(records, count);
	fixture_reopen(fixture);
	assert_true(store_slot_list(fixture->store, &records, &count, NULL));
	assert_int_equal(records[0]->process, SLOT_PROCESS_DAEMON);
	assert_int_equal(records[0]->timeout, 8);
	assert_null(records[0]->variables[0]);
	assert_false(records[0]->audit_uses);
	assert_true(store_slot_remove(fixture->store, "web", NULL));
	assert_false(store_slot_change(fixture->store, records[0], &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
	slot_records_free(records, count);
}

static void a_slot_follows_its_token(void **state)
{
	struct fixture *fixture = *state;
	struct slot_record **records;
	size_t count;

	add(fixture, "web", NULL);
	add(fixture, "other", NULL);
	assert_true(store_slot_set_token(fixture->store, "web", "renamed", "43", NULL));
	fixture_reopen(fixture);
	assert_true(store_slot_list(fixture->store, &records, &count, NULL));
	assert_string_equal(records[0]->token_label, "renamed");
	assert_string_equal(records[0]->token_serial, "43");
	assert_string_equal(records[1]->token_label, "token");
	assert_string_equal(records[1]->token_serial, "42");
	slot_records_free(records, count);
}

static void a_number_is_never_given_twice(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_error_ struct error error = ERROR_INIT;

	int64_t first = add(fixture, "web", NULL);
	assert_int_equal(add(fixture, "web", &error), 0);
	assert_int_equal(error.code, ERROR_EXISTS);
	assert_true(store_slot_remove(fixture->store, "web", NULL));
	assert_false(store_slot_remove(fixture->store, "web", &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
	assert_true(add(fixture, "web", NULL) > first);
}

static void rules_go_one_by_one_or_with_their_slot(void **state)
{
	struct fixture *fixture = *state;
	struct slot_rule *rules;
	size_t count;

	add(fixture, "web", NULL);
	set_rule(fixture, "anyone", "a", 1);
	set_rule(fixture, "anyone", "b", 1);
	assert_true(store_slot_remove_rule(fixture->store, "web", "anyone", "a", NULL));
	assert_true(store_slot_remove_rule(fixture->store, "web", "anyone", "never", NULL));
	assert_true(store_slot_rules(fixture->store, "web", &rules, &count, NULL));
	assert_int_equal(count, 1);
	assert_string_equal(rules[0].key, "b");
	slot_rules_free(rules, count);
	assert_true(store_slot_remove(fixture->store, "web", NULL));
	add(fixture, "web", NULL);
	assert_true(store_slot_rules(fixture->store, "web", &rules, &count, NULL));
	assert_int_equal(count, 0);
	slot_rules_free(rules, count);
	const struct slot_rule rule = {(char *)(uintptr_t) "anyone", (char *)(uintptr_t) "*", 1};
	assert_false(store_slot_set_rule(fixture->store, "nothing", &rule, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_slot_comes_back_as_it_was_saved, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(
			a_slot_is_changed, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(
			a_slot_follows_its_token, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(
			a_number_is_never_given_twice, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(
			rules_go_one_by_one_or_with_their_slot, fixture_set_up, fixture_tear_down),
	};

	return cmocka_run_group_tests_name("store/slot", tests, NULL, NULL);
}
