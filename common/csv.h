/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tables as comma-separated values, RFC 4180: fields in quotes may hold commas, line ends and
 * doubled quotes. The first row is the header; all rows have as many fields as it. Lines end with
 * CR LF or LF; empty lines, and a byte order mark at the beginning, are passed over.
 */
#ifndef TESSERA_COMMON_CSV_H
#define TESSERA_COMMON_CSV_H

#include "common/buffer.h"
#include "common/error.h"

#define CSV_FIELDS_MAXIMUM 128
#define CSV_ROWS_MAXIMUM   100000

struct csv_row {
	char **fields; /* as many as the table's columns; the row's own */
	size_t line;   /* where its first field ends, from 1 */
};

struct csv_table {
	struct csv_row header;
	size_t columns;
	struct csv_row *rows; /* without the header */
	size_t count;
};
#define CSV_TABLE_INIT                                                                             \
	{                                                                                          \
		0                                                                                  \
	}
void csv_table_clear(struct csv_table *table);
#define _cleanup_csv_table_ _cleanup_(csv_table_clear)

/* *table is unchanged on failure. ERROR_INVALID_ARGUMENT names the line and what is wrong with it.
 */
bool csv_parse(const uint8_t *data, size_t length, struct csv_table *table, struct error *error);

/* Appends a field, in quotes where it needs them, with a comma before it unless it is the first. */
void csv_append(struct buffer *buffer, const char *field, bool is_first);
/* Ends a row. */
void csv_append_end(struct buffer *buffer);

#endif
