/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/csv.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

/* Where the next byte stands. */
enum place {
	FIELD_BEGIN,
	IN_PLAIN,
	IN_QUOTES,
	AFTER_QUOTE, /* inside quotes: the end of the field, or the first of two */
	AFTER_CR,
};

/* Invariant: row has room for CSV_FIELDS_MAXIMUM fields, of which `fields` are set. */
struct parser {
	struct csv_table table;
	enum place place;
	bool is_begun; /* there is more in this row than its line's end */
	struct buffer field;
	struct csv_row row;
	size_t fields;
	size_t line;
};

static void row_clear(struct csv_row *row, size_t fields)
{
	for (size_t i = 0; row->fields && i < fields; i++)
		free(row->fields[i]);
	free(row->fields);
	*row = (struct csv_row){0};
}

void csv_table_clear(struct csv_table *table)
{
	row_clear(&table->header, table->columns);
	for (size_t i = 0; i < table->count; i++)
		row_clear(&table->rows[i], table->columns);
	free(table->rows);
	*table = (struct csv_table)CSV_TABLE_INIT;
}

static void parser_clear(struct parser *parser)
{
	row_clear(&parser->row, parser->fields);
	buffer_clear(&parser->field);
	csv_table_clear(&parser->table);
}

static bool wrong(const struct parser *parser, const char *what, struct error *error)
{
	return error_set(error, ERROR_INVALID_ARGUMENT, "line %zu: %s", parser->line, what);
}

static bool end_field(struct parser *parser, struct error *error)
{
	if (parser->fields == CSV_FIELDS_MAXIMUM)
		return wrong(parser, "it has too many fields", error);
	if (!parser->row.fields) {
		parser->row.fields = xcalloc(CSV_FIELDS_MAXIMUM, sizeof(*parser->row.fields));
		parser->row.line = parser->line;
	}
	buffer_append_u8(&parser->field, '\0');
	if (parser->field.failed)
		abort();
	parser->row.fields[parser->fields++] = xstrdup((const char *)parser->field.data);
	buffer_truncate(&parser->field, 0);
	parser->place = FIELD_BEGIN;
	return true;
}

static void take_header(struct parser *parser)
{
	parser->table.header = parser->row;
	parser->table.columns = parser->fields;
}

static bool take_row(struct parser *parser, struct error *error)
{
	struct csv_table *table = &parser->table;

	if (parser->fields != table->columns) {
		_cleanup_free_ char *what = xasprintf(
			"it has %zu fields, the header has %zu", parser->fields, table->columns);
		return wrong(parser, what, error);
	}
	if (table->count == CSV_ROWS_MAXIMUM)
		return wrong(parser, "there are too many rows", error);
	table->rows = xreallocarray(table->rows, table->count + 1, sizeof(*table->rows));
	table->rows[table->count++] = parser->row;
	return true;
}

static bool end_row(struct parser *parser, struct error *error)
{
	if (parser->is_begun) {
		if (!end_field(parser, error))
			return false;
		if (parser->table.columns == 0)
			take_header(parser);
		else if (!take_row(parser, error))
			return false;
		parser->row = (struct csv_row){0};
		parser->fields = 0;
	}
	parser->is_begun = false;
	parser->place = FIELD_BEGIN;
	parser->line++;
	return true;
}

/* What ends a field, if nothing else does: answers whether the byte was such a one in *ended. */
static bool take_separator(struct parser *parser, uint8_t byte, bool *ended, struct error *error)
{
	*ended = true;
	if (byte == ',')
		return end_field(parser, error);
	if (byte == '\n')
		return end_row(parser, error);
	*ended = byte == '\r';
	if (*ended)
		parser->place = AFTER_CR;
	return true;
}

static bool take_unquoted(struct parser *parser, uint8_t byte, struct error *error)
{
	bool ended;

	if (!take_separator(parser, byte, &ended, error))
		return false;
	if (ended)
		return true;
	if (parser->place == AFTER_QUOTE)
		return wrong(parser, "there is text behind a closing quote", error);
	if (byte == '"' && parser->place == FIELD_BEGIN) {
		parser->place = IN_QUOTES;
		return true;
	}
	if (byte == '"')
		return wrong(parser, "there is a quote in a field without quotes", error);
	buffer_append_u8(&parser->field, byte);
	parser->place = IN_PLAIN;
	return true;
}

static bool take_byte(struct parser *parser, uint8_t byte, struct error *error)
{
	if (byte == 0)
		return wrong(parser, "it is no text", error);
	parser->is_begun = parser->is_begun || (byte != '\r' && byte != '\n');
	parser->line += byte == '\n' && parser->place == IN_QUOTES;
	if (parser->place == AFTER_CR)
		return byte == '\n' ? end_row(parser, error)
				    : wrong(parser, "a carriage return stands alone", error);
	if (parser->place == AFTER_QUOTE && byte == '"') {
		buffer_append_u8(&parser->field, byte);
		parser->place = IN_QUOTES;
		return true;
	}
	if (parser->place != IN_QUOTES)
		return take_unquoted(parser, byte, error);
	if (byte == '"')
		parser->place = AFTER_QUOTE;
	else
		buffer_append_u8(&parser->field, byte);
	return true;
}

static bool parse(struct parser *parser, struct reader *reader, struct error *error)
{
	while (reader_left(reader) > 0) {
		if (!take_byte(parser, reader_u8(reader), error))
			return false;
	}
	if (parser->place == IN_QUOTES)
		return wrong(parser, "a quote is not closed", error);
	if (parser->place == AFTER_CR)
		return wrong(parser, "a carriage return stands alone", error);
	if (!end_row(parser, error))
		return false;
	return parser->table.columns > 0 ||
	       error_set(error, ERROR_INVALID_ARGUMENT, "there is no header row");
}

static void skip_byte_order_mark(struct reader *reader)
{
	struct reader ahead = *reader;
	const uint8_t *mark = reader_bytes(&ahead, 3);

	if (mark && memcmp(mark, BYTE_ORDER_MARK, 3) == 0)
		*reader = ahead;
}

bool csv_parse(const uint8_t *data, size_t length, struct csv_table *table, struct error *error)
{
	_cleanup_(parser_clear) struct parser parser = {.line = 1};
	struct reader reader = READER_INIT(data, length);

	skip_byte_order_mark(&reader);
	if (!parse(&parser, &reader, error))
		return false;
	*table = parser.table;
	parser.table = (struct csv_table)CSV_TABLE_INIT;
	return true;
}

void csv_append(struct buffer *buffer, const char *field, bool is_first)
{
	if (!is_first)
		buffer_append_u8(buffer, ',');
	/* Bare at the beginning of the table, a mark would be passed over. */
	bool is_marked = strncmp(field, BYTE_ORDER_MARK, 3) == 0;
	if (field[0] && !is_marked && !strpbrk(field, "\",\r\n")) {
		buffer_append_string(buffer, field);
		return;
	}
	buffer_append_u8(buffer, '"');
	for (const char *c = field; *c; c++) {
		if (*c == '"')
			buffer_append_u8(buffer, '"');
		buffer_append_u8(buffer, (uint8_t)*c);
	}
	buffer_append_u8(buffer, '"');
}

void csv_append_end(struct buffer *buffer)
{
	buffer_append_string(buffer, "\r\n");
}
