/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "authority/ms-cs-revoke.h"
#include "common/alloc.h"
#include "lib/scratch.h"

static char *folder;

static void write_program(const char *name, const char *script)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", folder, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fprintf(file, "#!/bin/sh\n%s\n", script);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0755), 0);
}

static int set_up(void **state)
{
	(void)state;
	folder = scratch_new();
	write_program("good", "printf '%s\\n' \"$@\" >\"$0.said\"; echo Revoking; "
			      "echo 'CertUtil: -revoke command completed successfully.'");
	write_program("bad", "echo 'access is denied' >&2; exit 5");
	write_program("lying", "echo 'CertUtil: -revoke command FAILED: 0x80070005'");
	write_program("slow", "sleep 1000");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_free(folder);
	return 0;
}

static bool parse(
	const char *document, struct ms_cs_revocation_settings *settings, struct error *error)
{
	json_t *json _cleanup_json_ = document_load(document, ERROR_INVALID_CONNECTION, error);
	struct document_node root = document_root(json, ERROR_INVALID_CONNECTION);

	assert_non_null(json);
	return ms_cs_revocation_parse(&root, settings, error);
}

static bool run(const char *program, const char *serial, int reason, struct error *error)
{
	_cleanup_free_ char *document =
		xasprintf("{\"revocation\": {\"command\": [\"%s\", \"-config\", \"CA01\\\\LAB CA\","
			  " \"-revoke\", \"{serial}\", \"reason={reason};\"],"
			  " \"timeout-seconds\": %d}}",
			program, strcmp(program, "slow") == 0 ? 1 : 600);
	const struct certificate certificate = {.serial_hex = (char *)(uintptr_t)serial};
	struct ms_cs_revocation_settings settings = {0};

	assert_true(parse(document, &settings, NULL));
	bool done = ms_cs_revoke_run(&settings, folder, &certificate, reason, error);
	ms_cs_revocation_clear(&settings);
	return done;
}

static void assert_said(const char *expected)
{
	_cleanup_free_ char *path = xasprintf("%s/good.said", folder);
	FILE *file = fopen(path, "r");
	char said[256];

	assert_non_null(file);
	size_t length = fread(said, 1, sizeof(said) - 1, file);
	said[length] = '\0';
	fclose(file);
	assert_string_equal(said, expected);
}

static void the_command_gets_the_serial_number_and_the_reason(void **state)
{
	(void)state;
	assert_true(run("good", "0a1b", 4, NULL));
	assert_said("-config\nCA01\\LAB CA\n-revoke\n0a1b\nreason=4;\n");
	/* Digits are even, or certutil finds nothing. */
	assert_true(run("good", "a1b", MS_CS_REASON_RELEASE, NULL));
	assert_said("-config\nCA01\\LAB CA\n-revoke\n0a1b\nreason=-1;\n");
}

static void a_serial_number_is_hex_and_nothing_else(void **state)
{
	static const char *const wrong[] = {"", "0A1B", "-f", "0x1b", "12 34", "12;id",
		"00112233445566778899aabbccddeeff00112233aa"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_false(run("good", wrong[i], 0, NULL));
	assert_false(run("good", NULL, 0, NULL));
}

static void a_status_that_is_not_0_is_a_failure(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_false(run("bad", "0a1b", 4, &error));
	assert_int_equal(error.code, ERROR_AUTHORITY_FAILED);
	assert_non_null(strstr(error.message, "status 5: access is denied"));
}

static void a_command_that_says_failed_has_failed(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_false(run("lying", "0a1b", 4, &error));
	assert_int_equal(error.code, ERROR_AUTHORITY_FAILED);
	assert_non_null(strstr(error.message, "FAILED: 0x80070005"));
}

static void a_command_that_hangs_is_a_failure(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_false(run("slow", "0a1b", 4, &error));
	assert_int_equal(error.code, ERROR_TIMEOUT);
}

static void a_command_that_is_not_there_is_told(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_false(run("nothing", "0a1b", 4, &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
	assert_non_null(strstr(error.message, "/nothing"));
}

static void without_a_command_it_is_done_by_hand(void **state)
{
	const struct certificate certificate = {.serial_hex = (char *)(uintptr_t) "a1b"};
	struct ms_cs_revocation_settings settings = {0};
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_true(parse("{}", &settings, NULL));
	assert_false(ms_cs_revoke_run(&settings, folder, &certificate, 6, &error));
	assert_int_equal(error.code, ERROR_NOT_SUPPORTED);
	assert_non_null(strstr(error.message, "certutil -revoke 0a1b 6"));
}

static void reasons_are_those_that_the_authority_has(void **state)
{
	(void)state;
	assert_int_equal(ms_cs_reason(revocation_reason_find("keyCompromise")), 1);
	assert_int_equal(ms_cs_reason(revocation_reason_find("certificateHold")), 6);
	assert_int_equal(ms_cs_reason(revocation_reason_find("privilegeWithdrawn")), 0);
	assert_int_equal(ms_cs_reason(NULL), 0);
}

static void assert_wrong(const char *revocation, const char *path)
{
	_cleanup_free_ char *document = xasprintf("{\"revocation\": %s}", revocation);
	struct ms_cs_revocation_settings settings = {0};
	_cleanup_error_ struct error error = ERROR_INIT;

	assert_false(parse(document, &settings, &error));
	assert_string_equal(error.field, path);
	ms_cs_revocation_clear(&settings);
}

static void wrong_documents_are_told_with_their_place(void **state)
{
	(void)state;
	assert_wrong("{}", "/revocation/command");
	assert_wrong("{\"command\": []}", "/revocation/command");
	assert_wrong("{\"command\": \"ssh\"}", "/revocation/command");
	assert_wrong("{\"command\": [\"ssh\", \"{serial}\"]}", "/revocation/command");
	assert_wrong("{\"command\": [\"ssh\", \"{reason}\"]}", "/revocation/command");
	assert_wrong("{\"command\": [\"/usr/bin/ssh\", \"{serial}\", \"{reason}\"]}",
		"/revocation/command/0");
	assert_wrong(
		"{\"command\": [\"..\", \"{serial}\", \"{reason}\"]}", "/revocation/command/0");
	assert_wrong("{\"command\": [\"{serial}\", \"{reason}\"]}", "/revocation/command/0");
	assert_wrong("{\"command\": [\"ssh\", 5, \"{serial}{reason}\"]}", "/revocation/command/1");
	assert_wrong("{\"command\": [\"ssh\", \"{serial}{reason}\"], \"timeout-seconds\": 0}",
		"/revocation/timeout-seconds");
	assert_wrong("{\"command\": [\"ssh\", \"{serial}{reason}\"], \"shell\": true}",
		"/revocation/shell");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_command_gets_the_serial_number_and_the_reason),
		cmocka_unit_test(a_serial_number_is_hex_and_nothing_else),
		cmocka_unit_test(a_status_that_is_not_0_is_a_failure),
		cmocka_unit_test(a_command_that_says_failed_has_failed),
		cmocka_unit_test(a_command_that_hangs_is_a_failure),
		cmocka_unit_test(a_command_that_is_not_there_is_told),
		cmocka_unit_test(without_a_command_it_is_done_by_hand),
		cmocka_unit_test(reasons_are_those_that_the_authority_has),
		cmocka_unit_test(wrong_documents_are_told_with_their_place),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
