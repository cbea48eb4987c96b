/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which card is there for a row of a batch. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/batch-input.h"
#include "cli/batch-private.h"
#include "cli/card-find.h"
#include "cli/card.h"
#include "cli/interrupt.h"
#include "cli/object.h"
#include "common/alloc.h"

/* Signals say when to look again; this is for one that got lost. */
#define LOOK_INTERVAL_MS 1000

static const char *string_of(const json_t *record, const char *key)
{
	const char *text = json_string_value(json_object_get(record, key));

	return text ? text : "";
}

/* The serial that a row asks for; NULL for any. */
static const char *wanted_serial(const struct batch *batch, size_t row)
{
	return batch_input_value(&batch->input, row, BATCH_SERIAL_COLUMN);
}

static bool is_present(const json_t *reader)
{
	return json_is_true(json_object_get(reader, "card_present"));
}

static bool is_blank(const struct batch *batch, const json_t *reader)
{
	const char *state = string_of(reader, "state");

	return strcmp(state, "unregistered") == 0 || strcmp(state, "retired") == 0 ||
	       (batch->template && strcmp(state, "registered") == 0);
}

/* Whether the card in the reader is to be taken for the row. */
static bool is_wanted(const struct batch *batch, const json_t *reader, const char *wanted)
{
	const char *serial = string_of(reader, "serial");

	return is_present(reader) && is_blank(batch, reader) &&
	       !(batch->useless && strcmp(batch->useless, serial) == 0) &&
	       (!wanted || strcmp(wanted, serial) == 0);
}

static void ask_for_card(const struct batch *batch, size_t row, const char *wanted)
{
	fprintf(stderr, "row %zu of %zu: insert %s%s in reader %lld\n", row + 1, batch->input.count,
		wanted ? "the card " : "a blank card", wanted ? wanted : "",
		(long long)object_number(batch->reader));
}

static enum batch_found judge(const struct batch *batch, const json_t *card, const json_t *holder)
{
	const char *state = string_of(card, "state");

	if (!batch->template)
		return strcmp(state, "registered") == 0 ? BATCH_FOUND_FINISHED : BATCH_FOUND_BLANK;
	if (strcmp(string_of(card, "template"), batch->template) != 0 ||
		!batch_input_is_of(card, holder) ||
		(batch->person && !batch_input_is_of_person(card, batch->person)))
		return BATCH_FOUND_BLANK;
	bool is_issued = strcmp(state, "issued") == 0;
	if (!is_issued && strcmp(state, "active") != 0)
		return BATCH_FOUND_BLANK;
	if (batch->pins == BATCH_PINS_LATER)
		return BATCH_FOUND_FINISHED;
	return is_issued ? BATCH_FOUND_ISSUED : BATCH_FOUND_UNKNOWN;
}

/* BATCH_FOUND_BLANK: nothing has become of it yet. */
static bool look_at_begun(struct batch *batch, size_t row, const json_t *holder,
	enum batch_found *found, char **serial, struct error *error)
{
	const struct batch_result *result = &batch->results.rows[row];
	struct error failure _cleanup_error_ = ERROR_INIT;

	*found = BATCH_FOUND_BLANK;
	if (!result->serial || strcmp(result->outcome, OUTCOME_STARTED) != 0)
		return true;
	_cleanup_free_ char *path = card_find(batch->client, result->serial, &failure);
	_cleanup_json_ json_t *card = path ? card_get(batch->client, path, &failure) : NULL;
	if (!card)
		return failure.code == ERROR_NOT_FOUND || error_move(error, &failure);
	*found = judge(batch, card, holder);
	if (*found != BATCH_FOUND_BLANK)
		*serial = xstrdup(result->serial);
	return true;
}

/* *serial stays NULL while no such card is in the reader. */
static bool look_at_reader(
	struct batch *batch, const char *wanted, char **serial, struct error *error)
{
	_cleanup_json_ json_t *reader =
		object_get(batch->client, batch->reader, CLIENT_READER, error);

	if (!reader)
		return false;
	if (is_wanted(batch, reader, wanted))
		*serial = xstrdup(string_of(reader, "serial"));
	else if (!is_present(reader))
		free(steal_pointer(&batch->useless)); /* it may come again */
	return true;
}

static bool cancelled(struct error *error)
{
	return interrupt_count() > 0 && !error_set(error, ERROR_CANCELLED,
						"interrupted; the same command goes on from here");
}

bool batch_await(struct batch *batch, size_t row, const json_t *holder, enum batch_found *found,
	char **serial, struct error *error)
{
	const char *wanted = wanted_serial(batch, row);

	for (bool asked = false; !cancelled(error); asked = true) {
		if (!look_at_begun(batch, row, holder, found, serial, error))
			return false;
		if (*serial)
			return true;
		if (!look_at_reader(batch, wanted, serial, error))
			return false;
		if (*serial)
			return true;
		if (!asked)
			ask_for_card(batch, row, wanted);
		if (!client_wait(batch->client, LOOK_INTERVAL_MS, NULL, error))
			return false;
	}
	return false;
}

bool batch_await_serial(struct batch *batch, size_t row, const char *serial, struct error *error)
{
	for (bool asked = false; !cancelled(error); asked = true) {
		_cleanup_json_ json_t *reader =
			object_get(batch->client, batch->reader, CLIENT_READER, error);
		if (!reader)
			return false;
		if (is_present(reader) && strcmp(string_of(reader, "serial"), serial) == 0)
			return true;
		if (!asked)
			ask_for_card(batch, row, serial);
		if (!client_wait(batch->client, LOOK_INTERVAL_MS, NULL, error))
			return false;
	}
	return false;
}
