/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One row of "tessera slot batch". */
#include <stdio.h>
#include <string.h>

#include "cli/batch-input.h"
#include "cli/card.h"
#include "cli/job-wait.h"
#include "cli/object.h"
#include "cli/slot-batch.h"
#include "cli/slot-key.h"
#include "common/alloc.h"

static const char *string_of(const json_t *record, const char *key)
{
	const char *text = json_string_value(json_object_get(record, key));

	return text ? text : "";
}

/* --- failures --- */

/* What a failure is about: this row, everything, or perhaps everything. */
enum blame { BLAME_ROW, BLAME_ALL, BLAME_PERHAPS };

static enum blame blame_of(enum error_code code)
{
	switch (code) {
	case ERROR_INVALID_ARGUMENT:
	case ERROR_AUTHORITY_REJECTED:
	case ERROR_EXISTS:
	case ERROR_CANCELLED:
		return BLAME_ROW;
	case ERROR_ACCESS_DENIED:
	case ERROR_NO_SERVICE:
	case ERROR_LOCKED:
	case ERROR_PIN_REQUIRED:
	case ERROR_PIN_WRONG:
	case ERROR_PIN_BLOCKED:
		return BLAME_ALL;
	default:
		return BLAME_PERHAPS;
	}
}

/*
 * One that may concern all, such as an authority that does not answer, is the row's own until so
 * many as there may be at a time have failed one after the other.
 */
static void fail(struct slot_batch *batch, size_t row, struct error *failure)
{
	enum blame blame = blame_of(failure->code);

	slot_batch_say(batch, row, OUTCOME_FAILED, NULL, NULL, error_message(failure));
	batch->setbacks = blame == BLAME_ROW ? 0 : batch->setbacks + 1;
	if (batch->fate.code == ERROR_NONE &&
		(blame == BLAME_ALL || batch->setbacks > batch->at_once))
		error_move(&batch->fate, failure);
}

/* --- a key that is enrolled already --- */

static bool is_same(const struct slot_batch *batch, const json_t *card, const json_t *holder,
	struct error *error)
{
	if (strcmp(string_of(card, "template"), batch->template) == 0 &&
		batch_input_is_of(card, holder))
		return true;
	return error_set(error, ERROR_EXISTS,
		"the slot has an enrolled key of this label already, by another template or with "
		"other values: renew or retire it");
}

/*
 * A row that an earlier run has begun: what has become of its key? False when there is no such key
 * that is enrolled.
 */
static bool settle_known(struct slot_batch *batch, size_t row, const json_t *key,
	const json_t *holder, struct error *failure)
{
	const char *state = string_of(key, "state");
	json_int_t number = json_integer_value(json_object_get(key, "credential"));
	bool is_pending = strcmp(state, "registered") == 0;
	char credential[24];

	if (!number || (!is_pending && strcmp(state, "active") != 0))
		return false;
	_cleanup_free_ char *path = object_path("credential", number);
	_cleanup_json_ json_t *card = card_get(batch->client, path, failure);
	if (!card || !is_same(batch, card, holder, failure))
		return true;
	snprintf(credential, sizeof(credential), "%lld", (long long)number);
	slot_batch_say(batch, row, is_pending ? OUTCOME_PENDING : "enrolled",
		string_of(card, "serial"), credential, NULL);
	return true;
}

/* --- begin --- */

static char *call_enroll(
	const struct slot_batch *batch, size_t row, const json_t *holder, struct error *failure)
{
	_cleanup_json_ json_t *answer = CLIENT_CALL(batch->client, batch->path, CLIENT_SLOT,
		"Enroll", failure, CLIENT_STRING(slot_batch_label(batch, row)),
		CLIENT_STRING(batch->template), CLIENT_FIELDS(holder),
		CLIENT_OPTIONS_WITH_PIN(
			batch->options, secret_is_set(&batch->pin) ? &batch->pin : NULL));
	const char *job = json_string_value(json_array_get(answer, 0));

	if (answer && !job)
		error_set(failure, ERROR_FAILED, "tesserad's answer names no job");
	return xstrdup(job);
}

void slot_batch_begin(struct slot_batch *batch, size_t row, bool *busy)
{
	struct error failure _cleanup_error_ = ERROR_INIT;
	const char *label = slot_batch_label(batch, row);
	_cleanup_json_ json_t *holder =
		batch_input_holder(&batch->input, row, SLOT_BATCH_COLUMN, NULL, &failure);

	*busy = false;
	if (holder &&
		!settle_known(batch, row, json_object_get(batch->known, label), holder, &failure)) {
		char *job = call_enroll(batch, row, holder, &failure);
		*busy = failure.code == ERROR_BUSY;
		if (job)
			batch->flights[batch->flight_count++] =
				(struct flight){.row = row, .job = job};
	}
	if (failure.code != ERROR_NONE && !*busy)
		fail(batch, row, &failure);
}

/* --- end --- */

static bool is_pending(const json_t *result)
{
	const char *name;
	json_t *authority;

	json_object_foreach((json_t *)result, name, authority)
	{
		if (strncmp(name, "pending-", strlen("pending-")) == 0)
			return true;
	}
	return false;
}

void slot_batch_take(struct slot_batch *batch, size_t row, const json_t *job)
{
	struct error failure _cleanup_error_ = ERROR_INIT;
	const json_t *result = json_object_get(job, "result");

	if (strcmp(string_of(job, "state"), "succeeded") != 0) {
		job_take_error(job, &failure);
		fail(batch, row, &failure);
		return;
	}
	_cleanup_free_ char *credential =
		xasprintf("%lld", (long long)object_number(string_of(result, "credential")));
	batch->setbacks = 0;
	slot_batch_say(batch, row, is_pending(result) ? OUTCOME_PENDING : "enrolled",
		string_of(result, "serial"), credential, NULL);
}
