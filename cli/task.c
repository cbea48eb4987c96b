/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera task: what authorities are still to be asked or told. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/object.h"
#include "cli/output.h"

static const struct column columns[] = {
	{"id", "ID", COLUMN_TEXT},
	{"kind", "WHAT", COLUMN_TEXT},
	{"card", "CARD", COLUMN_TEXT},
	{"slot", "KEY", COLUMN_TEXT},
	{"authority", "AUTHORITY", COLUMN_TEXT},
	{"status", "CERTIFICATE IS TO BE", COLUMN_TEXT},
	{"since", "SINCE", COLUMN_TIME},
	{"attempts", "FAILED", COLUMN_TEXT},
	{"next", "NEXT", COLUMN_TIME},
	{"problem", "PROBLEM", COLUMN_TEXT},
};

bool task_list(struct invocation *invocation, struct error *error)
{
	static const char *const keys[] = {"id", "kind", "card", "slot", "authority", "status",
		"since", "attempts", "next", "problem"};
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *answer =
		client ? CLIENT_CALL_PLAIN(client, CLIENT_ROOT, CLIENT_MANAGER, "ListTasks", error)
		       : NULL;
	_cleanup_json_ json_t *records = json_array();
	const json_t *task;
	size_t index;

	if (!answer)
		return false;
	json_array_foreach(json_array_get(answer, 0), index, task)
	{
		json_t *record = json_object();
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
			json_object_set(record, keys[i], json_array_get(task, i));
		json_array_append_new(records, record);
	}
	output_records(invocation, records, columns, ARRAY_SIZE(columns),
		"There is nothing that an authority is to be asked or told.");
	return true;
}

static bool read_number(const struct invocation *invocation, long long *id, struct error *error)
{
	const char *text = invocation->arguments[0];
	char *end;

	*id = strtoll(text, &end, 10);
	return (*text != '\0' && !*end && *id > 0) ||
	       error_set(error, ERROR_INVALID_ARGUMENT,
		       "a task has a number, see tessera task list; not '%s'", text);
}

/* Calls a method that takes the number of a task, which is the command's argument. */
static json_t *call_with_task(
	struct invocation *invocation, const char *method, long long *id, struct error *error)
{
	if (!read_number(invocation, id, error))
		return NULL;
	struct client *client = invocation_client(invocation, error);
	return client ? CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER, method, error,
				CLIENT_INT64(*id))
		      : NULL;
}

bool task_run(struct invocation *invocation, struct error *error)
{
	long long id;
	_cleanup_json_ json_t *answer = call_with_task(invocation, "RunTask", &id, error);

	if (!answer)
		return false;
	output_text(invocation, "task %lld is done", id);
	return true;
}

bool task_confirm(struct invocation *invocation, struct error *error)
{
	long long id;
	_cleanup_json_ json_t *answer = call_with_task(invocation, "ConfirmTask", &id, error);

	if (!answer)
		return false;
	output_text(invocation,
		json_is_true(json_array_get(answer, 0))
			? "task %lld is done"
			: "task %lld: the authority's CRL or OCSP is looked at until it shows it",
		id);
	return true;
}

bool task_remove(struct invocation *invocation, struct error *error)
{
	const char *reason = invocation->values[OPTION_REASON];
	long long id;

	if (!read_number(invocation, &id, error))
		return false;
	if (!reason || !*reason)
		return error_set(error, ERROR_INVALID_ARGUMENT, "say why, with --reason");
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *answer =
		client ? CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER, "RemoveTask", error,
				 CLIENT_INT64(id), CLIENT_STRING(reason))
		       : NULL;
	if (!answer)
		return false;
	output_text(invocation, "task %lld is off the list", id);
	return true;
}
