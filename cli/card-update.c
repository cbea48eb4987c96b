/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera card update: issued cards to the newest version of their template. */
#include <string.h>

#include "cli/card-find.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/job-wait.h"
#include "cli/output.h"
#include "cli/template.h"
#include "common/alloc.h"

static const struct column columns[] = {
	{"serial", "CARD", COLUMN_TEXT},
	{"version", "FROM VERSION", COLUMN_TEXT},
	{"outcome", "OUTCOME", COLUMN_TEXT},
	{"message", "MESSAGE", COLUMN_TEXT},
};

static json_t *call_update(
	struct invocation *invocation, struct client *client, const char *path, struct error *error)
{
	_cleanup_json_ json_t *options = json_object();

	if (invocation_has(invocation, OPTION_REISSUE))
		json_object_set_new(options, "reissue", json_true());
	if (invocation_has(invocation, OPTION_KEEP_FIELDS))
		json_object_set_new(options, "keep-fields", json_true());
	return CLIENT_CALL(
		client, path, CLIENT_CREDENTIAL, "Update", error, CLIENT_OPTIONS(options));
}

static bool update_one(struct invocation *invocation, struct client *client, struct error *error)
{
	const char *card = invocation->argument_count ? invocation->arguments[0] : NULL;
	_cleanup_free_ char *path = card_find(client, card, error);

	return path &&
	       job_finish(invocation, call_update(invocation, client, path, error),
		       invocation_has(invocation, OPTION_REISSUE)
			       ? "has the newest version of its template; activate it if it was "
				 "issued anew"
			       : "has the newest version of its template",
		       error);
}

/* All cards of a template, one after the other. */
struct round {
	struct invocation *invocation;
	struct client *client;
	json_t *records;
	json_int_t version;
	size_t failed;
};

/* One card's failure is its own record; only a lost connection, or Ctrl-C, ends the round. */
static bool update_next(void *context, const char *path, const char *serial, struct error *error)
{
	struct round *round = context;
	struct error failure _cleanup_error_ = ERROR_INIT;
	_cleanup_json_ json_t *answer =
		call_update(round->invocation, round->client, path, &failure);
	const char *job_path = json_string_value(json_array_get(answer, 0));
	_cleanup_json_ json_t *job =
		job_path ? job_follow(round->invocation, job_path, &failure) : NULL;

	if (!job && (failure.code == ERROR_NO_SERVICE || failure.code == ERROR_CANCELLED))
		return error_move(error, &failure);
	const char *change =
		json_string_value(json_object_get(json_object_get(job, "result"), "change"));
	round->failed += !job;
	json_array_append_new(round->records,
		json_pack("{s:s, s:I, s:s, s:s}", "serial", serial, "version", round->version,
			"outcome", job ? "updated" : "failed", "message",
			job ? change ? change : "" : error_message(&failure)));
	return true;
}

static bool update_all(struct invocation *invocation, struct client *client, struct error *error)
{
	const char *name = invocation->values[OPTION_TEMPLATE];
	_cleanup_json_ json_t *records = json_array();
	_cleanup_json_ json_t *steps = template_plan_of(client, name, "", error);
	struct round round = {.invocation = invocation, .client = client, .records = records};
	const json_t *step;
	size_t index;

	if (!steps)
		return false;
	json_array_foreach(steps, index, step)
	{
		round.version = json_integer_value(json_array_get(step, 0));
		if (!template_each_card(client, name, round.version, update_next, &round, error))
			return false;
	}
	output_records(invocation, records, columns, ARRAY_SIZE(columns),
		"All cards have the newest version.");
	return round.failed == 0 ||
	       error_set(error, ERROR_FAILED, "%zu of %zu cards were not updated", round.failed,
		       json_array_size(records));
}

bool card_update(struct invocation *invocation, struct error *error)
{
	bool is_template = invocation_has(invocation, OPTION_TEMPLATE);
	struct client *client = NULL;

	if (is_template &&
		(invocation->argument_count > 0 || invocation_has(invocation, OPTION_NO_WAIT)))
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"--template goes with neither a card nor --no-wait");
	client = invocation_client(invocation, error);
	if (!client)
		return false;
	return is_template ? update_all(invocation, client, error)
			   : update_one(invocation, client, error);
}
