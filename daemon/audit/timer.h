/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Has the audit trail signed while the daemon runs, and once more at its end. */
#ifndef TESSERA_AUDIT_TIMER_H
#define TESSERA_AUDIT_TIMER_H

#include <stdbool.h>

#include <uv.h>

#include "store/store.h"
#include "token/token.h"

/* Used by the loop's thread; only the work itself runs on one of libuv's. */
struct checkpoint_timer {
	uv_timer_t timer;
	uv_work_t work;
	bool working;
	struct store *const *store;
	_Atomic(struct token *) *token;
};

/* Both places are kept and looked at each time: they may hold NULL, and another token later. */
void checkpoint_timer_init(struct checkpoint_timer *timer, uv_loop_t *loop,
	struct store *const *store, _Atomic(struct token *) *token);
void checkpoint_timer_start(struct checkpoint_timer *timer);
/* The loop has to run until it is out of handles afterwards: that waits for what is under way. */
void checkpoint_timer_close(struct checkpoint_timer *timer);

/* The last one, when nothing will be recorded any more; either may be NULL. */
void checkpoint_at_stop(struct store *store, struct token *token);

#endif
