/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera licence: evaluation and production. */
#include <string.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/file.h"
#include "cli/object.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "common/buffer.h"

#define PATH	     CLIENT_ROOT "/licence"
#define CODE_MAXIMUM 128

static const struct column columns[] = {
	{"mode", "Mode", COLUMN_TEXT},
	{"state", "Licence", COLUMN_TEXT},
	{"problem", "Problem", COLUMN_TEXT},
	{"customer", "Customer", COLUMN_TEXT},
	{"id", "Id", COLUMN_TEXT},
	{"not_after", "Valid until", COLUMN_TIME},
	{"credentials", "Cards allowed", COLUMN_TEXT},
	{"used", "Cards managed", COLUMN_TEXT},
	{"activation_url", "Activation service", COLUMN_TEXT},
};

static bool show(struct invocation *invocation, struct client *client, struct error *error)
{
	_cleanup_json_ json_t *record = object_get(client, PATH, CLIENT_LICENCE, error);

	if (!record)
		return false;
	output_record(invocation, record, columns, ARRAY_SIZE(columns));
	return true;
}

bool licence_show(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);

	return client && show(invocation, client, error);
}

/* The first line of --code-file. */
static bool code_of_file(
	const struct invocation *invocation, struct secret *code, struct error *error)
{
	char *text = file_read(invocation->values[OPTION_CODE_FILE], error);

	if (!text)
		return false;
	bool kept = secret_set(code, text, strcspn(text, "\r\n"));
	explicit_bzero(text, strlen(text));
	free(text);
	return kept || error_set(error, ERROR_FAILED, "out of memory");
}

static bool write_request(
	const struct invocation *invocation, const char *text, struct error *error)
{
	_cleanup_buffer_ struct buffer content = BUFFER_INIT;

	buffer_append_string(&content, text);
	buffer_append_u8(&content, '\n');
	return output_content(invocation, &content, error);
}

bool licence_request(struct invocation *invocation, struct error *error)
{
	_cleanup_secret_ struct secret code = SECRET_INIT;

	if (invocation_has(invocation, OPTION_CODE_FILE) ? !code_of_file(invocation, &code, error)
							 : !secret_set(&code, "", 0))
		return false;
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *answer = client ? CLIENT_CALL(client, PATH, CLIENT_LICENCE,
							 "MakeRequest", error, CLIENT_SECRET(&code))
					       : NULL;
	const char *text = json_string_value(json_array_get(answer, 0));
	return text && write_request(invocation, text, error);
}

static bool activate_online(
	const struct invocation *invocation, struct client *client, struct error *error)
{
	_cleanup_secret_ struct secret code = SECRET_INIT;

	if (invocation_has(invocation, OPTION_CODE_FILE)
			? !code_of_file(invocation, &code, error)
			: !terminal_ask_secret("Activation code: ", CODE_MAXIMUM, &code, error))
		return false;
	_cleanup_json_ json_t *answer =
		CLIENT_CALL(client, PATH, CLIENT_LICENCE, "Activate", error, CLIENT_SECRET(&code));
	return answer;
}

static bool activate_by_file(const char *path, struct client *client, struct error *error)
{
	_cleanup_free_ char *text = file_read(path, error);
	_cleanup_json_ json_t *answer = text ? CLIENT_CALL(client, PATH, CLIENT_LICENCE, "Install",
						       error, CLIENT_STRING(text))
					     : NULL;

	return answer;
}

bool licence_activate(struct invocation *invocation, struct error *error)
{
	const char *path = invocation->argument_count ? invocation->arguments[0] : NULL;

	if (path && invocation_has(invocation, OPTION_CODE_FILE))
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"give the file of a licence or --code-file, not both");
	struct client *client = invocation_client(invocation, error);
	if (!client || !(path ? activate_by_file(path, client, error)
			      : activate_online(invocation, client, error)))
		return false;
	return show(invocation, client, error);
}

bool licence_remove(struct invocation *invocation, struct error *error)
{
	struct client *client = NULL;

	if (!invocation_has(invocation, OPTION_YES) &&
		!terminal_confirm("Remove the licence and go back to evaluation mode?", error))
		return false;
	client = invocation_client(invocation, error);
	_cleanup_json_ json_t *answer =
		client ? CLIENT_CALL_PLAIN(client, PATH, CLIENT_LICENCE, "Remove", error) : NULL;
	if (!answer)
		return false;
	return show(invocation, client, error);
}
