/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One row of a batch. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/batch-input.h"
#include "cli/batch-private.h"
#include "cli/card-find.h"
#include "cli/job-wait.h"
#include "cli/object.h"
#include "cli/output.h"
#include "common/alloc.h"

/* How long a card is left to the operation that has it, before the next try. */
#define BUSY_INTERVAL_MS 1000

const char *batch_outcome(const struct batch *batch)
{
	if (!batch->template)
		return "registered";
	return batch->pins == BATCH_PINS_LATER ? "issued" : "active";
}

/* --- calls --- */

static json_t *call_issue(const struct batch *batch, const json_t *holder, struct error *error)
{
	if (!batch->template)
		return CLIENT_CALL(batch->client, CLIENT_ROOT, CLIENT_MANAGER, "Register", error,
			CLIENT_PATH(batch->reader));
	return CLIENT_CALL(batch->client, CLIENT_ROOT, CLIENT_MANAGER, "Issue", error,
		CLIENT_PATH(batch->reader), CLIENT_STRING(batch->template), CLIENT_FIELDS(holder),
		CLIENT_OPTIONS_WITH_PIN(
			batch->options, secret_is_set(&batch->pin) ? &batch->pin : NULL));
}

/* The first PIN of a card that is issued, or a new one for a card whose PIN may be lost. */
static json_t *call_set_pin(
	const struct batch *batch, enum batch_found found, const char *serial, struct error *error)
{
	bool is_first = found == BATCH_FOUND_ISSUED;
	_cleanup_free_ char *path = card_find(batch->client, serial, error);

	if (!path)
		return NULL;
	if (batch->pins == BATCH_PINS_MADE)
		return CLIENT_CALL_PLAIN(batch->client, path, CLIENT_CREDENTIAL,
			is_first ? "ActivateGenerated" : "UnblockGenerated", error);
	return CLIENT_CALL(batch->client, path, CLIENT_CREDENTIAL,
		is_first ? "Activate" : "Unblock", error, CLIENT_SECRET(&batch->pin));
}

/* What there is to be done, on the card that was found. The job's record when it has succeeded; its
 * path is heap. */
static json_t *work(struct batch *batch, const json_t *holder, enum batch_found found,
	const char *serial, char **path, struct error *error)
{
	_cleanup_json_ json_t *answer = found == BATCH_FOUND_BLANK
						? call_issue(batch, holder, error)
						: call_set_pin(batch, found, serial, error);

	*path = xstrdup(json_string_value(json_array_get(answer, 0)));
	if (answer && !*path)
		error_set(error, ERROR_FAILED, "tesserad's answer names no job");
	return *path ? job_follow(batch->invocation, *path, error) : NULL;
}

/* --- ends --- */

static char *find_number(struct batch *batch, const char *serial, struct error *error)
{
	_cleanup_free_ char *path = card_find(batch->client, serial, error);

	return path ? xasprintf("%lld", (long long)object_number(path)) : NULL;
}

/* known: the credential's number, or NULL. */
static bool finish(
	struct batch *batch, size_t row, const char *serial, const char *known, struct error *error)
{
	_cleanup_free_ char *number = known ? xstrdup(known) : find_number(batch, serial, error);
	_cleanup_free_ char *kept = xstrdup(serial); /* the row's own one goes */

	if (!number || !batch_results_set(&batch->results, row, batch_outcome(batch), kept, number,
			       NULL, error))
		return false;
	output_text(batch->invocation, "row %zu of %zu: %s: %s", row + 1, batch->input.count, kept,
		batch_outcome(batch));
	fflush(stdout);
	return true;
}

/* What a failure is about: the row, the card, the PIN, this moment alone, or everything. */
enum blame { BLAME_ROW, BLAME_CARD, BLAME_PIN, BLAME_MOMENT, BLAME_ALL };

static enum blame blame_of(const struct batch *batch, enum error_code code)
{
	switch (code) {
	case ERROR_NOT_FOUND:
		return batch->person ? BLAME_ROW : BLAME_ALL;
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
	case ERROR_PIN_LENGTH:
	case ERROR_PIN_POLICY:
		return batch->pins == BATCH_PINS_TYPED ? BLAME_PIN : BLAME_ALL;
	case ERROR_BUSY:
		return BLAME_MOMENT;
	default:
		return BLAME_ALL;
	}
}

static bool fail_row(struct batch *batch, size_t row, const char *serial,
	const struct error *failure, struct error *error)
{
	_cleanup_free_ char *kept = xstrdup(serial); /* the row's own one goes */

	fprintf(stderr, "row %zu of %zu: %s\n", row + 1, batch->input.count,
		error_message(failure));
	return batch_results_set(
		&batch->results, row, OUTCOME_FAILED, kept, NULL, error_message(failure), error);
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

/* A blank card is only put aside. One that is issued has no other way than to be retired. */
static bool refuse_card(struct batch *batch, size_t row, enum batch_found found, const char *serial,
	struct error *failure, bool *done, struct error *error)
{
	*done = found != BATCH_FOUND_BLANK && failure->code != ERROR_NO_CARD;
	if (*done) {
		error_prefix(failure, "card %s is issued, but has no PIN that is known; retire it",
			serial);
		return fail_row(batch, row, serial, failure, error);
	}
	if (found == BATCH_FOUND_BLANK) {
		fprintf(stderr, "tessera: %s; another card is needed\n", error_message(failure));
		free(batch->useless);
		batch->useless = xstrdup(serial);
	}
	return true;
}

/* What has failed, and is not for the whole batch. */
static bool take_failure(struct batch *batch, size_t row, enum batch_found found,
	const char *serial, struct error *failure, bool *done, struct error *error)
{
	switch (blame_of(batch, failure->code)) {
	case BLAME_MOMENT:
		return wait_out(batch, row, failure, error);
	case BLAME_PIN:
		fprintf(stderr, "tessera: %s\n", error_message(failure));
		secret_clear(&batch->pin);
		return true;
	case BLAME_CARD:
		return refuse_card(batch, row, found, serial, failure, done, error);
	case BLAME_ROW:
		*done = true;
		return fail_row(batch, row, NULL, failure, error);
	default:
		return error_move(error, failure); /* the row stays as it was begun */
	}
}

/* --- the row --- */

/* On disk before the card is touched: what is interrupted is looked at again. */
static bool begin(struct batch *batch, size_t row, enum batch_found found, const char *serial,
	struct error *error)
{
	if (found == BATCH_FOUND_BLANK)
		return batch_results_set(
			&batch->results, row, OUTCOME_STARTED, serial, NULL, NULL, error);
	if (!batch->told_again)
		fprintf(stderr, "row %zu of %zu: card %s was issued before, its PIN is set now\n",
			row + 1, batch->input.count, serial);
	batch->told_again = true;
	return batch_await_serial(batch, row, serial, error);
}

/* One try. *done: the row needs no further one. */
static bool try_row(
	struct batch *batch, size_t row, const json_t *holder, bool *done, struct error *error)
{
	struct error failure _cleanup_error_ = ERROR_INIT;
	enum batch_found found = BATCH_FOUND_BLANK;
	_cleanup_free_ char *serial = NULL;
	_cleanup_free_ char *path = NULL;

	if (!batch_await(batch, row, holder, &found, &serial, error))
		return false;
	*done = found == BATCH_FOUND_FINISHED;
	if (*done)
		return finish(batch, row, serial, NULL, error);
	if (!begin(batch, row, found, serial, error) || !batch_pin_ask(batch, row, holder, error))
		return false;
	_cleanup_json_ json_t *job = work(batch, holder, found, serial, &path, &failure);
	if (!job)
		return take_failure(batch, row, found, serial, &failure, done, error);
	*done = true;
	const json_t *result = json_object_get(job, "result");
	const char *told = json_string_value(json_object_get(result, "serial"));
	const char *card = told ? told : serial; /* some are given theirs only by issuing */
	return (batch->pins != BATCH_PINS_MADE ||
		       batch_pin_show(batch, row, holder, card, path, error)) &&
	       finish(batch, row, card, json_string_value(json_object_get(result, "credential-id")),
		       error);
}

/* Whom the row names, as an option of the call. Without anybody the daemon says what is missing. */
static void set_person(struct batch *batch, size_t row)
{
	batch->person = batch->is_of_directory
				? batch_input_value(&batch->input, row, BATCH_PERSON_COLUMN)
				: NULL;
	json_object_del(batch->options, BATCH_PERSON_COLUMN);
	if (batch->person)
		json_object_set_new(
			batch->options, BATCH_PERSON_COLUMN, json_string(batch->person));
}

bool batch_row(struct batch *batch, size_t row, struct error *error)
{
	struct error failure _cleanup_error_ = ERROR_INIT;
	_cleanup_json_ json_t *holder = batch_input_holder(&batch->input, row, BATCH_SERIAL_COLUMN,
		batch->is_of_directory ? BATCH_PERSON_COLUMN : NULL, &failure);
	bool done = batch_result_is_done(&batch->results.rows[row]);

	if (!done && !holder)
		return batch_results_set(&batch->results, row, OUTCOME_FAILED, NULL, NULL,
			error_message(&failure), error);
	batch->told_busy = batch->told_again = false;
	set_person(batch, row);
	while (!done) {
		if (!try_row(batch, row, holder, &done, error))
			return false;
	}
	secret_clear(&batch->pin);
	return true;
}
