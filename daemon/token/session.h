/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A small pool of sessions with one token. The first session carries the login
 * and is never lent, so that the login lasts as long as the pool, or until
 * session_pool_logout().
 */
#ifndef TESSERA_TOKEN_SESSION_H
#define TESSERA_TOKEN_SESSION_H

#include <p11-kit/pkcs11.h>

#include "common/error.h"
#include "common/macros.h"
#include "common/secret.h"
#include "token/module.h"

struct session_pool;

/* What a session is ready to sign: C_SignInit has been called. mechanism has no parameter. */
struct session_ready {
	CK_OBJECT_HANDLE key; /* CK_INVALID_HANDLE: for nothing */
	CK_MECHANISM_TYPE mechanism;
};

/* A lent session; `broken` is set by a failed call, and the session is then closed on return. */
struct session {
	struct session_pool *pool;
	CK_FUNCTION_LIST *functions;
	CK_SESSION_HANDLE handle;
	struct session_ready ready; /* so it was lent, and so it is returned */
	bool broken;
};
#define SESSION_INIT                                                                               \
	{                                                                                          \
		0                                                                                  \
	}
#define _cleanup_session_ _cleanup_(session_return)

#define SESSION_POOL_MAX 16

/*
 * Opens the first session on slot and logs in. module must outlive the pool.
 * size: how many sessions are lent at once, 1 to SESSION_POOL_MAX. pin: NULL for no login.
 */
struct session_pool *session_pool_new(const struct module *module, CK_SLOT_ID slot, size_t size,
	const struct secret *pin, struct error *error);
/* Closes all sessions; none may be lent. NULL is allowed. */
void session_pool_free(struct session_pool *pool);

/*
 * The login of all sessions with this token. A token that is logged in is logged out first: the PIN
 * is always proved. ERROR_PIN_WRONG, ERROR_PIN_BLOCKED; ERROR_TOKEN_REFUSED
 * (CKR_USER_PIN_NOT_INITIALIZED).
 */
bool session_pool_login(struct session_pool *pool, const struct secret *pin, struct error *error);
void session_pool_logout(struct session_pool *pool);
bool session_pool_is_logged_in(struct session_pool *pool);
/* How often the login came or went: between two such moments objects keep their handles. */
unsigned session_pool_login_changes(const struct session_pool *pool);

/*
 * Runs `run` while no session with this token is open, waiting for those that are lent: for
 * C_InitToken. Without a login afterwards.
 */
bool session_pool_without_sessions(struct session_pool *pool,
	bool (*run)(void *context, struct error *error), void *context, struct error *error);
/*
 * Runs `run` in the session that carries the login, logged in as the security officer, alone.
 * Nobody may be logged in before, and nobody is afterwards. Answers what went wrong, or CKR_OK.
 */
CK_RV session_pool_as_officer(struct session_pool *pool, const struct secret *pin,
	CK_RV (*run)(struct session *session, void *context), void *context);

/*
 * Lends a session, waiting while all are lent. The thread that takes it returns it, and takes no
 * second one meanwhile: with SoftHSM2 (token/module.h) it is the only one of the process.
 */
bool session_take(struct session_pool *pool, struct session *session, struct error *error);
/*
 * The same for who uses keys and makes or removes nothing that stays: with SoftHSM2 beside others
 * that do so.
 */
bool session_take_for_use(struct session_pool *pool, struct session *session, struct error *error);
/* The same, and rather a session that is ready for this. */
bool session_take_ready(struct session_pool *pool, const struct session_ready *wanted,
	struct session *session, struct error *error);
/* Whether one more session may be made ready: half of them stay free for other uses. */
bool session_pool_has_room(struct session_pool *pool);
/* How many are lent now. */
size_t session_pool_lent(struct session_pool *pool);
/* Closes the sessions that are ready and idle: keys may have other handles, or be gone. */
void session_pool_forget_ready(struct session_pool *pool);
void session_return(struct session *session);

/* Marks the session broken and fills error. Returns false. */
bool session_failed(struct session *session, CK_RV value, const char *what, struct error *error);

#endif
