/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera card: the verbs that change a card. */
#include <string.h>

#include "cli/card-find.h"
#include "cli/card.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/job-wait.h"
#include "cli/object.h"
#include "cli/operator.h"
#include "cli/pin.h"
#include "cli/template.h"
#include "cli/terminal.h"
#include "cli/time.h"
#include "common/alloc.h"

#define PROMPT_LINE_MAXIMUM 1024 /* bytes; what a holder's field may have */

/* The card that the first argument means; *client is set with it. */
static char *find(struct invocation *invocation, struct client **client, struct error *error)
{
	*client = invocation_client(invocation, error);
	return *client ? card_find(*client, invocation->arguments[0], error) : NULL;
}

static const char *reason_of(const struct invocation *invocation)
{
	const char *reason = invocation->values[OPTION_REASON];

	return reason ? reason : "";
}

json_t *card_holder_fields(const struct invocation *invocation, struct error *error)
{
	_cleanup_json_ json_t *fields = json_object();

	for (size_t i = 0; i < invocation->holder_count; i++) {
		const char *field = invocation->holder[i];
		const char *equals = strchr(field, '=');
		if (!equals || equals == field) {
			error_set(error, ERROR_INVALID_ARGUMENT,
				"--holder takes NAME=VALUE, not '%s'", field);
			return NULL;
		}
		_cleanup_free_ char *name = xasprintf("%.*s", (int)(equals - field), field);
		if (json_object_get(fields, name)) {
			error_set(error, ERROR_INVALID_ARGUMENT,
				"the holder's field '%s' was given twice", name);
			return NULL;
		}
		if (json_object_set_new(fields, name, json_string(equals + 1)) != 0) {
			error_set(error, ERROR_INVALID_ARGUMENT,
				"a field of the holder is not valid UTF-8 text");
			return NULL;
		}
	}
	return steal_pointer(&fields);
}

bool card_add_end_date(const struct invocation *invocation, json_t *options, struct error *error)
{
	const char *text = invocation->values[OPTION_EXPIRES];
	int64_t microseconds;

	if (!text)
		return true;
	if (!time_parse(text, "--expires", &microseconds, error))
		return false;
	json_object_set_new(options, "expires-at", json_integer(microseconds / 1000000));
	return true;
}

/* An option that is a text; one that was not given is none. */
static bool add_text(json_t *options, const char *name, const char *text, struct error *error)
{
	return !text || json_object_set_new(options, name, json_string(text)) == 0 ||
	       error_set(error, ERROR_INVALID_ARGUMENT, "--%s is not valid UTF-8 text", name);
}

/* What a card is issued with besides, but for a PIN that is given; NULL with error. */
static json_t *issue_options(const struct invocation *invocation, struct error *error)
{
	_cleanup_json_ json_t *options = json_object();

	if (invocation_has(invocation, OPTION_ROLES))
		json_object_set_new(options, "roles", operator_roles_option(invocation));
	if (invocation_has(invocation, OPTION_CUSTODIAN))
		json_object_set_new(options, "custodian", json_true());
	if (invocation_has(invocation, OPTION_GENERATE_PIN))
		json_object_set_new(options, "generate-pin", json_true());
	if (invocation_has(invocation, OPTION_KEEP_FIELDS))
		json_object_set_new(options, "keep-fields", json_true());
	if (!add_text(options, "person", invocation->values[OPTION_PERSON], error) ||
		!add_text(options, "person-id", invocation->values[OPTION_PERSON_ID], error))
		return NULL;
	return card_add_end_date(invocation, options, error) ? steal_pointer(&options) : NULL;
}

/* For templates that activate at issue: the PIN of an option, or one that is asked for; it stays
 * unset where one is made, or none is wanted. */
static bool first_pin(const struct invocation *invocation, struct client *client,
	const json_t *template, struct secret *pin, struct error *error)
{
	bool is_given =
		invocation->values[OPTION_NEW_PIN_FILE] || invocation->values[OPTION_PIN_FD];
	bool is_made = invocation_has(invocation, OPTION_GENERATE_PIN);
	bool is_wanted = is_given || invocation->wants_pin;

	if (is_made && (is_given || invocation_has(invocation, OPTION_NO_WAIT)))
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"--generate-pin goes with neither --no-wait nor a PIN of your own");
	if (is_made)
		return client_carries_pins(client, error);
	if (!is_wanted && !(template && template_sets_first_pin(template)))
		return true;
	return pin_new(invocation, pin, error) ||
	       (!is_given && error_prefix(error,
				     "the template '%s' activates cards at issue: a PIN is needed",
				     json_string_value(json_object_get(template, "name"))));
}

/* Ends issue and replace; a PIN that was made is shown. */
static bool finish_issue(struct invocation *invocation, json_t *answer, bool pin_is_given,
	const char *what, struct error *error)
{
	bool is_made = invocation_has(invocation, OPTION_GENERATE_PIN);
	_cleanup_free_ char *done = xasprintf("%s%s", what,
		is_made || pin_is_given ? " and active" : "; activate it to set its first PIN");

	return is_made ? job_finish_with_pin(invocation, answer, done, error)
		       : job_finish(invocation, answer, done, error);
}

/* Asks for what the template's connections have a question for and --holder does not give. */
static bool ask_prompts(const json_t *template, json_t *holder, struct error *error)
{
	const char *field;
	json_t *question;

	/* Who may not look at templates is told by the daemon what is missing. */
	if (!terminal_check(NULL))
		return true;
	json_object_foreach(json_object_get(template, "prompts"), field, question)
	{
		if (json_object_get(holder, field))
			continue;
		_cleanup_free_ char *prompt = xasprintf("%s: ", json_string_value(question));
		_cleanup_free_ char *line = terminal_ask_line(prompt, PROMPT_LINE_MAXIMUM, error);
		if (!line)
			return false;
		if (json_object_set_new(holder, field, json_string(line)) != 0)
			return error_set(error, ERROR_INVALID_ARGUMENT,
				"what was typed is not valid UTF-8 text");
	}
	return true;
}

/* The reader's path, heap, and what is known of the template: asked for at the same time. */
static char *find_reader_and_template(struct invocation *invocation, struct client *client,
	json_t **template, struct error *error)
{
	struct client_pending *pending =
		template_begin(client, invocation->values[OPTION_TEMPLATE], error);
	_cleanup_free_ char *reader =
		pending ? card_find_reader(client, invocation->values[OPTION_READER], error) : NULL;

	if (!template_finish(pending, template, reader ? error : NULL))
		return NULL;
	return steal_pointer(&reader);
}

bool card_issue(struct invocation *invocation, struct error *error)
{
	const char *template = invocation->values[OPTION_TEMPLATE];
	_cleanup_json_ json_t *holder = card_holder_fields(invocation, error);
	_cleanup_json_ json_t *options = holder ? issue_options(invocation, error) : NULL;
	_cleanup_secret_ struct secret pin = SECRET_INIT;

	if (!options)
		return false;
	if (!template)
		return error_set(error, ERROR_INVALID_ARGUMENT, "'card issue' needs --template");
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *known = NULL;
	_cleanup_free_ char *reader =
		client ? find_reader_and_template(invocation, client, &known, error) : NULL;
	if (!reader || !ask_prompts(known, holder, error) ||
		!first_pin(invocation, client, known, &pin, error))
		return false;
	bool is_given = secret_is_set(&pin);
	json_t *answer = CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER, "Issue", error,
		CLIENT_PATH(reader), CLIENT_STRING(template), CLIENT_FIELDS(holder),
		CLIENT_OPTIONS_WITH_PIN(options, is_given ? &pin : NULL));
	secret_clear(&pin);
	return finish_issue(invocation, answer, is_given, "issued", error);
}

/* activate and unblock: a new PIN and nothing else */
static bool set_pin(
	struct invocation *invocation, const char *method, const char *done, struct error *error)
{
	_cleanup_secret_ struct secret pin = SECRET_INIT;
	struct client *client = NULL;

	_cleanup_free_ char *path = find(invocation, &client, error);
	if (!path || !pin_new(invocation, &pin, error))
		return false;
	json_t *answer =
		CLIENT_CALL(client, path, CLIENT_CREDENTIAL, method, error, CLIENT_SECRET(&pin));
	secret_clear(&pin);
	return job_finish(invocation, answer, done, error);
}

/* The same with a PIN that tesserad makes. */
static bool set_generated_pin(
	struct invocation *invocation, const char *method, const char *done, struct error *error)
{
	struct client *client = NULL;

	if (invocation_has(invocation, OPTION_NO_WAIT) || invocation->values[OPTION_NEW_PIN_FILE] ||
		invocation->values[OPTION_PIN_FD])
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"--generate-pin goes with neither --no-wait nor a PIN of your own");
	_cleanup_free_ char *path = find(invocation, &client, error);
	if (!path || !client_carries_pins(client, error))
		return false;
	return job_finish_with_pin(invocation,
		CLIENT_CALL_PLAIN(client, path, CLIENT_CREDENTIAL, method, error), done, error);
}

bool card_activate(struct invocation *invocation, struct error *error)
{
	if (invocation_has(invocation, OPTION_GENERATE_PIN))
		return set_generated_pin(invocation, "ActivateGenerated", "active", error);
	return set_pin(invocation, "Activate", "active", error);
}

static bool unblock_with_code(struct invocation *invocation, const char *done, struct error *error)
{
	_cleanup_secret_ struct secret code = SECRET_INIT;
	_cleanup_secret_ struct secret pin = SECRET_INIT;
	struct client *client = NULL;

	if (invocation_has(invocation, OPTION_GENERATE_PIN))
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"--generate-pin does not go with --unblock-code-file");
	if (!pin_read_file(invocation->values[OPTION_UNBLOCK_CODE_FILE], &code, error))
		return false;
	_cleanup_free_ char *path = find(invocation, &client, error);
	if (!path || !pin_new(invocation, &pin, error))
		return false;
	json_t *answer = CLIENT_CALL(client, path, CLIENT_CREDENTIAL, "UnblockWithCode", error,
		CLIENT_SECRET(&code), CLIENT_SECRET(&pin));
	secret_clear(&pin);
	return job_finish(invocation, answer, done, error);
}

bool card_unblock(struct invocation *invocation, struct error *error)
{
	const char *done = "unblocked, with its new PIN";

	if (invocation_has(invocation, OPTION_UNBLOCK_CODE_FILE))
		return unblock_with_code(invocation, done, error);
	if (invocation_has(invocation, OPTION_GENERATE_PIN))
		return set_generated_pin(invocation, "UnblockGenerated", done, error);
	return set_pin(invocation, "Unblock", done, error);
}

bool card_change_pin(struct invocation *invocation, struct error *error)
{
	_cleanup_secret_ struct secret old_pin = SECRET_INIT;
	_cleanup_secret_ struct secret new_pin = SECRET_INIT;
	struct client *client = NULL;

	_cleanup_free_ char *path = find(invocation, &client, error);
	if (!path || !pin_present(invocation, &old_pin, error) ||
		!pin_new(invocation, &new_pin, error))
		return false;
	json_t *answer = CLIENT_CALL(client, path, CLIENT_CREDENTIAL, "ChangePin", error,
		CLIENT_SECRET(&old_pin), CLIENT_SECRET(&new_pin));
	secret_clear(&old_pin);
	secret_clear(&new_pin);
	return job_finish(invocation, answer, "the PIN was changed", error);
}

bool card_reissue(struct invocation *invocation, struct error *error)
{
	const char *template = invocation->values[OPTION_TEMPLATE];
	_cleanup_json_ json_t *holder = card_holder_fields(invocation, error);
	struct client *client = NULL;

	const char *name = template ? template : "";
	bool keeps = invocation_has(invocation, OPTION_KEEP_FIELDS);
	if (keeps && invocation->holder_count > 0)
		return error_set(
			error, ERROR_INVALID_ARGUMENT, "--keep-fields does not go with --holder");
	_cleanup_free_ char *path = holder ? find(invocation, &client, error) : NULL;
	if (!path)
		return false;
	return job_finish(invocation,
		keeps ? CLIENT_CALL(client, path, CLIENT_CREDENTIAL, "ReissueKeepingFields", error,
				CLIENT_STRING(name))
		      : CLIENT_CALL(client, path, CLIENT_CREDENTIAL, "Reissue", error,
				CLIENT_STRING(name), CLIENT_FIELDS(holder)),
		"issued anew; activate it to set its PIN", error);
}

bool card_renew(struct invocation *invocation, struct error *error)
{
	const char *slot = invocation->values[OPTION_SLOT];
	_cleanup_json_ json_t *options = json_object();
	_cleanup_secret_ struct secret pin = SECRET_INIT;
	struct client *client = NULL;
	_cleanup_free_ char *path = find(invocation, &client, error);

	if (!path || !pin_present(invocation, &pin, error))
		return false;
	if (slot)
		json_object_set_new(options, "slot", json_string(slot));
	if (invocation_has(invocation, OPTION_NEW_KEY))
		json_object_set_new(options, "new-key", json_true());
	json_t *answer = CLIENT_CALL(client, path, CLIENT_CREDENTIAL, "Renew", error,
		CLIENT_SECRET(&pin), CLIENT_OPTIONS(options));
	secret_clear(&pin);
	return job_finish(invocation, answer, "renewed; the PIN is what it was", error);
}

static bool confirm(const struct invocation *invocation, const char *path, const char *what,
	struct error *error)
{
	const char *card = invocation->arguments[0];

	if (invocation_has(invocation, OPTION_YES))
		return true;
	_cleanup_free_ char *question =
		card ? xasprintf("%s card %s?", what, card)
		     : xasprintf("%s the card in the reader (credential %s)?", what,
			       strrchr(path, '/') + 1);
	return terminal_confirm(question, error);
}

static bool change_with_reason(struct invocation *invocation, const char *method,
	const char *question, const char *done, struct error *error)
{
	struct client *client = NULL;

	_cleanup_free_ char *path = find(invocation, &client, error);
	if (!path || (question && !confirm(invocation, path, question, error)))
		return false;
	return job_finish(invocation,
		CLIENT_CALL(client, path, CLIENT_CREDENTIAL, method, error,
			CLIENT_STRING(reason_of(invocation))),
		done, error);
}

bool card_suspend(struct invocation *invocation, struct error *error)
{
	return change_with_reason(invocation, "Suspend", NULL, "suspended", error);
}

bool card_revoke_one(struct invocation *invocation, struct error *error)
{
	return change_with_reason(
		invocation, "Revoke", "Revoke for good all certificates of", "revoked", error);
}

bool card_retire(struct invocation *invocation, struct error *error)
{
	return change_with_reason(
		invocation, "Retire", "Revoke, blank and give up", "retired and blank", error);
}

bool card_resume(struct invocation *invocation, struct error *error)
{
	struct client *client = NULL;

	_cleanup_free_ char *path = find(invocation, &client, error);
	if (!path)
		return false;
	return job_finish(invocation,
		CLIENT_CALL_PLAIN(client, path, CLIENT_CREDENTIAL, "Resume", error), "resumed",
		error);
}

bool card_register(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_free_ char *reader =
		client ? card_find_reader(client, invocation->values[OPTION_READER], error) : NULL;

	if (!reader)
		return false;
	return job_finish(invocation,
		CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER, "Register", error,
			CLIENT_PATH(reader)),
		"registered", error);
}

bool card_unregister(struct invocation *invocation, struct error *error)
{
	struct client *client = NULL;

	_cleanup_free_ char *path = find(invocation, &client, error);
	if (!path || !confirm(invocation, path, "Give up", error))
		return false;
	return job_finish(invocation,
		CLIENT_CALL_PLAIN(client, path, CLIENT_CREDENTIAL, "Unregister", error),
		"unregistered and blank", error);
}

static bool is_report_kind(const char *kind)
{
	static const char *const kinds[] = {"lost", "stolen", "damaged", "compromised"};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i], kind) == 0)
			return true;
	}
	return false;
}

bool card_report(struct invocation *invocation, struct error *error)
{
	const char *kind = invocation->values[OPTION_AS];
	struct client *client = NULL;

	if (!kind)
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"'card report' needs --as lost, stolen, damaged or compromised");
	/* Before it is asked whether that is meant. */
	if (!is_report_kind(kind))
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"--as takes lost, stolen, damaged or compromised, not '%s'", kind);
	bool is_lost = strcmp(kind, "lost") == 0;
	_cleanup_free_ char *path = find(invocation, &client, error);
	if (!path || (!is_lost && !confirm(invocation, path, "Revoke for good all certificates of",
					  error)))
		return false;
	return job_finish(invocation,
		CLIENT_CALL(client, path, CLIENT_CREDENTIAL, "Report", error, CLIENT_STRING(kind)),
		is_lost ? "suspended" : "revoked", error);
}

bool card_replace(struct invocation *invocation, struct error *error)
{
	_cleanup_json_ json_t *options = issue_options(invocation, error);
	_cleanup_secret_ struct secret pin = SECRET_INIT;
	struct client *client = NULL;

	_cleanup_free_ char *path = options ? find(invocation, &client, error) : NULL;
	_cleanup_json_ json_t *card = path ? card_get(client, path, error) : NULL;
	_cleanup_free_ char *reader =
		card ? card_find_reader(client, invocation->values[OPTION_READER], error) : NULL;
	const char *template = json_string_value(json_object_get(card, "template"));
	_cleanup_json_ json_t *known = NULL;
	if (!reader ||
		!template_finish(
			template_begin(client, template ? template : "", error), &known, error) ||
		!first_pin(invocation, client, known, &pin, error))
		return false;
	bool is_given = secret_is_set(&pin);
	json_t *answer = CLIENT_CALL(client, path, CLIENT_CREDENTIAL, "Replace", error,
		CLIENT_PATH(reader), CLIENT_OPTIONS_WITH_PIN(options, is_given ? &pin : NULL));
	secret_clear(&pin);
	return finish_issue(invocation, answer, is_given, "issued in its place", error);
}
