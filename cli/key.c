/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera key: versions of the master key. */
#include <stdint.h>
#include <string.h>

#include "cli/card.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/key.h"
#include "cli/object.h"
#include "cli/output.h"
#include "cli/terminal.h"

static const struct column columns[] = {
	{"version", "VERSION", COLUMN_TEXT},
	{"key_check_value", "CHECK VALUE", COLUMN_TEXT},
	{"token", "TOKEN", COLUMN_TEXT},
	{"made_at", "MADE", COLUMN_TIME},
	{"cards", "CARDS", COLUMN_TEXT},
};

static json_t *fetch(struct client *client, struct error *error)
{
	_cleanup_json_ json_t *answer =
		CLIENT_CALL_PLAIN(client, CLIENT_ROOT, CLIENT_MANAGER, "ListMasterKeys", error);
	json_t *item, *records = answer ? json_array() : NULL;
	size_t index, i;

	json_array_foreach(json_array_get(answer, 0), index, item)
	{
		json_t *record = json_object();
		for (i = 0; i < ARRAY_SIZE(columns); i++)
			json_object_set(record, columns[i].key, json_array_get(item, i));
		json_array_append_new(records, record);
	}
	return records;
}

const char *key_backup_warning(const char *state)
{
	static const struct {
		const char *state, *warning;
	} warnings[] = {
		{"missing",
			"The newest master key has no backup: make one with tessera key backup."},
		{"weakened", "Some cards of the last backup of the master key have other keys now: "
			     "make a "
			     "new one with tessera key backup."},
		{"unreadable", "Too few cards still open the last backup of the master key: make a "
			       "new one "
			       "with tessera key backup."},
	};

	for (size_t i = 0; state && i < ARRAY_SIZE(warnings); i++) {
		if (strcmp(warnings[i].state, state) == 0)
			return warnings[i].warning;
	}
	return NULL;
}

/* What is said below the table of versions: the last backup, and what is wrong with it. */
static bool print_backup(struct invocation *invocation, struct client *client, struct error *error)
{
	struct error absence _cleanup_error_ = ERROR_INIT;
	_cleanup_json_ json_t *status = object_get(client, CLIENT_ROOT, CLIENT_MANAGER, error);
	_cleanup_json_ json_t *backup = status ? key_backup_last(client, &absence) : NULL;
	const char *warning =
		key_backup_warning(json_string_value(json_object_get(status, "master_key_backup")));

	if (!status)
		return false;
	if (backup) {
		output_text(invocation, "\nThe last backup:");
		key_backup_print(invocation, backup);
	} else if (absence.code != ERROR_NOT_FOUND) {
		return error_move(error, &absence);
	}
	if (warning)
		output_text(invocation, "\n%s", warning);
	return true;
}

bool key_list(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *records = client ? fetch(client, error) : NULL;

	if (!records)
		return false;
	output_records(invocation, records, columns, ARRAY_SIZE(columns),
		"There is no master key yet; tessera init makes one.");
	return invocation_has(invocation, OPTION_JSON) || print_backup(invocation, client, error);
}

static bool append_cards(
	struct client *client, json_int_t version, json_t *cards, struct error *error)
{
	_cleanup_json_ json_t *found = card_list_of_key(client, (uint32_t)version, error);

	return found && json_array_extend(cards, found) == 0;
}

/* All versions but the newest: what is left to change over. */
static bool append_older(struct client *client, json_t *cards, struct error *error)
{
	_cleanup_json_ json_t *records = fetch(client, error);
	json_t *record;
	size_t index;

	if (!records)
		return false;
	json_array_foreach(records, index, record)
	{
		if (index + 1 < json_array_size(records) &&
			!append_cards(client,
				json_integer_value(json_object_get(record, "version")), cards,
				error))
			return false;
	}
	return true;
}

bool key_report(struct invocation *invocation, struct error *error)
{
	_cleanup_json_ json_t *cards = json_array();
	struct client *client = invocation_client(invocation, error);
	const char *text = invocation->argument_count ? invocation->arguments[0] : NULL;
	int64_t version = 0;

	if (!client || (text && !number_parse(text, "the version", 1, UINT32_MAX, &version, error)))
		return false;
	if (!(text ? append_cards(client, version, cards, error)
		   : append_older(client, cards, error)))
		return false;
	card_print_list(invocation, cards);
	return true;
}

bool key_rotate(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);

	if (!client ||
		(!invocation_has(invocation, OPTION_YES) &&
			!terminal_confirm("Make the next version of the master key?", error)))
		return false;
	_cleanup_json_ json_t *answer =
		CLIENT_CALL_PLAIN(client, CLIENT_ROOT, CLIENT_MANAGER, "RotateMasterKey", error);
	json_int_t version = json_integer_value(json_array_get(answer, 0));
	if (!answer)
		return false;
	output_text(invocation, "master key version %lld is the current one", (long long)version);
	if (invocation_has(invocation, OPTION_JSON)) {
		_cleanup_json_ json_t *record = json_pack("{s:I}", "version", version);
		output_json(record);
	}
	return true;
}
