/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera card batch: cards by the rows of a table, one after the other. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/batch-result.h"
#include "cli/card-find.h"
#include "cli/card.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/file.h"
#include "cli/interrupt.h"
#include "cli/job-wait.h"
#include "cli/object.h"
#include "cli/output.h"
#include "common/alloc.h"

/* Signals say when to look again; this is for one that got lost. */
#define LOOK_INTERVAL_MS 1000
/* How long a card is left to the operation that has it, before the next try. */
#define BUSY_INTERVAL_MS 1000

/* The column that says which card is meant; all others are fields of the holder. */
#define SERIAL_COLUMN "serial"

struct batch {
	struct invocation *invocation;
	struct client *client;
	const char *template;  /* NULL: cards are registered alone */
	const json_t *options; /* for each card */
	char *reader;	       /* path */
	struct csv_table input;
	struct batch_results results;
	char *useless;	/* serial of a card that was refused: it is waited for another one */
	bool told_busy; /* in this row */
};

static void batch_clear(struct batch *batch)
{
	batch_results_clear(&batch->results);
	csv_table_clear(&batch->input);
	free(batch->reader);
	free(batch->useless);
}

static const char *string_of(const json_t *record, const char *key)
{
	const char *text = json_string_value(json_object_get(record, key));

	return text ? text : "";
}

static const char *done_outcome(const struct batch *batch)
{
	return batch->template ? "issued" : "registered";
}

/* The serial that a row asks for; NULL for any. */
static const char *wanted_serial(const struct batch *batch, size_t row)
{
	for (size_t i = 0; i < batch->input.columns; i++) {
		if (strcmp(batch->input.header.fields[i], SERIAL_COLUMN) == 0)
			return batch->input.rows[row].fields[i][0]
				       ? batch->input.rows[row].fields[i]
				       : NULL;
	}
	return NULL;
}

/* An empty field is none. NULL with error. */
static json_t *holder_of(const struct batch *batch, size_t row, struct error *error)
{
	_cleanup_json_ json_t *holder = json_object();

	for (size_t i = 0; i < batch->input.columns; i++) {
		const char *name = batch->input.header.fields[i];
		const char *value = batch->input.rows[row].fields[i];
		if (value[0] && strcmp(name, SERIAL_COLUMN) != 0 &&
			json_object_set_new(holder, name, json_string(value)) != 0) {
			error_set(error, ERROR_INVALID_ARGUMENT, "it is not valid UTF-8 text");
			return NULL;
		}
	}
	return steal_pointer(&holder);
}

/* --- waiting for a card --- */

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

	return json_is_true(json_object_get(reader, "card_present")) && is_blank(batch, reader) &&
	       !(batch->useless && strcmp(batch->useless, serial) == 0) &&
	       (!wanted || strcmp(wanted, serial) == 0);
}

static void ask_for_card(const struct batch *batch, size_t row, const char *wanted)
{
	fprintf(stderr, "row %zu of %zu: insert %s%s in reader %lld\n", row + 1, batch->input.count,
		wanted ? "the card " : "a blank card", wanted ? wanted : "",
		(long long)object_number(batch->reader));
}

/* Waits until the card for a row is in the reader; *serial (heap) is its. */
static bool await_card(struct batch *batch, size_t row, char **serial, struct error *error)
{
	const char *wanted = wanted_serial(batch, row);
	bool asked = false;

	while (interrupt_count() == 0) {
		_cleanup_json_ json_t *reader =
			object_get(batch->client, batch->reader, CLIENT_READER, error);
		if (!reader)
			return false;
		if (is_wanted(batch, reader, wanted)) {
			*serial = xstrdup(string_of(reader, "serial"));
			return true;
		}
		if (!json_is_true(json_object_get(reader, "card_present")))
			free(steal_pointer(&batch->useless)); /* it may come again */
		if (!asked)
			ask_for_card(batch, row, wanted);
		asked = true;
		if (!client_wait(batch->client, LOOK_INTERVAL_MS, NULL, error))
			return false;
	}
	return error_set(error, ERROR_CANCELLED, "interrupted; the same command goes on from here");
}

/* --- one row --- */

static json_t *start(const struct batch *batch, const json_t *holder, struct error *error)
{
	if (!batch->template)
		return CLIENT_CALL(batch->client, CLIENT_ROOT, CLIENT_MANAGER, "Register", error,
			CLIENT_PATH(batch->reader));
	return CLIENT_CALL(batch->client, CLIENT_ROOT, CLIENT_MANAGER, "Issue", error,
		CLIENT_PATH(batch->reader), CLIENT_STRING(batch->template), CLIENT_FIELDS(holder),
		CLIENT_OPTIONS(batch->options));
}

/* The job's record when it has succeeded. */
static json_t *work(const struct batch *batch, const json_t *holder, struct error *error)
{
	_cleanup_json_ json_t *answer = start(batch, holder, error);
	const char *path = json_string_value(json_array_get(answer, 0));

	if (answer && !path)
		error_set(error, ERROR_FAILED, "tesserad's answer names no job");
	return path ? job_follow(batch->invocation, path, error) : NULL;
}

/* What a failure is about: the row, the card, this moment alone, or everything. */
enum blame { BLAME_ROW, BLAME_CARD, BLAME_MOMENT, BLAME_ALL };

static enum blame blame_of(enum error_code code)
{
	switch (code) {
	case ERROR_INVALID_ARGUMENT:
	case ERROR_AUTHORITY_REJECTED:
	case ERROR_EXISTS:
		return BLAME_ROW;
	case ERROR_NO_CARD:
	case ERROR_CARD_FAILED:
	case ERROR_CARD_UNKNOWN:
	case ERROR_CARD_FOREIGN:
	case ERROR_NOT_SUPPORTED:
	case ERROR_WRONG_STATE:
	case ERROR_PUK_BLOCKED:
		return BLAME_CARD;
	case ERROR_BUSY:
		return BLAME_MOMENT;
	default:
		return BLAME_ALL;
	}
}

static bool finish_row(struct batch *batch, size_t row, const json_t *job, struct error *error)
{
	const json_t *result = json_object_get(job, "result");
	const char *serial = string_of(result, "serial");

	output_text(batch->invocation, "row %zu of %zu: %s: %s", row + 1, batch->input.count,
		serial, done_outcome(batch));
	fflush(stdout);
	return batch_results_set(&batch->results, row, done_outcome(batch), serial,
		string_of(result, "credential-id"), NULL, error);
}

static void refuse_card(struct batch *batch, const char *serial, const struct error *failure)
{
	fprintf(stderr, "tessera: %s; another card is needed\n", error_message(failure));
	free(batch->useless);
	batch->useless = xstrdup(serial);
}

/* Another operation has the card still: it is the right card, only too early. */
static bool wait_out(
	struct batch *batch, size_t row, const struct error *failure, struct error *error)
{
	if (!batch->told_busy)
		fprintf(stderr, "row %zu of %zu: waiting: %s\n", row + 1, batch->input.count,
			error_message(failure));
	batch->told_busy = true;
	poll(NULL, 0, BUSY_INTERVAL_MS); /* not client_wait(): a change elsewhere is no reason */
	return client_wait(batch->client, 0, NULL, error);
}

/* What has failed with this card, and is not for the whole batch. */
static bool take_failure(struct batch *batch, size_t row, const char *serial,
	const struct error *failure, bool *done, struct error *error)
{
	enum blame blame = blame_of(failure->code);

	*done = blame == BLAME_ROW;
	if (blame == BLAME_MOMENT)
		return wait_out(batch, row, failure, error);
	if (blame == BLAME_CARD) {
		refuse_card(batch, serial, failure);
		return true;
	}
	fprintf(stderr, "row %zu of %zu: %s\n", row + 1, batch->input.count,
		error_message(failure));
	return batch_results_set(
		&batch->results, row, OUTCOME_FAILED, NULL, NULL, error_message(failure), error);
}

/* One try with one card. *done: the row needs no further card. */
static bool try_row(
	struct batch *batch, size_t row, const json_t *holder, bool *done, struct error *error)
{
	struct error failure _cleanup_error_ = ERROR_INIT;
	_cleanup_free_ char *serial = NULL;

	if (!await_card(batch, row, &serial, error) ||
		!batch_results_set(
			&batch->results, row, OUTCOME_STARTED, serial, NULL, NULL, error))
		return false;
	_cleanup_json_ json_t *job = work(batch, holder, &failure);
	*done = job != NULL;
	if (job)
		return finish_row(batch, row, job, error);
	if (blame_of(failure.code) == BLAME_ALL)
		return error_move(error, &failure); /* the row stays as it was begun */
	return take_failure(batch, row, serial, &failure, done, error);
}

static bool has_holder(const json_t *card, const json_t *holder)
{
	return json_equal(json_object_get(card, "holder"), (json_t *)holder);
}

/* A row that was begun when the batch was cut off: what has become of its card? */
static bool look_at_started(
	struct batch *batch, size_t row, const json_t *holder, bool *done, struct error *error)
{
	const char *serial = batch->results.rows[row].serial;
	struct error failure _cleanup_error_ = ERROR_INIT;
	_cleanup_free_ char *path = serial ? card_find(batch->client, serial, &failure) : NULL;
	_cleanup_json_ json_t *card = path ? card_get(batch->client, path, &failure) : NULL;

	if (!card && failure.code != ERROR_NONE && failure.code != ERROR_NOT_FOUND)
		return error_move(error, &failure);
	const char *state = string_of(card, "state");
	*done = batch->template ? has_holder(card, holder) && (strcmp(state, "issued") == 0 ||
								      strcmp(state, "active") == 0)
				: strcmp(state, "registered") == 0;
	if (!*done)
		return true;
	_cleanup_free_ char *number = xasprintf("%lld", (long long)object_number(path));
	_cleanup_free_ char *kept = xstrdup(serial);
	return batch_results_set(
		&batch->results, row, done_outcome(batch), kept, number, NULL, error);
}

static bool run_row(struct batch *batch, size_t row, struct error *error)
{
	const struct batch_result *result = &batch->results.rows[row];
	struct error failure _cleanup_error_ = ERROR_INIT;
	_cleanup_json_ json_t *holder = holder_of(batch, row, &failure);
	bool done = batch_result_is_done(result);

	if (!done && !holder)
		return batch_results_set(&batch->results, row, OUTCOME_FAILED, NULL, NULL,
			error_message(&failure), error);
	if (!done && result->outcome && strcmp(result->outcome, OUTCOME_STARTED) == 0 &&
		!look_at_started(batch, row, holder, &done, error))
		return false;
	batch->told_busy = false;
	while (!done) {
		if (!try_row(batch, row, holder, &done, error))
			return false;
	}
	return true;
}

/* --- the whole --- */

static bool summarise(const struct batch *batch, struct error *error)
{
	size_t count = batch->input.count, failed = 0;

	for (size_t i = 0; i < count; i++)
		failed += !batch_result_is_done(&batch->results.rows[i]);
	if (invocation_has(batch->invocation, OPTION_JSON)) {
		_cleanup_json_ json_t *summary = json_pack("{s:I,s:I,s:I,s:s}", "rows",
			(json_int_t)count, "done", (json_int_t)(count - failed), "failed",
			(json_int_t)failed, "results", batch->results.path);
		output_json(summary);
	}
	output_text(batch->invocation, "%zu of %zu rows are %s; see %s", count - failed, count,
		done_outcome(batch), batch->results.path);
	return failed == 0 || error_set(error, ERROR_FAILED, "%zu of %zu rows failed: see %s",
				      failed, count, batch->results.path);
}

static bool read_input(struct batch *batch, struct error *error)
{
	const char *path = batch->invocation->arguments[0];
	_cleanup_free_ char *text = file_read(path, error);

	if (!text)
		return false;
	if (!csv_parse((const uint8_t *)text, strlen(text), &batch->input, error))
		return error_prefix(error, "%s", path);
	for (size_t i = 0; i < batch->input.columns; i++) {
		const char *name = batch->input.header.fields[i];
		for (size_t j = 0; j < i; j++) {
			if (strcmp(batch->input.header.fields[j], name) == 0)
				return error_set(error, ERROR_INVALID_ARGUMENT,
					"%s: the header names \"%s\" twice", path, name);
		}
		if (strchr(name, ';'))
			return error_set(error, ERROR_INVALID_ARGUMENT,
				"%s: fields are separated by commas, not by semicolons", path);
	}
	return batch_results_open(&batch->results, &batch->input, path, error);
}

/* Of --reader, or of the only one there is, with or without a card. */
static bool find_reader(struct batch *batch, struct error *error)
{
	const char *number = batch->invocation->values[OPTION_READER];

	if (number) {
		batch->reader = card_find_reader(batch->client, number, error);
		return batch->reader != NULL;
	}
	_cleanup_json_ json_t *readers = object_list(batch->client, CLIENT_READER, error);
	if (!readers)
		return false;
	if (json_array_size(readers) != 1)
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"there are %zu readers; say which with --reader", json_array_size(readers));
	batch->reader = object_path("reader",
		json_integer_value(json_object_get(json_array_get(readers, 0), "number")));
	return true;
}

static bool run(struct batch *batch, struct error *error)
{
	if (!read_input(batch, error))
		return false;
	batch->client = invocation_client(batch->invocation, error);
	if (!batch->client || !find_reader(batch, error) || !client_watch(batch->client, error))
		return false;
	for (size_t row = 0; row < batch->input.count; row++) {
		if (!run_row(batch, row, error))
			return error_prefix(error, "row %zu", row + 1);
	}
	return summarise(batch, error);
}

bool card_batch(struct invocation *invocation, struct error *error)
{
	_cleanup_json_ json_t *options = json_object();
	struct batch batch _cleanup_(batch_clear) = {.invocation = invocation,
		.template = invocation->values[OPTION_TEMPLATE],
		.options = options};

	if (!batch.template == !invocation_has(invocation, OPTION_REGISTER))
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"'card batch' needs either --template or --register");
	if (!batch.template && invocation_has(invocation, OPTION_EXPIRES))
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"--expires goes with --template: a registered card has no end date");
	return card_add_end_date(invocation, options, error) && run(&batch, error);
}
