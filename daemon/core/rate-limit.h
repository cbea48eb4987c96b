/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A limit on what anyone can cause at will, so that nobody fills a disk or a journal with it. */
#ifndef TESSERA_CORE_RATE_LIMIT_H
#define TESSERA_CORE_RATE_LIMIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* All zeros is a fresh one. May be used from any thread. */
struct rate_limit {
	atomic_int_fast64_t minute; /* of the monotonic clock, plus one */
	atomic_uint count;	    /* of events in that minute */
};

/* Counts an event; false when there were `maximum` in this minute already. */
bool rate_limit_pass(struct rate_limit *limit, unsigned maximum);

#endif
