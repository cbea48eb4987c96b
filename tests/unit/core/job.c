/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "core/job.h"

/* A gate that jobs wait at until the test opens it. */
struct gate {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	bool open;
	unsigned waiting;
	unsigned freed;
	unsigned changes, finishes;
};

static void gate_init(struct gate *gate)
{
	*gate = (struct gate){0};
	pthread_mutex_init(&gate->lock, NULL);
	pthread_cond_init(&gate->moved, NULL);
}

static void gate_open(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	gate->open = true;
	pthread_cond_broadcast(&gate->moved);
	pthread_mutex_unlock(&gate->lock);
}

static void gate_await(struct gate *gate, unsigned waiting)
{
	pthread_mutex_lock(&gate->lock);
	while (gate->waiting < waiting)
		pthread_cond_wait(&gate->moved, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
}

static void count_free(void *context)
{
	struct gate *gate = context;

	pthread_mutex_lock(&gate->lock);
	gate->freed++;
	pthread_mutex_unlock(&gate->lock);
}

static void count_change(void *context, unsigned id, bool finished)
{
	struct gate *gate = context;

	assert_true(id > 0);
	pthread_mutex_lock(&gate->lock);
	gate->changes++;
	gate->finishes += finished;
	pthread_mutex_unlock(&gate->lock);
}

static bool wait_at_gate(struct job *job, void *context, struct error *error)
{
	struct gate *gate = context;

	pthread_mutex_lock(&gate->lock);
	gate->waiting++;
	pthread_cond_broadcast(&gate->moved);
	while (!gate->open)
		pthread_cond_wait(&gate->moved, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
	return job_continue(job, error);
}

static bool work(struct job *job, void *context, struct error *error)
{
	(void)context, (void)error;
	job_progress(job, 40, "writing %s", "CHUID");
	job_result(job, "serial", "card-1");
	job_progress(job, 250, "nearly there");
	return true;
}

static bool fail_work(struct job *job, void *context, struct error *error)
{
	(void)job, (void)context;
	return error_set_field(error, ERROR_CARD_FAILED, "part", "the card said no");
}

static bool fail_without_words(struct job *job, void *context, struct error *error)
{
	(void)job, (void)context, (void)error;
	return false;
}

static void a_job_shows_its_progress_and_result(void **state)
{
	struct gate gate;
	_cleanup_job_status_ struct job_status status = {0};

	(void)state;
	gate_init(&gate);
	struct jobs *jobs = jobs_new(count_change, &gate);
	unsigned id = jobs_start(jobs, 0, "issue", "card-1", work, &gate, count_free, NULL);
	assert_int_equal(id, 1);
	jobs_wait(jobs, id);
	assert_true(jobs_status(jobs, id, &status, NULL));
	assert_int_equal(status.state, JOB_SUCCEEDED);
	assert_string_equal(job_state_name(status.state), "succeeded");
	assert_string_equal(status.operation, "issue");
	assert_string_equal(status.subject, "card-1");
	assert_string_equal(status.step, "nearly there");
	assert_int_equal(status.progress, 100);
	assert_string_equal(fields_get(&status.result, "serial"), "card-1");
	assert_true(status.ended_at >= status.started_at && status.started_at > 0);
	jobs_free(jobs);
	assert_int_equal(gate.freed, 1);
	assert_int_equal(gate.changes, 3);
	assert_int_equal(gate.finishes, 1);
}

static void a_failed_job_keeps_its_error(void **state)
{
	_cleanup_job_status_ struct job_status status = {0}, other = {0};
	struct jobs *jobs = jobs_new(NULL, NULL);

	(void)state;
	unsigned id = jobs_start(jobs, 0, "issue", NULL, fail_work, NULL, NULL, NULL);
	jobs_wait(jobs, id);
	assert_true(jobs_status(jobs, id, &status, NULL));
	assert_int_equal(status.state, JOB_FAILED);
	assert_null(status.subject);
	assert_int_equal(status.error.code, ERROR_CARD_FAILED);
	assert_string_equal(status.error.message, "the card said no");
	assert_string_equal(status.error.field, "part");
	id = jobs_start(jobs, 0, "issue", NULL, fail_without_words, NULL, NULL, NULL);
	jobs_wait(jobs, id);
	assert_true(jobs_status(jobs, id, &other, NULL));
	assert_int_equal(other.error.code, ERROR_FAILED);
	jobs_free(jobs);
}

static void a_cancelled_job_stops_at_its_next_safe_point(void **state)
{
	struct gate gate;
	_cleanup_job_status_ struct job_status status = {0};
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	gate_init(&gate);
	struct jobs *jobs = jobs_new(NULL, NULL);
	unsigned id = jobs_start(jobs, 0, "issue", NULL, wait_at_gate, &gate, count_free, NULL);
	gate_await(&gate, 1);
	assert_true(jobs_cancel(jobs, id, NULL));
	gate_open(&gate);
	jobs_wait(jobs, id);
	assert_true(jobs_status(jobs, id, &status, NULL));
	assert_int_equal(status.state, JOB_CANCELLED);
	assert_int_equal(status.error.code, ERROR_CANCELLED);
	assert_false(jobs_cancel(jobs, id, &error));
	assert_int_equal(error.code, ERROR_WRONG_STATE);
	assert_false(jobs_cancel(jobs, 99, &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
	assert_false(jobs_status(jobs, 99, &status, &error));
	jobs_wait(jobs, 99);
	jobs_free(jobs);
}

static void the_sixty_fifth_job_is_refused_and_its_context_freed(void **state)
{
	struct gate gate;
	_cleanup_error_ struct error error = ERROR_INIT;
	size_t count;

	(void)state;
	gate_init(&gate);
	struct jobs *jobs = jobs_new(NULL, NULL);
	for (int i = 0; i < 64; i++)
		assert_int_not_equal(
			jobs_start(jobs, 0, "issue", NULL, wait_at_gate, &gate, count_free, NULL),
			0);
	assert_int_equal(
		jobs_start(jobs, 0, "issue", NULL, wait_at_gate, &gate, count_free, &error), 0);
	assert_int_equal(error.code, ERROR_BUSY);
	assert_int_equal(gate.freed, 1);
	unsigned *ids = jobs_list(jobs, &count);
	assert_int_equal(count, 64);
	free(ids);
	gate_open(&gate);
	jobs_free(jobs);
	assert_int_equal(gate.freed, 65);
}

static void only_the_last_hundred_ended_jobs_are_remembered(void **state)
{
	struct jobs *jobs = jobs_new(NULL, NULL);
	size_t count;

	(void)state;
	for (unsigned i = 1; i <= 130; i++) {
		assert_int_equal(jobs_start(jobs, 0, "issue", NULL, work, NULL, NULL, NULL), i);
		jobs_wait(jobs, i);
	}
	unsigned *ids = jobs_list(jobs, &count);
	assert_int_equal(count, 100);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(ids[i], 31 + i);
	free(ids);
	jobs_free(jobs);
}

static void guests_leave_room_for_managers(void **state)
{
	struct gate gate;
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	gate_init(&gate);
	struct jobs *jobs = jobs_new(NULL, NULL);
	for (unsigned i = 0; i < 32; i++)
		assert_int_not_equal(jobs_start(jobs, 1000 + i / 4, "change-pin", NULL,
					     wait_at_gate, &gate, count_free, NULL),
			0);
	/* The fifth of one guest, and the first of another one when there are 32. */
	for (unsigned guest = 1000; guest <= 1008; guest += 8) {
		assert_int_equal(jobs_start(jobs, guest, "change-pin", NULL, wait_at_gate, &gate,
					 count_free, &error),
			0);
		assert_int_equal(error.code, ERROR_BUSY);
		error_clear(&error);
	}
	assert_int_not_equal(
		jobs_start(jobs, 0, "issue", NULL, wait_at_gate, &gate, count_free, NULL), 0);
	gate_open(&gate);
	jobs_free(jobs);
}

static void jobs_of_guests_push_no_others_out_of_memory(void **state)
{
	_cleanup_job_status_ struct job_status status = {0};
	struct jobs *jobs = jobs_new(NULL, NULL);
	size_t count;

	(void)state;
	unsigned first = jobs_start(jobs, 0, "issue", NULL, work, NULL, NULL, NULL);
	jobs_wait(jobs, first);
	for (unsigned i = 0; i < 130; i++)
		jobs_wait(jobs, jobs_start(jobs, 1000, "change-pin", NULL, work, NULL, NULL, NULL));
	assert_true(jobs_status(jobs, first, &status, NULL));
	unsigned *ids = jobs_list(jobs, &count);
	assert_int_equal(count, 51);
	free(ids);
	jobs_free(jobs);
}

static void *open_gate(void *argument)
{
	gate_open(argument);
	return NULL;
}

static void freeing_cancels_and_waits(void **state)
{
	struct gate gate;
	pthread_t thread;

	(void)state;
	gate_init(&gate);
	struct jobs *jobs = jobs_new(count_change, &gate);
	jobs_start(jobs, 0, "issue", NULL, wait_at_gate, &gate, count_free, NULL);
	jobs_start(jobs, 0, "issue", NULL, wait_at_gate, &gate, count_free, NULL);
	gate_await(&gate, 2);
	pthread_create(&thread, NULL, open_gate, &gate);
	jobs_free(jobs);
	assert_int_equal(gate.freed, 2);
	assert_int_equal(gate.finishes, 2);
	pthread_join(thread, NULL);
}

static bool make_pin(struct job *job, void *context, struct error *error)
{
	struct secret pin _cleanup_secret_ = SECRET_INIT;

	(void)context;
	(void)error;
	secret_set(&pin, "271828", 6);
	job_secret(job, "ada", &pin);
	assert_false(secret_is_set(&pin));
	return true;
}

static bool make_nothing(struct job *job, void *context, struct error *error)
{
	(void)job;
	(void)context;
	(void)error;
	return true;
}

static void a_secret_is_given_once_and_only_to_its_owner(void **state)
{
	struct job_status status _cleanup_job_status_ = {0};
	struct secret pin _cleanup_secret_ = SECRET_INIT;
	struct error error _cleanup_error_ = ERROR_INIT;
	struct jobs *jobs = jobs_new(NULL, NULL);

	(void)state;
	unsigned id = jobs_start(jobs, 0, "unblock", NULL, make_pin, NULL, NULL, NULL);
	unsigned other = jobs_start(jobs, 0, "unblock", NULL, make_nothing, NULL, NULL, NULL);
	jobs_wait(jobs, id);
	jobs_wait(jobs, other);
	assert_true(jobs_status(jobs, id, &status, NULL));
	assert_int_equal(status.result.count, 0);
	assert_false(jobs_take_secret(jobs, id, "grace", &pin, &error));
	assert_int_equal(error.code, ERROR_ACCESS_DENIED);
	assert_true(jobs_take_secret(jobs, id, "ada", &pin, NULL));
	assert_int_equal(pin.length, 6);
	assert_memory_equal(pin.data, "271828", 6);
	assert_false(jobs_take_secret(jobs, id, "ada", &pin, &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
	assert_false(jobs_take_secret(jobs, other, "ada", &pin, &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
	assert_false(jobs_take_secret(jobs, 99, "ada", &pin, &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
	jobs_free(jobs);
}

static void an_operation_without_a_job_may_report_too(void **state)
{
	(void)state;
	job_progress(NULL, 10, "step");
	job_result(NULL, "name", "value");
	assert_true(job_continue(NULL, NULL));
	assert_int_equal(job_id(NULL), 0);
	jobs_free(NULL);
}

/* --- signatures --- */

/* What a job asks for, and what came of it. */
struct asking {
	unsigned seconds;
	struct buffer signature;
	unsigned asked; /* rounds */
};

static bool ask(struct job *job, void *context, struct error *error)
{
	struct asking *asking = context;
	bool done = true;

	for (unsigned i = 0; done && i < asking->asked; i++) {
		_cleanup_signature_request_ struct job_signature_request request = {
			.card = strdup("card-1"), .purpose = strdup("a proof")};
		buffer_append_string(&request.content, "content");
		buffer_append_string(&request.certificate, "certificate");
		done = job_ask_signature(
			job, "bob", &request, asking->seconds, &asking->signature, error);
	}
	return done;
}

/* A job that waits for bob's signature. */
static unsigned start_asking(struct jobs *jobs, struct asking *asking)
{
	unsigned id = jobs_start(jobs, 0, "issue", NULL, ask, asking, NULL, NULL);
	bool wanted = false;

	while (!wanted) {
		_cleanup_job_status_ struct job_status status = {0};
		assert_true(jobs_status(jobs, id, &status, NULL));
		assert_int_equal(status.state, JOB_RUNNING);
		wanted = status.wants_signature;
	}
	return id;
}

static void assert_ended(struct jobs *jobs, unsigned id, enum job_state state, enum error_code code,
	const char *words)
{
	_cleanup_job_status_ struct job_status status = {0};

	jobs_wait(jobs, id);
	assert_true(jobs_status(jobs, id, &status, NULL));
	assert_int_equal(status.state, state);
	assert_false(status.wants_signature);
	assert_int_equal(status.error.code, code);
	if (words && !strstr(error_message(&status.error), words))
		fail_msg("\"%s\" is not in: %s", words, error_message(&status.error));
}

static void a_signature_is_given_by_whom_the_job_asks(void **state)
{
	struct asking asking = {.seconds = 60, .asked = 2};
	struct jobs *jobs = jobs_new(NULL, NULL);
	_cleanup_buffer_ struct buffer signature = BUFFER_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	buffer_append_string(&signature, "signature");
	unsigned id = start_asking(jobs, &asking);
	_cleanup_signature_request_ struct job_signature_request first = {0}, second = {0},
								 none = {0};
	assert_true(jobs_signature_request(jobs, id, "bob", &first, NULL));
	assert_int_equal(first.content.length, strlen("content"));
	assert_string_equal(first.card, "card-1");
	assert_string_equal(first.purpose, "a proof");
	assert_false(jobs_signature_request(jobs, id, "carol", &none, &error));
	assert_int_equal(error.code, ERROR_ACCESS_DENIED);
	assert_false(jobs_give_signature(jobs, id, "carol", first.number, &signature, &error));
	assert_int_equal(error.code, ERROR_ACCESS_DENIED);
	assert_false(jobs_refuse_signature(jobs, id, "carol", "no", &error));
	assert_int_equal(error.code, ERROR_ACCESS_DENIED);
	assert_true(jobs_give_signature(jobs, id, "bob", first.number, &signature, NULL));
	/* One that was given for the first is none for the second. */
	while (!jobs_signature_request(jobs, id, "bob", &second, NULL))
		;
	assert_int_not_equal(first.number, second.number);
	assert_false(jobs_give_signature(jobs, id, "bob", first.number, &signature, &error));
	assert_int_equal(error.code, ERROR_WRONG_STATE);
	assert_true(jobs_give_signature(jobs, id, "bob", second.number, &signature, NULL));
	assert_ended(jobs, id, JOB_SUCCEEDED, ERROR_NONE, NULL);
	assert_int_equal(asking.signature.length, 2 * strlen("signature"));
	assert_false(jobs_signature_request(jobs, id, "bob", &none, &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
	assert_false(jobs_signature_request(jobs, id + 1, "bob", &none, &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
	buffer_clear(&asking.signature);
	jobs_free(jobs);
}

static void a_job_does_not_wait_for_what_will_not_come(void **state)
{
	struct asking asking = {.seconds = 3600, .asked = 1}, hasty = {.asked = 1};
	struct jobs *jobs = jobs_new(NULL, NULL);

	(void)state;
	unsigned id = start_asking(jobs, &asking);
	assert_true(jobs_refuse_signature(jobs, id, "bob", "the PIN is wrong", NULL));
	assert_ended(jobs, id, JOB_CANCELLED, ERROR_CANCELLED, "none was given: the PIN is wrong");
	id = start_asking(jobs, &asking);
	jobs_owner_gone(jobs, "carol");
	jobs_owner_gone(jobs, "bob");
	assert_ended(jobs, id, JOB_CANCELLED, ERROR_CANCELLED, "who started the job has gone");
	id = start_asking(jobs, &asking);
	assert_true(jobs_cancel(jobs, id, NULL));
	assert_ended(jobs, id, JOB_CANCELLED, ERROR_CANCELLED, "the job was cancelled");
	id = jobs_start(jobs, 0, "issue", NULL, ask, &hasty, NULL, NULL);
	assert_ended(jobs, id, JOB_FAILED, ERROR_TIMEOUT, "none was given within 0 seconds");
	/* Nor does the daemon at its end. */
	start_asking(jobs, &asking);
	jobs_free(jobs);
	assert_int_equal(asking.signature.length, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_shows_its_progress_and_result),
		cmocka_unit_test(a_failed_job_keeps_its_error),
		cmocka_unit_test(a_cancelled_job_stops_at_its_next_safe_point),
		cmocka_unit_test(the_sixty_fifth_job_is_refused_and_its_context_freed),
		cmocka_unit_test(only_the_last_hundred_ended_jobs_are_remembered),
		cmocka_unit_test(guests_leave_room_for_managers),
		cmocka_unit_test(jobs_of_guests_push_no_others_out_of_memory),
		cmocka_unit_test(freeing_cancels_and_waits),
		cmocka_unit_test(a_secret_is_given_once_and_only_to_its_owner),
		cmocka_unit_test(an_operation_without_a_job_may_report_too),
		cmocka_unit_test(a_signature_is_given_by_whom_the_job_asks),
		cmocka_unit_test(a_job_does_not_wait_for_what_will_not_come),
	};

	log_set_level(LOG_LEVEL_WARNING);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
