/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera slot keys, enroll, renew, retire: keys in slots that have certificates by templates. */
#include <string.h>

#include "cli/card-uri.h"
#include "cli/card.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/job-wait.h"
#include "cli/object.h"
#include "cli/output.h"
#include "cli/pin.h"
#include "cli/slot-key.h"
#include "cli/terminal.h"
#include "common/alloc.h"

static const struct column columns[] = {
	{"label", "KEY", COLUMN_TEXT},
	{"algorithm", "ALGORITHM", COLUMN_TEXT},
	{"state", "STATE", COLUMN_TEXT},
	{"credential", "CREDENTIAL", COLUMN_TEXT},
	{"not_after", "CERTIFICATE UNTIL", COLUMN_TIME},
	{"subject", "SUBJECT", COLUMN_TEXT},
	{"uri", "PKCS#11 URI", COLUMN_TEXT},
};

/* --- the keys of a slot --- */

static json_t *record_of(const json_t *item, const char *token)
{
	int64_t credential = object_number(json_string_value(json_array_get(item, 3)));
	json_int_t not_after = json_integer_value(json_array_get(item, 6));
	json_t *record = json_object();

	json_object_set(record, "label", json_array_get(item, 0));
	json_object_set(record, "id", json_array_get(item, 1));
	json_object_set(record, "algorithm", json_array_get(item, 2));
	json_object_set_new(
		record, "credential", credential ? json_integer(credential) : json_null());
	json_object_set(record, "state", json_array_get(item, 4));
	json_object_set(record, "subject", json_array_get(item, 5));
	json_object_set_new(record, "not_after", not_after ? json_integer(not_after) : json_null());
	json_object_set_new(record, "uri",
		token ? slot_key_uri(token, json_string_value(json_array_get(item, 0)))
		      : json_null());
	return record;
}

static bool explain_missing(const char *slot, struct error *error)
{
	if (error && error->code == ERROR_NOT_FOUND && strstr(error_message(error), "object"))
		error_set(error, ERROR_NOT_FOUND, "there is no slot '%s'", slot);
	return false;
}

json_t *slot_key_list(struct client *client, const char *slot, struct error *error)
{
	_cleanup_free_ char *path = object_path_of_name("slot", slot);
	_cleanup_json_ json_t *answer =
		CLIENT_CALL_PLAIN(client, path, CLIENT_SLOT, "GetKeys", error);
	/* Who may list keys need not be one who may see settings. */
	_cleanup_json_ json_t *of_slot =
		answer ? object_get(client, path, CLIENT_SLOT, NULL) : NULL;
	const char *token = json_string_value(json_object_get(of_slot, "token_label"));
	json_t *records = answer ? json_array() : NULL;
	json_t *item;
	size_t index;

	if (!answer) {
		explain_missing(slot, error);
		return NULL;
	}
	json_array_foreach(json_array_get(answer, 0), index, item)
		json_array_append_new(records, record_of(item, token));
	return records;
}

bool slot_keys(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *records =
		client ? slot_key_list(client, invocation->arguments[0], error) : NULL;

	if (!records)
		return false;
	output_records(invocation, records, columns, ARRAY_SIZE(columns),
		"The slot shows no keys. Private keys of a slot whose PIN programs give show when "
		"one has logged in.");
	return true;
}

char *slot_key_find(struct client *client, const char *text, struct error *error)
{
	const char *slash = strchr(text, '/');
	json_t *record;
	size_t index;

	if (!slash || slash == text || !slash[1]) {
		error_set(error, ERROR_INVALID_ARGUMENT,
			"a key in a slot is slot:NAME/LABEL, not 'slot:%s'", text);
		return NULL;
	}
	_cleanup_free_ char *slot = xasprintf("%.*s", (int)(slash - text), text);
	_cleanup_json_ json_t *records = slot_key_list(client, slot, error);
	if (!records)
		return NULL;
	json_array_foreach(records, index, record)
	{
		const char *label = json_string_value(json_object_get(record, "label"));
		json_int_t number = json_integer_value(json_object_get(record, "credential"));
		if (number && label && strcmp(label, slash + 1) == 0)
			return object_path("credential", number);
	}
	error_set(
		error, ERROR_NOT_FOUND, "the slot '%s' has no enrolled key '%s'", slot, slash + 1);
	return NULL;
}

/* --- verbs --- */

bool slot_key_pin(struct invocation *invocation, struct client *client, const char *path,
	struct secret *pin, struct error *error)
{
	bool given = invocation_has(invocation, OPTION_PIN_FILE) ||
		     invocation_has(invocation, OPTION_PIN_FD);
	_cleanup_json_ json_t *slot = object_get(client, path, CLIENT_SLOT, error);
	const char *source = json_string_value(json_object_get(slot, "pin"));

	if (!slot)
		return explain_missing(invocation->arguments[0], error);
	if (!given && (!source || strcmp(source, "caller") != 0))
		return true;
	return client_carries_pins(client, error) && pin_present(invocation, pin, error);
}

static json_t *flags(const struct invocation *invocation)
{
	static const struct {
		enum option option;
		const char *name;
	} known[] = {
		{OPTION_EXISTING_KEY, "existing-key"},
		{OPTION_KEEP_KEY, "keep-key"},
		{OPTION_NEW_KEY, "new-key"},
	};
	json_t *options = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (invocation_has(invocation, known[i].option))
			json_object_set_new(options, known[i].name, json_true());
	}
	if (invocation->values[OPTION_REASON])
		json_object_set_new(
			options, "reason", json_string(invocation->values[OPTION_REASON]));
	return options;
}

bool slot_enroll(struct invocation *invocation, struct error *error)
{
	const char *template = invocation->values[OPTION_TEMPLATE];
	_cleanup_json_ json_t *holder = card_holder_fields(invocation, error);
	_cleanup_json_ json_t *options = flags(invocation);
	_cleanup_free_ char *path = object_path_of_name("slot", invocation->arguments[0]);
	_cleanup_secret_ struct secret pin = SECRET_INIT;

	if (!holder || !card_add_end_date(invocation, options, error))
		return false;
	if (!template)
		return error_set(error, ERROR_INVALID_ARGUMENT, "'slot enroll' needs --template");
	struct client *client = invocation_client(invocation, error);
	if (!client || !slot_key_pin(invocation, client, path, &pin, error))
		return false;
	return job_finish(invocation,
		CLIENT_CALL(client, path, CLIENT_SLOT, "Enroll", error,
			CLIENT_STRING(invocation->arguments[1]), CLIENT_STRING(template),
			CLIENT_FIELDS(holder),
			CLIENT_OPTIONS_WITH_PIN(options, secret_is_set(&pin) ? &pin : NULL)),
		"enrolled", error);
}

static bool change(
	struct invocation *invocation, const char *method, const char *done, struct error *error)
{
	_cleanup_json_ json_t *options = flags(invocation);
	_cleanup_free_ char *path = object_path_of_name("slot", invocation->arguments[0]);
	_cleanup_secret_ struct secret pin = SECRET_INIT;
	struct client *client = invocation_client(invocation, error);

	if (!client || !slot_key_pin(invocation, client, path, &pin, error))
		return false;
	return job_finish(invocation,
		CLIENT_CALL(client, path, CLIENT_SLOT, method, error,
			CLIENT_STRING(invocation->arguments[1]),
			CLIENT_OPTIONS_WITH_PIN(options, secret_is_set(&pin) ? &pin : NULL)),
		done, error);
}

bool slot_renew(struct invocation *invocation, struct error *error)
{
	return change(invocation, "Renew", "renewed", error);
}

bool slot_retire(struct invocation *invocation, struct error *error)
{
	bool keeps = invocation_has(invocation, OPTION_KEEP_KEY);
	_cleanup_free_ char *question = xasprintf("Revoke the certificates of the key '%s' in the "
						  "slot '%s'%s?",
		invocation->arguments[1], invocation->arguments[0],
		keeps ? "" : " and destroy it for ever");

	if (!invocation_has(invocation, OPTION_YES) && !terminal_confirm(question, error))
		return false;
	return change(invocation, "Retire", keeps ? "retired; the key is kept" : "retired", error);
}
