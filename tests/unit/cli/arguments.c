/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/arguments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/suggest.h"
#include "common/macros.h"

/* Splits a line at its spaces and parses it. */
static bool parse(const char *line, struct invocation *invocation, struct error *error)
{
	static char copy[512];
	char *argv[32];
	int argc = 0;

	strcpy(copy, line);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	memset(invocation, 0, sizeof(*invocation));
	return arguments_parse(argc, argv, invocation, error);
}

static void every_row_of_the_table_is_found_by_its_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < command_count; i++) {
		struct invocation invocation;
		struct error error _cleanup_error_ = ERROR_INIT;
		char line[128];
		const struct command *command = &commands[i];
		snprintf(line, sizeof(line), "tessera %s %s%s%s", command->subject,
			command->verb ? command->verb : "", command->least > 0 ? " one" : "",
			command->least > 1 ? " two" : "");
		assert_true(parse(line, &invocation, &error));
		assert_ptr_equal(invocation.command, command);
		assert_int_equal(invocation.argument_count, command->least);
	}
}

static void every_row_has_help_and_bounds_that_fit(void **state)
{
	(void)state;
	for (size_t i = 0; i < command_count; i++) {
		assert_non_null(commands[i].run);
		assert_in_range(commands[i].help[0], 'a', 'z');
		assert_true(commands[i].least <= commands[i].most);
		assert_true(commands[i].most <= ARRAY_SIZE(((struct invocation *)NULL)->arguments));
		assert_int_equal(commands[i].most > 0 || command_takes_program(&commands[i]),
			commands[i].arguments[0] != '\0');
	}
	for (enum option option = 0; option < OPTION_COUNT; option++) {
		assert_non_null(option_specs[option].name);
		assert_non_null(option_specs[option].help);
	}
}

static void options_stand_anywhere_and_take_values_both_ways(void **state)
{
	struct invocation invocation;

	(void)state;
	assert_true(parse("tessera --json card issue --reader 2 --template=ec --holder a=1 "
			  "--holder b=2 --socket /x",
		&invocation, NULL));
	assert_non_null(invocation.values[OPTION_JSON]);
	assert_string_equal(invocation.values[OPTION_READER], "2");
	assert_string_equal(invocation.values[OPTION_TEMPLATE], "ec");
	assert_int_equal(invocation.holder_count, 2);
	assert_string_equal(invocation.holder[1], "b=2");
	assert_string_equal(invocation.values[OPTION_SOCKET], "/x");
	assert_true(parse("tessera card certificate 1 signature -o out", &invocation, NULL));
	assert_string_equal(invocation.values[OPTION_OUTPUT], "out");
	assert_string_equal(invocation.arguments[1], "signature");
	assert_true(parse("tessera template show -- --odd", &invocation, NULL));
	assert_string_equal(invocation.arguments[0], "--odd");
}

static void mistakes_are_told_with_what_was_probably_meant(void **state)
{
	static const struct {
		const char *line, *message;
	} cases[] = {
		{"tessera", "no command was given"},
		{"tessera statsu", "did you mean 'status'?"},
		{"tessera card", "needs a verb"},
		{"tessera card isue", "did you mean 'issue'?"},
		{"tessera card issue --templat x", "did you mean '--template'?"},
		{"tessera card activate --pin-file x", "did you mean '--new-pin-file'?"},
		{"tessera card list --yes", "'card list' takes no --yes"},
		{"tessera card list x", "unexpected argument 'x'"},
		{"tessera card certificate", "needs [CARD] SLOT"},
		{"tessera card list --state", "needs a value"},
		{"tessera status --json=yes", "takes no value"},
		{"tessera card issue --pin 1234", "unknown option --pin"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct invocation invocation;
		struct error error _cleanup_error_ = ERROR_INIT;
		assert_false(parse(cases[i].line, &invocation, &error));
		assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
		if (!strstr(error_message(&error), cases[i].message))
			fail_msg("%s: %s", cases[i].line, error_message(&error));
	}
}

static void help_and_version_need_nothing_else(void **state)
{
	struct invocation invocation;

	(void)state;
	assert_true(parse("tessera --help", &invocation, NULL));
	assert_true(parse("tessera card --help", &invocation, NULL));
	assert_true(parse("tessera card certificate --help", &invocation, NULL));
	assert_true(parse("tessera --version", &invocation, NULL));
}

static void too_many_holder_fields_are_refused(void **state)
{
	static char *argv[3 + 2 * (HOLDER_FIELDS_MAXIMUM + 1)] = {
		(char *)"tessera", (char *)"card", (char *)"issue"};
	struct invocation invocation = {0};
	struct error error _cleanup_error_ = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i <= HOLDER_FIELDS_MAXIMUM; i++) {
		argv[3 + 2 * i] = (char *)"--holder";
		argv[4 + 2 * i] = (char *)"a=b";
	}
	assert_false(arguments_parse(ARRAY_SIZE(argv), argv, &invocation, &error));
	assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
}

static void numbers_are_digits_within_their_bounds(void **state)
{
	static const char *const bad[] = {
		"", "0", "11", "-1", "+1", " 1", "1x", "0x1", "99999999999999999999999"};
	int64_t number = 0;

	(void)state;
	assert_true(number_parse("10", "it", 1, 10, &number, NULL));
	assert_int_equal(number, 10);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(number_parse(bad[i], "it", 1, 10, &number, NULL));
	assert_int_equal(number, 10);
}

static void distances_are_those_of_levenshtein(void **state)
{
	(void)state;
	assert_int_equal(edit_distance("", ""), 0);
	assert_int_equal(edit_distance("kitten", "sitting"), 3);
	assert_int_equal(edit_distance("card", ""), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_of_the_table_is_found_by_its_words),
		cmocka_unit_test(every_row_has_help_and_bounds_that_fit),
		cmocka_unit_test(options_stand_anywhere_and_take_values_both_ways),
		cmocka_unit_test(mistakes_are_told_with_what_was_probably_meant),
		cmocka_unit_test(help_and_version_need_nothing_else),
		cmocka_unit_test(too_many_holder_fields_are_refused),
		cmocka_unit_test(numbers_are_digits_within_their_bounds),
		cmocka_unit_test(distances_are_those_of_levenshtein),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
