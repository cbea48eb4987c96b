/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A small pool of sessions with one token. The first session carries the login
 * and is never lent, so that the login lasts as long as the pool.
 */
#ifndef TESSERA_TOKEN_SESSION_H
#define TESSERA_TOKEN_SESSION_H

#include <p11-kit/pkcs11.h>

#include "common/error.h"
#include "common/macros.h"
#include "common/secret.h"

struct session_pool;

/* A lent session; `broken` is set by a failed call, and the session is then closed on return. */
struct session {
	struct session_pool *pool;
	CK_FUNCTION_LIST *functions;
	CK_SESSION_HANDLE handle;
	bool broken;
};
#define SESSION_INIT                                                                               \
	{                                                                                          \
		0                                                                                  \
	}
#define _cleanup_session_ _cleanup_(session_return)

#define SESSION_POOL_MAX 4

/*
 * Opens the first session on slot and logs in. functions must outlive the pool.
 * size: how many sessions are lent at once, 1 to SESSION_POOL_MAX.
 */
struct session_pool *session_pool_new(CK_FUNCTION_LIST *functions, CK_SLOT_ID slot, size_t size,
	const struct secret *pin, struct error *error);
/* Closes all sessions; none may be lent. NULL is allowed. */
void session_pool_free(struct session_pool *pool);

/*
 * As many sessions of both pools together are lent as `shared` has; for two tokens of one module.
 * Before any thread uses the pool; `shared` outlives its use.
 */
void session_pool_share(struct session_pool *pool, struct session_pool *shared);

/* Lends a session, waiting while all are lent. */
bool session_take(struct session_pool *pool, struct session *session, struct error *error);
void session_return(struct session *session);

/* Marks the session broken and fills error. Returns false. */
bool session_failed(struct session *session, CK_RV value, const char *what, struct error *error);

#endif
