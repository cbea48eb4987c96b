/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A try to prove who somebody is: what is counted, recorded and told, alike for all that is wrong.
 */
#include <errno.h>
#include <string.h>

#include "audit/audit.h"
#include "common/alloc.h"
#include "common/log.h"
#include "operation/self-private.h"

void self_try_clear(struct self_try *attempt)
{
	for (size_t i = 0; i < attempt->subject_count; i++)
		free(attempt->subjects[i].name);
	free(attempt->detail);
}

bool self_try_begin(struct self_try *attempt, struct selves *selves,
	const struct self_request *request, struct error *error)
{
	*attempt = (struct self_try){.selves = selves, .request = request};
	clock_gettime(CLOCK_MONOTONIC, &attempt->started);
	return self_limits_try(&selves->limits, request->uid, error);
}

bool self_try_subject(
	struct self_try *attempt, const char *kind, const char *name, struct error *error)
{
	struct self_limits *limits = &attempt->selves->limits;
	size_t place = attempt->subject_count++;
	bool locked = false;

	attempt->subjects[place].name = self_limits_subject(limits, kind, name);
	if (!self_limits_begin(limits, attempt->subjects[place].name,
		    &attempt->subjects[place].before, &locked, error))
		return false;
	attempt->locked = attempt->locked || locked;
	return true;
}

static void record(struct self_try *attempt, const struct error *result)
{
	struct services *services = attempt->selves->services;
	struct error unwritten _cleanup_error_ = ERROR_INIT;

	if (!audit_write_refusal(services->store, &services->refusals, attempt->request->actor,
		    AUDIT_SELF_PROOF, NULL, 0, result, attempt->detail, &unwritten))
		log_error("audit record not written: %s", error_message(&unwritten));
}

/* To the next whole number of such times after the beginning. */
static void wait_out(const struct timespec *started, int64_t refusal_ms)
{
	struct timespec now, until;

	clock_gettime(CLOCK_MONOTONIC, &now);
	int64_t passed =
		(now.tv_sec - started->tv_sec) * 1000 + (now.tv_nsec - started->tv_nsec) / 1000000;
	int64_t whole = (passed / refusal_ms + 1) * refusal_ms;
	int64_t nanoseconds = started->tv_nsec + whole % 1000 * 1000000;
	until.tv_sec = started->tv_sec + whole / 1000 + nanoseconds / 1000000000;
	until.tv_nsec = nanoseconds % 1000000000;
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

bool self_try_refuse(struct self_try *attempt, struct error *error)
{
	struct error refusal _cleanup_error_ = ERROR_INIT;

	error_set(&refusal, ERROR_ACCESS_DENIED,
		"this was not accepted: it is wrong, has run out, or was tried too often (after %d "
		"wrong tries one has to wait for 15 minutes or more)",
		LOCK_OUT_FAILURES);
	if (attempt->locked) {
		char *detail = xasprintf("%s; locked out", attempt->detail);
		free(attempt->detail);
		attempt->detail = detail;
	}
	record(attempt, &refusal);
	wait_out(&attempt->started, attempt->selves->refusal_ms);
	return error_move(error, &refusal);
}

bool self_try_give_up(struct self_try *attempt, struct error *failure, struct error *error)
{
	for (size_t i = 0; i < attempt->subject_count; i++)
		self_limits_take_back(&attempt->selves->limits, attempt->subjects[i].name,
			&attempt->subjects[i].before, NULL);
	record(attempt, failure);
	return error_move(error, failure);
}

bool self_try_accept(struct self_try *attempt, struct self_identity *identity, struct error *error)
{
	struct selves *selves = attempt->selves;

	for (size_t i = 0; i < attempt->subject_count; i++) {
		if (!self_limits_forgive(&selves->limits, attempt->subjects[i].name, NULL, error))
			return false;
	}
	if (!selves_add(selves, attempt->request->caller, identity, error))
		return false;
	return audit_write(selves->services->store, attempt->request->actor, AUDIT_SELF_PROOF, NULL,
		0, NULL, attempt->detail, error);
}
