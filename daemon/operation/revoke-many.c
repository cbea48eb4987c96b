/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* revoke-many: many cards at once, one after the other. */
#include "common/alloc.h"
#include "common/log.h"
#include "operation/certificates.h"
#include "operation/verbs.h"

struct round {
	struct operation *operation;
	const char *reason;
	struct certificates untold;
	/* Shown at the end: a job's results are copied whenever it is looked at. */
	struct fields results;
	size_t failed;
};

static void round_clear(struct round *round)
{
	certificates_clear(&round->untold);
	fields_clear(&round->results);
}

/* One card's failure is its own result. */
static void revoke(struct round *round, const struct credential *credential)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	const char *outcome = "revoked";
	_cleanup_free_ char *failure = NULL;

	if (credential->state == LIFECYCLE_REVOKED) {
		outcome = "already revoked";
	} else if (!operation_revoke_untold(round->operation, credential->id, round->reason,
			   &round->untold, &error)) {
		outcome = failure = xasprintf("failed: %s", error_message(&error));
		round->failed++;
	}
	fields_set(&round->results, credential->serial, outcome);
}

static bool revoke_all(
	struct round *round, const int64_t *credential_ids, size_t count, struct error *error)
{
	struct job *job = round->operation->job;

	for (size_t i = 0; i < count; i++) {
		struct credential *credential _cleanup_credential_ = store_credential_by_id(
			round->operation->services->store, credential_ids[i], error);
		if (!credential || !job_continue(job, error))
			return false;
		job_progress(job, (unsigned)(i * 100 / count), "revoking %s", credential->serial);
		revoke(round, credential);
	}
	return round->failed == 0 ||
	       error_set(error, ERROR_FAILED, "%zu of %zu cards were not revoked", round->failed,
		       count);
}

static void show_results(struct round *round)
{
	for (size_t i = 0; i < round->results.count; i++)
		job_result(round->operation->job, round->results.items[i].name,
			round->results.items[i].value);
}

bool operation_revoke_many(struct operation *operation, const int64_t *credential_ids, size_t count,
	const char *reason, struct error *error)
{
	struct round round _cleanup_(round_clear) = {.operation = operation, .reason = reason};
	struct error failure _cleanup_error_ = ERROR_INIT;
	bool done = revoke_all(&round, credential_ids, count, error);

	/* Also of what was done before a cancellation. */
	bool told = certificates_tell(operation->services, &round.untold, &failure);
	show_results(&round);
	if (told)
		return done;
	log_error("revocations were not told: %s", error_message(&failure));
	return done && error_move(error, &failure);
}
