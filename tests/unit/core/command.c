/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "core/command.h"
#include "lib/scratch.h"

#define HOUR_MS (60 * 60 * 1000)

/* Programs in a folder of their own. */
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
	write_program("tell", "for a; do printf '<%s>' \"$a\"; done; exit 3");
	write_program("show", "env; pwd; readlink /proc/self/fd/0; ls /proc/self/fd");
	write_program("complain", "echo 'first'; printf 'it \\033 went wrong\\n\\n' >&2; exit 1");
	write_program("flood", "while :; do echo 0123456789; done");
	write_program("hang", "sleep 1000 & echo $! >\"$1\"; wait");
	write_program("leave", "sleep 1000 & echo $!");
	write_program("die", "kill -9 $$");
	write_program("writable", "exit 0");
	_cleanup_free_ char *path = xasprintf("%s/writable", folder);
	return chmod(path, 0777);
}

static int tear_down(void **state)
{
	(void)state;
	scratch_free(folder);
	return 0;
}

static bool run(char *const *arguments, unsigned timeout_ms, struct command_outcome *outcome,
	struct error *error)
{
	const struct command command = {.folder = folder,
		.arguments = arguments,
		.timeout_ms = timeout_ms,
		.output_max = 1000};

	return command_run(&command, outcome, error);
}
#define RUN(outcome, error, timeout_ms, ...)                                                       \
	run((char *const[]){__VA_ARGS__, NULL}, timeout_ms, outcome, error)
#define T(text) ((char *)(uintptr_t)(text))

static char *text_of(const struct buffer *buffer)
{
	return xasprintf("%.*s", (int)buffer->length, (const char *)buffer->data);
}

static void arguments_reach_the_program_as_they_are(void **state)
{
	_cleanup_command_outcome_ struct command_outcome outcome = COMMAND_OUTCOME_INIT;

	(void)state;
	assert_true(RUN(&outcome, NULL, HOUR_MS, T("tell"), T("a b"), T("$(id);'\""), T("")));
	_cleanup_free_ char *said = text_of(&outcome.output);
	assert_string_equal(said, "<a b><$(id);'\"><>");
	assert_int_equal(outcome.status, 3);
}

static void a_command_gets_nothing_of_the_daemon(void **state)
{
	_cleanup_command_outcome_ struct command_outcome outcome = COMMAND_OUTCOME_INIT;
	int leaked = fcntl(STDERR_FILENO, F_DUPFD, 20);

	(void)state;
	setenv("SECRET_OF_THE_DAEMON", "1", 1);
	assert_true(RUN(&outcome, NULL, HOUR_MS, T("show")));
	_cleanup_free_ char *said = text_of(&outcome.output);
	assert_non_null(strstr(said, "PATH="));
	assert_null(strstr(said, "SECRET_OF_THE_DAEMON"));
	assert_non_null(strstr(said, "\n/\n/dev/null\n"));
	_cleanup_free_ char *descriptor = xasprintf("\n%d\n", leaked);
	assert_true(leaked >= 20);
	assert_null(strstr(said, descriptor));
	close(leaked);
}

static void its_last_line_is_shown_without_control_characters(void **state)
{
	_cleanup_command_outcome_ struct command_outcome outcome = COMMAND_OUTCOME_INIT;

	(void)state;
	assert_true(RUN(&outcome, NULL, HOUR_MS, T("complain")));
	_cleanup_free_ char *line = command_last_line(&outcome);
	assert_string_equal(line, "it ? went wrong");
	buffer_clear(&outcome.errors);
	_cleanup_free_ char *other = command_last_line(&outcome);
	assert_string_equal(other, "first");
}

/* A process that is a zombie has ended, too: who reaps it here is nobody we know. */
static bool runs(pid_t pid)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/stat", (int)pid);
	FILE *file = fopen(path, "r");
	char state = 'Z';

	if (file) {
		if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
			state = 'Z';
		fclose(file);
	}
	return state != 'Z' && state != 'X';
}

static void assert_ends(pid_t pid)
{
	assert_true(pid > 1);
	while (runs(pid))
		usleep(10000);
}

static void a_command_that_hangs_is_ended_with_all_it_started(void **state)
{
	_cleanup_command_outcome_ struct command_outcome outcome = COMMAND_OUTCOME_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_free_ char *path = xasprintf("%s/pid", folder);
	int pid = 0;

	(void)state;
	/* Long enough for a loaded machine to have started it. */
	assert_false(RUN(&outcome, &error, 3000, T("hang"), path));
	assert_int_equal(error.code, ERROR_TIMEOUT);
	assert_true(outcome.may_have_done_it);
	FILE *file = fopen(path, "r");
	if (!file)
		return;
	if (fscanf(file, "%d", &pid) == 1)
		assert_ends(pid);
	fclose(file);
}

static void what_a_command_leaves_behind_ends_with_it(void **state)
{
	_cleanup_command_outcome_ struct command_outcome outcome = COMMAND_OUTCOME_INIT;

	(void)state;
	assert_true(RUN(&outcome, NULL, HOUR_MS, T("leave")));
	assert_int_equal(outcome.status, 0);
	_cleanup_free_ char *said = text_of(&outcome.output);
	assert_ends(atoi(said));
}

static void endless_output_is_no_answer(void **state)
{
	_cleanup_command_outcome_ struct command_outcome outcome = COMMAND_OUTCOME_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_false(RUN(&outcome, &error, HOUR_MS, T("flood")));
	assert_int_equal(error.code, ERROR_FAILED);
	assert_non_null(strstr(error.message, "more than 1000 bytes"));
}

static void a_command_that_is_killed_has_failed(void **state)
{
	_cleanup_command_outcome_ struct command_outcome outcome = COMMAND_OUTCOME_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_false(RUN(&outcome, &error, HOUR_MS, T("die")));
	assert_int_equal(error.code, ERROR_FAILED);
	assert_non_null(strstr(error.message, "signal 9"));
}

static void only_programs_of_the_folder_are_run(void **state)
{
	static const char *const names[] = {"", ".", "..", "../tell", "/bin/true", "nothing", "-x"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_command_outcome_ struct command_outcome outcome = COMMAND_OUTCOME_INIT;
		_cleanup_error_ struct error error = ERROR_INIT;
		assert_false(RUN(&outcome, &error, HOUR_MS, T(names[i])));
		assert_int_equal(error.code, ERROR_NOT_FOUND);
		assert_false(outcome.may_have_done_it);
	}
}

static void what_others_can_write_is_not_run(void **state)
{
	_cleanup_command_outcome_ struct command_outcome outcome = COMMAND_OUTCOME_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_false(RUN(&outcome, &error, HOUR_MS, T("writable")));
	assert_int_equal(error.code, ERROR_ACCESS_DENIED);
	assert_int_equal(chmod(folder, 0777), 0);
	error_clear(&error);
	assert_false(RUN(&outcome, &error, HOUR_MS, T("tell")));
	assert_int_equal(error.code, ERROR_ACCESS_DENIED);
	assert_int_equal(chmod(folder, 0755), 0);
}

static void without_a_folder_nothing_is_run(void **state)
{
	char *const arguments[] = {T("tell"), NULL};
	const struct command command = {.arguments = arguments, .timeout_ms = 1, .output_max = 1};
	_cleanup_command_outcome_ struct command_outcome outcome = COMMAND_OUTCOME_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_false(command_run(&command, &outcome, &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments_reach_the_program_as_they_are),
		cmocka_unit_test(a_command_gets_nothing_of_the_daemon),
		cmocka_unit_test(its_last_line_is_shown_without_control_characters),
		cmocka_unit_test(a_command_that_hangs_is_ended_with_all_it_started),
		cmocka_unit_test(what_a_command_leaves_behind_ends_with_it),
		cmocka_unit_test(endless_output_is_no_answer),
		cmocka_unit_test(a_command_that_is_killed_has_failed),
		cmocka_unit_test(only_programs_of_the_folder_are_run),
		cmocka_unit_test(what_others_can_write_is_not_run),
		cmocka_unit_test(without_a_folder_nothing_is_run),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
