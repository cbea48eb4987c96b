/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The results of a batch: a table beside the one that is worked off, with a row for each of its
 * rows, rewritten whole at each change, so that an interrupted batch goes on where it was.
 */
#ifndef TESSERA_CLI_BATCH_RESULT_H
#define TESSERA_CLI_BATCH_RESULT_H

#include "common/csv.h"

#define OUTCOME_STARTED "started" /* on the card with that serial; how it ended is not known */
#define OUTCOME_PENDING "pending" /* the authority takes its time */
#define OUTCOME_FAILED	"failed"

/* Of one row. All are heap, or NULL while nothing has happened. */
struct batch_result {
	char *outcome;	  /* "issued", "registered", or one of the above */
	char *serial;	  /* of the card */
	char *credential; /* its number */
	char *message;	  /* why it failed */
};

struct batch_results {
	const struct csv_table *input; /* outlives this */
	char *path;
	struct batch_result *rows; /* as many as the input has */
};
void batch_results_clear(struct batch_results *results);
#define _cleanup_batch_results_ _cleanup_(batch_results_clear)

/*
 * Reads what an earlier run has left beside the input file at input_path, if anything.
 * ERROR_INVALID_ARGUMENT when a row that is done is not the input's row of the same number any
 * more.
 */
bool batch_results_open(struct batch_results *results, const struct csv_table *input,
	const char *input_path, struct error *error);

/* Whether a row is neither to be begun nor to be looked at again. */
bool batch_result_is_done(const struct batch_result *result);

/* Sets the result of a row; texts may be NULL. */
void batch_results_note(struct batch_results *results, size_t row, const char *outcome,
	const char *serial, const char *credential, const char *message);
/* ERROR_FAILED */
bool batch_results_write(const struct batch_results *results, struct error *error);
/* Both. */
bool batch_results_set(struct batch_results *results, size_t row, const char *outcome,
	const char *serial, const char *credential, const char *message, struct error *error);

#endif
