/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera report people, and tessera directory check that finds out what it shows. */
#include "cli/client.h"
#include "cli/command.h"
#include "cli/job-wait.h"
#include "cli/object.h"
#include "cli/output.h"
#include "common/alloc.h"

#define PAGE 500

static const struct column columns[] = {
	{"serial", "CARD", COLUMN_TEXT},
	{"person", "PERSON", COLUMN_TEXT},
	{"directory", "DIRECTORY", COLUMN_TEXT},
	{"state", "IS THERE", COLUMN_TEXT},
	{"since", "SINCE", COLUMN_TIME},
	{"why", "WHY", COLUMN_TEXT},
	{"card_state", "CARD IS", COLUMN_TEXT},
	{"card_reason", "FOR", COLUMN_TEXT},
	{"fields", "HAS OLD", COLUMN_TEXT},
	{"seen", "LAST SEEN", COLUMN_TIME},
};

/* As the structures of ListPeople have them. */
static const char *const keys[] = {NULL, "serial", "template", "directory", "id", "person", "state",
	"since", "seen", "why", "card_state", "card_reason"};

/* "email, name", and what is what for programs. */
static void add_changes(json_t *record, const json_t *changes)
{
	_cleanup_free_ char *names = xstrdup("");
	json_t *list = json_array();
	const json_t *change;
	size_t index;

	json_array_foreach(changes, index, change)
	{
		const char *name = json_string_value(json_array_get(change, 0));
		char *longer = xasprintf("%s%s%s", names, index ? ", " : "", name);
		free(names);
		names = longer;
		json_array_append_new(list,
			json_pack("{s:O, s:O, s:O}", "field", json_array_get(change, 0), "card",
				json_array_get(change, 1), "directory", json_array_get(change, 2)));
	}
	json_object_set_new(record, "fields", json_string(names));
	json_object_set_new(record, "changes", list);
}

static void add(json_t *records, const json_t *person)
{
	json_t *record = json_pack("{s:I}", "number",
		(json_int_t)object_number(json_string_value(json_array_get(person, 0))));

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (keys[i])
			json_object_set(record, keys[i], json_array_get(person, i));
	}
	add_changes(record, json_array_get(person, ARRAY_SIZE(keys)));
	json_array_append_new(records, record);
}

bool report_people(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *records = json_array();
	int64_t after = 0;

	if (!client)
		return false;
	do {
		_cleanup_json_ json_t *answer = CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER,
			"ListPeople", error, CLIENT_INT64(after), CLIENT_UINT32(PAGE));
		const json_t *person;
		size_t index;
		if (!answer)
			return false;
		json_array_foreach(json_array_get(answer, 0), index, person) add(records, person);
		after = json_integer_value(json_array_get(answer, 1));
	} while (after != 0);
	output_records(invocation, records, columns, ARRAY_SIZE(columns),
		"All people whose cards are in use are as their directories have them.");
	return true;
}

/* What was found in each directory. */
static bool show_check(struct invocation *invocation, json_t *answer, struct error *error)
{
	_cleanup_json_ json_t *results = answer;
	const char *path = json_string_value(json_array_get(results, 0));
	_cleanup_json_ json_t *job = path ? job_follow(invocation, path, error) : NULL;
	const json_t *found = json_object_get(job, "result");
	const char *name;
	json_t *value;

	if (!job)
		return path ? false
			    : error_set(error, ERROR_FAILED, "tesserad's answer names no job");
	json_object_foreach((json_t *)found, name, value)
		output_text(invocation, "%s: %s", name, json_string_value(value));
	if (json_object_size(found) == 0)
		output_text(invocation, "No card in use is of a person of a directory.");
	if (invocation_has(invocation, OPTION_JSON))
		output_json(job);
	return true;
}

bool directory_check(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *options = json_object();

	if (!client)
		return false;
	if (invocation->argument_count > 0)
		json_object_set_new(options, "connection", json_string(invocation->arguments[0]));
	if (invocation_has(invocation, OPTION_CONFIRM))
		json_object_set_new(options, "confirm", json_true());
	json_t *answer = CLIENT_CALL(
		client, CLIENT_ROOT, CLIENT_MANAGER, "CheckPeople", error, CLIENT_OPTIONS(options));
	if (!answer || invocation_has(invocation, OPTION_NO_WAIT))
		return job_finish(invocation, answer, "", error);
	return show_check(invocation, answer, error);
}
