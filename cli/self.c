/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tessera self: people and their own cards. Each command proves who calls, finds the card that is
 * meant among their own, and goes on as the command of an operator would ("tessera card").
 */
#include <stdlib.h>
#include <string.h>

#include "cli/card-find.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/names.h"
#include "cli/output.h"
#include "cli/self-proof.h"
#include "common/alloc.h"

static const struct column columns[] = {
	{"serial", "CARD", COLUMN_TEXT},
	{"state", "STATE", COLUMN_TEXT},
	{"template", "TEMPLATE", COLUMN_TEXT},
	{"expires_at", "ENDS", COLUMN_TIME},
	{"may_text", "YOU MAY NOW", COLUMN_TEXT},
};

/* The caller's cards as records; NULL with error. */
static json_t *fetch_cards(struct client *client, struct error *error)
{
	_cleanup_json_ json_t *answer =
		CLIENT_CALL_PLAIN(client, CLIENT_ROOT, CLIENT_SELF, "ListCards", error);
	json_t *item, *records = answer ? json_array() : NULL;
	size_t index;

	json_array_foreach(json_array_get(answer, 0), index, item)
	{
		const char *path = json_string_value(json_array_get(item, 0));
		_cleanup_free_ char *may = names_join(json_array_get(item, 5), " ");
		json_array_append_new(records,
			json_pack("{s:I,s:O,s:O,s:O,s:O,s:O,s:s}", "credential",
				(json_int_t)strtoll(strrchr(path, '/') + 1, NULL, 10), "serial",
				json_array_get(item, 1), "state", json_array_get(item, 2),
				"template", json_array_get(item, 3), "expires_at",
				json_array_get(item, 4), "may", json_array_get(item, 5), "may_text",
				may));
	}
	return records;
}

bool self_list(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);

	if (!client || (self_proof_is_given(invocation) && !self_prove(invocation, client, error)))
		return false;
	_cleanup_json_ json_t *records = fetch_cards(client, error);
	if (!records)
		return false;
	output_records(invocation, records, columns, ARRAY_SIZE(columns),
		"You have no card here that is known to be yours.");
	return true;
}

/* --- which card --- */

static bool may(const json_t *card, const char *right)
{
	const json_t *name;
	size_t index;

	json_array_foreach(json_object_get(card, "may"), index, name)
	{
		if (strcmp(json_string_value(name), right) == 0)
			return true;
	}
	return false;
}

static bool is_meant(const json_t *card, const char *argument)
{
	char number[32];

	snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
		json_integer_value(json_object_get(card, "credential")));
	return strcmp(number, argument) == 0 ||
	       strcmp(json_string_value(json_object_get(card, "serial")), argument) == 0;
}

/* The number of the card that has the right and is meant; 0: none, -1: several. */
static json_int_t choose(const json_t *cards, const char *right, const char *argument)
{
	json_int_t found = 0;
	const json_t *card;
	size_t index;

	json_array_foreach(cards, index, card)
	{
		if (!may(card, right) || (argument && !is_meant(card, argument)))
			continue;
		if (found)
			return -1;
		found = json_integer_value(json_object_get(card, "credential"));
	}
	return found;
}

/* Of several the one in a reader. */
static json_int_t choose_present(struct client *client, const json_t *cards, const char *right)
{
	_cleanup_free_ char *path = card_find(client, NULL, NULL);

	return path ? choose(cards, right, strrchr(path, '/') + 1) : 0;
}

static json_int_t choose_card(
	struct client *client, const char *right, const char *argument, struct error *error)
{
	_cleanup_json_ json_t *cards = fetch_cards(client, error);
	json_int_t number = cards ? choose(cards, right, argument) : 0;

	return number < 0 ? choose_present(client, cards, right) : number;
}

/* Whether the proof is needed: not for what the caller may do as they are. */
static bool prove_where_needed(struct invocation *invocation, struct client *client,
	const char *right, const char *argument, struct error *error)
{
	bool needed =
		self_proof_is_given(invocation) || choose_card(client, right, argument, NULL) == 0;

	return !needed || self_prove(invocation, client, error);
}

/* Runs the operator's command on the card. */
static bool run_on(struct invocation *invocation, json_int_t number,
	bool (*run)(struct invocation *, struct error *), struct error *error)
{
	_cleanup_free_ char *text = xasprintf("%" JSON_INTEGER_FORMAT, number);

	invocation->arguments[0] = text;
	invocation->argument_count = 1;
	bool done = run(invocation, error);
	invocation->arguments[0] = NULL;
	invocation->argument_count = 0;
	return done;
}

static bool do_on_card(struct invocation *invocation, const char *right,
	bool (*run)(struct invocation *, struct error *), struct error *error)
{
	const char *argument = invocation->arguments[0];
	struct client *client = invocation_client(invocation, error);
	struct error failure _cleanup_error_ = ERROR_INIT;

	if (!client || !prove_where_needed(invocation, client, right, argument, error))
		return false;
	json_int_t number = choose_card(client, right, argument, &failure);
	if (failure.code != ERROR_NONE)
		return error_move(error, &failure);
	if (number == 0)
		return error_set(error, ERROR_ACCESS_DENIED,
			"you have no card, or not exactly one, with which you may do this now; "
			"\"tessera self\" lists yours");
	return run_on(invocation, number, run, error);
}

/* --- the commands --- */

bool self_activate(struct invocation *invocation, struct error *error)
{
	return do_on_card(invocation, "activate", card_activate, error);
}

bool self_unblock(struct invocation *invocation, struct error *error)
{
	return do_on_card(invocation, "unblock", card_unblock, error);
}

bool self_reissue(struct invocation *invocation, struct error *error)
{
	return do_on_card(invocation, "reissue", card_reissue, error);
}

bool self_renew(struct invocation *invocation, struct error *error)
{
	return do_on_card(invocation, "reissue", card_renew, error);
}

bool self_lost(struct invocation *invocation, struct error *error)
{
	invocation->values[OPTION_AS] = "lost";
	return do_on_card(invocation, "report-lost", card_report, error);
}

bool self_retire(struct invocation *invocation, struct error *error)
{
	return do_on_card(invocation, "retire", card_retire, error);
}

bool self_pin(struct invocation *invocation, struct error *error)
{
	return card_change_pin(invocation, error);
}

/* --- issue --- */

/* Whether the caller has proved who they are as the template wants it; NULL with error. */
static json_t *find_template(struct client *client, const char *name, struct error *error)
{
	_cleanup_json_ json_t *answer =
		CLIENT_CALL_PLAIN(client, CLIENT_ROOT, CLIENT_SELF, "ListTemplates", error);
	const json_t *templates = json_array_get(answer, 0);
	json_t *item;
	size_t index;

	if (!answer)
		return NULL;
	if (!name && json_array_size(templates) == 1)
		return json_incref(json_array_get(templates, 0));
	json_array_foreach(templates, index, item)
	{
		if (name && strcmp(json_string_value(json_array_get(item, 0)), name) == 0)
			return json_incref(item);
	}
	error_set(error, ERROR_NOT_FOUND,
		name ? "there is no template \"%s\" by which people issue cards to themselves"
		     : "say with --template which is meant (tessera self templates)",
		name);
	return NULL;
}

bool self_issue(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *template =
		client ? find_template(client, invocation->values[OPTION_TEMPLATE], error) : NULL;

	if (!template)
		return false;
	bool is_proved = json_is_true(json_array_get(template, 4));
	if ((self_proof_is_given(invocation) || !is_proved) &&
		!self_prove(invocation, client, error))
		return false;
	invocation->values[OPTION_TEMPLATE] = json_string_value(json_array_get(template, 0));
	invocation->wants_pin = json_is_true(json_array_get(template, 3));
	/* No PIN follows on standard input where it is set later. */
	if (!invocation->wants_pin && invocation_has(invocation, OPTION_STDIN))
		invocation->values[OPTION_PIN_FD] = NULL;
	bool issued = card_issue(invocation, error);
	invocation->values[OPTION_TEMPLATE] = NULL;
	return issued;
}

static const struct column template_columns[] = {
	{"name", "TEMPLATE", COLUMN_TEXT},
	{"ways_text", "YOU PROVE WHO YOU ARE BY", COLUMN_TEXT},
	{"comment", "COMMENT", COLUMN_TEXT},
};

bool self_templates(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *answer =
		client ? CLIENT_CALL_PLAIN(client, CLIENT_ROOT, CLIENT_SELF, "ListTemplates", error)
		       : NULL;
	_cleanup_json_ json_t *records = json_array();
	const json_t *item;
	size_t index;

	if (!answer)
		return false;
	json_array_foreach(json_array_get(answer, 0), index, item)
	{
		_cleanup_free_ char *ways = names_join(json_array_get(item, 2), " or ");
		json_array_append_new(records,
			json_pack("{s:O,s:O,s:O,s:s,s:O,s:O}", "name", json_array_get(item, 0),
				"comment", json_array_get(item, 1), "ways", json_array_get(item, 2),
				"ways_text", ways, "sets_pin", json_array_get(item, 3), "proved",
				json_array_get(item, 4)));
	}
	output_records(invocation, records, template_columns, ARRAY_SIZE(template_columns),
		"There is no template by which people issue cards to themselves.");
	return true;
}
