/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera connection: the certification authorities. */
#include <stdio.h>
#include <string.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/document.h"
#include "cli/file.h"
#include "cli/object.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "common/alloc.h"

#define SECRET_LINE_MAXIMUM 1024 /* bytes that can be typed */

static const struct column columns[] = {
	{"name", "NAME", COLUMN_TEXT},
	{"kind", "KIND", COLUMN_TEXT},
};

static const struct document_kind connections = {
	.kind = "connection",
	.interface = CLIENT_CONNECTION,
	.add = "AddConnection",
	.columns = columns,
	.column_count = ARRAY_SIZE(columns),
	.nothing_text = "There are no connections.",
};

bool connection_list(struct invocation *invocation, struct error *error)
{
	return document_list(&connections, invocation, error);
}

bool connection_show(struct invocation *invocation, struct error *error)
{
	return document_show(&connections, invocation, error);
}

bool connection_add(struct invocation *invocation, struct error *error)
{
	return document_add(&connections, invocation, error);
}

bool connection_update(struct invocation *invocation, struct error *error)
{
	return document_update(&connections, invocation, error);
}

bool connection_remove(struct invocation *invocation, struct error *error)
{
	return document_remove(&connections, invocation, error);
}

/* Also prints it; works is false when a step has failed, which is the last one. */
static bool show_steps(struct invocation *invocation, const json_t *answer, struct error *error)
{
	const json_t *steps = json_array_get(answer, 1), *step;
	bool works = json_is_true(json_array_get(answer, 0));
	const char *last = "";
	size_t index;

	if (invocation_has(invocation, OPTION_JSON)) {
		_cleanup_json_ json_t *record =
			json_pack("{s:b, s:O}", "works", works, "steps", steps);
		output_json(record);
	}
	json_array_foreach(steps, index, step)
	{
		const char *name = json_string_value(json_array_get(step, 0));
		bool passed = json_is_true(json_array_get(step, 1));
		last = json_string_value(json_array_get(step, 2));
		if (passed)
			output_text(invocation, "%s: %s", name, last);
		else
			error_set(error, ERROR_AUTHORITY_FAILED, "%s: %s", name, last);
	}
	return works;
}

bool connection_test(struct invocation *invocation, struct error *error)
{
	_cleanup_json_ json_t *answer = document_call(&connections, invocation, "Test", error);

	return answer && show_steps(invocation, answer, error);
}

/* --- profiles --- */

static const struct column profile_columns[] = {
	{"name", "PROFILE", COLUMN_TEXT},
	{"id", "ID", COLUMN_TEXT},
	{"usable", "USABLE", COLUMN_TEXT},
	{"reason", "WHY NOT", COLUMN_TEXT},
};

bool connection_profiles(struct invocation *invocation, struct error *error)
{
	const char *method =
		invocation_has(invocation, OPTION_UPDATE) ? "UpdateProfiles" : "ListProfiles";
	_cleanup_json_ json_t *answer = document_call(&connections, invocation, method, error);
	_cleanup_json_ json_t *records = json_array();
	const json_t *profile;
	size_t index;

	if (!answer)
		return false;
	json_array_foreach(json_array_get(answer, 0), index, profile)
	{
		json_array_append_new(records,
			json_pack("{s:O, s:O, s:O, s:O}", "id", json_array_get(profile, 0), "name",
				json_array_get(profile, 1), "usable", json_array_get(profile, 2),
				"reason", json_array_get(profile, 3)));
	}
	output_records(invocation, records, profile_columns, ARRAY_SIZE(profile_columns),
		"No profiles are known; tessera connection profiles --update asks for them.");
	return true;
}

/* --- secrets --- */

/* A whole file ("-": standard input), without the end of its last line. */
static bool read_secret_file(const char *path, struct secret *secret, struct error *error)
{
	char *text = file_read(path, error);

	if (!text)
		return false;
	size_t length = strlen(text);
	while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
		length--;
	bool kept = secret_set(secret, text, length);
	explicit_bzero(text, strlen(text));
	free(text);
	return kept || error_set(error, ERROR_FAILED, "out of memory");
}

static bool get_secret(
	const struct invocation *invocation, struct secret *secret, struct error *error)
{
	_cleanup_free_ char *prompt = xasprintf(
		"%s of connection %s: ", invocation->arguments[1], invocation->arguments[0]);

	if (invocation->argument_count > 2)
		return read_secret_file(invocation->arguments[2], secret, error);
	return terminal_ask_secret(prompt, SECRET_LINE_MAXIMUM, secret, error) ||
	       error_prefix(error, "the secret");
}

static bool say_secret(const struct invocation *invocation, const char *done)
{
	if (invocation_has(invocation, OPTION_JSON)) {
		_cleanup_json_ json_t *record = json_pack("{s:s, s:s}", "name",
			invocation->arguments[0], "secret", invocation->arguments[1]);
		output_json(record);
	}
	output_text(invocation, "connection '%s': %s %s", invocation->arguments[0],
		invocation->arguments[1], done);
	return true;
}

bool connection_secret(struct invocation *invocation, struct error *error)
{
	_cleanup_secret_ struct secret secret = SECRET_INIT;
	_cleanup_free_ char *path = object_path_of_name("connection", invocation->arguments[0]);
	struct client *client = invocation_client(invocation, error);

	if (!client || !get_secret(invocation, &secret, error))
		return false;
	_cleanup_json_ json_t *answer = CLIENT_CALL(client, path, CLIENT_CONNECTION, "SetSecret",
		error, CLIENT_STRING(invocation->arguments[1]), CLIENT_SECRET(&secret));
	return answer && say_secret(invocation, "is set");
}

bool connection_forget_secret(struct invocation *invocation, struct error *error)
{
	_cleanup_free_ char *path = object_path_of_name("connection", invocation->arguments[0]);
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *answer =
		client ? CLIENT_CALL(client, path, CLIENT_CONNECTION, "ForgetSecret", error,
				 CLIENT_STRING(invocation->arguments[1]))
		       : NULL;

	return answer && say_secret(invocation, "is forgotten");
}

/* --- certificates --- */

static bool write_der(
	struct invocation *invocation, const char *method, const char *label, struct error *error)
{
	_cleanup_json_ json_t *answer = document_call(&connections, invocation, method, error);

	return answer &&
	       output_der(invocation, label, json_string_value(json_array_get(answer, 0)), error);
}

bool connection_certificate(struct invocation *invocation, struct error *error)
{
	return write_der(invocation, "GetCertificate", "CERTIFICATE", error);
}

bool connection_crl(struct invocation *invocation, struct error *error)
{
	return write_der(invocation, "GetCrl", "X509 CRL", error);
}
