/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long a busy service is waited for. */
#ifndef TESSERA_CORE_PATIENCE_H
#define TESSERA_CORE_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

struct patience {
	int64_t left; /* seconds, for all waiting together */
	int64_t wait; /* the next pause where the service asks for none */
};
#define PATIENCE_INIT(seconds)                                                                     \
	{                                                                                          \
		.left = (seconds), .wait = 1                                                       \
	}

/*
 * Sleeps before a busy service is asked again; retry_after: the seconds that it asks to wait, or
 * -1. False, without sleeping, when that is too long: *error tells it too then.
 */
bool patience_wait(struct patience *patience, int64_t retry_after, struct error *error);
/* Sleeps. */
void patience_sleep(int64_t seconds);

#endif
