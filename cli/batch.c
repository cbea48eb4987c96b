/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera card batch: cards by the rows of a table, one after the other. */
#include <stdlib.h>
#include <string.h>

#include "cli/batch-input.h"
#include "cli/batch-private.h"
#include "cli/card-find.h"
#include "cli/card.h"
#include "cli/command.h"
#include "cli/object.h"
#include "cli/output.h"
#include "cli/template.h"
#include "common/alloc.h"

static void batch_clear(struct batch *batch)
{
	batch_results_clear(&batch->results);
	csv_table_clear(&batch->input);
	secret_clear(&batch->pin);
	free(batch->reader);
	free(batch->useless);
}

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
		batch_outcome(batch), batch->results.path);
	return failed == 0 ||
	       error_set(error, ERROR_FAILED,
		       "%zu of %zu rows failed: see %s, put them right in %s and run the same "
		       "command again",
		       failed, count, batch->results.path, batch->invocation->arguments[0]);
}

static bool read_input(struct batch *batch, struct error *error)
{
	const char *path = batch->invocation->arguments[0];

	return batch_input_read(path, &batch->input, error) &&
	       batch_results_open(&batch->results, &batch->input, path, error);
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
	if (!batch->client ||
		(batch->template && !template_is_of_directory(batch->client, batch->template,
					    &batch->is_of_directory, error)) ||
		!batch_pins_choose(batch, error) || !find_reader(batch, error) ||
		!client_watch(batch->client, error))
		return false;
	for (size_t row = 0; row < batch->input.count; row++) {
		if (!batch_row(batch, row, error))
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
