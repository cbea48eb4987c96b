/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table that a batch works off. */
#ifndef TESSERA_CLI_BATCH_INPUT_H
#define TESSERA_CLI_BATCH_INPUT_H

#include <jansson.h>

#include "common/csv.h"

/* Reads a file that has rows and a header without doubles. ERROR_INVALID_ARGUMENT. */
bool batch_input_read(const char *path, struct csv_table *table, struct error *error);
/* What a row says of the holder: all fields that are not empty, but for the column `except`. NULL
 * with ERROR_INVALID_ARGUMENT. */
json_t *batch_input_holder(
	const struct csv_table *table, size_t row, const char *except, struct error *error);
/* Whether the record of a credential has all that. More may have been made for its holder. */
bool batch_input_is_of(const json_t *card, const json_t *holder);

#endif
