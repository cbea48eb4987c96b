/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera init, operator: who owns this installation and who works with it. */
#include <stdio.h>
#include <string.h>

#include "cli/card-code.h"
#include "cli/card-find.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/job-wait.h"
#include "cli/names.h"
#include "cli/operator.h"
#include "cli/output.h"
#include "cli/pin.h"
#include "common/alloc.h"

/* --- system owners --- */

static void show_owner(const struct invocation *invocation, json_t *job, const char *code)
{
	const json_t *result = json_object_get(job, "result");
	const char *id = json_string_value(json_object_get(result, "operator"));
	const char *serial = json_string_value(json_object_get(result, "serial"));

	output_text(invocation, "system owner %s has the card %s", id ? id : "?",
		serial ? serial : "?");
	card_code_print(invocation, job, code);
	output_text(invocation,
		"Write the code down and keep it apart from the card: it sets a new PIN should the "
		"PIN be forgotten. It is not shown again.");
	if (invocation_has(invocation, OPTION_JSON))
		output_json(job);
}

bool owner_add(struct invocation *invocation, struct error *error)
{
	_cleanup_secret_ struct secret pin = SECRET_INIT;
	struct client *client = invocation_client(invocation, error);
	_cleanup_free_ char *reader =
		client ? card_find_reader(client, invocation->values[OPTION_READER], error) : NULL;

	_cleanup_json_ json_t *options = json_object();

	if (!reader || !pin_new(invocation, &pin, error))
		return false;
	if (invocation_has(invocation, OPTION_NAME))
		json_object_set_new(options, "name", json_string(invocation->values[OPTION_NAME]));
	client_be_patient(client); /* polkit may ask somebody for a password */
	_cleanup_json_ json_t *answer =
		CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER, "AddSystemOwner", error,
			CLIENT_PATH(reader), CLIENT_SECRET(&pin), CLIENT_OPTIONS(options));
	const char *path = json_string_value(json_array_get(answer, 0));
	_cleanup_json_ json_t *job = path ? job_follow(invocation, path, error) : NULL;
	if (!job)
		return false;
	_cleanup_json_ json_t *taken =
		CLIENT_CALL_PLAIN(client, path, CLIENT_JOB, "TakePin", error);
	const char *code = json_string_value(json_array_get(taken, 0));
	if (!code)
		return error_prefix(error, "the owner was added, but the unblock code is lost");
	show_owner(invocation, job, code);
	return true;
}

/* --- operators --- */

static const struct column columns[] = {
	{"id", "OPERATOR", COLUMN_TEXT},
	{"card", "CARD", COLUMN_TEXT},
	{"roles", "ROLES", COLUMN_TEXT},
	{"active", "ACTIVE", COLUMN_TEXT},
	{"custodian", "CUSTODIAN", COLUMN_TEXT},
	{"last_login_at", "LAST LOGIN", COLUMN_TIME},
};

static json_t *operator_record(const json_t *item)
{
	_cleanup_free_ char *roles = names_join(json_array_get(item, 2), " ");
	const char *path = json_string_value(json_array_get(item, 1));

	return json_pack("{s:O,s:s,s:s,s:O,s:O,s:O,s:O}", "id", json_array_get(item, 0), "card",
		path ? strrchr(path, '/') + 1 : "", "roles", roles, "active",
		json_array_get(item, 3), "custodian", json_array_get(item, 4), "created_at",
		json_array_get(item, 5), "last_login_at", json_array_get(item, 6));
}

bool operator_list(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *answer = client ? CLIENT_CALL_PLAIN(client, CLIENT_ROOT,
							 CLIENT_MANAGER, "ListOperators", error)
					       : NULL;
	_cleanup_json_ json_t *records = answer ? json_array() : NULL;
	const json_t *item;
	size_t index;

	if (!records)
		return false;
	json_array_foreach(json_array_get(answer, 0), index, item)
		json_array_append_new(records, operator_record(item));
	output_records(
		invocation, records, columns, ARRAY_SIZE(columns), "There are no operators.");
	return true;
}

json_t *operator_roles_option(const struct invocation *invocation)
{
	return names_split(invocation->values[OPTION_ROLES]);
}

bool operator_set(struct invocation *invocation, struct error *error)
{
	_cleanup_json_ json_t *roles = operator_roles_option(invocation);
	struct client *client = invocation_client(invocation, error);
	_cleanup_free_ char *card =
		client ? card_find(client, invocation->arguments[0], error) : NULL;

	if (!card)
		return false;
	_cleanup_json_ json_t *answer = CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER,
		"SetOperator", error, CLIENT_PATH(card), CLIENT_STRINGS(roles),
		CLIENT_BOOL(!invocation_has(invocation, OPTION_INACTIVE)),
		CLIENT_BOOL(invocation_has(invocation, OPTION_CUSTODIAN)));
	if (answer)
		output_text(invocation, "the operator was changed");
	return answer != NULL;
}

bool operator_remove(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_free_ char *card =
		client ? card_find(client, invocation->arguments[0], error) : NULL;

	if (!card)
		return false;
	_cleanup_json_ json_t *answer = CLIENT_CALL(
		client, CLIENT_ROOT, CLIENT_MANAGER, "RemoveOperator", error, CLIENT_PATH(card));
	if (answer)
		output_text(invocation, "the card is no operator's any more");
	return answer != NULL;
}
