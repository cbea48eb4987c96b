/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long one has to wait who has proved it wrong again and again: a rule on numbers alone. */
#ifndef TESSERA_MODEL_LOCK_OUT_H
#define TESSERA_MODEL_LOCK_OUT_H

#include <stdbool.h>
#include <stdint.h>

#define LOCK_OUT_FAILURES    5 /* the fifth locks */
#define LOCK_OUT_SECONDS     ((int64_t)15 * 60)
#define LOCK_OUT_SECONDS_MAX ((int64_t)24 * 3600)
#define LOCK_OUT_FORGIVE_AFTER                                                                     \
	((int64_t)24 * 3600) /* without a failure, or after the lock's end                         \
			      */

/* All zeros is one who has never failed. Times are seconds since 1970. */
struct lock_out {
	unsigned failures;
	int64_t last_at; /* the last failure */
	int64_t until;	 /* locked before; 0: not */
};

/* Whether nothing is accepted now, right or wrong. A clock that was set back never locks for longer
 * than LOCK_OUT_SECONDS_MAX from now on. */
bool lock_out_holds(const struct lock_out *lock_out, int64_t now);

/*
 * Counts a failure; the fifth locks for LOCK_OUT_SECONDS, each one after it for twice as long as
 * the one before. Not to be called while locked: tries then are not looked at, so that nobody can
 * make it longer by them.
 */
void lock_out_fail(struct lock_out *lock_out, int64_t now);

/* Whether it is as good as never failed: the row may go. */
bool lock_out_is_forgiven(const struct lock_out *lock_out, int64_t now);

#endif
