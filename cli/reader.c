/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera reader: readers and the cards in them. */
#include "cli/reader.h"

#include <stdio.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/object.h"
#include "cli/output.h"
#include "common/alloc.h"

static const struct column list_columns[] = {
	{"number", "READER", COLUMN_TEXT},
	{"name", "NAME", COLUMN_TEXT},
	{"model", "CARD", COLUMN_TEXT},
	{"serial", "SERIAL", COLUMN_TEXT},
	{"state", "STATE", COLUMN_TEXT},
	{"credential", "CREDENTIAL", COLUMN_TEXT},
	{"problem", "PROBLEM", COLUMN_TEXT},
};

/* The last ones are of a reader on another machine. */
#define REMOTE_COLUMNS 2
static const struct column show_columns[] = {
	{"number", "Reader", COLUMN_TEXT},
	{"name", "Name", COLUMN_TEXT},
	{"card_present", "Card present", COLUMN_TEXT},
	{"atr", "ATR", COLUMN_TEXT},
	{"card_type", "Card type", COLUMN_TEXT},
	{"model", "Model", COLUMN_TEXT},
	{"serial", "Serial", COLUMN_TEXT},
	{"state", "State", COLUMN_TEXT},
	{"credential", "Credential", COLUMN_TEXT},
	{"problem", "Problem", COLUMN_TEXT},
	{"user", "Offered by", COLUMN_TEXT},
	{"encrypted", "Encrypted", COLUMN_TEXT},
};

bool reader_list(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *readers = client ? object_list(client, CLIENT_READER, error) : NULL;

	if (!readers)
		return false;
	output_records(invocation, readers, list_columns, ARRAY_SIZE(list_columns),
		"There are no readers.");
	return true;
}

/* The only reader there is; NULL with error. */
static json_t *only_reader(struct client *client, struct error *error)
{
	_cleanup_json_ json_t *readers = object_list(client, CLIENT_READER, error);

	if (!readers)
		return NULL;
	if (json_array_size(readers) == 1)
		return json_incref(json_array_get(readers, 0));
	if (json_array_size(readers) == 0)
		error_set(error, ERROR_NOT_FOUND, "there are no readers");
	else
		error_set(error, ERROR_INVALID_ARGUMENT, "there are %zu readers; say which",
			json_array_size(readers));
	return NULL;
}

json_t *reader_find(struct invocation *invocation, struct client *client, struct error *error)
{
	int64_t number = 0;

	if (invocation->argument_count == 0)
		return only_reader(client, error);
	if (!number_parse(invocation->arguments[0], "a reader", 1, UINT32_MAX, &number, error))
		return NULL;
	_cleanup_free_ char *path = object_path("reader", number);
	return object_get(client, path, CLIENT_READER, error);
}

bool reader_ask(struct invocation *invocation, const char *method, json_t **reader, json_t **answer,
	json_t **document, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *record = client ? reader_find(invocation, client, error) : NULL;

	if (!record)
		return false;
	_cleanup_free_ char *path =
		object_path("reader", json_integer_value(json_object_get(record, "number")));
	_cleanup_json_ json_t *results =
		CLIENT_CALL_PLAIN(client, path, CLIENT_READER, method, error);
	size_t count = json_array_size(results);
	const char *text = count > 0 ? json_string_value(json_array_get(results, count - 1)) : NULL;
	json_t *parsed = text ? json_loads(text, 0, NULL) : NULL;
	if (!results)
		return false;
	if (!parsed)
		return error_set(error, ERROR_FAILED, "tesserad's answer is not legible");
	*reader = steal_pointer(&record);
	*answer = steal_pointer(&results);
	*document = parsed;
	return true;
}

bool reader_show(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *reader = client ? reader_find(invocation, client, error) : NULL;

	if (!reader)
		return false;
	const char *user = json_string_value(json_object_get(reader, "user"));
	bool is_remote = user && user[0];
	output_record(invocation, reader, show_columns,
		ARRAY_SIZE(show_columns) - (is_remote ? 0 : REMOTE_COLUMNS));
	return true;
}

/* One reader on one line: for people, and for programs that read line by line. */
static void print_reader(const struct invocation *invocation, const json_t *reader)
{
	if (invocation_has(invocation, OPTION_JSON)) {
		json_dumpf(reader, stdout, JSON_COMPACT);
		putchar('\n');
		return;
	}
	_cleanup_free_ char *number = value_text(json_object_get(reader, "number"), COLUMN_TEXT);
	_cleanup_free_ char *name = value_text(json_object_get(reader, "name"), COLUMN_TEXT);
	_cleanup_free_ char *model = value_text(json_object_get(reader, "model"), COLUMN_TEXT);
	_cleanup_free_ char *serial = value_text(json_object_get(reader, "serial"), COLUMN_TEXT);
	_cleanup_free_ char *state = value_text(json_object_get(reader, "state"), COLUMN_TEXT);
	if (json_is_true(json_object_get(reader, "card_present")))
		printf("reader %s (%s): %s, %s, %s\n", number, name, model, serial, state);
	else
		printf("reader %s (%s): empty\n", number, name);
}

static const json_t *find_same(const json_t *readers, const json_t *reader)
{
	const json_t *number = json_object_get(reader, "number");
	json_t *other;
	size_t index;

	json_array_foreach(readers, index, other)
	{
		if (json_equal(json_object_get(other, "number"), number))
			return other;
	}
	return NULL;
}

static void print_gone(const struct invocation *invocation, const json_t *reader)
{
	json_int_t number = json_integer_value(json_object_get(reader, "number"));

	if (invocation_has(invocation, OPTION_JSON))
		printf("{\"number\":%lld,\"gone\":true}\n", (long long)number);
	else
		printf("reader %lld: gone\n", (long long)number);
}

static void print_changes(
	const struct invocation *invocation, const json_t *before, const json_t *now)
{
	json_t *reader;
	size_t index;

	json_array_foreach(now, index, reader)
	{
		if (!json_equal((json_t *)find_same(before, reader), reader))
			print_reader(invocation, reader);
	}
	json_array_foreach(before, index, reader)
	{
		if (!find_same(now, reader))
			print_gone(invocation, reader);
	}
	fflush(stdout);
}

bool reader_watch(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *before = json_array();

	if (!client || !client_watch(client, error))
		return false;
	while (interrupt_count() == 0) {
		json_t *now = object_list(client, CLIENT_READER, error);
		if (!now)
			return false;
		print_changes(invocation, before, now);
		json_decref(before);
		before = now;
		bool changed = false;
		while (!changed && interrupt_count() == 0) {
			if (!client_wait(client, 1000, &changed, error))
				return false;
		}
		if (ferror(stdout))
			return error_set(error, ERROR_FAILED, "cannot write to standard output");
	}
	return true;
}
