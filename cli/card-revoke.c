/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera card revoke: one card, or many at once. */
#include <string.h>

#include "cli/card-find.h"
#include "cli/card.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/file.h"
#include "cli/job-wait.h"
#include "cli/object.h"
#include "cli/output.h"
#include "cli/template.h"
#include "cli/terminal.h"
#include "common/alloc.h"

#define AT_A_TIME 1000 /* what RevokeMany takes */

static const struct column columns[] = {
	{"serial", "CARD", COLUMN_TEXT},
	{"outcome", "OUTCOME", COLUMN_TEXT},
	{"message", "MESSAGE", COLUMN_TEXT},
};

/* --- which cards --- */

static bool add_arguments(
	struct invocation *invocation, struct client *client, json_t *cards, struct error *error)
{
	for (size_t i = 0; i < invocation->argument_count; i++) {
		_cleanup_free_ char *path = card_find(client, invocation->arguments[i], error);
		if (!path)
			return false;
		json_array_append_new(cards, json_string(path));
	}
	return true;
}

/* A serial a line; empty lines do not count. */
static bool add_file(const char *path, json_t *cards, struct error *error)
{
	_cleanup_free_ char *text = file_read(path, error);
	char *rest = text;

	if (!text)
		return false;
	for (char *line; (line = strsep(&rest, "\n"));) {
		line += strspn(line, " \t");
		line[strcspn(line, " \t\r")] = '\0';
		if (line[0] && json_array_append_new(cards, json_string(line)) != 0)
			return error_set(
				error, ERROR_INVALID_ARGUMENT, "%s holds what is no serial", path);
	}
	return true;
}

static bool add_card(void *context, const char *path, const char *serial, struct error *error)
{
	(void)path;
	(void)error;
	json_array_append_new(context, json_string(serial));
	return true;
}

/* The cards of all versions of a template. */
static bool add_template(
	struct client *client, const char *name, json_t *cards, struct error *error)
{
	_cleanup_free_ char *path = object_path_of_name("template", name);
	_cleanup_json_ json_t *answer =
		CLIENT_CALL_PLAIN(client, path, CLIENT_TEMPLATE, "ListVersions", error);
	const json_t *version;
	size_t index;

	if (!answer)
		return template_missing(name, error);
	json_array_foreach(json_array_get(answer, 0), index, version)
	{
		int64_t number = json_integer_value(json_array_get(version, 0));
		if (!template_each_card(client, name, number, add_card, cards, error))
			return false;
	}
	return true;
}

static bool find_cards(
	struct invocation *invocation, struct client *client, json_t *cards, struct error *error)
{
	const char *file = invocation->values[OPTION_FROM_FILE];
	const char *template = invocation->values[OPTION_TEMPLATE];

	if ((file != NULL) + (template != NULL) + (invocation->argument_count > 0) > 1)
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"'card revoke' takes cards, --from-file or --template, not several of "
			"them");
	if (file)
		return add_file(file, cards, error);
	if (template)
		return add_template(client, template, cards, error);
	return add_arguments(invocation, client, cards, error);
}

/* --- revoking them --- */

static json_t *call(struct invocation *invocation, struct client *client, const json_t *cards,
	struct error *error)
{
	const char *reason = invocation->values[OPTION_REASON];

	return CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER, "RevokeMany", error,
		CLIENT_STRINGS(cards), CLIENT_STRING(reason ? reason : ""));
}

/* "failed: why" is an outcome and a message. Counts the failures. */
static size_t add_results(const json_t *job, json_t *records)
{
	static const char prefix[] = "failed: ";
	const char *serial;
	json_t *result;
	size_t failed = 0;

	json_object_foreach(json_object_get(job, "result"), serial, result)
	{
		const char *text = json_string_value(result);
		bool has_failed = strncmp(text, prefix, strlen(prefix)) == 0;
		failed += has_failed;
		json_array_append_new(
			records, json_pack("{s:s,s:s,s:s}", "serial", serial, "outcome",
					 has_failed ? "failed" : text, "message",
					 has_failed ? text + strlen(prefix) : ""));
	}
	return failed;
}

/* Follows the job; a card's failure is a result, all else an error. */
static bool follow(struct invocation *invocation, struct client *client, const char *path,
	json_t *records, size_t *failed, struct error *error)
{
	struct error failure _cleanup_error_ = ERROR_INIT;
	json_decref(job_follow(invocation, path, &failure));
	_cleanup_json_ json_t *job = failure.code == ERROR_NO_SERVICE
					     ? NULL
					     : object_get(client, path, CLIENT_JOB, NULL);
	size_t of_cards = add_results(job, records);

	*failed += of_cards;
	return failure.code == ERROR_NONE || (failure.code == ERROR_FAILED && of_cards > 0) ||
	       error_move(error, &failure);
}

static bool revoke_some(struct invocation *invocation, struct client *client, const json_t *cards,
	json_t *records, size_t *failed, struct error *error)
{
	json_t *answer = call(invocation, client, cards, error);

	if (invocation_has(invocation, OPTION_NO_WAIT))
		return job_finish(invocation, answer, "", error);
	_cleanup_json_ json_t *results = answer;
	const char *path = json_string_value(json_array_get(results, 0));
	return path && follow(invocation, client, path, records, failed, error);
}

static bool confirm(const struct invocation *invocation, size_t count, struct error *error)
{
	if (invocation_has(invocation, OPTION_YES))
		return true;
	_cleanup_free_ char *question =
		xasprintf("Revoke for good all certificates of %zu cards?", count);
	return terminal_confirm(question, error);
}

static bool revoke_all(struct invocation *invocation, struct client *client, const json_t *cards,
	json_t *records, size_t *failed, struct error *error)
{
	size_t count = json_array_size(cards);

	for (size_t start = 0; start < count; start += AT_A_TIME) {
		_cleanup_json_ json_t *some = json_array();
		for (size_t i = start; i < count && i < start + AT_A_TIME; i++)
			json_array_append(some, json_array_get(cards, i));
		if (!revoke_some(invocation, client, some, records, failed, error))
			return false;
	}
	return true;
}

static bool revoke_many(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *cards = json_array();
	_cleanup_json_ json_t *records = json_array();
	size_t failed = 0;

	if (!client || !find_cards(invocation, client, cards, error))
		return false;
	if (json_array_size(cards) > 0 && !confirm(invocation, json_array_size(cards), error))
		return false;
	bool done = revoke_all(invocation, client, cards, records, &failed, error);
	if (json_array_size(records) > 0 || (done && !invocation_has(invocation, OPTION_NO_WAIT)))
		output_records(invocation, records, columns, ARRAY_SIZE(columns),
			"There are no such cards.");
	return done &&
	       (failed == 0 || error_set(error, ERROR_FAILED, "%zu of %zu cards were not revoked",
				       failed, json_array_size(records)));
}

bool card_revoke(struct invocation *invocation, struct error *error)
{
	bool is_one = invocation->argument_count <= 1 &&
		      !invocation_has(invocation, OPTION_FROM_FILE) &&
		      !invocation_has(invocation, OPTION_TEMPLATE);

	return is_one ? card_revoke_one(invocation, error) : revoke_many(invocation, error);
}
