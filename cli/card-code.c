/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera card offline-unblock, rotate: the verbs that may end with an unblock code. */
#include "cli/card-code.h"

#include <string.h>

#include "cli/card-find.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/job-wait.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "common/alloc.h"

#define GROUP 4 /* digits */

void card_code_print(const struct invocation *invocation, json_t *record, const char *code)
{
	int length = (int)strlen(code);

	json_object_set_new(record, "unblock_code", json_string(code));
	if (length <= 2 * GROUP)
		output_text(invocation, "unblock code: %s", code);
	else
		output_text(invocation,
			"unblock code: %.*s %.*s %s   (the last two are check digits)", GROUP, code,
			GROUP, code + GROUP, code + 2 * GROUP);
}

/* Follows the job; *taken is its secret, or NULL when it has none. */
static json_t *follow(struct invocation *invocation, struct client *client, const json_t *answer,
	json_t **taken, struct error *error)
{
	const char *path = json_string_value(json_array_get(answer, 0));
	json_t *job = path ? job_follow(invocation, path, error) : NULL;
	struct error none _cleanup_error_ = ERROR_INIT;

	*taken = job ? CLIENT_CALL_PLAIN(client, path, CLIENT_JOB, "TakePin", &none) : NULL;
	return job;
}

static bool confirm(const struct invocation *invocation, struct error *error)
{
	if (invocation_has(invocation, OPTION_YES))
		return true;
	_cleanup_free_ char *question =
		xasprintf("Show the unblock code of card %s? Who has it can set the card's PIN.",
			invocation->arguments[0]);
	return terminal_confirm(question, error);
}

bool card_offline_unblock(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_free_ char *path =
		client ? card_find(client, invocation->arguments[0], error) : NULL;
	_cleanup_json_ json_t *taken = NULL;

	if (!path || !confirm(invocation, error) || !client_carries_pins(client, error))
		return false;
	_cleanup_json_ json_t *answer =
		CLIENT_CALL_PLAIN(client, path, CLIENT_CREDENTIAL, "OfflineUnblock", error);
	_cleanup_json_ json_t *job =
		answer ? follow(invocation, client, answer, &taken, error) : NULL;
	const char *code = json_string_value(json_array_get(taken, 0));
	if (!job)
		return false;
	if (!code)
		return error_set(error, ERROR_FAILED,
			"the code could not be fetched; ask again in a moment");
	card_code_print(invocation, job, code);
	output_text(invocation,
		"It is good for a day, and dead once the card has been here. Only the first eight "
		"digits are the PUK that other programs ask for.");
	if (invocation_has(invocation, OPTION_JSON))
		output_json(job);
	return true;
}

bool card_rotate(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_free_ char *path =
		client ? card_find(client, invocation->arguments[0], error) : NULL;
	_cleanup_json_ json_t *taken = NULL;

	if (!path || !client_carries_pins(client, error))
		return false;
	_cleanup_json_ json_t *answer =
		CLIENT_CALL_PLAIN(client, path, CLIENT_CREDENTIAL, "Rotate", error);
	_cleanup_json_ json_t *job =
		answer ? follow(invocation, client, answer, &taken, error) : NULL;
	const char *code = json_string_value(json_array_get(taken, 0));
	if (!job)
		return false;
	output_text(
		invocation, "%s: changed over", json_string_value(json_object_get(job, "subject")));
	if (code) {
		card_code_print(invocation, job, code);
		output_text(invocation, "The unblock code of before is dead.");
	}
	if (invocation_has(invocation, OPTION_JSON))
		output_json(job);
	return true;
}
