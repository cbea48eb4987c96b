/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reader of tables: what it takes is read the same again once it was written anew. */
#include <stdlib.h>
#include <string.h>

#include "common/csv.h"
#include "fuzz/fuzz.h"

static void write_row(struct buffer *buffer, const struct csv_row *row, size_t columns)
{
	for (size_t i = 0; i < columns; i++)
		csv_append(buffer, row->fields[i], i == 0);
	csv_append_end(buffer);
}

static void check_row(const struct csv_row *one, const struct csv_row *two, size_t columns)
{
	for (size_t i = 0; i < columns; i++) {
		if (strcmp(one->fields[i], two->fields[i]) != 0)
			abort();
	}
}

static void check_again(const struct csv_table *table)
{
	struct csv_table again _cleanup_csv_table_ = CSV_TABLE_INIT;
	struct buffer text _cleanup_buffer_ = BUFFER_INIT;

	write_row(&text, &table->header, table->columns);
	for (size_t i = 0; i < table->count; i++)
		write_row(&text, &table->rows[i], table->columns);
	if (!csv_parse(text.data, text.length, &again, NULL) || again.columns != table->columns ||
		again.count != table->count)
		abort();
	check_row(&table->header, &again.header, table->columns);
	for (size_t i = 0; i < table->count; i++)
		check_row(&table->rows[i], &again.rows[i], table->columns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	struct csv_table table _cleanup_csv_table_ = CSV_TABLE_INIT;
	struct error error _cleanup_error_ = ERROR_INIT;
	bool done = csv_parse(data, length, &table, &error);

	/* A failure has a reason, a success none. */
	if (done != (error.code == ERROR_NONE))
		abort();
	if (done)
		check_again(&table);
	return 0;
}
