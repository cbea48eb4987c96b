/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance/result.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance/deviation.h"

#define CRASHES 32 /* of all chapters: then something else is wrong */
#define TIME_LIMIT                                                                                 \
	120 /* seconds for a chapter: it takes one or two, and the machine may be slow             \
	     */
#define RESULTS_MAX 4096

static struct result results[RESULTS_MAX];
static size_t result_count;
static char *crashed[CRASHES];
static size_t crashed_count;
static FILE *out;

/* --- in the chapter's process --- */

void result_tell(const char *outcome, const char *section, const char *name, const char *detail)
{
	char line[1024];
	int length = snprintf(
		line, sizeof(line), "%s\t%s\t%s\t%.600s\n", outcome, section, name, detail);

	if (!out) {
		/* Gone with the process that it was forked from. */
		return;
	}
	for (char *byte = line; byte < line + length - 1; byte++) {
		if (*byte == '\n')
			*byte = ' ';
	}
	fputs(line, out);
	fflush(out);
}

bool results_has_crashed(const char *name)
{
	for (size_t i = 0; i < crashed_count; i++) {
		if (!strcmp(crashed[i], name))
			return true;
	}
	return false;
}

/* --- in the other one --- */

static char *copy(const char *text)
{
	char *copied = strdup(text);

	if (!copied)
		abort();
	return copied;
}

static struct result *find_result(const char *name)
{
	for (size_t i = 0; i < result_count; i++) {
		if (!strcmp(results[i].name, name))
			return &results[i];
	}
	return NULL;
}

static void add_result(const char *outcome, const char *section, const char *name,
	const char *detail, size_t older)
{
	struct result *known = find_result(name);

	if (known && (size_t)(known - results) < older)
		return; /* from before the crash */
	if (known) {
		known->outcome = "fail";
		known->detail = "there are two checks of this name";
		return;
	}
	if (result_count == RESULTS_MAX)
		abort();
	results[result_count++] =
		(struct result){copy(outcome), copy(section), copy(name), copy(detail)};
}

/* Reads until the chapter's end; the last check that began and did not end is in name. */
static void read_results(FILE *in, char *section, char *name, size_t room, size_t older)
{
	char line[1024];

	*name = '\0';
	while (fgets(line, sizeof(line), in)) {
		char *rest = line;
		char *field[4];
		for (size_t i = 0; i < 4; i++) {
			field[i] = strsep(&rest, "\t\n");
			if (!field[i])
				abort();
		}
		bool begins = !strcmp(field[0], "begin");
		snprintf(section, room, "%s", begins ? field[1] : "");
		snprintf(name, room, "%s", begins ? field[2] : "");
		if (!begins)
			add_result(field[0], field[1], field[2], field[3], older);
	}
}

static const char *end_of(int status)
{
	static char text[64];

	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return NULL;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		snprintf(text, sizeof(text), "did not return");
	else if (WIFSIGNALED(status))
		snprintf(text, sizeof(text), "crashed: %s", strsignal(WTERMSIG(status)));
	else
		snprintf(text, sizeof(text), "the process ended with status %d",
			WEXITSTATUS(status));
	return text;
}

/* Returns whether it came to its end. */
static bool run_once(const char *chapter, void (*run)(void), size_t older)
{
	char section[128], name[128];
	int ends[2];
	int status;

	fflush(stdout);
	if (pipe(ends) < 0)
		abort();
	pid_t child = fork();
	if (child < 0)
		abort();
	if (!child) {
		close(ends[0]);
		out = fdopen(ends[1], "w");
		alarm(TIME_LIMIT);
		run();
		_exit(0);
	}
	close(ends[1]);
	FILE *in = fdopen(ends[0], "r");
	read_results(in, section, name, sizeof(name), older);
	fclose(in);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	const char *end = end_of(status);
	if (!end)
		return true;
	if (!*name || crashed_count == CRASHES) {
		add_result("fail", "?", chapter, end, older);
		return true;
	}
	add_result("fail", section, name, end, older);
	crashed[crashed_count++] = copy(name);
	return false;
}

void results_of_chapter(const char *name, void (*run)(void))
{
	size_t older = result_count;

	while (!run_once(name, run, older))
		older = result_count;
}

bool results_compare(const char *file, const char *kind)
{
	return deviations_compare(file, kind, results, result_count);
}
