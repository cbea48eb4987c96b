/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Jobs as the command sees them: started by a call, followed until they end. */
#ifndef TESSERA_CLI_JOB_WAIT_H
#define TESSERA_CLI_JOB_WAIT_H

#include <jansson.h>

#include "cli/arguments.h"
#include "common/error.h"

/*
 * Waits until the job at path has ended, showing its progress. Ctrl-C cancels the
 * job and waits on; a second one leaves it alone and ends the wait with
 * ERROR_CANCELLED. Returns the job's record when it succeeded; otherwise NULL
 * with the job's own error.
 */
json_t *job_follow(struct invocation *invocation, const char *path, struct error *error);

/* What the record of a job that did not succeed says; returns false. */
bool job_take_error(const json_t *job, struct error *error);

/*
 * What a verb does with the answer of its call (taken over; NULL passes the call's
 * error on): with --no-wait prints the job's number, else follows the job and
 * prints its record as JSON or "CARD: done".
 */
bool job_finish(
	struct invocation *invocation, json_t *answer, const char *done, struct error *error);

/*
 * The same for a verb that makes a PIN: when the job has succeeded, the PIN is taken and printed as
 * well. It cannot be had again, and only over this connection: there is no --no-wait.
 */
bool job_finish_with_pin(
	struct invocation *invocation, json_t *answer, const char *done, struct error *error);

#endif
