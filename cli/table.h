/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON records shown to people: as an aligned table, or one below the other. */
#ifndef TESSERA_CLI_TABLE_H
#define TESSERA_CLI_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

enum column_format {
	COLUMN_TEXT,	  /* any JSON value; lists and objects with commas */
	COLUMN_TIME,	  /* seconds since 1970, shown in local time; 0 is nothing */
	COLUMN_TIME_MICRO /* microseconds since 1970 */
};

struct column {
	const char *key; /* in the record */
	const char *heading;
	enum column_format format;
};

/* A value as a clean heap text; "-" for nothing. */
char *value_text(const json_t *value, enum column_format format);

/*
 * Prints an array of records with a heading. width: columns of the terminal, or
 * 0 for no limit; tables that are wider are narrowed at their widest columns.
 */
void table_print(FILE *file, const json_t *records, const struct column *columns, size_t count,
	size_t width);

/* Prints one record, a line for each column whose key it has. */
void record_print(FILE *file, const json_t *record, const struct column *columns, size_t count);

#endif
