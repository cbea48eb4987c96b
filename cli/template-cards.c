/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera template versions, diff, check, plan, drift: templates and the cards that have them. */
#include <string.h>
#include <sys/stat.h>

#include "cli/card-find.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/file.h"
#include "cli/object.h"
#include "cli/output.h"
#include "cli/template.h"
#include "common/alloc.h"

#define PAGE 1000 /* the most that a page has */

/* An array of structures as records with these keys. */
static json_t *records_of(const json_t *structures, const char *const *keys, size_t count)
{
	json_t *records = json_array();
	const json_t *members;
	size_t index;

	json_array_foreach(structures, index, members)
	{
		json_t *record = json_object();
		for (size_t i = 0; i < count; i++)
			json_object_set(record, keys[i], json_array_get(members, i));
		json_array_append_new(records, record);
	}
	return records;
}

/* --- versions --- */

static const char *const version_keys[] = {"version", "saved_at", "cards", "removed"};
static const struct column version_columns[] = {
	{"version", "VERSION", COLUMN_TEXT},
	{"saved_at", "SAVED", COLUMN_TIME},
	{"cards", "CARDS", COLUMN_TEXT},
	{"removed", "REMOVED", COLUMN_TEXT},
};

bool template_versions(struct invocation *invocation, struct error *error)
{
	const char *name = invocation->arguments[0];
	struct client *client = invocation_client(invocation, error);
	_cleanup_free_ char *path = object_path_of_name("template", name);
	_cleanup_json_ json_t *answer =
		client ? CLIENT_CALL_PLAIN(client, path, CLIENT_TEMPLATE, "ListVersions", error)
		       : NULL;

	if (!answer)
		return template_missing(name, error);
	_cleanup_json_ json_t *records =
		records_of(json_array_get(answer, 0), version_keys, ARRAY_SIZE(version_keys));
	output_records(invocation, records, version_columns, ARRAY_SIZE(version_columns),
		"There are no versions.");
	return true;
}

/* --- diff --- */

static const char *const change_keys[] = {"path", "before", "after", "takes"};
static const struct column change_columns[] = {
	{"path", "MEMBER", COLUMN_TEXT},
	{"before", "BEFORE", COLUMN_TEXT},
	{"after", "AFTER", COLUMN_TEXT},
	{"takes", "TAKES", COLUMN_TEXT},
};

static bool read_version(
	const struct invocation *invocation, size_t index, int64_t *version, struct error *error)
{
	return invocation->argument_count <= index ||
	       number_parse(
		       invocation->arguments[index], "a version", 1, INT64_MAX, version, error);
}

/* The version before the newest one; 0 with error when there is none. */
static int64_t version_before(
	struct client *client, const char *path, const char *name, struct error *error)
{
	_cleanup_json_ json_t *answer =
		CLIENT_CALL_PLAIN(client, path, CLIENT_TEMPLATE, "ListVersions", error);
	const json_t *versions = json_array_get(answer, 0);
	size_t count = json_array_size(versions);

	if (!answer)
		return template_missing(name, error);
	if (count < 2)
		return error_set(
			error, ERROR_NOT_FOUND, "the template '%s' has one version only", name);
	return json_integer_value(json_array_get(json_array_get(versions, count - 2), 0));
}

bool template_diff(struct invocation *invocation, struct error *error)
{
	const char *name = invocation->arguments[0];
	_cleanup_free_ char *path = object_path_of_name("template", name);
	int64_t from = 0, to = 0;

	if (!read_version(invocation, 1, &from, error) || !read_version(invocation, 2, &to, error))
		return false;
	struct client *client = invocation_client(invocation, error);
	if (!client || (from == 0 && !(from = version_before(client, path, name, error))))
		return false;
	_cleanup_json_ json_t *answer = CLIENT_CALL(client, path, CLIENT_TEMPLATE, "Compare", error,
		CLIENT_INT64(from), CLIENT_INT64(to));
	if (!answer)
		return false;
	_cleanup_json_ json_t *records =
		records_of(json_array_get(answer, 0), change_keys, ARRAY_SIZE(change_keys));
	output_records(invocation, records, change_columns, ARRAY_SIZE(change_columns),
		"The versions mean the same.");
	return true;
}

/* --- check --- */

static const char *const finding_keys[] = {"path", "asked", "possible", "about"};
static const struct column finding_columns[] = {
	{"path", "MEMBER", COLUMN_TEXT},
	{"asked", "ASKED", COLUMN_TEXT},
	{"possible", "POSSIBLE", COLUMN_TEXT},
	{"about", "WHY NOT", COLUMN_TEXT},
};

static size_t count_impossible(const json_t *findings)
{
	const json_t *finding;
	size_t index, count = 0;

	json_array_foreach(findings, index, finding) count +=
		!json_is_true(json_object_get(finding, "possible"));
	return count;
}

bool template_check(struct invocation *invocation, struct error *error)
{
	const char *name = invocation->arguments[0];
	struct client *client = invocation_client(invocation, error);
	_cleanup_free_ char *path = object_path_of_name("template", name);
	_cleanup_free_ char *reader =
		client ? card_find_reader(client, invocation->values[OPTION_READER], error) : NULL;

	if (!reader)
		return false;
	_cleanup_json_ json_t *document = template_document(client, name, error);
	_cleanup_json_ json_t *answer = document ? CLIENT_CALL(client, path, CLIENT_TEMPLATE,
							   "Check", error, CLIENT_PATH(reader))
						 : NULL;
	if (!answer)
		return false;
	_cleanup_json_ json_t *records =
		records_of(json_array_get(answer, 0), finding_keys, ARRAY_SIZE(finding_keys));
	output_records(invocation, records, finding_columns, ARRAY_SIZE(finding_columns),
		"The template asks nothing.");
	size_t impossible = count_impossible(records);
	return impossible == 0 ||
	       error_set(error, ERROR_NOT_SUPPORTED,
		       "the card cannot have the template: %zu of %zu are not possible", impossible,
		       json_array_size(records));
}

/* --- plan --- */

bool template_each_card(struct client *client, const char *name, int64_t version,
	bool (*each)(void *context, const char *path, const char *serial, struct error *error),
	void *context, struct error *error)
{
	_cleanup_free_ char *path = object_path_of_name("template", name);
	int64_t after = 0;
	size_t count;

	do {
		_cleanup_json_ json_t *answer =
			CLIENT_CALL(client, path, CLIENT_TEMPLATE, "ListCards", error,
				CLIENT_INT64(version), CLIENT_INT64(after), CLIENT_UINT32(PAGE));
		if (!answer)
			return template_missing(name, error);
		const json_t *cards = json_array_get(answer, 0);
		count = json_array_size(cards);
		for (size_t i = 0; i < count; i++) {
			const json_t *card = json_array_get(cards, i);
			const char *object = json_string_value(json_array_get(card, 0));
			after = object_number(object);
			if (!each(context, object, json_string_value(json_array_get(card, 1)),
				    error))
				return false;
		}
	} while (count == PAGE);
	return true;
}

json_t *template_plan_of(
	struct client *client, const char *name, const char *document, struct error *error)
{
	_cleanup_free_ char *path = object_path_of_name("template", name);
	_cleanup_json_ json_t *answer =
		CLIENT_CALL(client, path, CLIENT_TEMPLATE, "Plan", error, CLIENT_STRING(document));

	if (!answer) {
		template_missing(name, error);
		return NULL;
	}
	return json_incref(json_array_get(answer, 0));
}

/* What a card is shown with: its version's changes. */
struct plan {
	json_t *records;
	json_t *version, *takes, *changes;
};

static bool add_planned(void *context, const char *path, const char *serial, struct error *error)
{
	struct plan *plan = context;

	(void)error;
	json_array_append_new(plan->records,
		json_pack("{s:I, s:s, s:O, s:O, s:O}", "number", (json_int_t)object_number(path),
			"serial", serial, "version", plan->version, "takes", plan->takes, "changes",
			plan->changes));
	return true;
}

static bool collect_plan(struct client *client, const char *name, const json_t *steps,
	json_t *records, struct error *error)
{
	const json_t *step;
	size_t index;

	json_array_foreach(steps, index, step)
	{
		_cleanup_json_ json_t *changes =
			records_of(json_array_get(step, 3), change_keys, ARRAY_SIZE(change_keys));
		struct plan plan = {
			records, json_array_get(step, 0), json_array_get(step, 2), changes};
		if (!template_each_card(client, name, json_integer_value(plan.version), add_planned,
			    &plan, error))
			return false;
	}
	return true;
}

static void print_plan(const struct invocation *invocation, const json_t *records)
{
	const json_t *record, *change;
	size_t index, number;

	if (json_array_size(records) == 0)
		output_text(invocation, "No card would change.");
	json_array_foreach(records, index, record)
	{
		const json_t *changes = json_object_get(record, "changes");
		output_text(invocation, "%s (version %lld): takes %s",
			json_string_value(json_object_get(record, "serial")),
			(long long)json_integer_value(json_object_get(record, "version")),
			json_string_value(json_object_get(record, "takes")));
		json_array_foreach(changes, number, change)
		{
			const char *before = json_string_value(json_object_get(change, "before"));
			const char *after = json_string_value(json_object_get(change, "after"));
			output_text(invocation, "    %s: %s -> %s (%s)",
				json_string_value(json_object_get(change, "path")),
				before[0] ? before : "nothing", after[0] ? after : "nothing",
				json_string_value(json_object_get(change, "takes")));
		}
	}
}

/* NAME|FILE: a file has a "/" or "." in its name, or is "-"; a template has none of these. */
static bool is_file(const char *argument)
{
	return strpbrk(argument, "/.") || strcmp(argument, "-") == 0;
}

/* The template's name: the argument, or what the file's document says. Heap; NULL with error. */
static char *plan_name(const char *argument, char **document, struct error *error)
{
	*document = is_file(argument) ? file_read(argument, error) : xstrdup("");
	if (!*document || !is_file(argument))
		return *document ? xstrdup(argument) : NULL;
	_cleanup_json_ json_t *value = json_loads(*document, JSON_REJECT_DUPLICATES, NULL);
	const char *name = json_string_value(json_object_get(value, "name"));
	if (name)
		return xstrdup(name);
	error_set(error, ERROR_INVALID_ARGUMENT, "%s is no template: it has no \"name\"", argument);
	return NULL;
}

bool template_plan(struct invocation *invocation, struct error *error)
{
	_cleanup_free_ char *document = NULL;
	_cleanup_free_ char *name = plan_name(invocation->arguments[0], &document, error);
	_cleanup_json_ json_t *records = json_array();
	struct client *client = name ? invocation_client(invocation, error) : NULL;
	_cleanup_json_ json_t *steps =
		client ? template_plan_of(client, name, document, error) : NULL;

	if (!steps || !collect_plan(client, name, steps, records, error))
		return false;
	if (invocation_has(invocation, OPTION_JSON))
		output_json(records);
	else
		print_plan(invocation, records);
	return true;
}

/* --- drift --- */

static const struct column drift_columns[] = {
	{"serial", "CARD", COLUMN_TEXT},
	{"template", "TEMPLATE", COLUMN_TEXT},
	{"version", "VERSION", COLUMN_TEXT},
	{"path", "MEMBER", COLUMN_TEXT},
	{"difference", "DIFFERENCE", COLUMN_TEXT},
};

/* A record for each difference of a card. */
static void add_drift(json_t *records, const json_t *card)
{
	const json_t *difference;
	size_t index;

	json_array_foreach(json_array_get(card, 4), index, difference)
	{
		const char *path = json_string_value(json_array_get(card, 0));
		json_array_append_new(records,
			json_pack("{s:I, s:O, s:O, s:O, s:O, s:O}", "number",
				(json_int_t)object_number(path), "serial", json_array_get(card, 1),
				"template", json_array_get(card, 2), "version",
				json_array_get(card, 3), "path", json_array_get(difference, 0),
				"difference", json_array_get(difference, 1)));
	}
}

bool template_drift(struct invocation *invocation, struct error *error)
{
	const char *name = invocation->argument_count ? invocation->arguments[0] : "";
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *records = json_array();
	int64_t after = 0;

	if (!client)
		return false;
	do {
		_cleanup_json_ json_t *answer =
			CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER, "ListDrift", error,
				CLIENT_STRING(name), CLIENT_INT64(after), CLIENT_UINT32(PAGE));
		const json_t *card;
		size_t index;
		if (!answer)
			return false;
		json_array_foreach(json_array_get(answer, 0), index, card) add_drift(records, card);
		after = json_integer_value(json_array_get(answer, 1));
	} while (after != 0);
	output_records(invocation, records, drift_columns, ARRAY_SIZE(drift_columns),
		"All cards are as their templates are.");
	return true;
}
