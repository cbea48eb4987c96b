/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A job that waits for somebody who signs something for it. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "core/job-private.h"

/* On the stack of the thread that waits; guarded by the register's lock while the job shows it. */
struct job_question {
	const struct job_signature_request *request;
	const char *owner;
	enum { QUESTION_OPEN, QUESTION_ANSWERED, QUESTION_REFUSED } state;
	struct buffer signature;
	char *reason; /* of a refusal */
};

void job_signature_request_clear(struct job_signature_request *request)
{
	buffer_clear(&request->content);
	buffer_clear(&request->certificate);
	free(request->card);
	free(request->purpose);
	*request = (struct job_signature_request){0};
}

static void request_copy(struct job_signature_request *to, const struct job_signature_request *from)
{
	*to = (struct job_signature_request){.number = from->number,
		.card = xstrdup(from->card),
		.purpose = xstrdup(from->purpose)};
	buffer_append(&to->content, from->content.data, from->content.length);
	buffer_append(&to->certificate, from->certificate.data, from->certificate.length);
}

/* --- who asks --- */

/* Under the lock. */
static void show(struct job *job, struct job_question *question)
{
	job->question = question;
	job->status.wants_signature = question != NULL;
}

/* Under the lock. False when the time is over. */
static bool await(struct job *job, const struct job_question *question, unsigned seconds)
{
	struct timespec until;
	int result = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += seconds;
	while (question->state == QUESTION_OPEN && !job->cancel_asked && result != ETIMEDOUT)
		result = pthread_cond_timedwait(&job->jobs->answered, &job->jobs->lock, &until);
	return result != ETIMEDOUT;
}

static bool take_answer(struct job_question *question, bool in_time, unsigned seconds,
	struct buffer *signature, struct error *error)
{
	if (question->state == QUESTION_ANSWERED) {
		buffer_append(signature, question->signature.data, question->signature.length);
		return true;
	}
	if (question->state == QUESTION_REFUSED)
		return error_set(error, ERROR_CANCELLED, "none was given: %s", question->reason);
	if (!in_time)
		return error_set(error, ERROR_TIMEOUT, "none was given within %u seconds", seconds);
	return error_set(error, ERROR_CANCELLED, "the job was cancelled");
}

bool job_ask_signature(struct job *job, const char *owner, struct job_signature_request *request,
	unsigned seconds, struct buffer *signature, struct error *error)
{
	struct job_question question = {.request = request, .owner = owner};
	struct jobs *jobs = job->jobs;

	pthread_mutex_lock(&jobs->lock);
	request->number = ++jobs->last_question;
	show(job, &question);
	pthread_mutex_unlock(&jobs->lock);
	jobs_announce(jobs, job->status.id, false);
	pthread_mutex_lock(&jobs->lock);
	bool in_time = await(job, &question, seconds);
	show(job, NULL);
	pthread_mutex_unlock(&jobs->lock);
	jobs_announce(jobs, job->status.id, false);
	bool answered = take_answer(&question, in_time, seconds, signature, error);
	buffer_clear(&question.signature);
	free(question.reason);
	return answered;
}

/* --- who answers --- */

/* Under the lock. */
static struct job_question *find(
	struct jobs *jobs, unsigned id, const char *owner, struct error *error)
{
	struct job *job = jobs_find(jobs, id);
	struct job_question *question = job ? job->question : NULL;

	if (question && question->state == QUESTION_OPEN && strcmp(question->owner, owner) == 0)
		return question;
	if (!job)
		jobs_not_found(id, error);
	else if (!question || question->state != QUESTION_OPEN)
		error_set(error, ERROR_NOT_FOUND, "job %u wants no signature now", id);
	else
		error_set(error, ERROR_ACCESS_DENIED,
			"only who started job %u is asked for its signature", id);
	return NULL;
}

/* Under the lock. */
static void end(struct jobs *jobs, struct job_question *question, const char *reason)
{
	question->state = reason ? QUESTION_REFUSED : QUESTION_ANSWERED;
	question->reason = xstrdup(reason);
	pthread_cond_broadcast(&jobs->answered);
}

bool jobs_signature_request(struct jobs *jobs, unsigned id, const char *owner,
	struct job_signature_request *request, struct error *error)
{
	pthread_mutex_lock(&jobs->lock);
	const struct job_question *question = find(jobs, id, owner, error);
	if (question)
		request_copy(request, question->request);
	pthread_mutex_unlock(&jobs->lock);
	return question != NULL;
}

bool jobs_give_signature(struct jobs *jobs, unsigned id, const char *owner, uint64_t number,
	const struct buffer *signature, struct error *error)
{
	pthread_mutex_lock(&jobs->lock);
	struct job_question *question = find(jobs, id, owner, error);
	bool is_it = question && question->request->number == number;
	if (is_it) {
		buffer_append(&question->signature, signature->data, signature->length);
		end(jobs, question, NULL);
	}
	pthread_mutex_unlock(&jobs->lock);
	return is_it || (question && error_set(error, ERROR_WRONG_STATE,
					     "job %u wants another signature by now", id));
}

bool jobs_refuse_signature(
	struct jobs *jobs, unsigned id, const char *owner, const char *reason, struct error *error)
{
	pthread_mutex_lock(&jobs->lock);
	struct job_question *question = find(jobs, id, owner, error);
	if (question)
		end(jobs, question, reason);
	pthread_mutex_unlock(&jobs->lock);
	return question != NULL;
}

void jobs_owner_gone(struct jobs *jobs, const char *owner)
{
	pthread_mutex_lock(&jobs->lock);
	for (struct job *job = jobs->first; job; job = job->next) {
		struct job_question *question = job->question;
		if (question && question->state == QUESTION_OPEN &&
			strcmp(question->owner, owner) == 0)
			end(jobs, question, "who started the job has gone");
	}
	pthread_mutex_unlock(&jobs->lock);
}
