/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/rate-limit.h"

#include <time.h>

/* Two threads at the turn of a minute may let one event more pass: no lock is worth that. */
bool rate_limit_pass(struct rate_limit *limit, unsigned maximum)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	int_fast64_t minute = now.tv_sec / 60 + 1;
	if (atomic_exchange(&limit->minute, minute) != minute)
		atomic_store(&limit->count, 0);
	/* The counter stands still at the maximum: it cannot wrap. */
	return atomic_load(&limit->count) < maximum && atomic_fetch_add(&limit->count, 1) < maximum;
}
