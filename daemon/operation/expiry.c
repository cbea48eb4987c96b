/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/expiry.h"

#include <stdlib.h>
#include <time.h>

#include "common/log.h"
#include "operation/verbs.h"

/* At a time; the next ones follow at the next look. */
#define CARDS_MAX 100

static bool list_due(struct services *services, unsigned limit, int64_t **ids, size_t *count,
	struct error *error)
{
	return store_credential_list_due(services->store, time(NULL), limit, ids, count, error);
}

static bool run(struct job *job, void *context, struct error *error)
{
	struct services *services = context;
	struct operation operation = {.services = services, .job = job, .actor = &audit_daemon};
	_cleanup_free_ int64_t *ids = NULL;
	size_t count = 0;

	if (!list_due(services, CARDS_MAX, &ids, &count, error))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct error failure _cleanup_error_ = ERROR_INIT;
		job_progress(job, (unsigned)(100 * i / count), "expiring cards");
		if (!job_continue(job, error))
			return false;
		if (!operation_expire(&operation, ids[i], &failure))
			log_warning("a card's end: %s", error_message(&failure));
	}
	return true;
}

bool expiry_start(struct services *services, struct error *error)
{
	_cleanup_free_ int64_t *ids = NULL;
	size_t count = 0;

	if (!list_due(services, 1, &ids, &count, error))
		return false;
	return count == 0 || jobs_start(services->jobs, 0, lifecycle_verb_name(LIFECYCLE_EXPIRE),
				     NULL, run, services, NULL, error) != 0;
}
