/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A process of its own for a slot's PKCS#11 module (tessera-token), so that a module that crashes,
 * hangs, leaks or ends its process takes no one with it. This is the process from its start to its
 * end, and the questions to it; what they mean is token/hsm-child.h.
 *
 * Each question has a socket, a "channel", of its own with a thread at its other end, so that
 * questions do not wait for each other. The process ends when the daemon does: it watches the
 * control socket. It is ended, and never used again, when it closes a channel, does not answer in
 * time or answers with nonsense.
 */
#ifndef TESSERA_TOKEN_CHILD_H
#define TESSERA_TOKEN_CHILD_H

#include <stdbool.h>

#include "common/buffer.h"
#include "common/error.h"
#include "common/macros.h"

/* Questions at one time; more wait. */
#define CHILD_CHANNELS_MAX 16
/* The descriptor that the program finds its control socket at. */
#define CHILD_CONTROL 3

struct child_options {
	const char *program;	/* absolute path of tessera-token */
	const char *name;	/* of the slot, for the journal */
	char *const *variables; /* NAME=VALUE, NULL at the end; besides PATH and LANG. Or NULL */
	unsigned timeout_ms;	/* of each question */
};

struct child;

/* options is copied but for variables, which are used now. ERROR_TOKEN_FAILED. */
struct child *child_start(const struct child_options *options, struct error *error);
struct child *child_ref(struct child *child);
/* With the last reference the process is ended, if it has not been. NULL is allowed. */
void child_unref(struct child *child);
DEFINE_CLEANUP(struct child *, child_unref);
#define _cleanup_child_ _cleanup_(child_unrefp)

/* Whether it has ended, or been ended: another one is wanted. */
bool child_has_ended(struct child *child);
/* Why it has ended; heap. */
char *child_end_text(struct child *child);
/* Ends it at once. why: for those who wait for answers, and the journal. */
void child_kill(struct child *child, const char *why);
/*
 * Waits until the process has ended by itself, as it was asked to, and kills it if it has not by
 * then. No question may be under way.
 */
void child_await_end(struct child *child, unsigned timeout_ms);

/* A channel that is taken by one thread. */
struct child_channel {
	struct child *child;
	int socket;
	int64_t deadline_ms;
};

/*
 * Waits for a free channel. *dead: the process had ended before anything was asked. ERROR_BUSY
 * when none is free in time.
 */
bool child_take(
	struct child *child, struct child_channel *channel, bool *dead, struct error *error);
void child_return(struct child_channel *channel);
/*
 * Sends and receives a message. What fails ends the process and says why: ERROR_TIMEOUT,
 * ERROR_TOKEN_FAILED. *dead, of child_send() (NULL: not asked): the process had ended before.
 */
bool child_send(struct child_channel *channel, const struct buffer *message, bool *dead,
	struct error *error);
bool child_receive(struct child_channel *channel, struct buffer *message, struct error *error);
/* The answer made no sense. Ends the process. Returns false. */
bool child_refuse_answer(struct child *child, struct error *error);

#endif
