/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table that a batch works off. */
#ifndef TESSERA_CLI_BATCH_INPUT_H
#define TESSERA_CLI_BATCH_INPUT_H

#include <jansson.h>

#include "common/csv.h"

/* Reads a file that has rows and a header without doubles. ERROR_INVALID_ARGUMENT. */
bool batch_input_read(const char *path, struct csv_table *table, struct error *error);
/* What a row has in a column; NULL for nothing, or when there is no such column. */
const char *batch_input_value(const struct csv_table *table, size_t row, const char *column);
/* What a row says of the holder: all fields that are not empty, but for the columns `except` and
 * `also` (NULL: none). NULL with ERROR_INVALID_ARGUMENT. */
json_t *batch_input_holder(const struct csv_table *table, size_t row, const char *except,
	const char *also, struct error *error);
/* Whether the record of a credential has all that. More may have been made for its holder. */
bool batch_input_is_of(const json_t *card, const json_t *holder);
/* Whether it may be of the person with that login: it has no login name and UPN, or this one. */
bool batch_input_is_of_person(const json_t *card, const char *login);

#endif
