/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tessera slot batch: keys in a slot by the rows of a table, many at a time. The slot itself says
 * what an earlier run has done, so that nothing is asked for twice.
 */
#include "cli/slot-batch.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/batch-input.h"
#include "cli/card.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/object.h"
#include "cli/output.h"
#include "cli/signer.h"
#include "cli/slot-key.h"
#include "common/alloc.h"

/* Signals say when a job has ended; this is for one that got lost, and for a busy tesserad. */
#define LOOK_INTERVAL_MS  1000
#define WRITE_INTERVAL_MS 500 /* of the results, which are written whole */

static void batch_clear(struct slot_batch *batch)
{
	for (size_t i = 0; i < batch->flight_count; i++)
		free(batch->flights[i].job);
	batch_results_clear(&batch->results);
	csv_table_clear(&batch->input);
	secret_clear(&batch->pin);
	json_decref(batch->known);
	error_clear(&batch->fate);
	free(batch->path);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const char *slot_batch_label(const struct slot_batch *batch, size_t row)
{
	return batch->input.rows[row].fields[batch->label_column];
}

void slot_batch_say(struct slot_batch *batch, size_t row, const char *outcome, const char *serial,
	const char *credential, const char *message)
{
	batch_results_note(&batch->results, row, outcome, serial, credential, message);
	batch->has_news = true;
	if (message)
		fprintf(stderr, "row %zu of %zu: %s: %s\n", row + 1, batch->input.count,
			slot_batch_label(batch, row), message);
	else
		output_text(batch->invocation, "row %zu of %zu: %s: %s", row + 1,
			batch->input.count, slot_batch_label(batch, row), outcome);
}

/* --- the table --- */

static bool find_label_column(struct slot_batch *batch, const char *path, struct error *error)
{
	size_t *column = &batch->label_column;

	for (*column = 0; *column < batch->input.columns; (*column)++) {
		if (strcmp(batch->input.header.fields[*column], SLOT_BATCH_COLUMN) == 0)
			return true;
	}
	return error_set(error, ERROR_INVALID_ARGUMENT,
		"%s: there is no column \"" SLOT_BATCH_COLUMN "\", which names the keys", path);
}

/* Two rows of one label would be after one key. */
static bool check_labels(const struct slot_batch *batch, const char *path, struct error *error)
{
	_cleanup_json_ json_t *rows = json_object();

	for (size_t row = 0; row < batch->input.count; row++) {
		const char *label = slot_batch_label(batch, row);
		const json_t *other = json_object_get(rows, label);
		if (other)
			return error_set(error, ERROR_INVALID_ARGUMENT,
				"%s: the rows %lld and %zu have the same label, \"%s\"", path,
				(long long)json_integer_value(other), row + 1, label);
		if (json_object_set_new(rows, label, json_integer((json_int_t)row + 1)) != 0)
			return error_set(error, ERROR_INVALID_ARGUMENT,
				"%s: the label of row %zu is not valid UTF-8 text", path, row + 1);
	}
	return true;
}

static bool read_table(struct slot_batch *batch, struct error *error)
{
	const char *path = batch->invocation->arguments[1];

	return batch_input_read(path, &batch->input, error) &&
	       find_label_column(batch, path, error) && check_labels(batch, path, error) &&
	       batch_results_open(&batch->results, &batch->input, path, error);
}

/* --- the rows --- */

static bool look_at_slot(struct slot_batch *batch, struct error *error)
{
	_cleanup_json_ json_t *keys = slot_key_list(batch->client, batch->slot, error);
	json_t *key;
	size_t index;

	json_decref(batch->known);
	batch->known = json_object();
	json_array_foreach(keys, index, key)
	{
		const char *label = json_string_value(json_object_get(key, "label"));
		if (label && !json_is_null(json_object_get(key, "credential")))
			json_object_set(batch->known, label, key);
	}
	return keys != NULL;
}

static bool goes_on(const struct slot_batch *batch)
{
	return batch->fate.code == ERROR_NONE && interrupt_count() == 0 &&
	       batch->next < batch->input.count;
}

static size_t may_be_under_way(const struct slot_batch *batch)
{
	return now_ms() < batch->room_until_ms ? batch->room : batch->at_once;
}

/* The jobs of others, or what a user may have, may leave no room: fewer are under way for a while.
 */
static void begin_rows(struct slot_batch *batch)
{
	bool busy = false;

	while (goes_on(batch) && !busy && batch->flight_count < may_be_under_way(batch)) {
		if (!batch_result_is_done(&batch->results.rows[batch->next]))
			slot_batch_begin(batch, batch->next, &busy);
		batch->next += !busy;
	}
	if (!busy)
		return;
	batch->room = batch->flight_count;
	batch->room_until_ms = now_ms() + LOOK_INTERVAL_MS;
	if (batch->flight_count == 0)
		poll(NULL, 0, LOOK_INTERVAL_MS);
}

/* Signals may come in any number: only the end of a job, and that it wants a signature, are some to
 * look at it. */
static void hear(void *context, const char *path, const char *interface, const char *member)
{
	struct slot_batch *batch = context;

	if (strcmp(interface, CLIENT_JOB) != 0 ||
		(strcmp(member, "Finished") != 0 && strcmp(member, "SignatureRequested") != 0))
		return;
	for (size_t i = 0; i < batch->flight_count; i++) {
		if (strcmp(batch->flights[i].job, path) == 0)
			batch->flights[i].has_news = true;
	}
}

static bool is_running(const json_t *job)
{
	const char *state = json_string_value(json_object_get(job, "state"));

	return state && strcmp(state, "running") == 0;
}

/* What is about the operator's card ends the batch; the row itself fails by its job. */
static void sign(struct slot_batch *batch, const char *job)
{
	struct error failure _cleanup_error_ = ERROR_INIT;

	if (!signer_answer(batch->invocation, job, &failure) && batch->fate.code == ERROR_NONE)
		error_move(&batch->fate, &failure);
}

static bool look(struct slot_batch *batch, size_t place, struct error *error)
{
	struct flight *flight = &batch->flights[place];
	_cleanup_json_ json_t *job = object_get(batch->client, flight->job, CLIENT_JOB, error);

	flight->has_news = false;
	if (!job)
		return false;
	if (is_running(job)) {
		if (json_is_true(json_object_get(job, "wants_signature")))
			sign(batch, flight->job);
		return true;
	}
	struct flight landed = *flight;
	*flight = batch->flights[--batch->flight_count];
	slot_batch_take(batch, landed.row, job);
	free(landed.job);
	return true;
}

static bool land_rows(struct slot_batch *batch, bool all, struct error *error)
{
	for (size_t i = batch->flight_count; i-- > 0;) {
		if ((all || batch->flights[i].has_news) && !look(batch, i, error))
			return false;
	}
	return true;
}

static bool write_news(struct slot_batch *batch, int64_t *written_ms, struct error *error)
{
	if (!batch->has_news || now_ms() - *written_ms < WRITE_INTERVAL_MS)
		return true;
	batch->has_news = false;
	*written_ms = now_ms();
	return batch_results_write(&batch->results, error);
}

static bool await(struct slot_batch *batch, struct error *error)
{
	bool changed = false;

	return client_wait(batch->client, LOOK_INTERVAL_MS, &changed, error) &&
	       land_rows(batch, !changed, error);
}

/* After Ctrl-C no row is begun any more; a second one leaves alone what is under way. */
static bool work(struct slot_batch *batch, struct error *error)
{
	int64_t written_ms = now_ms();

	for (;;) {
		begin_rows(batch);
		if (batch->flight_count == 0 && !goes_on(batch))
			return true;
		if (interrupt_count() > 1)
			return error_set(error, ERROR_CANCELLED,
				"not waiting any longer; %zu jobs go on", batch->flight_count);
		if ((batch->flight_count > 0 && !await(batch, error)) ||
			!write_news(batch, &written_ms, error))
			return false;
	}
}

/* --- the end --- */

static size_t count(const struct slot_batch *batch, const char *outcome)
{
	size_t found = 0;

	for (size_t i = 0; i < batch->input.count; i++) {
		const char *own = batch->results.rows[i].outcome;
		found += own && strcmp(own, outcome) == 0;
	}
	return found;
}

static bool summarise(const struct slot_batch *batch, struct error *error)
{
	size_t rows = batch->input.count, enrolled = count(batch, "enrolled");
	size_t pending = count(batch, OUTCOME_PENDING), failed = count(batch, OUTCOME_FAILED);

	if (invocation_has(batch->invocation, OPTION_JSON)) {
		_cleanup_json_ json_t *summary =
			json_pack("{s:I,s:I,s:I,s:I,s:s}", "rows", (json_int_t)rows, "enrolled",
				(json_int_t)enrolled, "pending", (json_int_t)pending, "failed",
				(json_int_t)failed, "results", batch->results.path);
		output_json(summary);
	}
	output_text(batch->invocation, "%zu of %zu rows are enrolled, %zu pending; see %s",
		enrolled, rows, pending, batch->results.path);
	if (interrupt_count() > 0 && enrolled + pending + failed < rows)
		return error_set(
			error, ERROR_CANCELLED, "interrupted; the same command goes on from here");
	return failed == 0 ||
	       error_set(error, ERROR_FAILED,
		       "%zu of %zu rows failed: see %s, put them right in %s and run the same "
		       "command again",
		       failed, rows, batch->results.path, batch->invocation->arguments[1]);
}

static bool run(struct slot_batch *batch, struct error *error)
{
	batch->client =
		read_table(batch, error) ? invocation_client(batch->invocation, error) : NULL;
	if (!batch->client ||
		!slot_key_pin(batch->invocation, batch->client, batch->path, &batch->pin, error) ||
		!client_watch(batch->client, error) || !look_at_slot(batch, error))
		return false;
	client_on_signal(batch->client, hear, batch);
	bool worked = work(batch, error);
	client_on_signal(batch->client, NULL, NULL);
	if (!batch_results_write(&batch->results, worked ? error : NULL) || !worked)
		return false;
	return batch->fate.code == ERROR_NONE ? summarise(batch, error)
					      : error_move(error, &batch->fate);
}

static bool read_at_once(const struct invocation *invocation, size_t *at_once, struct error *error)
{
	const char *text = invocation->values[OPTION_AT_ONCE];
	int64_t number = SLOT_BATCH_AT_ONCE_DEFAULT;

	if (text && !number_parse(text, "--at-once", 1, SLOT_BATCH_AT_ONCE_MAX, &number, error))
		return false;
	*at_once = (size_t)number;
	return true;
}

bool slot_batch(struct invocation *invocation, struct error *error)
{
	_cleanup_json_ json_t *options = json_object();
	struct slot_batch batch _cleanup_(batch_clear) = {.invocation = invocation,
		.slot = invocation->arguments[0],
		.template = invocation->values[OPTION_TEMPLATE],
		.path = object_path_of_name("slot", invocation->arguments[0]),
		.options = options};

	if (!batch.template)
		return error_set(error, ERROR_INVALID_ARGUMENT, "'slot batch' needs --template");
	if (invocation_has(invocation, OPTION_EXISTING_KEY))
		json_object_set_new(options, "existing-key", json_true());
	return read_at_once(invocation, &batch.at_once, error) &&
	       card_add_end_date(invocation, options, error) && run(&batch, error);
}
