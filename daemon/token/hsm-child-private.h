/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of hsm-child share. */
#ifndef TESSERA_TOKEN_HSM_CHILD_PRIVATE_H
#define TESSERA_TOKEN_HSM_CHILD_PRIVATE_H

#include "token/child.h"
#include "token/hsm-child.h"
#include "token/hsm-wire.h"

/* After so many ends in a minute the process is left alone until the minute is over. */
#define HSM_CHILD_ENDS_MAX 3

struct hsm_child {
	struct hsm *hsm;
	char *module, *label, *program, *name;
	char **variables;
	unsigned timeout_ms;
	/* Guards all below but the next lock; held while the process is started. */
	pthread_mutex_t lock;
	char *serial;			  /* of the token; NULL: any */
	struct child *running;		  /* or NULL */
	unsigned generation;		  /* of running; from 1 */
	struct secret pin;		  /* set while somebody is logged in */
	struct secret new_pin;		  /* for the first start */
	int64_t ends[HSM_CHILD_ENDS_MAX]; /* when the process ended, the oldest first; 0: never */
	char *last_end;
	/* Guards the rest; held while a list comes. */
	pthread_mutex_t sync_lock;
	unsigned sync_generation;
	uint64_t serial_known; /* of hsm->objects, in that generation */
	atomic_uint last_owner;
};

/* One question on its way. */
struct asking {
	struct child *child;
	unsigned generation;
	bool dead; /* the process had ended before it was asked */
};

static inline void asking_clear(struct asking *asking)
{
	child_unref(asking->child);
}
#define _cleanup_asking_ _cleanup_(asking_clear)

/* --- hsm-child-start.c --- */

/* The running process, referenced; started where there is none. */
bool hsm_child_begin(struct hsm_child *child, struct asking *asking, struct error *error);
/* The one that runs, referenced, if there is one. */
bool hsm_child_find_running(struct hsm_child *child, struct asking *asking);
/* Asks it one question that has an outcome; false also for what was not done. */
bool asking_ask(struct asking *asking, const struct buffer *question, struct wire_outcome *outcome,
	struct error *error);

/* --- hsm-child-list.c: lists are brought up to what an answer was about --- */

bool hsm_child_follow_token(struct hsm_child *child, struct asking *asking, uint64_t serial,
	bool *changed, struct error *error);
/* Called with the owner's session_lock. */
bool hsm_child_follow_owner(
	struct asking *asking, struct hsm_owner *owner, uint64_t serial, struct error *error);

#endif
