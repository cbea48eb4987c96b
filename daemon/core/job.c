/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/job.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>

#include "common/alloc.h"
#include "common/log.h"
#include "core/job-private.h"
#include "core/thread.h"

#define RUNNING_MAX	       64
#define RUNNING_OF_GUESTS_MAX  32
#define RUNNING_OF_A_GUEST_MAX 4
#define ENDED_MAX	       100
#define ENDED_OF_GUESTS_MAX    50
#define SECRET_SECONDS	       300

const char *job_state_name(enum job_state state)
{
	static const char *const names[] = {"running", "succeeded", "failed", "cancelled"};

	return (size_t)state < ARRAY_SIZE(names) ? names[state] : NULL;
}

void job_status_clear(struct job_status *status)
{
	free(status->operation);
	free(status->subject);
	free(status->step);
	error_clear(&status->error);
	fields_clear(&status->result);
	*status = (struct job_status){0};
}

static void error_copy(struct error *to, const struct error *from)
{
	*to = (struct error){.code = from->code,
		.message = xstrdup(from->message),
		.field = xstrdup(from->field),
		.detail = from->detail};
}

static void status_copy(struct job_status *to, const struct job_status *from)
{
	*to = *from;
	to->operation = xstrdup(from->operation);
	to->subject = xstrdup(from->subject);
	to->step = xstrdup(from->step);
	error_copy(&to->error, &from->error);
	to->result = (struct fields)FIELDS_INIT;
	fields_copy(&to->result, &from->result);
}

struct jobs *jobs_new(job_changed changed, void *context)
{
	struct jobs *jobs = xnew(struct jobs);

	jobs->changed = changed;
	jobs->changed_context = context;
	pthread_mutex_init(&jobs->lock, NULL);
	pthread_cond_init(&jobs->ended, NULL);
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&jobs->answered, &attributes);
	pthread_condattr_destroy(&attributes);
	return jobs;
}

static void job_free(struct job *job)
{
	secret_clear(&job->secret);
	free(job->owner);
	job_status_clear(&job->status);
	free(job);
}

void jobs_free(struct jobs *jobs)
{
	if (!jobs)
		return;
	pthread_mutex_lock(&jobs->lock);
	for (struct job *job = jobs->first; job; job = job->next)
		job->cancel_asked = true;
	pthread_cond_broadcast(&jobs->answered);
	while (jobs->threads > 0)
		pthread_cond_wait(&jobs->ended, &jobs->lock);
	pthread_mutex_unlock(&jobs->lock);
	while (jobs->first) {
		struct job *job = jobs->first;
		jobs->first = job->next;
		job_free(job);
	}
	pthread_cond_destroy(&jobs->ended);
	pthread_cond_destroy(&jobs->answered);
	pthread_mutex_destroy(&jobs->lock);
	free(jobs);
}

struct job *jobs_find(struct jobs *jobs, unsigned id)
{
	struct job *job = jobs->first;

	while (job && job->status.id != id)
		job = job->next;
	return job;
}

static bool has_ended(const struct job *job, bool of_guests)
{
	return job->status.state != JOB_RUNNING && (job->status.guest != 0) == of_guests;
}

/* Under the lock: drops the oldest ended jobs, of guests or of the others, beyond `maximum`. */
static void forget_old(struct jobs *jobs, bool of_guests, unsigned maximum)
{
	unsigned ended = 0;

	for (struct job *job = jobs->first; job; job = job->next)
		ended += has_ended(job, of_guests);
	for (struct job **link = &jobs->first; ended > maximum;) {
		struct job *job = *link;
		if (!has_ended(job, of_guests)) {
			link = &job->next;
			continue;
		}
		*link = job->next;
		job_free(job);
		ended--;
	}
}

static int64_t monotonic_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Under the lock: wipes the secrets that nobody has come for. */
static void forget_secrets(struct jobs *jobs)
{
	int64_t now = monotonic_seconds();

	for (struct job *job = jobs->first; job; job = job->next) {
		if (secret_is_set(&job->secret) && now >= job->secret_until)
			secret_clear(&job->secret);
	}
}

void jobs_announce(struct jobs *jobs, unsigned id, bool finished)
{
	if (jobs->changed)
		jobs->changed(jobs->changed_context, id, finished);
}

/* Notes the outcome; the job may be forgotten as soon as the lock is given up. */
static void job_end(struct job *job, bool done, struct error *error)
{
	struct jobs *jobs = job->jobs;
	struct job_status *status = &job->status;

	pthread_mutex_lock(&jobs->lock);
	if (done) {
		status->state = JOB_SUCCEEDED;
		status->progress = 100;
	} else {
		status->state = error->code == ERROR_CANCELLED ? JOB_CANCELLED : JOB_FAILED;
		error_move(&status->error, error);
	}
	status->ended_at = time(NULL);
	jobs->running--;
	forget_old(jobs, false, ENDED_MAX);
	forget_old(jobs, true, ENDED_OF_GUESTS_MAX);
	pthread_cond_broadcast(&jobs->ended);
	pthread_mutex_unlock(&jobs->lock);
}

static void *job_run(void *argument)
{
	struct job *job = argument;
	struct jobs *jobs = job->jobs;
	unsigned id = job->status.id;
	_cleanup_error_ struct error error = ERROR_INIT;

	log_info("job started operation=%s job=%u", job->status.operation, id);
	bool done = job->function(job, job->context, &error);
	if (!done && error.code == ERROR_NONE)
		error_set(&error, ERROR_FAILED, "the operation failed");
	if (job->free_context)
		job->free_context(job->context);
	if (done)
		log_info("job succeeded job=%u", id);
	else
		log_notice("job failed: %s job=%u", error_message(&error), id);
	job_end(job, done, &error);
	jobs_announce(jobs, id, true);
	/* The process may end before this thread has: what it holds goes now. */
	error_clear(&error);
	OPENSSL_thread_stop();
	pthread_mutex_lock(&jobs->lock);
	jobs->threads--; /* from here on jobs_free() may go on */
	pthread_cond_broadcast(&jobs->ended);
	pthread_mutex_unlock(&jobs->lock);
	return NULL;
}

static struct job *job_new(struct jobs *jobs, unsigned guest, const char *operation,
	const char *subject, job_function function, void *context, void (*free_context)(void *))
{
	struct job *job = xnew(struct job);

	job->jobs = jobs;
	job->status.guest = guest;
	job->function = function;
	job->context = context;
	job->free_context = free_context;
	job->status.operation = xstrdup(operation);
	job->status.subject = xstrdup(subject);
	job->status.step = xstrdup("");
	job->status.started_at = time(NULL);
	return job;
}

/* Under the lock: whether there is room for one more job of that guest (0: of a manager). */
static bool has_room(const struct jobs *jobs, unsigned guest, struct error *error)
{
	unsigned of_guests = 0, of_guest = 0;

	for (const struct job *job = jobs->first; job; job = job->next) {
		if (job->status.state == JOB_RUNNING && job->status.guest) {
			of_guests++;
			of_guest += job->status.guest == guest;
		}
	}
	if (jobs->running >= RUNNING_MAX)
		return error_set(error, ERROR_BUSY, "%d jobs are running already", RUNNING_MAX);
	if (guest && (of_guest >= RUNNING_OF_A_GUEST_MAX || of_guests >= RUNNING_OF_GUESTS_MAX))
		return error_set(error, ERROR_BUSY,
			"too many jobs of this user are running; wait until they have ended");
	return true;
}

/* Under the lock: appends the job and starts its thread. */
static bool start_locked(struct jobs *jobs, struct job *job, struct error *error)
{
	struct job **link = &jobs->first;

	if (!has_room(jobs, job->status.guest, error))
		return false;
	job->status.id = jobs->last_id + 1;
	int result = thread_start_detached(&job->thread, job_run, job, 0);
	if (result != 0)
		return error_set(error, ERROR_BUSY, "cannot start a thread: %s", strerror(result));
	while (*link)
		link = &(*link)->next;
	*link = job;
	jobs->last_id++;
	jobs->running++;
	jobs->threads++;
	return true;
}

unsigned jobs_start(struct jobs *jobs, unsigned guest, const char *operation, const char *subject,
	job_function function, void *context, void (*free_context)(void *), struct error *error)
{
	struct job *job = job_new(jobs, guest, operation, subject, function, context, free_context);
	unsigned id = 0;

	pthread_mutex_lock(&jobs->lock);
	forget_secrets(jobs);
	if (start_locked(jobs, job, error))
		id = jobs->last_id;
	pthread_mutex_unlock(&jobs->lock);
	if (id != 0)
		return id;
	if (free_context)
		free_context(context);
	job_free(job);
	return 0;
}

bool jobs_not_found(unsigned id, struct error *error)
{
	return error_set(error, ERROR_NOT_FOUND, "there is no job %u", id);
}

bool jobs_status(struct jobs *jobs, unsigned id, struct job_status *status, struct error *error)
{
	pthread_mutex_lock(&jobs->lock);
	struct job *job = jobs_find(jobs, id);
	if (job)
		status_copy(status, &job->status);
	pthread_mutex_unlock(&jobs->lock);
	return job || jobs_not_found(id, error);
}

unsigned *jobs_list(struct jobs *jobs, size_t *count)
{
	size_t room = RUNNING_MAX + ENDED_MAX + ENDED_OF_GUESTS_MAX + 1, used = 0;
	unsigned *ids = xcalloc(room, sizeof(*ids));

	pthread_mutex_lock(&jobs->lock);
	for (struct job *job = jobs->first; job && used < room; job = job->next)
		ids[used++] = job->status.id;
	pthread_mutex_unlock(&jobs->lock);
	*count = used;
	return ids;
}

bool jobs_cancel(struct jobs *jobs, unsigned id, struct error *error)
{
	pthread_mutex_lock(&jobs->lock);
	struct job *job = jobs_find(jobs, id);
	bool running = job && job->status.state == JOB_RUNNING;
	if (running)
		job->cancel_asked = true;
	pthread_cond_broadcast(&jobs->answered);
	pthread_mutex_unlock(&jobs->lock);
	if (!job)
		return jobs_not_found(id, error);
	return running || error_set(error, ERROR_WRONG_STATE, "job %u has ended", id);
}

bool jobs_take_secret(struct jobs *jobs, unsigned id, const char *owner, struct secret *secret,
	struct error *error)
{
	pthread_mutex_lock(&jobs->lock);
	forget_secrets(jobs);
	struct job *job = jobs_find(jobs, id);
	bool there = job && secret_is_set(&job->secret);
	bool is_owner = there && strcmp(job->owner, owner) == 0;
	if (is_owner)
		secret_move(secret, &job->secret);
	pthread_mutex_unlock(&jobs->lock);
	if (!job)
		return jobs_not_found(id, error);
	if (!there)
		return error_set(error, ERROR_NOT_FOUND,
			"job %u has no PIN to give, or has given it already", id);
	return is_owner || error_set(error, ERROR_ACCESS_DENIED,
				   "only who started job %u is given its PIN", id);
}

void jobs_wait(struct jobs *jobs, unsigned id)
{
	pthread_mutex_lock(&jobs->lock);
	for (struct job *job = jobs_find(jobs, id); job && job->status.state == JOB_RUNNING;
		job = jobs_find(jobs, id))
		pthread_cond_wait(&jobs->ended, &jobs->lock);
	pthread_mutex_unlock(&jobs->lock);
}

void job_progress(struct job *job, unsigned percent, const char *format, ...)
{
	va_list arguments;

	if (!job)
		return;
	va_start(arguments, format);
	char *step = xvasprintf(format, arguments);
	va_end(arguments);
	pthread_mutex_lock(&job->jobs->lock);
	job->status.progress = percent > 100 ? 100 : percent;
	free(job->status.step);
	job->status.step = step;
	pthread_mutex_unlock(&job->jobs->lock);
	jobs_announce(job->jobs, job->status.id, false);
}

void job_result(struct job *job, const char *name, const char *value)
{
	if (!job)
		return;
	pthread_mutex_lock(&job->jobs->lock);
	fields_set(&job->status.result, name, value);
	pthread_mutex_unlock(&job->jobs->lock);
}

void job_secret(struct job *job, const char *owner, struct secret *secret)
{
	if (!job)
		return;
	pthread_mutex_lock(&job->jobs->lock);
	secret_move(&job->secret, secret);
	free(job->owner);
	job->owner = xstrdup(owner);
	job->secret_until = monotonic_seconds() + SECRET_SECONDS;
	pthread_mutex_unlock(&job->jobs->lock);
}

bool job_continue(struct job *job, struct error *error)
{
	if (!job)
		return true;
	pthread_mutex_lock(&job->jobs->lock);
	bool asked = job->cancel_asked;
	pthread_mutex_unlock(&job->jobs->lock);
	return !asked || error_set(error, ERROR_CANCELLED, "the job was cancelled");
}

unsigned job_id(const struct job *job)
{
	return job ? job->status.id : 0;
}
