/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files about proofs of self-service share. */
#ifndef TESSERA_OPERATION_SELF_PRIVATE_H
#define TESSERA_OPERATION_SELF_PRIVATE_H

#include <time.h>

#include "operation/self-limits.h"
#include "operation/self.h"

#define SELF_REFUSAL_MS	      1000
#define SELF_ASKED_MAX	      16
#define SELF_ASKED_SHARED_MAX 2 /* libuv has four threads for all calls on the system bus */

struct selves {
	struct services *services;
	struct self_limits limits;
	int64_t refusal_ms;   /* longer than any proof takes that is refused: its time tells nothing
			       */
	pthread_mutex_t lock; /* guards the four below; nothing else is locked under it */
	struct self_identity *identities;
	size_t count;
	struct self_asked {
		uid_t uid;
		bool on_shared_thread;
	} asked[SELF_ASKED_MAX];
	size_t asked_count;
};

/* Keeps it as the caller's, in place of an earlier one of the same way; takes what is in it.
 * ERROR_BUSY. */
bool selves_add(struct selves *selves, const char *caller, struct self_identity *identity,
	struct error *error);

#define SELF_SUBJECTS_MAX 2

/* One try, from its beginning to its record. */
struct self_try {
	struct selves *selves;
	const struct self_request *request;
	struct timespec started;
	char *detail; /* heap; of the audit record */
	struct {
		char *name; /* self_limits_subject() */
		struct lock_out before;
	} subjects[SELF_SUBJECTS_MAX];
	size_t subject_count;
	bool locked;
};
void self_try_clear(struct self_try *attempt);
#define _cleanup_self_try_ _cleanup_(self_try_clear)

/* ERROR_BUSY */
bool self_try_begin(struct self_try *attempt, struct selves *selves,
	const struct self_request *request, struct error *error);
/* Counts a failure of it in advance. ERROR_STORE_*. */
bool self_try_subject(
	struct self_try *attempt, const char *kind, const char *name, struct error *error);
/* Wrong: records it, waits, and fills error with what everybody is told. Returns false. */
bool self_try_refuse(struct self_try *attempt, struct error *error);
/* Nobody could be asked: nothing is counted; the record says why. Moves the failure to *error. */
bool self_try_give_up(struct self_try *attempt, struct error *failure, struct error *error);
/* Right: forgives, records and keeps the identity, which is taken. ERROR_BUSY, ERROR_STORE_*. */
bool self_try_accept(struct self_try *attempt, struct self_identity *identity, struct error *error);

#endif
