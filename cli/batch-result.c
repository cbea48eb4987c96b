/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/batch-result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/file.h"
#include "common/alloc.h"

/* The columns before the input's own. */
static const char *const columns[] = {"row", "outcome", "serial", "credential", "message"};
#define COLUMNS ARRAY_SIZE(columns)

static void result_clear(struct batch_result *result)
{
	free(result->outcome);
	free(result->serial);
	free(result->credential);
	free(result->message);
	*result = (struct batch_result){0};
}

void batch_results_clear(struct batch_results *results)
{
	for (size_t i = 0; results->rows && i < results->input->count; i++)
		result_clear(&results->rows[i]);
	free(results->rows);
	free(results->path);
	*results = (struct batch_results){0};
}

bool batch_result_is_done(const struct batch_result *result)
{
	static const char *const others[] = {OUTCOME_STARTED, OUTCOME_PENDING, OUTCOME_FAILED};

	for (size_t i = 0; result->outcome && i < ARRAY_SIZE(others); i++) {
		if (strcmp(result->outcome, others[i]) == 0)
			return false;
	}
	return result->outcome != NULL;
}

/* "cards.csv" has its results in "cards.result.csv". */
static char *path_beside(const char *input)
{
	size_t length = strlen(input);
	bool is_csv = length > 4 && strcmp(&input[length - 4], ".csv") == 0;

	return xasprintf("%.*s.result.csv", (int)(is_csv ? length - 4 : length), input);
}

static bool is_ours(const struct csv_table *table, const struct csv_table *input)
{
	if (table->columns != COLUMNS + input->columns)
		return false;
	for (size_t i = 0; i < COLUMNS; i++) {
		if (strcmp(table->header.fields[i], columns[i]) != 0)
			return false;
	}
	for (size_t i = 0; i < input->columns; i++) {
		if (strcmp(table->header.fields[COLUMNS + i], input->header.fields[i]) != 0)
			return false;
	}
	return true;
}

static bool is_same(
	const struct csv_row *kept, const struct csv_table *input, const struct csv_row *row)
{
	for (size_t i = 0; i < input->columns; i++) {
		if (strcmp(kept->fields[COLUMNS + i], row->fields[i]) != 0)
			return false;
	}
	return true;
}

/* A text of the file; an empty one is none. */
static char *text_of(const struct csv_row *kept, size_t column)
{
	return kept->fields[column][0] ? xstrdup(kept->fields[column]) : NULL;
}

/* What has failed may have been put right since. */
static bool take_row(struct batch_results *results, const struct csv_row *kept, struct error *error)
{
	char *end;
	unsigned long number = strtoul(kept->fields[0], &end, 10);

	if (*end || number < 1 || number > results->input->count)
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"%s, line %zu: there is no such row", results->path, kept->line);
	struct batch_result *result = &results->rows[number - 1];
	result_clear(result);
	*result = (struct batch_result){.outcome = text_of(kept, 1),
		.serial = text_of(kept, 2),
		.credential = text_of(kept, 3),
		.message = text_of(kept, 4)};
	if (!result->outcome || strcmp(result->outcome, OUTCOME_FAILED) == 0 ||
		is_same(kept, results->input, &results->input->rows[number - 1]))
		return true;
	return error_set(error, ERROR_INVALID_ARGUMENT,
		"%s: row %lu is not the one that was worked off before; remove the file to begin "
		"anew",
		results->path, number);
}

static bool read_file(struct batch_results *results, struct error *error)
{
	struct csv_table kept _cleanup_csv_table_ = CSV_TABLE_INIT;
	_cleanup_free_ char *text = file_read(results->path, error);

	if (!text)
		return false;
	if (!csv_parse((const uint8_t *)text, strlen(text), &kept, error))
		return error_prefix(error, "%s", results->path);
	if (!is_ours(&kept, results->input))
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"%s is not of this table; remove it to begin anew", results->path);
	for (size_t i = 0; i < kept.count; i++) {
		if (!take_row(results, &kept.rows[i], error))
			return false;
	}
	return true;
}

bool batch_results_open(struct batch_results *results, const struct csv_table *input,
	const char *input_path, struct error *error)
{
	results->input = input;
	results->path = path_beside(input_path);
	results->rows = xcalloc(input->count + 1, sizeof(*results->rows));
	return access(results->path, F_OK) != 0 || read_file(results, error);
}

static void append_optional(struct buffer *buffer, const char *text)
{
	csv_append(buffer, text ? text : "", false);
}

static void append_row(struct buffer *buffer, const struct batch_results *results, size_t row)
{
	const struct batch_result *result = &results->rows[row];
	char number[24];

	snprintf(number, sizeof(number), "%zu", row + 1);
	csv_append(buffer, number, true);
	append_optional(buffer, result->outcome);
	append_optional(buffer, result->serial);
	append_optional(buffer, result->credential);
	append_optional(buffer, result->message);
	for (size_t i = 0; i < results->input->columns; i++)
		csv_append(buffer, results->input->rows[row].fields[i], false);
	csv_append_end(buffer);
}

bool batch_results_write(const struct batch_results *results, struct error *error)
{
	struct buffer content _cleanup_buffer_ = BUFFER_INIT;

	for (size_t i = 0; i < COLUMNS; i++)
		csv_append(&content, columns[i], i == 0);
	for (size_t i = 0; i < results->input->columns; i++)
		csv_append(&content, results->input->header.fields[i], false);
	csv_append_end(&content);
	for (size_t i = 0; i < results->input->count; i++) {
		if (results->rows[i].outcome)
			append_row(&content, results, i);
	}
	if (content.failed)
		abort();
	return file_write(results->path, &content, error);
}

void batch_results_note(struct batch_results *results, size_t row, const char *outcome,
	const char *serial, const char *credential, const char *message)
{
	struct batch_result fresh = {.outcome = xstrdup(outcome),
		.serial = xstrdup(serial),
		.credential = xstrdup(credential),
		.message = xstrdup(message)};

	result_clear(&results->rows[row]);
	results->rows[row] = fresh;
}

bool batch_results_set(struct batch_results *results, size_t row, const char *outcome,
	const char *serial, const char *credential, const char *message, struct error *error)
{
	batch_results_note(results, row, outcome, serial, credential, message);
	return batch_results_write(results, error);
}
