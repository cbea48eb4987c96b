/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/client.h"
#include "cli/text.h"

static const struct column columns[] = {
	{"name", "NAME", COLUMN_TEXT},
	{"note", "NOTE", COLUMN_TEXT},
	{"end", "END", COLUMN_TEXT},
};

/* What is printed of a JSON text as a table; heap. */
static char *printed(const char *json, size_t width)
{
	char *text = NULL;
	size_t length = 0;
	_cleanup_json_ json_t *records = json_loads(json, 0, NULL);

	assert_non_null(records);
	FILE *file = open_memstream(&text, &length);
	table_print(file, records, columns, ARRAY_SIZE(columns), width);
	fclose(file);
	return text;
}

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
	_cleanup_free_ char *text = printed(
		"[{\"name\":\"a\",\"note\":\"long note\",\"end\":1},{\"name\":\"bcdefg\"}]", 0);

	(void)state;
	assert_string_equal(text, "NAME    NOTE       END\n"
				  "a       long note  1\n"
				  "bcdefg  -          -\n");
}

static void wide_and_combining_characters_stay_aligned(void **state)
{
	_cleanup_free_ char *text = printed("[{\"name\":\"漢字\",\"note\":\"é\",\"end\":\"x\"},"
					    "{\"name\":\"e\xcc\x81\",\"note\":\"y\"}]",
		0);

	(void)state;
	assert_string_equal(text, "NAME  NOTE  END\n"
				  "漢字  é     x\n"
				  "e\xcc\x81     y     -\n");
}

static void control_and_deceptive_characters_are_never_printed(void **state)
{
	_cleanup_free_ char *text = printed(
		"[{\"name\":\"a\\u001b[31m\",\"note\":\"\\u202eevil\",\"end\":\"x\\ny\\u007f\"}]",
		0);

	(void)state;
	assert_non_null(strstr(text, "a?[31m  ?evil  x y?\n"));
}

static void bytes_that_are_no_utf8_become_question_marks(void **state)
{
	_cleanup_free_ char *clean = text_clean("a\xff\xc3z");

	(void)state;
	assert_string_equal(clean, "a??z");
}

static void a_table_is_narrowed_at_its_widest_column(void **state)
{
	_cleanup_free_ char *text = printed("[{\"name\":\"short\",\"note\":\"a note that is much "
					    "longer than the terminal\",\"end\":\"e\"}]",
		30);

	(void)state;
	assert_string_equal(text, "NAME   NOTE                END\n"
				  "short  a note that is mu…  e\n");
}

static void values_are_shown_as_people_read_them(void **state)
{
	static const struct {
		const char *json, *text;
	} cases[] = {
		{"true", "yes"},
		{"false", "no"},
		{"null", "-"},
		{"\"\"", "-"},
		{"[]", "-"},
		{"-7", "-7"},
		{"[\"a\",\"b\"]", "a, b"},
		{"{\"name\":\"Ada\",\"n\":1}", "name=Ada, n=1"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_json_ json_t *value = json_loads(cases[i].json, JSON_DECODE_ANY, NULL);
		_cleanup_free_ char *text = value_text(value, COLUMN_TEXT);
		assert_string_equal(text, cases[i].text);
	}
}

static void times_are_local_and_nothing_is_a_dash(void **state)
{
	_cleanup_json_ json_t *seconds = json_integer(86400);
	_cleanup_json_ json_t *micro = json_integer(86400000001);
	_cleanup_json_ json_t *zero = json_integer(0);

	(void)state;
	setenv("TZ", "UTC", 1);
	_cleanup_free_ char *one = value_text(seconds, COLUMN_TIME);
	_cleanup_free_ char *two = value_text(micro, COLUMN_TIME_MICRO);
	_cleanup_free_ char *none = value_text(zero, COLUMN_TIME);
	assert_string_equal(one, "1970-01-02 00:00:00");
	assert_string_equal(two, "1970-01-02 00:00:00");
	assert_string_equal(none, "-");
}

static void a_record_has_a_line_for_each_member_that_is_there(void **state)
{
	char *text = NULL;
	size_t length = 0;
	_cleanup_json_ json_t *record = json_pack("{s:s,s:i}", "name", "x", "end", 3);

	(void)state;
	FILE *file = open_memstream(&text, &length);
	record_print(file, record, columns, ARRAY_SIZE(columns));
	fclose(file);
	assert_string_equal(text, "NAME: x\nEND:  3\n");
	free(text);
}

static int set_locale(void **state)
{
	(void)state;
	text_set_locale();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
		cmocka_unit_test(wide_and_combining_characters_stay_aligned),
		cmocka_unit_test(control_and_deceptive_characters_are_never_printed),
		cmocka_unit_test(bytes_that_are_no_utf8_become_question_marks),
		cmocka_unit_test(a_table_is_narrowed_at_its_widest_column),
		cmocka_unit_test(values_are_shown_as_people_read_them),
		cmocka_unit_test(times_are_local_and_nothing_is_a_dash),
		cmocka_unit_test(a_record_has_a_line_for_each_member_that_is_there),
	};

	return cmocka_run_group_tests(tests, set_locale, NULL);
}
