/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera self-code: what operators do for people who help themselves. */
#include <string.h>

#include "cli/card-find.h"
#include "cli/card.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/object.h"
#include "cli/output.h"
#include "common/alloc.h"

#define HOURS_MAXIMUM 336

static bool add_options(const struct invocation *invocation, json_t *options, struct error *error)
{
	const char *hours = invocation->values[OPTION_HOURS];
	const char *user = invocation->values[OPTION_USER];
	const char *person = invocation->values[OPTION_PERSON];
	int64_t number;

	if (hours) {
		if (!number_parse(hours, "--hours", 1, HOURS_MAXIMUM, &number, error))
			return false;
		json_object_set_new(options, "hours", json_integer(number));
	}
	if ((user && json_object_set_new(options, "user", json_string(user)) != 0) ||
		(person && json_object_set_new(options, "person", json_string(person)) != 0))
		return error_set(
			error, ERROR_INVALID_ARGUMENT, "a login name is not valid UTF-8 text");
	return true;
}

/* What a code for a card is for, where nothing is said: a card without a PIN gets its first one. */
static const char *usual_purpose(struct client *client, const char *path)
{
	_cleanup_json_ json_t *card = object_get(client, path, CLIENT_CREDENTIAL, NULL);
	const char *state = json_string_value(json_object_get(card, "state"));

	return state && strcmp(state, "issued") == 0 ? "activate" : "unblock";
}

static void print(const struct invocation *invocation, const json_t *answer, const char *purpose)
{
	_cleanup_json_ json_t *record =
		json_pack("{s:O,s:s,s:O}", "code", json_array_get(answer, 0), "purpose", purpose,
			"expires_at", json_array_get(answer, 1));

	output_text(invocation, "one-time code: %s   (to %s; it is not shown again)",
		json_string_value(json_array_get(answer, 0)), purpose);
	if (invocation_has(invocation, OPTION_JSON))
		output_json(record);
}

static bool add_code(struct invocation *invocation, struct client *client, const char *purpose,
	const char *path, const json_t *holder, const json_t *options, struct error *error)
{
	const char *template = invocation->values[OPTION_TEMPLATE];

	if (!client_carries_pins(client, error))
		return false;
	_cleanup_json_ json_t *answer = CLIENT_CALL(client, CLIENT_ROOT, CLIENT_SELF, "AddCode",
		error, CLIENT_STRING(purpose), CLIENT_PATH(path),
		CLIENT_STRING(template ? template : ""), CLIENT_FIELDS(holder),
		CLIENT_OPTIONS(options));
	if (!answer)
		return false;
	print(invocation, answer, purpose);
	return true;
}

bool self_code_new(struct invocation *invocation, struct error *error)
{
	bool is_issue = invocation_has(invocation, OPTION_TEMPLATE);
	const char *purpose = invocation->values[OPTION_FOR];
	_cleanup_json_ json_t *holder = card_holder_fields(invocation, error);
	_cleanup_json_ json_t *options = json_object();
	struct client *client = holder ? invocation_client(invocation, error) : NULL;

	if (!client || !add_options(invocation, options, error))
		return false;
	if (is_issue && (invocation->argument_count > 0 || purpose))
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"a code is for a card, or with --template for one that is to be issued");
	if (is_issue)
		return add_code(invocation, client, "issue", "/", holder, options, error);
	_cleanup_free_ char *path = card_find(client, invocation->arguments[0], error);
	return path && add_code(invocation, client, purpose ? purpose : usual_purpose(client, path),
			       path, holder, options, error);
}

static const struct column columns[] = {
	{"code", "CODE", COLUMN_TEXT},
	{"purpose", "FOR", COLUMN_TEXT},
	{"card", "CARD", COLUMN_TEXT},
	{"template", "TEMPLATE", COLUMN_TEXT},
	{"given_by", "GIVEN BY", COLUMN_TEXT},
	{"expires_at", "GOOD UNTIL", COLUMN_TIME},
	{"failures", "WRONG TRIES", COLUMN_TEXT},
};

bool self_code_list(struct invocation *invocation, struct error *error)
{
	static const char *const members[] = {"code", "purpose", "card", "template", "given_by",
		"created_at", "expires_at", "failures"};
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *answer =
		client ? CLIENT_CALL_PLAIN(client, CLIENT_ROOT, CLIENT_SELF, "ListCodes", error)
		       : NULL;
	_cleanup_json_ json_t *records = json_array();
	const json_t *item;
	size_t index;

	if (!answer)
		return false;
	json_array_foreach(json_array_get(answer, 0), index, item)
	{
		json_t *record = json_object();
		for (size_t i = 0; i < ARRAY_SIZE(members); i++)
			json_object_set(record, members[i], json_array_get(item, i));
		json_array_append_new(records, record);
	}
	output_records(invocation, records, columns, ARRAY_SIZE(columns),
		"There is no code that is good.");
	return true;
}

bool self_code_remove(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *answer =
		client ? CLIENT_CALL(client, CLIENT_ROOT, CLIENT_SELF, "RemoveCode", error,
				 CLIENT_STRING(invocation->arguments[0]))
		       : NULL;

	if (!answer)
		return false;
	output_text(invocation, "%.4s: removed", invocation->arguments[0]);
	return true;
}

/* The serial of the card that is meant; NULL with error. */
static char *find_serial(struct client *client, const char *argument, struct error *error)
{
	_cleanup_free_ char *path = card_find(client, argument, error);
	_cleanup_json_ json_t *card =
		path ? object_get(client, path, CLIENT_CREDENTIAL, error) : NULL;

	return card ? xstrdup(json_string_value(json_object_get(card, "serial"))) : NULL;
}

/* Of whom the lock-out is: what LiftLockOut takes; heap, NULL with error. */
static char *whose(const struct invocation *invocation, struct client *client, const char **kind,
	struct error *error)
{
	const char *user = invocation->values[OPTION_USER];
	const char *person = invocation->values[OPTION_PERSON];
	const char *connection = invocation->values[OPTION_CONNECTION];

	if ((user != NULL) + (person != NULL) + (invocation->argument_count > 0) > 1 ||
		(person != NULL) != (connection != NULL)) {
		error_set(error, ERROR_INVALID_ARGUMENT,
			"give a card, or --user, or --person with --connection");
		return NULL;
	}
	*kind = person ? "person" : user ? "user" : "card";
	if (person)
		return xasprintf("%s:%s", connection, person);
	return user ? xstrdup(user) : find_serial(client, invocation->arguments[0], error);
}

bool self_code_unlock(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	const char *kind = NULL;
	_cleanup_free_ char *name = client ? whose(invocation, client, &kind, error) : NULL;
	_cleanup_json_ json_t *answer =
		name ? CLIENT_CALL(client, CLIENT_ROOT, CLIENT_SELF, "LiftLockOut", error,
			       CLIENT_STRING(kind), CLIENT_STRING(name))
		     : NULL;

	if (!answer)
		return false;
	output_text(invocation, "%s: %s", name,
		json_is_true(json_array_get(answer, 0)) ? "may try again"
							: "there were no wrong tries");
	return true;
}
