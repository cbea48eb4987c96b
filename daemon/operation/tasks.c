/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/tasks.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "audit/audit.h"
#include "common/alloc.h"
#include "common/log.h"
#include "operation/contact.h"
#include "operation/slot-keys.h"
#include "operation/task-private.h"

/* An enrollment under way is over by then, however slow the authority is. */
#define REQUEST_SECONDS (15 * 60)
/* Whoever changed a status tells it at once; this is for when it was cut off. */
#define TELL_SECONDS (2 * 60)
#define PAUSE_FIRST  30
#define PAUSE_MAX    (60 * 60)
/* A status that was told is looked for so soon. */
#define SEE_SECONDS 5
#define TASKS_MAX   100 /* at a time; the next ones follow at the next look */

/* --- putting tasks --- */

bool task_note_status(
	struct services *services, const struct certificate *certificate, struct error *error)
{
	_cleanup_connection_ struct connection connection = CONNECTION_INIT;

	if (!store_connection_get(services->store, certificate->authority, &connection, NULL) ||
		authority_tells_all(connection.kind))
		return true;
	return store_task_put(services->store, certificate->id,
		certificate->request && certificate->status == CERTIFICATE_PENDING ? TASK_COLLECT
										   : TASK_TELL,
		time(NULL) + TELL_SECONDS, error);
}

bool task_note_request(
	struct services *services, const struct certificate *certificate, struct error *error)
{
	return store_task_put(services->store, certificate->id, TASK_COLLECT,
		time(NULL) + REQUEST_SECONDS, error);
}

/* --- attempts --- */

static int64_t pause_after(int64_t attempts)
{
	int64_t pause = PAUSE_FIRST;

	while (attempts-- > 0 && pause < PAUSE_MAX)
		pause *= 2;
	return pause < PAUSE_MAX ? pause : PAUSE_MAX;
}

static void write_record(const struct task_work *work, const struct error *failure)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_free_ char *detail = xasprintf("%s, %s key, certificate %s",
		work->certificate.authority, key_slot_name(work->certificate.slot),
		work->certificate.serial_hex ? work->certificate.serial_hex : "not there yet");

	if (!audit_write(work->services->store, &audit_daemon, work->what, work->serial, 0, failure,
		    detail, &error))
		log_error("audit record not written: %s", error_message(&error));
}

/* Whether the certificate is still to be what this attempt was about; if not, there is a new task.
 */
static bool is_present(const struct task_work *work, struct store *transaction)
{
	_cleanup_certificate_ struct certificate present = CERTIFICATE_INIT;

	return store_certificate_get(transaction, work->certificate.id, &present, NULL) &&
	       present.status == work->certificate.status;
}

/* A refusal is final until an operator does something; all else is tried again. */
static bool postpone(const struct task_work *work, struct store *transaction,
	const struct error *failure, struct error *error)
{
	int64_t next = failure->code == ERROR_AUTHORITY_REJECTED ? TASK_NEVER
		       : work->next				 ? work->next
				    : time(NULL) + pause_after(work->task.attempts);

	return store_task_postpone(
		transaction, work->task.certificate_id, next, error_message(failure), error);
}

/* Where the task stands after an attempt. failure: NULL when it went well. */
static bool settle(const struct task_work *work, bool goes_on, const struct error *failure,
	struct error *error)
{
	int64_t id = work->task.certificate_id;

	if (!store_begin(work->services->store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = work->services->store;
	if (!is_present(work, transaction))
		return store_commit(transaction, error);
	bool settled =
		failure	  ? postpone(work, transaction, failure, error)
		: goes_on ? store_task_turn(transaction, id, TASK_SEE, time(NULL) + SEE_SECONDS,
				    "it is told; nobody has looked yet whether it is seen", error)
			  : store_task_remove(transaction, id, error);
	return settled && store_commit(transaction, error);
}

static bool attempt(struct task_work *work, bool *goes_on, struct error *error)
{
	work->authority =
		authority_open(&work->services->authority, work->certificate.authority, error);
	return work->authority && task_work_run(work, goes_on, error);
}

static bool run_claimed(struct services *services, int64_t certificate_id,
	struct revocation_cache *cache, struct error *error)
{
	struct task_work work _cleanup_(task_work_clear) = {.services = services, .cache = cache};
	_cleanup_error_ struct error failure = ERROR_INIT, store_failure = ERROR_INIT;
	bool goes_on = false;

	/* Another thread has done it. */
	if (!task_work_open(&work, certificate_id, &failure))
		return failure.code == ERROR_NOT_FOUND || error_move(error, &failure);
	bool done = attempt(&work, &goes_on, &failure);
	/* What is only not there yet is no news. */
	if (work.what && (done || failure.code != ERROR_BUSY))
		write_record(&work, done ? NULL : &failure);
	if (work.is_key && work.certificate.credential_id)
		slot_key_arrived(services, work.certificate.credential_id);
	if (!settle(&work, goes_on, done ? NULL : &failure, &store_failure)) {
		log_error("a task stays as it was: %s", error_message(&store_failure));
		return done ? error_move(error, &store_failure) : error_move(error, &failure);
	}
	return done || error_move(error, &failure);
}

static bool run_one(struct services *services, int64_t certificate_id,
	struct revocation_cache *cache, struct error *error)
{
	_cleanup_free_ char *claim = xasprintf("certificate %" PRId64, certificate_id);

	if (!contacts_claim(services->contacts, claim, error))
		return false;
	bool done = run_claimed(services, certificate_id, cache, error);
	contacts_release(services->contacts, claim);
	return done;
}

bool task_run(struct services *services, int64_t certificate_id, struct error *error)
{
	return run_one(services, certificate_id, NULL, error);
}

bool task_run_by_id(struct services *services, int64_t id, struct error *error)
{
	_cleanup_task_ struct task task = TASK_INIT;
	_cleanup_error_ struct error missing = ERROR_INIT;

	if (store_task_find(services->store, id, &task, &missing))
		return task_run(services, task.certificate_id, error);
	return missing.code == ERROR_NOT_FOUND
		       ? error_set(error, ERROR_NOT_FOUND, "there is no task %" PRId64, id)
		       : error_move(error, &missing);
}

/* --- those that are due --- */

static bool run_due(struct job *job, void *context, struct error *error)
{
	struct services *services = context;
	struct task *tasks = NULL;
	size_t count = 0;
	bool going_on = true;
	_cleanup_revocation_cache_ struct revocation_cache cache = REVOCATION_CACHE_INIT;

	if (!store_task_list(services->store, time(NULL), TASKS_MAX, &tasks, &count, error))
		return false;
	for (size_t i = 0; going_on && i < count; i++) {
		_cleanup_error_ struct error failure = ERROR_INIT;
		job_progress(job, (unsigned)(100 * i / count), "asking authorities");
		going_on = job_continue(job, error);
		if (going_on && !run_one(services, tasks[i].certificate_id, &cache, &failure))
			log_warning("a task is tried again later: %s task=%" PRId64,
				error_message(&failure), tasks[i].id);
	}
	tasks_free(tasks, count);
	return going_on;
}

bool tasks_start(struct services *services, struct error *error)
{
	struct task *tasks = NULL;
	size_t count = 0;

	/* Secrets of connections are sealed by the token. */
	if (!services->token)
		return true;
	if (!store_task_list(services->store, time(NULL), 1, &tasks, &count, error))
		return false;
	tasks_free(tasks, count);
	return count == 0 ||
	       jobs_start(services->jobs, 0, "tasks", NULL, run_due, services, NULL, error) != 0;
}
