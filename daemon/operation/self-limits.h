/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How often somebody may try to prove who they are: in memory per user id of the caller and for all
 * together, which stops spraying; in the store per person, card and code (model/lock-out.h), which
 * stops guessing and outlives a restart.
 */
#ifndef TESSERA_OPERATION_SELF_LIMITS_H
#define TESSERA_OPERATION_SELF_LIMITS_H

#include <pthread.h>
#include <sys/types.h>

#include "operation/services.h"
#include "store/self-service.h"

#define SELF_TRIES_A_MINUTE_OF_USER 20
#define SELF_TRIES_A_MINUTE	    120

#define SELF_USERS_REMEMBERED 64

struct self_limits {
	struct store *store;
	pthread_mutex_t lock; /* guards the users, and a change of the lock-outs in the store */
	struct self_user {
		uid_t user;
		struct rate_limit tries;
	} users[SELF_USERS_REMEMBERED];
	size_t next; /* whose place is given away next */
	struct rate_limit tries;
};
void self_limits_init(struct self_limits *limits, struct store *store);
void self_limits_clear(struct self_limits *limits);

/* Counts a try of the caller's user. ERROR_BUSY. */
bool self_limits_try(struct self_limits *limits, uid_t user, struct error *error);

/* Whose lock-out it is: a hash, as what strangers type is not kept; heap. kind: "card". */
char *self_limits_subject(struct self_limits *limits, const char *kind, const char *name);

/*
 * Counts a failure in advance, so that many at once gain nothing; *before is how it was. *locked:
 * nothing is to be accepted. ERROR_STORE_*.
 */
bool self_limits_begin(struct self_limits *limits, const char *subject, struct lock_out *before,
	bool *locked, struct error *error);
/* It was no failure at all: nobody could be asked. */
bool self_limits_take_back(struct self_limits *limits, const char *subject,
	const struct lock_out *before, struct error *error);
/* It was right, or an operator lifts it. *was_there may be NULL. */
bool self_limits_forgive(
	struct self_limits *limits, const char *subject, bool *was_there, struct error *error);

#endif
