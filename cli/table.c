/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/table.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/client.h"
#include "cli/text.h"
#include "common/alloc.h"
#include "common/buffer.h"

#define GAP	  2
#define NARROWEST 8 /* no column is narrowed below this */

static char *time_text(json_int_t seconds)
{
	char text[64];
	struct tm broken;
	time_t when = (time_t)seconds;

	if (seconds == 0 || !localtime_r(&when, &broken) ||
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &broken) == 0)
		return xstrdup("-");
	return xstrdup(text);
}

static void append_value(struct buffer *text, const json_t *value);

static void append_separator(struct buffer *text)
{
	if (text->length)
		buffer_append_string(text, ", ");
}

static void append_composed(struct buffer *text, const json_t *value)
{
	const char *name;
	json_t *member;
	size_t index;

	json_array_foreach(value, index, member)
	{
		append_separator(text);
		append_value(text, member);
	}
	json_object_foreach((json_t *)value, name, member)
	{
		append_separator(text);
		buffer_append_string(text, name);
		buffer_append_u8(text, '=');
		append_value(text, member);
	}
}

static void append_value(struct buffer *text, const json_t *value)
{
	if (json_is_string(value)) {
		buffer_append_string(text, json_string_value(value));
	} else if (json_is_integer(value)) {
		_cleanup_free_ char *number =
			xasprintf("%lld", (long long)json_integer_value(value));
		buffer_append_string(text, number);
	} else if (json_is_boolean(value)) {
		buffer_append_string(text, json_is_true(value) ? "yes" : "no");
	} else {
		append_composed(text, value);
	}
}

char *value_text(const json_t *value, enum column_format format)
{
	_cleanup_buffer_ struct buffer text = BUFFER_INIT;

	if (format == COLUMN_TIME)
		return time_text(json_integer_value(value));
	if (format == COLUMN_TIME_MICRO)
		return time_text(json_integer_value(value) / 1000000);
	append_value(&text, value);
	if (text.length == 0)
		buffer_append_u8(&text, '-');
	buffer_append_u8(&text, '\0');
	if (text.failed)
		abort();
	return text_clean((const char *)text.data);
}

/* All cells, row by row, the headings first; widths of the columns. */
struct cells {
	char **texts;
	size_t *widths;
	size_t rows;
	size_t columns;
};

static void cells_clear(struct cells *cells)
{
	for (size_t i = 0; i < cells->rows * cells->columns; i++)
		free(cells->texts[i]);
	free(cells->texts);
	free(cells->widths);
}

static void cells_fill(
	struct cells *cells, const json_t *records, const struct column *columns, size_t count)
{
	cells->columns = count;
	cells->rows = json_array_size(records) + 1;
	cells->texts = xcalloc(cells->rows * count, sizeof(char *));
	cells->widths = xcalloc(count, sizeof(size_t));
	for (size_t i = 0; i < cells->rows * count; i++) {
		size_t row = i / count, column = i % count;
		const json_t *record = row ? json_array_get(records, row - 1) : NULL;
		const json_t *value = json_object_get(record, columns[column].key);
		char *text = row ? value_text(value, columns[column].format)
				 : xstrdup(columns[column].heading);
		size_t width = text_width(text);
		if (width > cells->widths[column])
			cells->widths[column] = width;
		cells->texts[i] = text;
	}
}

static size_t total_width(const struct cells *cells)
{
	size_t total = 0;

	for (size_t i = 0; i < cells->columns; i++)
		total += cells->widths[i] + (i ? GAP : 0);
	return total;
}

/* Takes from the widest column, one at a time, until the table fits. */
static void narrow(struct cells *cells, size_t width)
{
	while (width && total_width(cells) > width) {
		size_t widest = 0;
		for (size_t i = 1; i < cells->columns; i++) {
			if (cells->widths[i] > cells->widths[widest])
				widest = i;
		}
		if (cells->widths[widest] <= NARROWEST)
			return;
		cells->widths[widest]--;
	}
}

static void print_row(FILE *file, struct cells *cells, size_t row)
{
	for (size_t i = 0; i < cells->columns; i++) {
		char **text = &cells->texts[row * cells->columns + i];
		text_shorten(text, cells->widths[i]);
		fputs(*text, file);
		if (i + 1 < cells->columns)
			fprintf(file, "%*s", (int)(cells->widths[i] - text_width(*text) + GAP), "");
	}
	fputc('\n', file);
}

void table_print(
	FILE *file, const json_t *records, const struct column *columns, size_t count, size_t width)
{
	_cleanup_(cells_clear) struct cells cells = {0};

	cells_fill(&cells, records, columns, count);
	narrow(&cells, width);
	for (size_t row = 0; row < cells.rows; row++)
		print_row(file, &cells, row);
}

void record_print(FILE *file, const json_t *record, const struct column *columns, size_t count)
{
	size_t widest = 0;

	for (size_t i = 0; i < count; i++) {
		size_t width = strlen(columns[i].heading);
		if (json_object_get(record, columns[i].key) && width > widest)
			widest = width;
	}
	for (size_t i = 0; i < count; i++) {
		const json_t *value = json_object_get(record, columns[i].key);
		if (!value)
			continue;
		_cleanup_free_ char *text = value_text(value, columns[i].format);
		int padding = (int)(widest - strlen(columns[i].heading));
		fprintf(file, "%s:%*s %s\n", columns[i].heading, padding, "", text);
	}
}
