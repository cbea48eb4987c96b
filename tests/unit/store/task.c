/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "unit/store/fixture.h"

/* A pending certificate of a new card; its id. */
static int64_t add_certificate(struct fixture *fixture, const char *serial)
{
	_cleanup_credential_ struct credential *credential = sample_credential(serial);
	_cleanup_certificate_ struct certificate certificate = CERTIFICATE_INIT;

	assert_true(store_credential_save(fixture->store, credential, NULL));
	certificate.credential_id = credential->id;
	certificate.slot = 0x9A;
	certificate.authority = xstrdup("digicert");
	certificate.status = CERTIFICATE_PENDING;
	certificate.request = xstrdup("{\"id\":\"7\"}");
	assert_true(store_certificate_save(fixture->store, &certificate, NULL));
	return certificate.id;
}

static size_t list(struct fixture *fixture, int64_t due, struct task **tasks)
{
	size_t count = 0;

	assert_true(store_task_list(fixture->store, due, UINT_MAX, tasks, &count, NULL));
	return count;
}

static void what_is_asked_for_is_not_forgotten(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_certificate_ struct certificate certificate = CERTIFICATE_INIT;
	int64_t id = add_certificate(fixture, "one");
	struct task *tasks;

	assert_true(store_task_put(fixture->store, id, TASK_COLLECT, 100, 5000, NULL));
	fixture_reopen(fixture);
	assert_true(store_certificate_get(fixture->store, id, &certificate, NULL));
	assert_string_equal(certificate.request, "{\"id\":\"7\"}");
	assert_int_equal(list(fixture, 99, &tasks), 0);
	assert_int_equal(list(fixture, 100, &tasks), 1);
	assert_int_equal(tasks[0].certificate_id, id);
	assert_string_equal(tasks[0].kind, TASK_COLLECT);
	assert_int_equal(tasks[0].attempts, 0);
	tasks_free(tasks, 1);
}

static void a_task_that_failed_is_due_later(void **state)
{
	struct fixture *fixture = *state;
	int64_t id = add_certificate(fixture, "one");
	struct task *tasks;

	assert_true(store_task_put(fixture->store, id, TASK_COLLECT, 100, 5000, NULL));
	assert_true(store_task_postpone(fixture->store, id, 200, 0, "it is away", NULL));
	assert_true(store_task_postpone(fixture->store, id, TASK_NEVER, 0, "denied", NULL));
	assert_int_equal(list(fixture, TASK_NEVER - 1, &tasks), 0);
	assert_int_equal(list(fixture, TASK_NEVER, &tasks), 1);
	assert_int_equal(tasks[0].attempts, 2);
	assert_string_equal(tasks[0].problem, "denied");
	tasks_free(tasks, 1);
}

static void a_certificate_has_one_task_and_takes_it_with_it(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_certificate_ struct certificate certificate = CERTIFICATE_INIT;
	int64_t one = add_certificate(fixture, "one"), two = add_certificate(fixture, "two");
	struct task *tasks;

	assert_true(store_task_put(fixture->store, one, TASK_COLLECT, 300, 5000, NULL));
	assert_true(store_task_put(fixture->store, two, TASK_COLLECT, 200, 5000, NULL));
	assert_true(store_task_postpone(fixture->store, one, 400, 0, "it is away", NULL));
	assert_true(store_task_put(fixture->store, one, TASK_TELL, 100, 5000, NULL));
	assert_int_equal(list(fixture, 1000, &tasks), 2);
	assert_string_equal(tasks[0].kind, TASK_TELL);
	assert_int_equal(tasks[0].attempts, 0);
	assert_null(tasks[0].problem);
	assert_int_equal(tasks[1].certificate_id, two);
	tasks_free(tasks, 2);
	assert_true(store_certificate_remove(fixture->store, one, NULL));
	assert_true(store_task_remove(fixture->store, two, NULL));
	assert_true(store_task_remove(fixture->store, two, NULL));
	assert_int_equal(list(fixture, 1000, &tasks), 0);
	assert_false(store_certificate_get(fixture->store, one, &certificate, NULL));
}

static void a_connection_with_a_task_stays(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_certificate_ struct certificate certificate = CERTIFICATE_INIT;
	_cleanup_connection_ struct connection connection = {.name = xstrdup("digicert"),
		.kind = xstrdup("digicert-one"),
		.document = xstrdup("{}")};
	int64_t id = add_certificate(fixture, "one");

	assert_true(store_connection_save(fixture->store, &connection, NULL));
	assert_true(store_certificate_get(fixture->store, id, &certificate, NULL));
	certificate.status = CERTIFICATE_REVOKED;
	assert_true(store_certificate_save(fixture->store, &certificate, NULL));
	assert_true(store_task_put(fixture->store, id, TASK_TELL, 100, 5000, NULL));
	assert_false(store_connection_remove(fixture->store, "digicert", &error));
	assert_int_equal(error.code, ERROR_IN_USE);
	assert_true(store_task_remove(fixture->store, id, NULL));
	assert_true(store_connection_remove(fixture->store, "digicert", NULL));
}

static void a_task_goes_on_with_something_else(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_task_ struct task task = TASK_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;
	int64_t id = add_certificate(fixture, "one");

	assert_true(store_task_put(fixture->store, id, TASK_TELL, 100, 5000, NULL));
	assert_true(store_task_postpone(fixture->store, id, 200, 0, "away", NULL));
	assert_true(store_task_get(fixture->store, id, &task, NULL));
	int64_t number = task.id, since = task.created_at;
	assert_true(store_task_turn(fixture->store, id, TASK_SEE, 300, 6000, "told", NULL));
	assert_true(store_task_find(fixture->store, number, &task, NULL));
	assert_string_equal(task.kind, TASK_SEE);
	assert_int_equal(task.attempts, 0);
	assert_int_equal(task.next_at, 300);
	assert_int_equal(task.created_at, since);
	assert_string_equal(task.problem, "told");
	assert_false(store_task_find(fixture->store, number + 1, &task, &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
}

static size_t list_alarms(struct fixture *fixture, int64_t due)
{
	struct task *tasks;
	size_t count = 0;

	assert_true(store_task_list_alarms(fixture->store, due, UINT_MAX, &tasks, &count, NULL));
	tasks_free(tasks, count);
	return count;
}

static void a_task_is_overdue_once_for_each_threshold(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_task_ struct task task = TASK_INIT;
	struct task *tasks;
	size_t count = 0;
	int64_t id = add_certificate(fixture, "one");

	assert_true(store_task_put(fixture->store, id, TASK_TELL, 100, 5000, NULL));
	assert_int_equal(list_alarms(fixture, 4999), 0);
	assert_int_equal(list_alarms(fixture, 5000), 1);
	/* Not before its list is renewed. */
	assert_true(store_task_postpone(fixture->store, id, 200, 7000, "not yet", NULL));
	assert_int_equal(list_alarms(fixture, 6999), 0);
	assert_true(store_task_postpone(fixture->store, id, 200, 0, "not yet", NULL));
	assert_true(store_task_get(fixture->store, id, &task, NULL));
	assert_int_equal(task.alarm_at, 7000);
	assert_true(store_task_list_unmailed(fixture->store, 10, &tasks, &count, NULL));
	assert_int_equal(count, 0);
	assert_true(store_task_alarmed(fixture->store, task.id, 9000, NULL));
	fixture_reopen(fixture);
	assert_int_equal(list_alarms(fixture, 8999), 0);
	assert_true(store_task_list_unmailed(fixture->store, 10, &tasks, &count, NULL));
	assert_int_equal(count, 1);
	assert_true(store_task_mailed(fixture->store, tasks[0].id, tasks[0].alarms, NULL));
	tasks_free(tasks, count);
	assert_true(store_task_list_unmailed(fixture->store, 10, &tasks, &count, NULL));
	assert_int_equal(count, 0);
	/* What needs an operator is said at once, and no second time when it fails again. */
	assert_true(store_task_postpone(fixture->store, id, TASK_NEVER, 0, "denied", NULL));
	assert_int_equal(list_alarms(fixture, time(NULL) + 1), 1);
	assert_true(store_task_alarmed(fixture->store, task.id, INT64_MAX, NULL));
	assert_true(store_task_postpone(fixture->store, id, TASK_NEVER, 0, "denied", NULL));
	assert_int_equal(list_alarms(fixture, time(NULL) + 1), 0);
}

static void mail_waits_in_the_store(void **state)
{
	struct fixture *fixture = *state;
	char recipient[] = "ada@example.org", subject[] = "Hello", body[] = "Text",
	     about[] = "reminder";
	const struct mail mail = {
		.recipient = recipient, .subject = subject, .body = body, .about = about};
	struct mail *mails;
	size_t count = 0;

	assert_true(store_mail_put(fixture->store, &mail, NULL));
	fixture_reopen(fixture);
	assert_true(store_mail_list(fixture->store, time(NULL), 10, &mails, &count, NULL));
	assert_int_equal(count, 1);
	assert_string_equal(mails[0].recipient, "ada@example.org");
	assert_string_equal(mails[0].body, "Text");
	assert_string_equal(mails[0].card, "");
	int64_t id = mails[0].id;
	mails_free(mails, count);
	assert_true(store_mail_postpone(fixture->store, id, time(NULL) + 100, NULL));
	assert_true(store_mail_list(fixture->store, time(NULL), 10, &mails, &count, NULL));
	assert_int_equal(count, 0);
	assert_true(store_mail_remove(fixture->store, id, NULL));
	assert_true(store_mail_list(fixture->store, INT64_MAX, 10, &mails, &count, NULL));
	assert_int_equal(count, 0);
}

static void what_was_said_is_not_said_again(void **state)
{
	struct fixture *fixture = *state;
	bool is_new = false;

	assert_true(store_notice_take(fixture->store, "reminder/1/30", &is_new, NULL));
	assert_true(is_new);
	fixture_reopen(fixture);
	assert_true(store_notice_take(fixture->store, "reminder/1/30", &is_new, NULL));
	assert_false(is_new);
	assert_true(store_notice_take(fixture->store, "reminder/1/14", &is_new, NULL));
	assert_true(is_new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_is_asked_for_is_not_forgotten, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(
			a_task_that_failed_is_due_later, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(a_task_is_overdue_once_for_each_threshold,
			fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(
			mail_waits_in_the_store, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(
			what_was_said_is_not_said_again, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(
			a_task_goes_on_with_something_else, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(a_certificate_has_one_task_and_takes_it_with_it,
			fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(
			a_connection_with_a_task_stays, fixture_set_up, fixture_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
