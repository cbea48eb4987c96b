/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/job-wait.h"

#include <stdio.h>
#include <string.h>

#include "cli/client.h"
#include "cli/interrupt.h"
#include "cli/object.h"
#include "cli/output.h"
#include "cli/terminal.h"

/* Signals say when to look again; this is for one that got lost. */
#define LOOK_INTERVAL_MS 1000

static const char *string_of(const json_t *record, const char *key)
{
	const char *text = json_string_value(json_object_get(record, key));

	return text ? text : "";
}

bool job_take_error(const json_t *job, struct error *error)
{
	const char *message = string_of(job, "error_message");

	if (strcmp(string_of(job, "state"), "cancelled") == 0)
		return error_set(error, ERROR_CANCELLED, "the job was cancelled");
	return error_set(error, error_from_dbus_name(string_of(job, "error_name")), "%s",
		message[0] ? message : "the job failed");
}

/* A job that has ended meanwhile cannot be cancelled, and need not be. */
static void cancel(struct client *client, const char *path)
{
	fprintf(stderr, "tessera: cancelling; Ctrl-C again leaves the job alone\n");
	json_decref(CLIENT_CALL_PLAIN(client, path, CLIENT_JOB, "Cancel", NULL));
}

/* Returns the job when it has ended; NULL without error while it runs. */
static json_t *look(
	struct client *client, const char *path, struct progress *progress, struct error *error)
{
	json_t *job = object_get(client, path, CLIENT_JOB, error);

	if (!job || strcmp(string_of(job, "state"), "running") != 0)
		return job;
	progress_show(progress, (unsigned)json_integer_value(json_object_get(job, "progress")),
		string_of(job, "step"));
	json_decref(job);
	return NULL;
}

static json_t *follow(
	struct client *client, const char *path, struct progress *progress, struct error *error)
{
	int seen = interrupt_count();
	bool cancelled = false;
	json_t *job;

	while (!(job = look(client, path, progress, error)) && error->code == ERROR_NONE) {
		int interrupts = interrupt_count() - seen;
		if (interrupts > 1) {
			error_set(error, ERROR_CANCELLED,
				"not waiting any longer; job %lld goes on",
				(long long)object_number(path));
			return NULL;
		}
		if (interrupts == 1 && !cancelled) {
			progress_clear(progress);
			cancel(client, path);
			cancelled = true;
		}
		if (!client_wait(client, LOOK_INTERVAL_MS, NULL, error))
			return NULL;
	}
	return job;
}

json_t *job_follow(struct invocation *invocation, const char *path, struct error *error)
{
	struct progress progress = {
		.enabled = !invocation_has(invocation, OPTION_NO_PROGRESS),
	};

	struct client *client = invocation_client(invocation, error);
	json_t *job = client && client_watch(client, error) ? follow(client, path, &progress, error)
							    : NULL;
	progress_clear(&progress);
	if (!job || strcmp(string_of(job, "state"), "succeeded") == 0)
		return job;
	job_take_error(job, error);
	json_decref(job);
	return NULL;
}

/* The key's name behind a prefix, or NULL. */
static const char *key_behind(const char *name, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(name, prefix, length) == 0 ? name + length : NULL;
}

/*
 * Which certificates the authorities have not given yet, and what is to be known of those that they
 * gave: "pending-SLOT" and "warning-SLOT" in the job's result; "other-card" of the same person.
 */
static void print_remarks(const struct invocation *invocation, json_t *result)
{
	const char *name, *key;
	json_t *value;

	json_object_foreach(result, name, value)
	{
		if ((key = key_behind(name, "pending-")))
			output_text(invocation,
				"  the certificate of %s is not there yet: %s is asked for it "
				"until "
				"it is (tessera task list)",
				key, json_string_value(value));
		if ((key = key_behind(name, "warning-")))
			output_text(invocation, "  warning about the certificate of %s: %s", key,
				json_string_value(value));
		if (strcmp(name, "other-card") == 0)
			output_text(invocation, "  the same person has the card %s, too",
				json_string_value(value));
	}
}

static void print_done(const struct invocation *invocation, const json_t *job, const char *done)
{
	json_t *result = json_object_get(job, "result");
	const char *serial = string_of(result, "serial");

	output_text(invocation, "%s: %s", serial[0] ? serial : string_of(job, "subject"), done);
	print_remarks(invocation, result);
}

static const char *job_path(const json_t *answer, struct error *error)
{
	const char *path = json_string_value(json_array_get(answer, 0));

	if (!path)
		error_set(error, ERROR_FAILED, "tesserad's answer names no job");
	return path;
}

bool job_finish(
	struct invocation *invocation, json_t *answer, const char *done, struct error *error)
{
	_cleanup_json_ json_t *results = answer;
	_cleanup_json_ json_t *job = NULL;
	const char *path = results ? job_path(results, error) : NULL;

	if (!path)
		return false;
	if (invocation_has(invocation, OPTION_NO_WAIT)) {
		job = json_pack("{s:I}", "number", (json_int_t)object_number(path));
		output_text(invocation, "job %lld", (long long)object_number(path));
	} else {
		job = job_follow(invocation, path, error);
		if (!job)
			return false;
		print_done(invocation, job, done);
	}
	if (invocation_has(invocation, OPTION_JSON))
		output_json(job);
	return true;
}

bool job_finish_with_pin(
	struct invocation *invocation, json_t *answer, const char *done, struct error *error)
{
	_cleanup_json_ json_t *results = answer;
	const char *path = results ? job_path(results, error) : NULL;
	_cleanup_json_ json_t *job = path ? job_follow(invocation, path, error) : NULL;

	if (!job)
		return false;
	_cleanup_json_ json_t *taken = CLIENT_CALL_PLAIN(
		invocation_client(invocation, error), path, CLIENT_JOB, "TakePin", error);
	if (!taken)
		return error_prefix(error, "the new PIN is set but could not be fetched");
	json_object_set(job, "pin", json_array_get(taken, 0));
	print_done(invocation, job, done);
	output_text(invocation, "PIN: %s", string_of(job, "pin"));
	if (invocation_has(invocation, OPTION_JSON))
		output_json(job);
	return true;
}
