/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/macros.h"

#define VARIABLES_MAX 64
#define FIRST_FREE    3 /* behind the standard descriptors */
/* How long a process that was killed may take to be gone. */
#define DEATH_TIMEOUT_MS 2000

/* Nothing of the daemon's own, which may name its credentials. */
static char **make_environment(char *const *variables)
{
	static const char *const fixed[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"LANG=C.UTF-8"};
	char **environment = xcalloc(ARRAY_SIZE(fixed) + VARIABLES_MAX + 4, sizeof(char *));
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		environment[count++] = xstrdup(fixed[i]);
#ifdef __SANITIZE_ADDRESS__
	static const char *const ours[] = {"ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS"};
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++) {
		if (getenv(ours[i]))
			environment[count++] = xasprintf("%s=%s", ours[i], getenv(ours[i]));
	}
#endif
	for (size_t i = 0; variables && variables[i] && i < VARIABLES_MAX; i++)
		environment[count++] = xstrdup(variables[i]);
	return environment;
}

static void free_environment(char **environment)
{
	for (size_t i = 0; environment[i]; i++)
		free(environment[i]);
	free(environment);
}

static void set_files(posix_spawn_file_actions_t *actions, const struct process_options *options)
{
	int kept = FIRST_FREE;

	if (options->output >= 0)
		posix_spawn_file_actions_adddup2(actions, options->output, STDOUT_FILENO);
	else
		posix_spawn_file_actions_adddup2(actions, STDERR_FILENO, STDOUT_FILENO);
	if (options->errors >= 0)
		posix_spawn_file_actions_adddup2(actions, options->errors, STDERR_FILENO);
	if (options->passed >= 0)
		posix_spawn_file_actions_adddup2(actions, options->passed, kept++);
	posix_spawn_file_actions_addclosefrom_np(actions, kept);
	posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (options->folder)
		posix_spawn_file_actions_addchdir_np(actions, options->folder);
}

int process_start(const struct process_options *options, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	set_files(&actions, options);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes,
		POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	char **environment = make_environment(options->variables);
	int status = posix_spawn(
		pid, options->program, &actions, &attributes, options->arguments, environment);
	free_environment(environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return status;
}

bool process_has_exited(int pid_fd, unsigned timeout_ms)
{
	struct pollfd wanted = {.fd = pid_fd, .events = POLLIN};

	return pid_fd >= 0 && poll(&wanted, 1, (int)timeout_ms) == 1;
}

/* The group is killed before its leader is reaped: until then nobody else has its number. */
bool process_end(pid_t pid, int pid_fd, int *status)
{
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	process_has_exited(pid_fd, DEATH_TIMEOUT_MS);
	return waitpid(pid, status, WNOHANG) == pid;
}
