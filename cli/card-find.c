/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/card-find.h"

#include <string.h>

#include "cli/arguments.h"
#include "cli/object.h"
#include "cli/slot-key.h"
#include "common/alloc.h"

static bool has_card(const json_t *reader)
{
	return json_is_true(json_object_get(reader, "card_present"));
}

/* It was just inserted. */
static bool is_being_read(const json_t *reader)
{
	const char *state = json_string_value(json_object_get(reader, "state"));

	return has_card(reader) && state && state[0] == '\0';
}

static bool is_managed(const json_t *reader)
{
	return json_is_integer(json_object_get(reader, "credential"));
}

/* The number under key of the only reader that is chosen; 0 when there is none, -1 for several. */
static json_int_t only_one(
	const json_t *readers, bool (*chosen)(const json_t *reader), const char *key)
{
	json_int_t found = 0;
	json_t *reader;
	size_t index;

	json_array_foreach(readers, index, reader)
	{
		if (!chosen(reader))
			continue;
		if (found)
			return -1;
		found = json_integer_value(json_object_get(reader, key));
	}
	return found;
}

/* What to say when no managed card is there: one that is not managed may be. */
static void set_no_card(const json_t *readers, struct error *error)
{
	json_int_t other = only_one(readers, has_card, "number");

	if (only_one(readers, is_being_read, "number") != 0)
		error_set(error, ERROR_BUSY, "a card is still being read");
	else if (other == 0)
		error_set(error, ERROR_NO_CARD, "there is no card in a reader");
	else if (other < 0)
		error_set(error, ERROR_NOT_FOUND, "none of the cards in readers is managed");
	else
		error_set(error, ERROR_NOT_FOUND, "the card in reader %lld is not managed",
			(long long)other);
}

static bool is_mine(struct client *client, const json_t *reader)
{
	const char *user = json_string_value(json_object_get(reader, "user"));

	if (!user || !user[0])
		return true;
	_cleanup_free_ char *path =
		object_path("reader", json_integer_value(json_object_get(reader, "number")));
	_cleanup_json_ json_t *answer =
		CLIENT_CALL_PLAIN(client, path, CLIENT_READER, "IsMine", NULL);
	return json_is_true(json_array_get(answer, 0));
}

json_t *card_find_readers(struct client *client, struct error *error)
{
	json_t *readers = object_list(client, CLIENT_READER, error);

	for (size_t i = json_array_size(readers); i-- > 0;) {
		if (!is_mine(client, json_array_get(readers, i)))
			json_array_remove(readers, i);
	}
	return readers;
}

static char *find_present(struct client *client, struct error *error)
{
	_cleanup_json_ json_t *readers = card_find_readers(client, error);

	if (!readers)
		return NULL;
	json_int_t number = only_one(readers, is_managed, "credential");
	if (number > 0)
		return object_path("credential", number);
	if (number == 0)
		set_no_card(readers, error);
	else
		error_set(error, ERROR_INVALID_ARGUMENT,
			"there is more than one card in readers; say which is meant");
	return NULL;
}

static char *find_in_reader(struct client *client, const char *text, struct error *error)
{
	int64_t number = 0;

	if (!number_parse(text, "a reader", 1, UINT32_MAX, &number, error))
		return NULL;
	_cleanup_free_ char *path = object_path("reader", number);
	_cleanup_json_ json_t *reader = object_get(client, path, CLIENT_READER, error);
	if (!reader)
		return NULL;
	if (is_managed(reader))
		return object_path(
			"credential", json_integer_value(json_object_get(reader, "credential")));
	if (is_being_read(reader))
		error_set(error, ERROR_BUSY, "the card in reader %s is still being read", text);
	else if (has_card(reader))
		error_set(error, ERROR_NOT_FOUND, "the card in reader %s is not managed", text);
	else
		error_set(error, ERROR_NO_CARD, "there is no card in reader %s", text);
	return NULL;
}

static char *find_by_serial(struct client *client, const char *serial, struct error *error)
{
	_cleanup_json_ json_t *answer = CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER,
		"FindCredential", error, CLIENT_STRING(serial));
	const char *path = json_string_value(json_array_get(answer, 0));

	return xstrdup(path);
}

char *card_find(struct client *client, const char *card, struct error *error)
{
	int64_t number = 0;

	if (!card)
		return find_present(client, error);
	if (strncmp(card, "reader:", 7) == 0)
		return find_in_reader(client, card + 7, error);
	if (strncmp(card, "slot:", 5) == 0)
		return slot_key_find(client, card + 5, error);
	if (card[0] == '\0' || strspn(card, "0123456789") != strlen(card))
		return find_by_serial(client, card, error);
	if (!number_parse(card, "a credential", 1, INT64_MAX, &number, error))
		return NULL;
	return object_path("credential", number);
}

char *card_find_reader(struct client *client, const char *text, struct error *error)
{
	int64_t number = 0;

	if (text && !number_parse(text, "a reader", 1, UINT32_MAX, &number, error))
		return NULL;
	if (text)
		return object_path("reader", number);
	_cleanup_json_ json_t *readers = card_find_readers(client, error);
	if (!readers)
		return NULL;
	number = only_one(readers, has_card, "number");
	if (number > 0)
		return object_path("reader", number);
	if (number == 0)
		error_set(error, ERROR_NO_CARD, "there is no card in a reader");
	else
		error_set(error, ERROR_INVALID_ARGUMENT,
			"there is more than one card in readers; say which with --reader");
	return NULL;
}
