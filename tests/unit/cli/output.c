/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/output.h"

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

#include "cli/client.h"
#include "cli/file.h"
#include "cli/object.h"
#include "common/alloc.h"

static char folder[] = "/tmp/tessera-output.XXXXXX";

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

static char *in_folder(const char *name)
{
	return xasprintf("%s/%s", folder, name);
}

static void objects_become_records_with_numbers_for_paths(void **state)
{
	_cleanup_json_ json_t *all = json_loads(
		"{\"/org/tessera1/reader/10\": {\"org.tessera1.Reader\": {\"Name\": \"b\","
		"  \"CardPresent\": true, \"Credential\": \"/org/tessera1/credential/7\"}},"
		" \"/org/tessera1/reader/9\": {\"org.tessera1.Reader\": {\"Name\": \"a\","
		"  \"Credential\": \"/\"}},"
		" \"/org/tessera1/template/x\": {\"org.tessera1.Template\": {\"Name\": \"x\"}}}",
		0, NULL);
	_cleanup_json_ json_t *readers = object_select(all, CLIENT_READER);
	_cleanup_json_ json_t *expected =
		json_loads("[{\"number\": 9, \"name\": \"a\", \"credential\": null},"
			   " {\"number\": 10, \"name\": \"b\", \"card_present\": true,"
			   "  \"credential\": 7}]",
			0, NULL);

	(void)state;
	assert_true(json_equal(readers, expected));
}

static void names_become_path_elements(void **state)
{
	_cleanup_free_ char *path = object_path_of_name("template", "my-card_1");
	_cleanup_free_ char *hostile = object_path_of_name("template", "../é");

	(void)state;
	assert_string_equal(path, "/org/tessera1/template/my_2dcard_5f1");
	assert_string_equal(hostile, "/org/tessera1/template/_2e_2e_2f_c3_a9");
}

static void pem_has_lines_of_64_characters(void **state)
{
	_cleanup_free_ char *path = in_folder("out.pem");
	struct invocation invocation = {.values[OPTION_OUTPUT] = path};
	char hex[2 * 49 + 1];

	(void)state;
	memset(hex, '0', sizeof(hex) - 1);
	hex[sizeof(hex) - 1] = '\0';
	assert_true(output_der(&invocation, "CERTIFICATE", hex, NULL));
	_cleanup_free_ char *text = file_read(path, NULL);
	assert_string_equal(text,
		"-----BEGIN CERTIFICATE-----\n"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
		"AA==\n"
		"-----END CERTIFICATE-----\n");
	unlink(path);
}

static void der_is_written_as_it_is(void **state)
{
	_cleanup_free_ char *path = in_folder("out.der");
	struct invocation invocation = {.values[OPTION_OUTPUT] = path, .values[OPTION_DER] = ""};

	(void)state;
	assert_true(output_der(&invocation, "CERTIFICATE", "3003616263", NULL));
	_cleanup_free_ char *text = file_read(path, NULL);
	assert_memory_equal(text, "0\003abc", 5);
	unlink(path);
}

static void pem_and_der_together_and_empty_answers_are_errors(void **state)
{
	struct invocation both = {.values[OPTION_PEM] = "", .values[OPTION_DER] = ""};
	struct invocation none = {0};
	struct error error _cleanup_error_ = ERROR_INIT;

	(void)state;
	assert_false(output_der(&both, "CERTIFICATE", "30", &error));
	assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
	assert_false(output_der(&none, "CERTIFICATE", "", &error));
	assert_false(output_der(&none, "CERTIFICATE", NULL, &error));
	assert_false(output_der(&none, "CERTIFICATE", "3", &error));
}

static void a_file_that_cannot_be_written_is_told_and_nothing_is_left(void **state)
{
	struct invocation invocation = {.values[OPTION_OUTPUT] = folder};
	struct error error _cleanup_error_ = ERROR_INIT;

	(void)state;
	assert_false(output_der(&invocation, "CERTIFICATE", "30", &error));
	assert_non_null(strstr(error_message(&error), "cannot write"));
}

static void documents_are_read_whole_or_refused(void **state)
{
	struct error error _cleanup_error_ = ERROR_INIT;

	(void)state;
	assert_null(file_read("/nonexistent", &error));
	assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
	assert_null(file_read(folder, &error));
	assert_null(file_read("/dev/zero", &error));
	assert_non_null(strstr(error_message(&error), "mebibyte"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_become_records_with_numbers_for_paths),
		cmocka_unit_test(names_become_path_elements),
		cmocka_unit_test(pem_has_lines_of_64_characters),
		cmocka_unit_test(der_is_written_as_it_is),
		cmocka_unit_test(pem_and_der_together_and_empty_answers_are_errors),
		cmocka_unit_test(a_file_that_cannot_be_written_is_told_and_nothing_is_left),
		cmocka_unit_test(documents_are_read_whole_or_refused),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
