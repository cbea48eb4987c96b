/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/log.h"
#include "token/frame.h"

/* How long a process that was killed may take to be gone: it may be waiting for a device. */
#define DEATH_TIMEOUT_MS 2000
#define VARIABLES_MAX	 64

struct child {
	atomic_uint references;
	char *name;
	unsigned timeout_ms;
	pid_t pid;
	int pid_fd;
	pthread_mutex_t ending; /* guards `reaped`; held while the end is waited for */
	bool reaped;
	pthread_mutex_t lock; /* guards all below; taken after `ending` */
	pthread_cond_t returned;
	int control;
	int idle[CHILD_CHANNELS_MAX];
	unsigned idle_count, lent_count;
	char *end; /* why it was ended; NULL while it runs */
};

static void close_if_open(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* --- the start --- */

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

/* In a group of its own, so that what the module starts ends with it. */
static int spawn(pid_t *pid, const char *program, char **environment, int control)
{
	char *const arguments[] = {(char *)(uintptr_t) "tessera-token", NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, control, CHILD_CONTROL);
	posix_spawn_file_actions_addclosefrom_np(&actions, CHILD_CONTROL + 1);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes,
		POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	int status = posix_spawn(pid, program, &actions, &attributes, arguments, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return status;
}

static bool start(
	struct child *child, const struct child_options *options, int control, struct error *error)
{
	char **environment = make_environment(options->variables);
	int status = spawn(&child->pid, options->program, environment, control);

	free_environment(environment);
	if (status != 0) {
		child->reaped = true;
		return error_set(error, ERROR_TOKEN_FAILED,
			"cannot start the process of the PKCS#11 module, %s: %s", options->program,
			strerror(status));
	}
	child->pid_fd = pidfd_open(child->pid, 0);
	log_info("the PKCS#11 module's process has started slot=%s pid=%d", child->name,
		(int)child->pid);
	return true;
}

struct child *child_start(const struct child_options *options, struct error *error)
{
	_cleanup_child_ struct child *child = xnew(struct child);
	int sockets[2] = {-1, -1};

	child->references = 1;
	child->name = xstrdup(options->name);
	child->timeout_ms = options->timeout_ms;
	child->pid_fd = child->control = -1;
	pthread_mutex_init(&child->ending, NULL);
	pthread_mutex_init(&child->lock, NULL);
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&child->returned, &attributes);
	pthread_condattr_destroy(&attributes);
	if (!frame_pair(sockets)) {
		child->reaped = true;
		error_set(
			error, ERROR_TOKEN_FAILED, "no socket for a PKCS#11 module's process: %m");
		return NULL;
	}
	child->control = sockets[0];
	bool done = start(child, options, sockets[1], error);
	close(sockets[1]);
	return done ? steal_pointer(&child) : NULL;
}

/* --- the end --- */

static bool has_exited(const struct child *child, unsigned timeout_ms)
{
	struct pollfd wanted = {.fd = child->pid_fd, .events = POLLIN};

	return child->pid_fd >= 0 && poll(&wanted, 1, (int)timeout_ms) == 1;
}

/* Heap; what became of it. */
static char *describe_status(int status)
{
	int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	const char *name = sigabbrev_np(number);

	if (WIFSIGNALED(status))
		return xasprintf("the PKCS#11 module crashed (SIG%s: %s)", name ? name : "?",
			sigdescr_np(number) ? sigdescr_np(number) : "unknown");
	return xasprintf(
		"the PKCS#11 module ended its process with status %d", WEXITSTATUS(status));
}

/* Kills what is left and reaps it. *status: how it ended; false when it does not go away. */
static bool reap(struct child *child, int *status)
{
	if (child->reaped)
		return false;
	kill(-child->pid, SIGKILL);
	kill(child->pid, SIGKILL);
	has_exited(child, DEATH_TIMEOUT_MS);
	child->reaped = waitpid(child->pid, status, WNOHANG) == child->pid;
	if (!child->reaped)
		log_error("the PKCS#11 module's process cannot be ended slot=%s pid=%d",
			child->name, (int)child->pid);
	return child->reaped;
}

static void note_end(struct child *child, char *why)
{
	pthread_mutex_lock(&child->lock);
	child->end = why;
	close_if_open(&child->control);
	pthread_cond_broadcast(&child->returned);
	pthread_mutex_unlock(&child->lock);
	log_error("%s slot=%s pid=%d", why, child->name, (int)child->pid);
}

/* why NULL: it ended by itself, and how is found out. */
void child_kill(struct child *child, const char *why)
{
	int status = 0;

	pthread_mutex_lock(&child->ending);
	if (!child->reaped && !child_has_ended(child)) {
		bool gone = reap(child, &status);
		bool was_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
		note_end(child, why		      ? xstrdup(why)
				: gone && !was_killed ? describe_status(status)
						      : xstrdup("the PKCS#11 module's process "
								"was killed"));
	}
	pthread_mutex_unlock(&child->ending);
}

bool child_has_ended(struct child *child)
{
	pthread_mutex_lock(&child->lock);
	bool ended = child->end != NULL;
	pthread_mutex_unlock(&child->lock);
	return ended;
}

char *child_end_text(struct child *child)
{
	pthread_mutex_lock(&child->lock);
	char *text = xstrdup(child->end);
	pthread_mutex_unlock(&child->lock);
	return text;
}

void child_await_end(struct child *child, unsigned timeout_ms)
{
	int status = 0;

	pthread_mutex_lock(&child->ending);
	if (!child->reaped && !child_has_ended(child)) {
		if (!has_exited(child, timeout_ms))
			log_warning("the PKCS#11 module does not end; its process is killed "
				    "slot=%s pid=%d",
				child->name, (int)child->pid);
		reap(child, &status);
	}
	pthread_mutex_unlock(&child->ending);
}

struct child *child_ref(struct child *child)
{
	child->references++;
	return child;
}

void child_unref(struct child *child)
{
	int status;

	if (!child || --child->references > 0)
		return;
	reap(child, &status);
	close_if_open(&child->control);
	close_if_open(&child->pid_fd);
	for (unsigned i = 0; i < child->idle_count; i++)
		close(child->idle[i]);
	pthread_cond_destroy(&child->returned);
	pthread_mutex_destroy(&child->lock);
	pthread_mutex_destroy(&child->ending);
	free(child->name);
	free(child->end);
	free(child);
}

/* --- questions --- */

static bool fail_ended(struct child *child, struct error *error)
{
	pthread_mutex_lock(&child->lock);
	error_set(error, ERROR_TOKEN_FAILED, "%s; it is started again at its next use", child->end);
	pthread_mutex_unlock(&child->lock);
	return false;
}

static bool fail(struct child *child, enum frame_result result, struct error *error)
{
	if (result == FRAME_INVALID)
		return child_refuse_answer(child, error);
	if (result == FRAME_CLOSED) {
		child_kill(child, NULL);
		return fail_ended(child, error);
	}
	_cleanup_free_ char *why = xasprintf(
		"the PKCS#11 module did not answer within %u seconds, and its process was ended",
		(child->timeout_ms + 999) / 1000);
	child_kill(child, why);
	fail_ended(child, error);
	if (error)
		error->code = ERROR_TIMEOUT;
	return false;
}

bool child_refuse_answer(struct child *child, struct error *error)
{
	child_kill(child, "the PKCS#11 module's process gave an answer that makes no sense, and "
			  "was ended");
	return fail_ended(child, error);
}

/* A new channel, whose other end the process gets; -1 when there is none. */
static int open_channel(struct child *child)
{
	int sockets[2];

	if (!frame_pair(sockets))
		return -1;
	bool passed = frame_limit_waiting(sockets[0], child->timeout_ms) &&
		      frame_pass_socket(child->control, sockets[1]);
	close(sockets[1]);
	if (passed)
		return sockets[0];
	close(sockets[0]);
	return -1;
}

/* Whether one is free or may be opened. Called with the lock. */
static bool wait_for_room(struct child *child, int64_t deadline_ms)
{
	const struct timespec deadline = {deadline_ms / 1000, deadline_ms % 1000 * 1000000};
	int status = 0;

	while (status == 0 && !child->end && child->lent_count == CHILD_CHANNELS_MAX)
		status = pthread_cond_timedwait(&child->returned, &child->lock, &deadline);
	return child->end || child->lent_count < CHILD_CHANNELS_MAX;
}

bool child_take(struct child *child, struct child_channel *channel, bool *dead, struct error *error)
{
	int64_t deadline_ms = frame_now_ms() + child->timeout_ms;

	*channel = (struct child_channel){.child = child, .socket = -1, .deadline_ms = deadline_ms};
	pthread_mutex_lock(&child->lock);
	bool has_room = wait_for_room(child, deadline_ms);
	*dead = child->end != NULL;
	if (has_room && !*dead) {
		channel->socket = child->idle_count > 0 ? child->idle[--child->idle_count]
							: open_channel(child);
		child->lent_count += channel->socket >= 0;
	}
	pthread_mutex_unlock(&child->lock);
	if (channel->socket >= 0)
		return true;
	if (!has_room)
		return error_set(error, ERROR_BUSY,
			"the PKCS#11 module is busy with %d other calls", CHILD_CHANNELS_MAX);
	/* That a channel cannot be passed on is how an end that nobody saw shows. */
	*dead = true;
	child_kill(child, NULL);
	return fail_ended(child, error);
}

void child_return(struct child_channel *channel)
{
	struct child *child = channel->child;

	if (!child || channel->socket < 0)
		return;
	pthread_mutex_lock(&child->lock);
	child->idle[child->idle_count++] = channel->socket;
	child->lent_count--;
	pthread_cond_signal(&child->returned);
	pthread_mutex_unlock(&child->lock);
	channel->socket = -1;
}

bool child_send(struct child_channel *channel, const struct buffer *message, bool *dead,
	struct error *error)
{
	enum frame_result result = frame_send(channel->socket, message, channel->deadline_ms);

	if (result == FRAME_DONE)
		return true;
	if (result == FRAME_INVALID)
		return error_set(error, ERROR_INVALID_ARGUMENT, "this is too long for the token");
	if (dead)
		*dead = result == FRAME_CLOSED;
	return fail(channel->child, result, error);
}

bool child_receive(struct child_channel *channel, struct buffer *message, struct error *error)
{
	enum frame_result result = frame_receive(channel->socket, message, channel->deadline_ms);

	return result == FRAME_DONE || fail(channel->child, result, error);
}
