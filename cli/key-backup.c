/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera key backup, key check, key restore. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/card-find.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/file.h"
#include "cli/key.h"
#include "cli/names.h"
#include "cli/object.h"
#include "cli/output.h"
#include "cli/pin.h"
#include "common/alloc.h"

#define WAIT_MS		 1000
#define SHARES_MOST	 255
#define WRONG_PINS_ASKED 3

/* --- backing up --- */

/* Before anything is made: what is there stays, unless --force. */
static bool check_free(const struct invocation *invocation, const char *path, struct error *error)
{
	struct stat status;

	if (invocation_has(invocation, OPTION_FORCE) || lstat(path, &status) != 0 ||
		!S_ISREG(status.st_mode))
		return true;
	return error_set(error, ERROR_EXISTS, "%s is there already; --force writes over it", path);
}

/* Text of one's own: nobody else may read it. */
static bool write_private(const char *path, const char *text, struct error *error)
{
	struct buffer content _cleanup_buffer_ = BUFFER_INIT;
	mode_t mask = umask(0177);

	buffer_append_string(&content, text);
	buffer_append_u8(&content, '\n');
	bool written = file_write(path, &content, error);
	umask(mask);
	return written;
}

bool key_back_up(struct invocation *invocation, struct error *error)
{
	const char *path = invocation->arguments[0], *shares = invocation->values[OPTION_SHARES];
	_cleanup_json_ json_t *cards = names_split(invocation->values[OPTION_CARDS]);
	int64_t needed = 1;

	if ((shares && !number_parse(shares, "--shares", 1, SHARES_MOST, &needed, error)) ||
		!check_free(invocation, path, error))
		return false;
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *answer =
		client ? CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER, "BackUpMasterKey", error,
				 CLIENT_STRINGS(cards), CLIENT_UINT32(needed))
		       : NULL;
	const char *document = json_string_value(json_array_get(answer, 0));
	if (!document || !write_private(path, document, error))
		return false;
	_cleanup_json_ json_t *record = key_backup_of_document(client, document, error);
	if (!record)
		return false;
	if (invocation_has(invocation, OPTION_JSON))
		output_json(record);
	else
		key_backup_print(invocation, record);
	return true;
}

/* --- looking --- */

static const struct column backup_columns[] = {
	{"made_at", "Made", COLUMN_TIME},
	{"version", "Master key version", COLUMN_TEXT},
	{"newest", "Newest version", COLUMN_TEXT},
	{"needed", "Cards needed", COLUMN_TEXT},
};

static const struct column card_columns[] = {
	{"serial", "CARD", COLUMN_TEXT},
	{"operator", "OPERATOR", COLUMN_TEXT},
	{"opens", "OPENS IT", COLUMN_TEXT},
};

static json_t *backup_record(const json_t *answer)
{
	json_t *cards = json_array();
	const json_t *item;
	size_t index;

	json_array_foreach(json_array_get(answer, 4), index, item) json_array_append_new(
		cards, json_pack("{s:O,s:O,s:O}", "serial", json_array_get(item, 0), "operator",
			       json_array_get(item, 1), "opens", json_array_get(item, 2)));
	return json_pack("{s:O,s:O,s:O,s:O,s:o}", "made_at", json_array_get(answer, 0), "version",
		json_array_get(answer, 1), "newest", json_array_get(answer, 2), "needed",
		json_array_get(answer, 3), "cards", cards);
}

json_t *key_backup_of_document(struct client *client, const char *document, struct error *error)
{
	_cleanup_json_ json_t *answer = CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER,
		"LookAtMasterKeyBackup", error, CLIENT_STRING(document));

	return answer ? backup_record(answer) : NULL;
}

json_t *key_backup_last(struct client *client, struct error *error)
{
	_cleanup_json_ json_t *answer = CLIENT_CALL_PLAIN(
		client, CLIENT_ROOT, CLIENT_MANAGER, "GetLastMasterKeyBackup", error);

	return answer ? backup_record(answer) : NULL;
}

void key_backup_print(const struct invocation *invocation, const json_t *record)
{
	output_record(invocation, record, backup_columns, ARRAY_SIZE(backup_columns));
	output_text(invocation, "%s", "");
	output_records(invocation, json_object_get(record, "cards"), card_columns,
		ARRAY_SIZE(card_columns), "");
}

bool key_check(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_free_ char *document = client ? file_read(invocation->arguments[0], error) : NULL;
	_cleanup_json_ json_t *record =
		document ? key_backup_of_document(client, document, error) : NULL;

	if (!record)
		return false;
	if (invocation_has(invocation, OPTION_JSON))
		output_json(record);
	else
		key_backup_print(invocation, record);
	return true;
}

/* --- restoring --- */

/* A restoration under way. */
struct restoration {
	struct invocation *invocation;
	struct client *client;
	json_t *cards; /* serials that have not been asked yet; owned */
	json_int_t opened, needed;
};

static void restoration_clear(struct restoration *restoration)
{
	json_decref(restoration->cards);
}

static void leave_out(struct restoration *restoration, const char *serial)
{
	const json_t *card;
	size_t index;

	json_array_foreach(restoration->cards, index, card)
	{
		if (strcmp(json_string_value(card), serial) == 0) {
			json_array_remove(restoration->cards, index);
			return;
		}
	}
}

static bool is_wanted(const struct restoration *restoration, const json_t *reader)
{
	const char *serial = json_string_value(json_object_get(reader, "serial"));
	const char *number = restoration->invocation->values[OPTION_READER];
	json_int_t own = json_integer_value(json_object_get(reader, "number"));
	const json_t *card;
	size_t index;

	if (number && strtoll(number, NULL, 10) != own)
		return false;
	json_array_foreach(restoration->cards, index, card)
	{
		if (serial && strcmp(json_string_value(card), serial) == 0)
			return true;
	}
	return false;
}

/* The first reader with a card that is wanted; null when there is none; NULL with error. */
static json_t *find_reader(const struct restoration *restoration, struct error *error)
{
	_cleanup_json_ json_t *readers = object_list(restoration->client, CLIENT_READER, error);
	json_t *reader;
	size_t index;

	json_array_foreach(readers, index, reader)
	{
		if (is_wanted(restoration, reader))
			return json_incref(reader);
	}
	return readers ? json_null() : NULL;
}

static bool asks_at_terminal(const struct invocation *invocation)
{
	return !invocation_has(invocation, OPTION_PIN_FILE) &&
	       !invocation_has(invocation, OPTION_PIN_FD);
}

/* Waits for people to insert one where they are there to do so; NULL with error. */
static json_t *await_reader(const struct restoration *restoration, struct error *error)
{
	_cleanup_free_ char *cards = names_join(restoration->cards, ", ");
	bool told = false;

	for (;;) {
		json_t *reader = find_reader(restoration, error);
		if (!reader || !json_is_null(reader))
			return reader;
		if (json_array_size(restoration->cards) == 0 ||
			!asks_at_terminal(restoration->invocation)) {
			error_set(error, ERROR_NO_CARD,
				"%lld of %lld cards have opened their share; no other card that "
				"could "
				"is in a reader%s%s",
				(long long)restoration->opened, (long long)restoration->needed,
				cards[0] ? ": " : "", cards);
			return NULL;
		}
		if (!told)
			fprintf(stderr, "Share %lld of %lld: insert one of these cards: %s\n",
				(long long)restoration->opened + 1, (long long)restoration->needed,
				cards);
		told = true;
		if (!client_wait(restoration->client, WAIT_MS, NULL, error))
			return NULL;
	}
}

static bool open_share(struct restoration *restoration, const json_t *reader, struct error *error)
{
	_cleanup_free_ char *path =
		object_path("reader", json_integer_value(json_object_get(reader, "number")));
	struct secret pin _cleanup_secret_ = SECRET_INIT;

	if (!pin_present(restoration->invocation, &pin, error))
		return false;
	_cleanup_json_ json_t *answer =
		CLIENT_CALL(restoration->client, CLIENT_ROOT, CLIENT_MANAGER, "OpenMasterKeyShare",
			error, CLIENT_PATH(path), CLIENT_SECRET(&pin));
	if (!answer)
		return false;
	restoration->opened = json_integer_value(json_array_get(answer, 0));
	return true;
}

/* Who has mistyped the PIN may try again; a card that opens nothing is told so and left out. */
static bool ask_card(struct restoration *restoration, const json_t *reader, struct error *error)
{
	const char *serial = json_string_value(json_object_get(reader, "serial"));
	struct error failure _cleanup_error_ = ERROR_INIT;
	bool terminal = asks_at_terminal(restoration->invocation);

	fprintf(stderr, "Share %lld of %lld: card %s in reader %lld\n",
		(long long)restoration->opened + 1, (long long)restoration->needed, serial,
		(long long)json_integer_value(json_object_get(reader, "number")));
	bool done = open_share(restoration, reader, &failure);
	for (int i = 1;
		!done && terminal && failure.code == ERROR_PIN_WRONG && i < WRONG_PINS_ASKED; i++) {
		fprintf(stderr, "%s\n", error_message(&failure));
		error_clear(&failure);
		done = open_share(restoration, reader, &failure);
	}
	leave_out(restoration, serial);
	if (!done && (failure.code == ERROR_DATA_INVALID || failure.code == ERROR_PIN_BLOCKED)) {
		fprintf(stderr, "%s\n", error_message(&failure));
		return true;
	}
	return done || error_move(error, &failure);
}

static bool open_shares(struct restoration *restoration, struct error *error)
{
	while (restoration->opened < restoration->needed) {
		_cleanup_json_ json_t *reader = await_reader(restoration, error);
		if (!reader || !ask_card(restoration, reader, error))
			return false;
	}
	return true;
}

static bool begin(struct restoration *restoration, struct error *error)
{
	_cleanup_free_ char *document = file_read(restoration->invocation->arguments[0], error);
	_cleanup_json_ json_t *answer =
		document ? CLIENT_CALL(restoration->client, CLIENT_ROOT, CLIENT_MANAGER,
				   "BeginMasterKeyRestore", error, CLIENT_STRING(document))
			 : NULL;
	const json_t *item;
	size_t index;

	if (!answer)
		return false;
	restoration->needed = json_integer_value(json_array_get(answer, 0));
	restoration->cards = json_array();
	json_array_foreach(json_array_get(answer, 1), index, item)
		json_array_append(restoration->cards, json_array_get(item, 0));
	return client_watch(restoration->client, error);
}

bool key_restore(struct invocation *invocation, struct error *error)
{
	struct restoration restoration _cleanup_(restoration_clear) = {
		.invocation = invocation, .client = invocation_client(invocation, error)};

	if (!restoration.client || !begin(&restoration, error) || !open_shares(&restoration, error))
		return false;
	_cleanup_json_ json_t *answer = CLIENT_CALL_PLAIN(
		restoration.client, CLIENT_ROOT, CLIENT_MANAGER, "FinishMasterKeyRestore", error);
	_cleanup_json_ json_t *status =
		answer ? object_get(restoration.client, CLIENT_ROOT, CLIENT_MANAGER, error) : NULL;
	if (!status)
		return false;
	output_text(invocation, "the master key was restored and is unlocked");
	if (!json_is_true(json_object_get(status, "initialized")))
		output_text(invocation, "There is no system owner yet: go on with tessera init "
					"before the service is "
					"started anew.");
	return true;
}
