/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "audit/timer.h"

#include <openssl/crypto.h>

#include "audit/checkpoint.h"
#include "common/log.h"

/* How often it is looked whether one is due. */
#define INTERVAL_MS 10000

static void write_due(uv_work_t *work)
{
	struct checkpoint_timer *timer = work->data;
	_cleanup_error_ struct error error = ERROR_INIT;

	if (*timer->token && !audit_checkpoint_write_due(*timer->store, *timer->token, &error))
		log_warning("the audit trail is signed later: %s", error_message(&error));
	OPENSSL_thread_stop(); /* the loop's threads end after OpenSSL has */
}

static void done(uv_work_t *work, int status)
{
	struct checkpoint_timer *timer = work->data;

	(void)status;
	timer->working = false;
}

static void look(uv_timer_t *handle)
{
	struct checkpoint_timer *timer = handle->data;

	if (timer->working)
		return;
	timer->working = uv_queue_work(handle->loop, &timer->work, write_due, done) == 0;
}

void checkpoint_timer_init(struct checkpoint_timer *timer, uv_loop_t *loop,
	struct store *const *store, _Atomic(struct token *) *token)
{
	timer->store = store;
	timer->token = token;
	uv_timer_init(loop, &timer->timer);
	timer->timer.data = timer;
	timer->work.data = timer;
}

void checkpoint_timer_start(struct checkpoint_timer *timer)
{
	uv_timer_start(&timer->timer, look, INTERVAL_MS, INTERVAL_MS);
}

void checkpoint_timer_close(struct checkpoint_timer *timer)
{
	uv_close((uv_handle_t *)&timer->timer, NULL);
}

void checkpoint_at_stop(struct store *store, struct token *token)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	if (store && token && !audit_checkpoint_write(store, token, NULL, &error))
		log_warning("the audit trail was not signed at the end: %s", error_message(&error));
}
