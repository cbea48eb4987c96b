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
#include "operation/task-alarm.h"
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

	/* What was to be done with it before, as its renewal, is over. */
	if (!store_connection_get(services->store, certificate->authority, &connection, NULL) ||
		authority_tells_all(connection.kind))
		return store_task_remove(services->store, certificate->id, error);
	return store_task_put(services->store, certificate->id,
		certificate->request && certificate->status == CERTIFICATE_PENDING ? TASK_COLLECT
										   : TASK_TELL,
		time(NULL) + TELL_SECONDS, task_alarm_first(services), error);
}

bool task_note_request(
	struct services *services, const struct certificate *certificate, struct error *error)
{
	return store_task_put(services->store, certificate->id, TASK_COLLECT,
		time(NULL) + REQUEST_SECONDS, task_alarm_first(services), error);
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
	_cleanup_free_ char *detail = xasprintf("%s, %s key, certificate %s%s%s",
		work->certificate.authority, key_slot_name(work->certificate.slot),
		work->certificate.serial_hex ? work->certificate.serial_hex : "not there yet",
		work->warning ? "; " : "", work->warning ? work->warning : "");

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

/* Asking again would change nothing: the authority has refused, or shows nobody what it has. */
static bool is_final(const struct task_work *work, const struct error *failure)
{
	return failure->code == ERROR_AUTHORITY_REJECTED ||
	       (failure->code == ERROR_NOT_SUPPORTED && strcmp(work->task.kind, TASK_COLLECT) == 0);
}

/* What is final waits for an operator; all else is tried again. */
static bool postpone(const struct task_work *work, struct store *transaction,
	const struct error *failure, struct error *error)
{
	int64_t next = is_final(work, failure) ? TASK_NEVER
		       : work->next	       ? work->next
					       : time(NULL) + pause_after(work->task.attempts);

	return store_task_postpone(transaction, work->task.certificate_id, next, work->alarm_at,
		error_message(failure), error);
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
				    task_alarm_first(work->services),
				    "it is told; nobody has looked yet whether it is seen", error)
			  : store_task_remove(transaction, id, error);
	return settled && store_commit(transaction, error);
}

static bool attempt(struct task_work *work, bool *goes_on, struct error *error)
{
	work->authority =
		authority_open(&work->services->connections, work->certificate.authority, error);
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

/* --- those that are over --- */

/* The authority is asked once more: what it may still issue is not forgotten. */
static bool forget_request(struct task_work *work, struct error *error)
{
	bool refused = false;

	if (!task_work_is_refused(work, &refused, error))
		return error_prefix(error, "whether the request is over is not known");
	return refused ? store_certificate_remove(
				 work->services->store, work->task.certificate_id, error)
		       : error_set(error, ERROR_WRONG_STATE,
				 "the authority does not refuse it any more: it is collected");
}

static bool remove_claimed(
	struct services *services, int64_t certificate_id, char **serial, struct error *error)
{
	struct task_work work _cleanup_(task_work_clear) = {.services = services};

	if (!task_work_open(&work, certificate_id, error))
		return false;
	*serial = steal_pointer(&work.serial);
	if (strcmp(work.task.kind, TASK_RENEW) == 0)
		return store_task_remove(services->store, certificate_id, error);
	if (strcmp(work.task.kind, TASK_COLLECT) != 0 || work.task.next_at != TASK_NEVER ||
		work.is_key)
		return error_set(error, ERROR_WRONG_STATE,
			"only a request for a card's certificate that was denied, and a renewal, "
			"can be taken off the list: an authority may still do what is asked for, "
			"or "
			"has to be told");
	return forget_request(&work, error);
}

static bool remove_task(struct services *services, int64_t id, char **serial, struct error *error)
{
	_cleanup_task_ struct task task = TASK_INIT;

	if (!store_task_find(services->store, id, &task, error))
		return false;
	_cleanup_free_ char *claim = xasprintf("certificate %" PRId64, task.certificate_id);
	if (!contacts_claim(services->contacts, claim, error))
		return false;
	bool done = remove_claimed(services, task.certificate_id, serial, error);
	contacts_release(services->contacts, claim);
	return done;
}

bool task_remove(struct services *services, const struct audit_actor *actor, int64_t id,
	const char *reason, struct error *error)
{
	_cleanup_free_ char *detail = xasprintf("task %" PRId64 ": %.512s", id, reason);
	_cleanup_free_ char *serial = NULL;
	_cleanup_error_ struct error failure = ERROR_INIT;
	bool done = reason[0] != '\0' ? remove_task(services, id, &serial, &failure)
				      : error_set_field(&failure, ERROR_INVALID_ARGUMENT, "reason",
						"why it is taken off the list has to be said");

	if (!audit_write(services->store, actor, "remove-task", serial, 0, done ? NULL : &failure,
		    detail, done ? error : NULL))
		return done ? false : error_move(error, &failure);
	return done || error_move(error, &failure);
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
