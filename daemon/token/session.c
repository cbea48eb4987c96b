/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/session.h"

#include <pthread.h>

#include "common/alloc.h"
#include "token/ckr.h"

struct session_pool {
	const struct module *module;
	CK_FUNCTION_LIST *functions;
	CK_SLOT_ID slot;
	size_t size;
	CK_SESSION_HANDLE login; /* carries the login */
	pthread_mutex_t lock;	 /* guards the four below */
	pthread_cond_t returned;
	CK_SESSION_HANDLE idle[SESSION_POOL_MAX];
	size_t idle_count;
	size_t lent_count;
};

/*
 * SoftHSM2 is one for the whole process, however many tokens it has. Who uses keys shares it, all
 * else is done alone. Taken without a pool's lock; writers go first, so that busy keys cannot keep
 * the daemon from its own token.
 */
static pthread_rwlock_t softhsm = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

static void enter_alone(const struct session_pool *pool)
{
	if (pool->module->is_softhsm)
		pthread_rwlock_wrlock(&softhsm);
}

static void enter_beside_others(const struct session_pool *pool)
{
	if (pool->module->is_softhsm)
		pthread_rwlock_rdlock(&softhsm);
}

static void leave(const struct session_pool *pool)
{
	if (pool->module->is_softhsm)
		pthread_rwlock_unlock(&softhsm);
}

static bool session_open(struct session_pool *pool, CK_SESSION_HANDLE *handle, struct error *error)
{
	CK_RV rv = pool->functions->C_OpenSession(
		pool->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, handle);

	return rv == CKR_OK || ckr_error(rv, "opening a session", error);
}

static bool login(struct session_pool *pool, const struct secret *pin, struct error *error)
{
	CK_RV rv =
		pool->functions->C_Login(pool->login, CKU_USER, pin->data, (CK_ULONG)pin->length);

	if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN)
		return true;
	return ckr_error(rv, "logging in to the token", error);
}

struct session_pool *session_pool_new(const struct module *module, CK_SLOT_ID slot, size_t size,
	const struct secret *pin, struct error *error)
{
	struct session_pool *pool = xnew(struct session_pool);

	*pool = (struct session_pool){.module = module,
		.functions = module->functions,
		.slot = slot,
		.size = size,
		.login = CK_INVALID_HANDLE};
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->returned, NULL);
	enter_alone(pool);
	bool done = session_open(pool, &pool->login, error) && (!pin || login(pool, pin, error));
	leave(pool);
	if (done)
		return pool;
	session_pool_free(pool);
	return NULL;
}

void session_pool_free(struct session_pool *pool)
{
	if (!pool)
		return;
	enter_alone(pool);
	for (size_t i = 0; i < pool->idle_count; i++)
		pool->functions->C_CloseSession(pool->idle[i]);
	if (pool->login != CK_INVALID_HANDLE)
		pool->functions->C_CloseSession(pool->login);
	leave(pool);
	pthread_cond_destroy(&pool->returned);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

bool session_pool_login(struct session_pool *pool, const struct secret *pin, struct error *error)
{
	enter_alone(pool);
	pool->functions->C_Logout(pool->login);
	bool done = login(pool, pin, error);
	leave(pool);
	return done;
}

void session_pool_logout(struct session_pool *pool)
{
	enter_alone(pool);
	pool->functions->C_Logout(pool->login);
	leave(pool);
}

/* An idle session (true), or a new one is to be opened (false). Waits while all are lent. */
static bool take_idle(struct session_pool *pool, CK_SESSION_HANDLE *handle)
{
	pthread_mutex_lock(&pool->lock);
	while (pool->lent_count == pool->size)
		pthread_cond_wait(&pool->returned, &pool->lock);
	pool->lent_count++;
	bool found = pool->idle_count > 0;
	if (found)
		*handle = pool->idle[--pool->idle_count];
	pthread_mutex_unlock(&pool->lock);
	return found;
}

/* handle: CK_INVALID_HANDLE for one that was closed. */
static void give_back(struct session_pool *pool, CK_SESSION_HANDLE handle)
{
	pthread_mutex_lock(&pool->lock);
	if (handle != CK_INVALID_HANDLE)
		pool->idle[pool->idle_count++] = handle;
	pool->lent_count--;
	pthread_cond_signal(&pool->returned);
	pthread_mutex_unlock(&pool->lock);
}

static bool take(
	struct session_pool *pool, struct session *session, bool for_use, struct error *error)
{
	CK_SESSION_HANDLE handle = CK_INVALID_HANDLE;
	bool is_there = take_idle(pool, &handle);

	if (!is_there || !for_use)
		enter_alone(pool);
	if (!is_there && !session_open(pool, &handle, error)) {
		leave(pool);
		give_back(pool, CK_INVALID_HANDLE);
		return false;
	}
	if (!is_there && for_use)
		leave(pool);
	if (for_use)
		enter_beside_others(pool);
	*session = (struct session){.pool = pool, .functions = pool->functions, .handle = handle};
	return true;
}

bool session_take(struct session_pool *pool, struct session *session, struct error *error)
{
	return take(pool, session, false, error);
}

bool session_take_for_use(struct session_pool *pool, struct session *session, struct error *error)
{
	return take(pool, session, true, error);
}

void session_return(struct session *session)
{
	struct session_pool *pool = session->pool;

	if (!pool)
		return;
	session->pool = NULL;
	leave(pool);
	if (session->broken) {
		enter_alone(pool);
		session->functions->C_CloseSession(session->handle);
		leave(pool);
		session->handle = CK_INVALID_HANDLE;
	}
	give_back(pool, session->handle);
}

bool session_failed(struct session *session, CK_RV value, const char *what, struct error *error)
{
	session->broken = true;
	return ckr_error(value, what, error);
}
