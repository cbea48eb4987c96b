/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/editor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/file.h"
#include "common/alloc.h"

/* A file of its own for the draft, mode 0600; its path, heap. */
char *editor_write_draft(const char *name, const char *text, struct error *error)
{
	const char *folder = getenv("TMPDIR");
	_cleanup_free_ char *path =
		xasprintf("%s/tessera-%s-XXXXXX.json", folder && folder[0] ? folder : "/tmp", name);
	int descriptor = mkstemps(path, (int)strlen(".json"));
	FILE *file = descriptor >= 0 ? fdopen(descriptor, "w") : NULL;

	bool written = file && fputs(text, file) >= 0 && fputc('\n', file) != EOF;
	if (file && fclose(file) != 0)
		written = false;
	if (written)
		return steal_pointer(&path);
	error_set(error, ERROR_FAILED, "cannot write the draft %s: %s", path, strerror(errno));
	return NULL;
}

/* The variables hold a command with its arguments, so that the shell reads them. */
bool editor_run(const char *path, struct error *error)
{
	const char *visual = getenv("VISUAL"), *chosen = getenv("EDITOR");
	const char *editor = visual && visual[0] ? visual : chosen && chosen[0] ? chosen : "vi";
	_cleanup_free_ char *line = xasprintf("%s \"$1\"", editor);
	int status = 0;

	pid_t child = fork();
	if (child < 0)
		return error_set(error, ERROR_FAILED, "cannot start a process: %m");
	if (child == 0) {
		execl("/bin/sh", "sh", "-c", line, "sh", path, (char *)NULL);
		_exit(127);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
	       error_set(error, ERROR_CANCELLED, "the editor '%s' failed: nothing was changed",
		       editor);
}

json_t *editor_edit_json(const char *name, const json_t *before, char **draft, struct error *error)
{
	char *text = json_dumps(before, JSON_INDENT(2) | JSON_ENCODE_ANY);
	json_error_t where;

	*draft = editor_write_draft(name, text, error);
	free(text);
	_cleanup_free_ char *edited =
		*draft && editor_run(*draft, error) ? file_read(*draft, error) : NULL;
	json_t *after = edited ? json_loads(edited, JSON_REJECT_DUPLICATES, &where) : NULL;
	if (edited && !after)
		error_set(error, ERROR_INVALID_ARGUMENT, "line %d, column %d: %s", where.line,
			where.column, where.text);
	return after;
}

void editor_end(const char *draft, bool done, const char *what_next)
{
	if (done)
		unlink(draft);
	else if (draft)
		fprintf(stderr, "tessera: the draft is kept in %s%s\n", draft, what_next);
}
