/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "common/macros.h"

static bool parse(const char *text, struct csv_table *table, struct error *error)
{
	return csv_parse((const uint8_t *)text, strlen(text), table, error);
}

static void assert_row(const struct csv_table *table, size_t row, const char *one, const char *two)
{
	assert_true(row < table->count);
	assert_string_equal(table->rows[row].fields[0], one);
	assert_string_equal(table->rows[row].fields[1], two);
}

static void rows_and_fields_are_told_apart(void **state)
{
	static const char *const texts[] = {
		"name,mail\r\nAda,a@x\r\nGrace,\r\n",
		"name,mail\nAda,a@x\nGrace,",
		"\xEF\xBB\xBFname,mail\n\nAda,a@x\r\n\r\nGrace,\n\n",
		"\"name\",\"mail\"\r\n\"Ada\",\"a@x\"\r\n\"Grace\",\"\"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct csv_table table _cleanup_csv_table_ = CSV_TABLE_INIT;
		struct error error _cleanup_error_ = ERROR_INIT;
		if (!parse(texts[i], &table, &error))
			fail_msg("text %zu: %s", i, error_message(&error));
		assert_int_equal(table.columns, 2);
		assert_int_equal(table.count, 2);
		assert_string_equal(table.header.fields[0], "name");
		assert_string_equal(table.header.fields[1], "mail");
		assert_row(&table, 0, "Ada", "a@x");
		assert_row(&table, 1, "Grace", "");
	}
}

static void quotes_protect_commas_quotes_and_line_ends(void **state)
{
	struct csv_table table _cleanup_csv_table_ = CSV_TABLE_INIT;
	struct error error _cleanup_error_ = ERROR_INIT;

	(void)state;
	assert_true(parse("a,b\n\"Lovelace, Ada\",\"said \"\"hello\"\"\"\n\"two\r\nlines\n\",x\n"
			  "last,row\n",
		&table, &error));
	assert_int_equal(table.count, 3);
	assert_row(&table, 0, "Lovelace, Ada", "said \"hello\"");
	assert_row(&table, 1, "two\r\nlines\n", "x");
	assert_int_equal(table.rows[1].line, 5); /* where its last field ends */
	assert_row(&table, 2, "last", "row");
}

static void what_is_no_table_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"", "there is no header row"},
		{"\n\r\n", "there is no header row"},
		{"a,b\n1\n", "line 2: it has 1 fields, the header has 2"},
		{"a,b\n1,2\n1,2,3\n", "line 3: it has 3 fields, the header has 2"},
		{"a,b\n\"1,2\n", "line 3: a quote is not closed"},
		{"a,b\n\"1\"x,2\n", "line 2: there is text behind a closing quote"},
		{"a,b\n1\"1,2\n", "line 2: there is a quote in a field without quotes"},
		{"a,b\r1,2\r\n", "line 1: a carriage return stands alone"},
		{"a,b\n1,2\r", "line 2: a carriage return stands alone"},
		{"a,b\n\"1\"\r2,2\n", "line 2: a carriage return stands alone"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct csv_table table = CSV_TABLE_INIT;
		struct error error _cleanup_error_ = ERROR_INIT;
		assert_false(parse(cases[i].text, &table, &error));
		assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
		assert_string_equal(error_message(&error), cases[i].message);
		assert_null(table.rows);
	}
}

static void zero_bytes_and_too_many_fields_are_refused(void **state)
{
	static const uint8_t zero[] = {'a', ',', 0, '\n'};
	struct csv_table table _cleanup_csv_table_ = CSV_TABLE_INIT;
	struct error error _cleanup_error_ = ERROR_INIT;
	char commas[CSV_FIELDS_MAXIMUM + 1];

	(void)state;
	assert_false(csv_parse(zero, sizeof(zero), &table, &error));
	error_clear(&error);
	memset(commas, ',', CSV_FIELDS_MAXIMUM);
	commas[CSV_FIELDS_MAXIMUM] = '\0';
	assert_false(parse(commas, &table, &error));
	error_clear(&error);
	commas[CSV_FIELDS_MAXIMUM - 1] = '\0';
	assert_true(parse(commas, &table, &error));
	assert_int_equal(table.columns, CSV_FIELDS_MAXIMUM);
}

static void what_was_written_is_read_back(void **state)
{
	static const char *const fields[] = {
		"plain", "", "a,b", "\"", "two\nlines", "\r\n", " spaces ", "=1+1", "\xC3\xA4"};
	struct csv_table table _cleanup_csv_table_ = CSV_TABLE_INIT;
	struct error error _cleanup_error_ = ERROR_INIT;
	struct buffer text _cleanup_buffer_ = BUFFER_INIT;

	(void)state;
	for (int row = 0; row < 2; row++) {
		for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
			csv_append(&text, fields[i], i == 0);
		csv_append_end(&text);
	}
	assert_true(csv_parse(text.data, text.length, &table, &error));
	assert_int_equal(table.count, 1);
	assert_int_equal(table.columns, ARRAY_SIZE(fields));
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		assert_string_equal(table.rows[0].fields[i], fields[i]);
}

/* Every beginning of a table is a table, or is refused: nothing is read beyond it. */
static void tables_that_are_cut_off_do_no_harm(void **state)
{
	static const char whole[] = "a,\"b\"\r\n\"x \"\"y\"\", z\",\r\n1,\"2\"";

	(void)state;
	for (size_t length = 0; length < sizeof(whole) - 1; length++) {
		struct csv_table table _cleanup_csv_table_ = CSV_TABLE_INIT;
		struct error error _cleanup_error_ = ERROR_INIT;
		uint8_t *copy = xcalloc(length + 1, 1);
		memcpy(copy, whole, length);
		bool parsed = csv_parse(copy, length, &table, &error);
		assert_int_equal(parsed, error.code == ERROR_NONE);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_and_fields_are_told_apart),
		cmocka_unit_test(quotes_protect_commas_quotes_and_line_ends),
		cmocka_unit_test(what_is_no_table_is_refused_with_its_line),
		cmocka_unit_test(zero_bytes_and_too_many_fields_are_refused),
		cmocka_unit_test(what_was_written_is_read_back),
		cmocka_unit_test(tables_that_are_cut_off_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
