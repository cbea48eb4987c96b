/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera slot: tokens of PKCS#11 modules whose keys programs use through tesserad. */
#include <string.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/document.h"
#include "cli/object.h"
#include "cli/output.h"
#include "cli/pin.h"
#include "common/alloc.h"

static const struct column columns[] = {
	{"name", "SLOT", COLUMN_TEXT},
	{"token_label", "TOKEN", COLUMN_TEXT},
	{"pin", "PIN", COLUMN_TEXT},
	{"available", "AVAILABLE", COLUMN_TEXT},
	{"problem", "PROBLEM", COLUMN_TEXT},
};

static const struct document_kind slots = {
	.kind = "slot",
	.interface = CLIENT_SLOT,
	.columns = columns,
	.column_count = ARRAY_SIZE(columns),
	.nothing_text = "There are no slots.",
};

/* Rules as objects. */
static void unpack_rules(json_t *record)
{
	json_t *rules = json_array();
	const json_t *item;
	size_t index;

	json_array_foreach(json_object_get(record, "rules"), index, item) json_array_append_new(
		rules, json_pack("{s:O,s:O,s:O}", "subject", json_array_get(item, 0), "key",
			       json_array_get(item, 1), "operations", json_array_get(item, 2)));
	json_object_set_new(record, "rules", rules);
}

bool slot_list(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *records = client ? object_list(client, CLIENT_SLOT, error) : NULL;
	json_t *record;
	size_t index;

	if (!records)
		return false;
	json_array_foreach(records, index, record) unpack_rules(record);
	output_records(invocation, records, columns, ARRAY_SIZE(columns), slots.nothing_text);
	return true;
}

/* --- show --- */

static void show_rule(const struct invocation *invocation, const json_t *rule)
{
	const char *key = json_string_value(json_object_get(rule, "key"));
	const json_t *operation;
	_cleanup_free_ char *text = xstrdup("");
	size_t index;

	json_array_foreach(json_object_get(rule, "operations"), index, operation)
	{
		char *longer = xasprintf(
			"%s%s%s", text, index > 0 ? ", " : "", json_string_value(operation));
		free(text);
		text = longer;
	}
	bool all = key && strcmp(key, "*") == 0;
	output_text(invocation, "  %s: %s with %s%s%s",
		json_string_value(json_object_get(rule, "subject")), text,
		all ? "all keys" : "the key \"", all ? "" : key, all ? "" : "\"");
}

static const char *text_of(const json_t *record, const char *name)
{
	const char *text = json_string_value(json_object_get(record, name));

	return text ? text : "";
}

static void show_process(const struct invocation *invocation, const json_t *record)
{
	const json_t *variable;
	size_t index;

	if (strcmp(text_of(record, "process"), "own") != 0) {
		output_text(invocation, "Process:    tesserad's");
		return;
	}
	output_text(invocation, "Process:    its own, %lld seconds for a call",
		(long long)json_integer_value(json_object_get(record, "timeout")));
	json_array_foreach(json_object_get(record, "environment"), index, variable)
		output_text(invocation, "  %s", json_string_value(variable));
}

static void show_record(const struct invocation *invocation, const json_t *record)
{
	const json_t *rules = json_object_get(record, "rules");
	const json_t *rule;
	const char *source = text_of(record, "pin_source");
	size_t index;
	bool available = json_is_true(json_object_get(record, "available"));

	output_text(invocation, "Slot:       %s", text_of(record, "name"));
	output_text(invocation, "Module:     %s", text_of(record, "module"));
	output_text(invocation, "Token:      %s%s%s", text_of(record, "token_label"),
		text_of(record, "token_serial")[0] ? ", serial " : "",
		text_of(record, "token_serial"));
	output_text(invocation, "PIN:        %s%s%s", text_of(record, "pin"), source[0] ? ", " : "",
		source);
	show_process(invocation, record);
	output_text(invocation, "Uses:       %s",
		json_is_true(json_object_get(record, "audit_uses")) ? "each has an audit record"
								    : "have no audit records");
	output_text(invocation, "Available:  %s%s%s", available ? "yes" : "no",
		available ? "" : ": ", text_of(record, "problem"));
	if (json_array_size(rules) == 0)
		output_text(invocation, "Rules:      none: only managers may use its keys");
	else
		output_text(invocation, "Rules:");
	json_array_foreach(rules, index, rule) show_rule(invocation, rule);
}

static bool explain_missing(const char *name, struct error *error)
{
	if (error && error->code == ERROR_NOT_FOUND)
		error_set(error, ERROR_NOT_FOUND, "there is no slot '%s'", name);
	return false;
}

bool slot_show(struct invocation *invocation, struct error *error)
{
	const char *name = invocation->arguments[0];
	struct client *client = invocation_client(invocation, error);
	_cleanup_free_ char *path = object_path_of_name("slot", name);
	_cleanup_json_ json_t *record =
		client ? object_get(client, path, CLIENT_SLOT, error) : NULL;

	if (!record)
		return explain_missing(name, error);
	unpack_rules(record);
	if (invocation_has(invocation, OPTION_JSON))
		output_json(record);
	show_record(invocation, record);
	return true;
}

/* --- add, test, remove --- */

/* Of the module's own process. A variable without a name takes all away that there were. */
static json_t *read_variables(const struct invocation *invocation)
{
	json_t *variables = json_array();

	for (size_t i = 0; i < invocation->variable_count; i++) {
		if (invocation->variables[i][0])
			json_array_append_new(variables, json_string(invocation->variables[i]));
	}
	return variables;
}

static bool read_process_options(
	const struct invocation *invocation, json_t *options, struct error *error)
{
	const char *timeout = invocation->values[OPTION_TIMEOUT];
	int64_t seconds = 0;

	if (invocation_has(invocation, OPTION_PROCESS))
		json_object_set_new(
			options, "process", json_string(invocation->values[OPTION_PROCESS]));
	if (invocation_has(invocation, OPTION_ENVIRONMENT))
		json_object_set_new(options, "environment", read_variables(invocation));
	if (!timeout)
		return true;
	if (!number_parse(timeout, "--timeout", 1, 3600, &seconds, error))
		return false;
	json_object_set_new(options, "timeout", json_integer(seconds));
	return true;
}

static json_t *add_options(const struct invocation *invocation)
{
	static const struct {
		enum option option;
		const char *name;
		bool is_flag;
	} known[] = {
		{OPTION_SERIAL, "serial", false},
		{OPTION_PIN_SOURCE, "pin-source", false},
		{OPTION_KEEP_PIN, "keep-pin", true},
		{OPTION_CREATE, "create", true},
		{OPTION_AUDIT_USES, "audit-uses", true},
	};
	json_t *options = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (!invocation_has(invocation, known[i].option))
			continue;
		json_object_set_new(options, known[i].name,
			known[i].is_flag ? json_true()
					 : json_string(invocation->values[known[i].option]));
	}
	return options;
}

/* A PIN is wanted where one is kept or set; it is asked for if it is in no file. */
static bool read_pin(const struct invocation *invocation, struct secret *pin, struct error *error)
{
	bool wanted = invocation_has(invocation, OPTION_PIN_FILE) ||
		      invocation_has(invocation, OPTION_PIN_FD) ||
		      invocation_has(invocation, OPTION_KEEP_PIN) ||
		      (invocation_has(invocation, OPTION_CREATE) &&
			      !invocation_has(invocation, OPTION_PIN_SOURCE));

	return !wanted || pin_present(invocation, pin, error);
}

bool slot_add(struct invocation *invocation, struct error *error)
{
	_cleanup_secret_ struct secret pin = SECRET_INIT;
	const char *name = invocation->arguments[0];
	const char *module = invocation->values[OPTION_MODULE];
	const char *label = invocation->values[OPTION_TOKEN_LABEL];
	_cleanup_json_ json_t *options = add_options(invocation);

	if (!read_process_options(invocation, options, error) || !read_pin(invocation, &pin, error))
		return false;
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *answer =
		client ? CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER, "AddSlot", error,
				 CLIENT_STRING(name), CLIENT_STRING(module ? module : ""),
				 CLIENT_STRING(label ? label : name),
				 CLIENT_OPTIONS_WITH_PIN(
					 options, secret_is_set(&pin) ? &pin : NULL))
		       : NULL;
	if (!answer)
		return false;
	if (invocation_has(invocation, OPTION_JSON)) {
		_cleanup_json_ json_t *record = json_pack("{s:s}", "name", name);
		output_json(record);
	}
	output_text(invocation,
		"slot '%s' added; only managers may use its keys until you say "
		"\"tessera slot allow\"",
		name);
	return true;
}

bool slot_change(struct invocation *invocation, struct error *error)
{
	_cleanup_json_ json_t *options = json_object();
	_cleanup_free_ char *path = object_path_of_name("slot", invocation->arguments[0]);

	if (!read_process_options(invocation, options, error))
		return false;
	if (json_object_size(options) == 0)
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"say what is to change: --process, --timeout or --environment");
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *answer = client ? CLIENT_CALL(client, path, CLIENT_SLOT, "Change",
							 error, CLIENT_OPTIONS(options))
					       : NULL;

	if (!answer)
		return explain_missing(invocation->arguments[0], error);
	output_text(invocation, "slot '%s' changed", invocation->arguments[0]);
	return true;
}

bool slot_test(struct invocation *invocation, struct error *error)
{
	_cleanup_json_ json_t *answer = document_call(&slots, invocation, "Test", error);
	const char *message = json_string_value(json_array_get(answer, 0));

	if (!answer)
		return explain_missing(invocation->arguments[0], error);
	if (invocation_has(invocation, OPTION_JSON)) {
		_cleanup_json_ json_t *record =
			json_pack("{s:s}", "message", message ? message : "");
		output_json(record);
	}
	output_text(invocation, "%s", message ? message : "");
	return true;
}

bool slot_remove(struct invocation *invocation, struct error *error)
{
	return document_remove(&slots, invocation, error);
}

/* --- allow, deny --- */

/* "user:ada", heap; NULL with error unless exactly one is named. */
static char *read_subject(const struct invocation *invocation, struct error *error)
{
	const char *user = invocation->values[OPTION_USER];
	const char *group = invocation->values[OPTION_GROUP];
	bool anyone = invocation_has(invocation, OPTION_ANYONE);

	if ((user != NULL) + (group != NULL) + anyone != 1) {
		error_set(error, ERROR_INVALID_ARGUMENT,
			"say for whom: --user, --group or --anyone, and one of them only");
		return NULL;
	}
	return anyone ? xstrdup("anyone")
		      : xasprintf("%s:%s", user ? "user" : "group", user ? user : group);
}

/* Those that the arguments after the name are; without any the uses that leave keys as they are. */
static json_t *read_operations(const struct invocation *invocation)
{
	json_t *operations = json_array();

	for (size_t i = 1; i < invocation->argument_count; i++)
		json_array_append_new(operations, json_string(invocation->arguments[i]));
	if (json_array_size(operations) == 0) {
		json_array_append_new(operations, json_string("sign"));
		json_array_append_new(operations, json_string("decrypt"));
		json_array_append_new(operations, json_string("derive"));
	}
	return operations;
}

static bool change_access(
	struct invocation *invocation, const char *method, const char *done, struct error *error)
{
	const char *key = invocation->values[OPTION_KEY];
	_cleanup_free_ char *subject = read_subject(invocation, error);
	_cleanup_json_ json_t *operations = read_operations(invocation);
	_cleanup_free_ char *path = object_path_of_name("slot", invocation->arguments[0]);
	struct client *client = subject ? invocation_client(invocation, error) : NULL;
	_cleanup_json_ json_t *answer =
		client ? CLIENT_CALL(client, path, CLIENT_SLOT, method, error,
				 CLIENT_STRING(subject), CLIENT_STRING(key ? key : "*"),
				 CLIENT_STRINGS(operations))
		       : NULL;

	if (answer)
		output_text(invocation, "%s", done);
	return answer != NULL;
}

bool slot_allow(struct invocation *invocation, struct error *error)
{
	return change_access(invocation, "Allow", "allowed", error);
}

bool slot_deny(struct invocation *invocation, struct error *error)
{
	return change_access(invocation, "Deny", "no longer allowed", error);
}
