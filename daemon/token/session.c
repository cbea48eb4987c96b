/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/session.h"

#include <pthread.h>

#include "common/alloc.h"
#include "token/ckr.h"

struct session_pool {
	CK_FUNCTION_LIST *functions;
	CK_SLOT_ID slot;
	size_t size;
	CK_SESSION_HANDLE login; /* carries the login */
	pthread_mutex_t lock;	 /* guards idle, idle_count, lent_count */
	pthread_cond_t returned;
	CK_SESSION_HANDLE idle[SESSION_POOL_MAX];
	size_t idle_count;
	size_t lent_count;	     /* also by those that share */
	struct session_pool *shared; /* whose lent_count and size count for this one, or NULL */
};

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

struct session_pool *session_pool_new(CK_FUNCTION_LIST *functions, CK_SLOT_ID slot, size_t size,
	const struct secret *pin, struct error *error)
{
	struct session_pool *pool = xnew(struct session_pool);

	*pool = (struct session_pool){
		.functions = functions, .slot = slot, .size = size, .login = CK_INVALID_HANDLE};
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->returned, NULL);
	if (session_open(pool, &pool->login, error) && login(pool, pin, error))
		return pool;
	session_pool_free(pool);
	return NULL;
}

void session_pool_free(struct session_pool *pool)
{
	if (!pool)
		return;
	for (size_t i = 0; i < pool->idle_count; i++)
		pool->functions->C_CloseSession(pool->idle[i]);
	if (pool->login != CK_INVALID_HANDLE)
		pool->functions->C_CloseSession(pool->login);
	pthread_cond_destroy(&pool->returned);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

void session_pool_share(struct session_pool *pool, struct session_pool *shared)
{
	pool->shared = shared;
}

static struct session_pool *counter_of(struct session_pool *pool)
{
	return pool->shared ? pool->shared : pool;
}

static void await_room(struct session_pool *counter)
{
	pthread_mutex_lock(&counter->lock);
	while (counter->lent_count == counter->size)
		pthread_cond_wait(&counter->returned, &counter->lock);
	counter->lent_count++;
	pthread_mutex_unlock(&counter->lock);
}

static void give_room(struct session_pool *counter)
{
	pthread_mutex_lock(&counter->lock);
	counter->lent_count--;
	pthread_cond_signal(&counter->returned);
	pthread_mutex_unlock(&counter->lock);
}

/* An idle session (true), or a new one is to be opened (false). */
static bool take_idle(struct session_pool *pool, CK_SESSION_HANDLE *handle)
{
	pthread_mutex_lock(&pool->lock);
	bool found = pool->idle_count > 0;
	if (found)
		*handle = pool->idle[--pool->idle_count];
	pthread_mutex_unlock(&pool->lock);
	return found;
}

bool session_take(struct session_pool *pool, struct session *session, struct error *error)
{
	CK_SESSION_HANDLE handle = CK_INVALID_HANDLE;

	await_room(counter_of(pool));
	if (!take_idle(pool, &handle) && !session_open(pool, &handle, error)) {
		give_room(counter_of(pool));
		return false;
	}
	*session = (struct session){.pool = pool, .functions = pool->functions, .handle = handle};
	return true;
}

void session_return(struct session *session)
{
	struct session_pool *pool = session->pool;

	if (!pool)
		return;
	session->pool = NULL;
	if (session->broken) {
		session->functions->C_CloseSession(session->handle);
	} else {
		pthread_mutex_lock(&pool->lock);
		pool->idle[pool->idle_count++] = session->handle;
		pthread_mutex_unlock(&pool->lock);
	}
	give_room(counter_of(pool));
}

bool session_failed(struct session *session, CK_RV value, const char *what, struct error *error)
{
	session->broken = true;
	return ckr_error(value, what, error);
}
