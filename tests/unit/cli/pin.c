/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/pin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/alloc.h"

static char folder[] = "/tmp/tessera-pin.XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static bool read_content(
	const char *content, size_t length, struct secret *pin, struct error *error)
{
	_cleanup_free_ char *path = xasprintf("%s/pin", folder);

	FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(content, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
	bool good = pin_read_file(path, pin, error);
	unlink(path);
	return good;
}

static void assert_pin(const char *content, const char *expected)
{
	struct secret pin _cleanup_secret_ = SECRET_INIT;

	assert_true(read_content(content, strlen(content), &pin, NULL));
	assert_int_equal(pin.length, strlen(expected));
	assert_memory_equal(pin.data, expected, pin.length);
}

static void the_line_end_is_no_part_of_the_pin(void **state)
{
	(void)state;
	assert_pin("314159\n", "314159");
	assert_pin("314159", "314159");
	assert_pin("314159\r\n", "314159");
	assert_pin(" 31 41 \n", " 31 41 ");
}

static void assert_refused(
	const char *content, size_t length, enum error_code code, const char *message)
{
	struct secret pin _cleanup_secret_ = SECRET_INIT;
	struct error error _cleanup_error_ = ERROR_INIT;

	assert_false(read_content(content, length, &pin, &error));
	assert_int_equal(error.code, code);
	assert_non_null(strstr(error_message(&error), message));
	assert_false(secret_is_set(&pin));
}

static void empty_files_are_refused(void **state)
{
	(void)state;
	assert_refused("", 0, ERROR_INVALID_ARGUMENT, "holds no PIN");
	assert_refused("\n", 1, ERROR_INVALID_ARGUMENT, "holds no PIN");
}

static void files_of_more_than_one_line_are_refused(void **state)
{
	(void)state;
	assert_refused("1234\n5678\n", 10, ERROR_INVALID_ARGUMENT, "more than one line");
}

static void a_pin_that_is_too_long_is_refused_and_not_repeated(void **state)
{
	char content[PIN_MAXIMUM + 1];

	(void)state;
	memset(content, '7', sizeof(content));
	assert_refused(content, sizeof(content), ERROR_PIN_LENGTH, "longer than 64");
	struct secret pin _cleanup_secret_ = SECRET_INIT;
	assert_true(read_content(content, PIN_MAXIMUM, &pin, NULL));
	assert_int_equal(pin.length, PIN_MAXIMUM);
}

static void missing_files_and_folders_are_told(void **state)
{
	struct secret pin _cleanup_secret_ = SECRET_INIT;
	struct error error _cleanup_error_ = ERROR_INIT;

	(void)state;
	assert_false(pin_read_file("/nonexistent/pin", &pin, &error));
	assert_non_null(strstr(error_message(&error), "No such file"));
	assert_false(pin_read_file(folder, &pin, &error));
	assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
	assert_non_null(strstr(error_message(&error), "directory"));
}

static void a_descriptor_gives_one_pin_a_line(void **state)
{
	struct secret old_pin _cleanup_secret_ = SECRET_INIT;
	struct secret new_pin _cleanup_secret_ = SECRET_INIT;
	struct secret third _cleanup_secret_ = SECRET_INIT;
	struct invocation invocation = {0};
	int ends[2];
	char number[16];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "123456\n654321\n", 14), 14);
	close(ends[1]);
	snprintf(number, sizeof(number), "%d", ends[0]);
	invocation.values[OPTION_PIN_FD] = number;
	assert_true(pin_present(&invocation, &old_pin, NULL));
	assert_true(pin_new(&invocation, &new_pin, NULL));
	assert_memory_equal(old_pin.data, "123456", 6);
	assert_memory_equal(new_pin.data, "654321", 6);
	assert_false(pin_new(&invocation, &third, NULL));
	close(ends[0]);
}

static void a_descriptor_that_is_not_open_is_an_error(void **state)
{
	struct secret pin _cleanup_secret_ = SECRET_INIT;
	struct invocation invocation = {.values[OPTION_PIN_FD] = "987"};

	(void)state;
	assert_false(pin_new(&invocation, &pin, NULL));
	invocation.values[OPTION_PIN_FD] = "stdin";
	assert_false(pin_new(&invocation, &pin, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_line_end_is_no_part_of_the_pin),
		cmocka_unit_test(empty_files_are_refused),
		cmocka_unit_test(files_of_more_than_one_line_are_refused),
		cmocka_unit_test(a_pin_that_is_too_long_is_refused_and_not_repeated),
		cmocka_unit_test(missing_files_and_folders_are_told),
		cmocka_unit_test(a_descriptor_gives_one_pin_a_line),
		cmocka_unit_test(a_descriptor_that_is_not_open_is_an_error),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
