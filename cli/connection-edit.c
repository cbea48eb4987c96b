/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera connection edit and fields: documents in an editor. */
#include <stdio.h>
#include <string.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/editor.h"
#include "cli/object.h"
#include "cli/output.h"
#include "common/alloc.h"

#define WHAT_NEXT ": correct it and run tessera connection update"

static json_t *get_document(struct client *client, const char *name, struct error *error)
{
	_cleanup_free_ char *path = object_path_of_name("connection", name);
	_cleanup_json_ json_t *record = object_get(client, path, CLIENT_CONNECTION, error);
	const char *text = json_string_value(json_object_get(record, "document"));
	json_t *document = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;

	if (!record && error->code == ERROR_NOT_FOUND)
		error_set(error, ERROR_NOT_FOUND, "there is no connection '%s'", name);
	else if (record && !document)
		error_set(error, ERROR_FAILED, "tesserad's answer is not legible");
	return document;
}

static bool save(
	struct client *client, const char *name, const json_t *document, struct error *error)
{
	_cleanup_free_ char *path = object_path_of_name("connection", name);
	char *text = json_dumps(document, JSON_INDENT(2));
	_cleanup_json_ json_t *answer =
		CLIENT_CALL(client, path, CLIENT_CONNECTION, "Update", error, CLIENT_STRING(text));

	free(text);
	return answer != NULL;
}

static bool say(const struct invocation *invocation, bool changed)
{
	const char *name = invocation->arguments[0];

	if (invocation_has(invocation, OPTION_JSON)) {
		_cleanup_json_ json_t *record =
			json_pack("{s:s, s:b}", "name", name, "changed", changed);
		output_json(record);
	}
	output_text(invocation, "connection '%s' %s", name, changed ? "updated" : "not changed");
	return true;
}

/* A name in a draft's path has nothing of a path in it. */
static bool check_name(const char *name, struct error *error)
{
	return !strchr(name, '/') ||
	       error_set(error, ERROR_NOT_FOUND, "there is no connection '%s'", name);
}

bool connection_edit(struct invocation *invocation, struct error *error)
{
	const char *name = invocation->arguments[0];
	struct client *client =
		check_name(name, error) ? invocation_client(invocation, error) : NULL;
	_cleanup_json_ json_t *before = client ? get_document(client, name, error) : NULL;
	_cleanup_free_ char *draft = NULL;

	if (!before)
		return false;
	_cleanup_json_ json_t *after = editor_edit_json(name, before, &draft, error);
	bool same = after && json_equal(before, after);
	bool done = after && (same || save(client, name, after, error));
	editor_end(draft, done, WHAT_NEXT);
	return done && say(invocation, !same);
}

/* --- fields --- */

static const struct column columns[] = {
	{"name", "FIELD", COLUMN_TEXT},
	{"required", "REQUIRED", COLUMN_TEXT},
	{"multiple", "MULTIPLE", COLUMN_TEXT},
	{"filled_with", "FILLED WITH", COLUMN_TEXT},
};

static const char *item(const json_t *field, size_t index)
{
	const char *text = json_string_value(json_array_get(field, index));

	return text && text[0] ? text : NULL;
}

/* What a person reads about where the field's value comes from; heap. */
static char *filled_with(const json_t *field)
{
	const char *fixed = item(field, 3), *pattern = item(field, 4), *prompt = item(field, 5);
	const char *rule = item(field, 6);

	if (fixed)
		return xasprintf("\"%s\", by the authority", fixed);
	if (prompt)
		return xasprintf("%s, asked for: %s", pattern, prompt);
	if (pattern)
		return xstrdup(pattern);
	return rule ? xasprintf("the template's %s", rule) : xstrdup("nothing");
}

static json_t *records_of(const json_t *fields)
{
	json_t *records = json_array();
	const json_t *field;
	size_t index;

	json_array_foreach(fields, index, field)
	{
		_cleanup_free_ char *source = filled_with(field);
		json_array_append_new(records,
			json_pack("{s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:s}", "name",
				json_array_get(field, 0), "required", json_array_get(field, 1),
				"multiple", json_array_get(field, 2), "fixed",
				json_array_get(field, 3), "pattern", json_array_get(field, 4),
				"prompt", json_array_get(field, 5), "template_name",
				json_array_get(field, 6), "filled_with", source));
	}
	return records;
}

/* The member of an object, made when it is not there. */
static json_t *member(json_t *object, const char *name)
{
	if (!json_is_object(json_object_get(object, name)))
		json_object_set_new(object, name, json_object());
	return json_object_get(object, name);
}

/* What is edited: each field that can be filled, null where nothing does yet. */
static json_t *draft_of(const json_t *fields, const json_t *mapping)
{
	json_t *draft = json_object();
	const json_t *field;
	size_t index;

	json_array_foreach(fields, index, field)
	{
		const char *name = item(field, 0);
		json_t *present = json_object_get(mapping, name);
		if (!item(field, 3) && strncmp(name, "seat.", strlen("seat.")) != 0)
			json_object_set(draft, name, present ? present : json_null());
	}
	return draft;
}

static void put_mapping(json_t *mapping, const json_t *edited)
{
	const char *name;
	json_t *value;

	json_object_clear(mapping);
	json_object_foreach((json_t *)(uintptr_t)edited, name, value)
	{
		if (!json_is_null(value))
			json_object_set(mapping, name, value);
	}
}

static bool edit_fields(struct invocation *invocation, struct client *client, const json_t *fields,
	struct error *error)
{
	const char *name = invocation->arguments[0];
	_cleanup_json_ json_t *document = get_document(client, name, error);
	_cleanup_free_ char *path = NULL;

	if (!document)
		return false;
	json_t *profile = member(member(document, "profiles"), invocation->arguments[1]);
	json_t *mapping = member(profile, "fields");
	_cleanup_json_ json_t *before = draft_of(fields, mapping);
	_cleanup_json_ json_t *after = editor_edit_json(name, before, &path, error);
	bool same = after && json_equal(before, after);
	bool done = after && (json_is_object(after) || error_set(error, ERROR_INVALID_ARGUMENT,
							       "an object of fields is expected"));
	if (done && !same) {
		put_mapping(mapping, after);
		done = save(client, name, document, error);
	}
	editor_end(path, done, "");
	return done && say(invocation, !same);
}

bool connection_fields(struct invocation *invocation, struct error *error)
{
	_cleanup_free_ char *path = object_path_of_name("connection", invocation->arguments[0]);
	struct client *client = check_name(invocation->arguments[0], error)
					? invocation_client(invocation, error)
					: NULL;
	_cleanup_json_ json_t *answer =
		client ? CLIENT_CALL(client, path, CLIENT_CONNECTION, "GetFields", error,
				 CLIENT_STRING(invocation->arguments[1]))
		       : NULL;

	if (!answer)
		return false;
	const json_t *fields = json_array_get(answer, 0);
	if (invocation_has(invocation, OPTION_EDIT))
		return edit_fields(invocation, client, fields, error);
	_cleanup_json_ json_t *records = records_of(fields);
	output_records(invocation, records, columns, ARRAY_SIZE(columns),
		"The profile takes whatever the template names.");
	return true;
}
