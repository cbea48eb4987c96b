/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera directory: the people of directories. */
#include <string.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/object.h"
#include "cli/output.h"
#include "common/alloc.h"

#define LIMIT_MAX     100 /* of one page */
#define LIMIT_DEFAULT 20

static const struct column list_columns[] = {
	{"name", "NAME", COLUMN_TEXT},
	{"user", "USER", COLUMN_TEXT},
	{"email", "EMAIL", COLUMN_TEXT},
	{"id", "ID", COLUMN_TEXT},
	{"disabled", "DISABLED", COLUMN_TEXT},
	{"reason", "REMARK", COLUMN_TEXT},
};

static const struct column columns[] = {
	{"id", "ID", COLUMN_TEXT},
	{"name", "Name", COLUMN_TEXT},
	{"fields", "Fields", COLUMN_TEXT},
	{"disabled", "Disabled", COLUMN_TEXT},
	{"reason", "Remark", COLUMN_TEXT},
};

/* From (ssa{ss}bs). */
static json_t *person_record(const json_t *person)
{
	return json_pack("{s:O, s:O, s:O, s:O, s:O}", "id", json_array_get(person, 0), "name",
		json_array_get(person, 1), "fields", json_array_get(person, 2), "disabled",
		json_array_get(person, 3), "reason", json_array_get(person, 4));
}

/* What a row of the table shows besides. */
static void add_row(json_t *rows, const json_t *record)
{
	json_t *row = json_copy((json_t *)record), *fields = json_object_get(record, "fields");

	json_object_set(row, "user", json_object_get(fields, "user"));
	json_object_set(row, "email", json_object_get(fields, "email"));
	json_array_append_new(rows, row);
}

static void print_people(
	const struct invocation *invocation, const json_t *people, const char *next)
{
	_cleanup_json_ json_t *records = json_array(), *rows = json_array();
	const json_t *person;
	size_t index;

	json_array_foreach(people, index, person)
	{
		json_t *record = person_record(person);
		json_array_append_new(records, record);
		add_row(rows, record);
	}
	if (invocation_has(invocation, OPTION_JSON)) {
		_cleanup_json_ json_t *answer =
			json_pack("{s:O, s:s}", "people", records, "next", next);
		output_json(answer);
		return;
	}
	output_records(
		invocation, rows, list_columns, ARRAY_SIZE(list_columns), "Nobody is found.");
	if (next[0])
		output_text(invocation, "There are more: add --after %s", next);
}

/* --field NAME=VALUE */
static bool read_field(const char *text, json_t *options, struct error *error)
{
	const char *value = strchr(text, '=');

	if (!value || value == text)
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"--field wants a field of a holder and its value, like user=ada");
	json_object_set_new(options, "field", json_stringn(text, (size_t)(value - text)));
	json_object_set_new(options, "value", json_string(value + 1));
	return true;
}

bool directory_search(struct invocation *invocation, struct error *error)
{
	const char *field = invocation->values[OPTION_FIELD];
	const char *limit = invocation->values[OPTION_LIMIT];
	const char *after = invocation->values[OPTION_AFTER];
	const char *text = invocation->argument_count > 1 ? invocation->arguments[1] : "";
	_cleanup_free_ char *path = object_path_of_name("connection", invocation->arguments[0]);
	_cleanup_json_ json_t *options = json_object();
	int64_t number = LIMIT_DEFAULT;

	if ((limit && !number_parse(limit, "--limit", 1, LIMIT_MAX, &number, error)) ||
		(field && !read_field(field, options, error)))
		return false;
	json_object_set_new(options, "limit", json_integer(number));
	if (after)
		json_object_set_new(options, "after", json_string(after));
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *answer =
		client ? CLIENT_CALL(client, path, CLIENT_CONNECTION, "Search", error,
				 CLIENT_STRING(text), CLIENT_OPTIONS(options))
		       : NULL;
	if (!answer)
		return false;
	print_people(invocation, json_array_get(answer, 0),
		json_string_value(json_array_get(answer, 1)));
	return true;
}

bool directory_show(struct invocation *invocation, struct error *error)
{
	const char *id = invocation->values[OPTION_ID];
	_cleanup_free_ char *path = object_path_of_name("connection", invocation->arguments[0]);

	if ((invocation->argument_count > 1) == (id != NULL))
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"say whom to show: a login name, or --id and an id");
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *answer =
		client ? CLIENT_CALL(client, path, CLIENT_CONNECTION,
				 id ? "GetPerson" : "FindPerson", error,
				 CLIENT_STRING(id ? id : invocation->arguments[1]))
		       : NULL;
	if (!answer)
		return false;
	_cleanup_json_ json_t *record = person_record(json_array_get(answer, 0));
	output_record(invocation, record, columns, ARRAY_SIZE(columns));
	return true;
}
