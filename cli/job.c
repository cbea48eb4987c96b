/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera job: what is under way and what came of it. */
#include "cli/client.h"
#include "cli/command.h"
#include "cli/job-wait.h"
#include "cli/object.h"
#include "cli/output.h"
#include "common/alloc.h"

static const struct column list_columns[] = {
	{"number", "JOB", COLUMN_TEXT},
	{"operation", "OPERATION", COLUMN_TEXT},
	{"subject", "SUBJECT", COLUMN_TEXT},
	{"state", "STATE", COLUMN_TEXT},
	{"progress", "PERCENT", COLUMN_TEXT},
	{"step", "STEP", COLUMN_TEXT},
	{"started_at", "STARTED", COLUMN_TIME},
};

static const struct column show_columns[] = {
	{"number", "Job", COLUMN_TEXT},
	{"operation", "Operation", COLUMN_TEXT},
	{"subject", "Subject", COLUMN_TEXT},
	{"state", "State", COLUMN_TEXT},
	{"progress", "Percent", COLUMN_TEXT},
	{"step", "Step", COLUMN_TEXT},
	{"error_name", "Error", COLUMN_TEXT},
	{"error_message", "Message", COLUMN_TEXT},
	{"result", "Result", COLUMN_TEXT},
	{"started_at", "Started", COLUMN_TIME},
	{"ended_at", "Ended", COLUMN_TIME},
};

bool job_list(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *jobs = client ? object_list(client, CLIENT_JOB, error) : NULL;

	if (!jobs)
		return false;
	output_records(
		invocation, jobs, list_columns, ARRAY_SIZE(list_columns), "There are no jobs.");
	return true;
}

/* The path of the job that the first argument numbers; heap, NULL with error. */
static char *job_path(const struct invocation *invocation, struct error *error)
{
	int64_t number = 0;

	if (!number_parse(invocation->arguments[0], "a job", 1, UINT32_MAX, &number, error))
		return NULL;
	return object_path("job", number);
}

bool job_show(struct invocation *invocation, struct error *error)
{
	_cleanup_free_ char *path = job_path(invocation, error);
	struct client *client = path ? invocation_client(invocation, error) : NULL;
	_cleanup_json_ json_t *job = client ? object_get(client, path, CLIENT_JOB, error) : NULL;

	if (!job)
		return false;
	output_record(invocation, job, show_columns, ARRAY_SIZE(show_columns));
	return true;
}

bool job_cancel(struct invocation *invocation, struct error *error)
{
	_cleanup_free_ char *path = job_path(invocation, error);
	struct client *client = path ? invocation_client(invocation, error) : NULL;
	_cleanup_json_ json_t *answer =
		client ? CLIENT_CALL_PLAIN(client, path, CLIENT_JOB, "Cancel", error) : NULL;

	if (!answer)
		return false;
	if (invocation_has(invocation, OPTION_JSON)) {
		_cleanup_json_ json_t *record =
			json_pack("{s:I}", "number", (json_int_t)object_number(path));
		output_json(record);
	}
	output_text(invocation, "job %s was asked to stop", invocation->arguments[0]);
	return true;
}

bool job_wait(struct invocation *invocation, struct error *error)
{
	_cleanup_free_ char *path = job_path(invocation, error);

	if (!path)
		return false;
	return job_finish(invocation, json_pack("[s]", path), "the job succeeded", error);
}
