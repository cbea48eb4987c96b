/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/lock-out.h"

#define DOUBLINGS_MAX 7 /* 15 minutes * 2^7 are more than a day */

bool lock_out_holds(const struct lock_out *lock_out, int64_t now)
{
	return now < lock_out->until && lock_out->until - now <= LOCK_OUT_SECONDS_MAX;
}

bool lock_out_is_forgiven(const struct lock_out *lock_out, int64_t now)
{
	int64_t since = lock_out->until > lock_out->last_at ? lock_out->until : lock_out->last_at;

	return now - since >= LOCK_OUT_FORGIVE_AFTER;
}

void lock_out_fail(struct lock_out *lock_out, int64_t now)
{
	if (lock_out_is_forgiven(lock_out, now))
		*lock_out = (struct lock_out){0};
	lock_out->last_at = now;
	lock_out->until = 0;
	if (lock_out->failures < LOCK_OUT_FAILURES + DOUBLINGS_MAX)
		lock_out->failures++;
	if (lock_out->failures < LOCK_OUT_FAILURES)
		return;
	int64_t seconds = LOCK_OUT_SECONDS << (lock_out->failures - LOCK_OUT_FAILURES);
	lock_out->until = now + (seconds < LOCK_OUT_SECONDS_MAX ? seconds : LOCK_OUT_SECONDS_MAX);
}
