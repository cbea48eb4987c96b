/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/child.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/log.h"
#include "core/process.h"
#include "token/frame.h"

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

static bool start(
	struct child *child, const struct child_options *options, int control, struct error *error)
{
	char *const arguments[] = {(char *)(uintptr_t) "tessera-token", NULL};
	const struct process_options process = {.program = options->program,
		.arguments = arguments,
		.variables = options->variables,
		.output = -1,
		.errors = -1,
		.passed = control};
	int status = process_start(&process, &child->pid);

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
	child->reaped = process_end(child->pid, child->pid_fd, status);
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
		if (!process_has_exited(child->pid_fd, timeout_ms))
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
