/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/log.h"
#include "core/process.h"

#define ERRORS_MAX 4096 /* bytes that are kept of its standard error */
#define SHOWN_MAX  200	/* bytes of one that is shown */
#define CHUNK	   4096

void command_outcome_clear(struct command_outcome *outcome)
{
	buffer_clear(&outcome->output);
	buffer_clear(&outcome->errors);
	*outcome = (struct command_outcome)COMMAND_OUTCOME_INIT;
}

bool command_name_is_valid(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";

	return name[0] != '\0' && name[0] != '.' && name[0] != '-' &&
	       name[strspn(name, allowed)] == '\0';
}

/* --- the program --- */

/* What others could write would let them be the daemon. Follows links. */
static bool check_owner(const char *path, struct error *error)
{
	struct stat status;

	if (stat(path, &status) != 0)
		return error_set(error, ERROR_NOT_FOUND,
			"%s: %s; the administrator of this machine puts or links there what a "
			"connection may run",
			path, strerror(errno));
	bool is_ours = status.st_uid == 0 || status.st_uid == geteuid();
	return (is_ours && !(status.st_mode & (S_IWGRP | S_IWOTH))) ||
	       error_set(error, ERROR_ACCESS_DENIED,
		       "%s is not run, as others than root may write to it", path);
}

/* Heap path. */
static char *find_program(const struct command *command, struct error *error)
{
	const char *name = command->arguments[0];

	if (!command->folder || !name || !command_name_is_valid(name)) {
		error_set(error, ERROR_NOT_FOUND, "there is no command of that name");
		return NULL;
	}
	_cleanup_free_ char *path = xasprintf("%s/%s", command->folder, name);
	if (!check_owner(command->folder, error) || !check_owner(path, error))
		return NULL;
	return steal_pointer(&path);
}

/* --- one run --- */

struct run {
	const struct command *command;
	struct command_outcome *outcome;
	int output[2], errors[2]; /* pipes: where it is read, where it is written; -1: closed */
	pid_t pid;
	int pid_fd;
	int64_t deadline_ms;
};

static void close_if_open(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void run_clear(struct run *run)
{
	close_if_open(&run->output[0]);
	close_if_open(&run->output[1]);
	close_if_open(&run->errors[0]);
	close_if_open(&run->errors[1]);
	close_if_open(&run->pid_fd);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool open_pipes(struct run *run)
{
	return pipe2(run->output, O_CLOEXEC) == 0 && pipe2(run->errors, O_CLOEXEC) == 0 &&
	       fcntl(run->output[0], F_SETFL, O_NONBLOCK) == 0 &&
	       fcntl(run->errors[0], F_SETFL, O_NONBLOCK) == 0;
}

static bool start(struct run *run, struct error *error)
{
	_cleanup_free_ char *program = find_program(run->command, error);
	const struct process_options options = {.program = program,
		.arguments = run->command->arguments,
		.output = run->output[1],
		.errors = run->errors[1],
		.passed = -1,
		.folder = "/"};

	if (!program)
		return false;
	int status = process_start(&options, &run->pid);
	close_if_open(&run->output[1]);
	close_if_open(&run->errors[1]);
	if (status != 0)
		return error_set(
			error, ERROR_FAILED, "%s cannot be started: %s", program, strerror(status));
	run->outcome->may_have_done_it = true;
	run->pid_fd = pidfd_open(run->pid, 0);
	return true;
}

/* Reads what is there, and closes a pipe that is at its end. What is beyond maximum is lost. */
static void read_pipe(int *fd, struct buffer *buffer, size_t maximum)
{
	uint8_t chunk[CHUNK];
	ssize_t length = -1;

	while (*fd >= 0 && (length = read(*fd, chunk, sizeof(chunk))) > 0) {
		size_t room = buffer->length < maximum ? maximum - buffer->length : 0;
		size_t kept = (size_t)length < room ? (size_t)length : room;
		buffer_append(buffer, chunk, kept);
		if (room == 0)
			return;
	}
	if (length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR))
		close_if_open(fd);
}

/* One more than the limit shows that it was exceeded. */
static bool read_all(struct run *run, struct error *error)
{
	struct command_outcome *outcome = run->outcome;

	read_pipe(&run->output[0], &outcome->output, run->command->output_max + 1);
	read_pipe(&run->errors[0], &outcome->errors, ERRORS_MAX);
	return outcome->output.length <= run->command->output_max ||
	       error_set(error, ERROR_FAILED, "%s writes more than %zu bytes, and was ended",
		       run->command->arguments[0], run->command->output_max);
}

static bool await(struct run *run, struct error *error)
{
	for (;;) {
		struct pollfd wanted[] = {{.fd = run->pid_fd, .events = POLLIN},
			{.fd = run->output[0], .events = POLLIN},
			{.fd = run->errors[0], .events = POLLIN}};
		int64_t left = run->deadline_ms - now_ms();
		if (left <= 0)
			return error_set(error, ERROR_TIMEOUT,
				"%s was not ready within %u seconds, and was ended",
				run->command->arguments[0], run->command->timeout_ms / 1000);
		int ready = poll(wanted, ARRAY_SIZE(wanted), (int)left);
		if (ready < 0 && errno != EINTR)
			return error_set(error, ERROR_FAILED, "a command cannot be waited for: %m");
		if (!read_all(run, error))
			return false;
		if (ready > 0 && wanted[0].revents)
			return true;
	}
}

static bool end(struct run *run, bool good, struct error *error)
{
	int status = 0;

	if (!process_end(run->pid, run->pid_fd, &status)) {
		log_error("a command does not end pid=%d", (int)run->pid);
		return good ? error_set(error, ERROR_FAILED, "%s does not end",
				      run->command->arguments[0])
			    : false;
	}
	if (!good)
		return false;
	run->outcome->status = WEXITSTATUS(status);
	return WIFEXITED(status) || error_set(error, ERROR_FAILED, "%s was ended by the signal %d",
					    run->command->arguments[0], WTERMSIG(status));
}

bool command_run(
	const struct command *command, struct command_outcome *outcome, struct error *error)
{
	struct run run _cleanup_(run_clear) = {.command = command,
		.outcome = outcome,
		.output = {-1, -1},
		.errors = {-1, -1},
		.pid_fd = -1,
		.deadline_ms = now_ms() + command->timeout_ms};

	if (!open_pipes(&run))
		return error_set(error, ERROR_FAILED, "no pipe for a command: %m");
	if (!start(&run, error))
		return false;
	bool good = run.pid_fd >= 0
			    ? await(&run, error)
			    : error_set(error, ERROR_FAILED, "a command cannot be watched: %m");
	/* Its last words. */
	return end(&run, good && read_all(&run, error), error);
}

/* --- what it said --- */

static char *last_line(const struct buffer *text)
{
	size_t end = text->length;

	while (end > 0 && text->data[end - 1] <= ' ')
		end--;
	size_t begin = end;
	while (begin > 0 && text->data[begin - 1] != '\n' && end - begin < SHOWN_MAX)
		begin--;
	char *line = xcalloc(end - begin + 1, 1);
	for (size_t i = begin; i < end; i++) {
		uint8_t byte = text->data[i];
		line[i - begin] = byte >= ' ' && byte < 0x7f ? (char)byte : '?';
	}
	return line;
}

char *command_last_line(const struct command_outcome *outcome)
{
	char *line = last_line(&outcome->errors);

	if (line[0] != '\0')
		return line;
	free(line);
	return last_line(&outcome->output);
}
