/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/session.h"

#include <pthread.h>
#include <stdatomic.h>

#include "common/alloc.h"
#include "token/ckr.h"

/* A thread that waits for a session, or for all; on its stack. */
struct waiter {
	pthread_cond_t granted;
	bool wants_all, has_turn;
	struct waiter *next;
};

struct session_pool {
	const struct module *module;
	CK_FUNCTION_LIST *functions;
	CK_SLOT_ID slot;
	size_t size;
	CK_SESSION_HANDLE login;     /* carries the login */
	atomic_uint login_changes;   /* how often that came or went */
	pthread_mutex_t lock;	     /* guards the four below */
	struct waiter *first_waiter; /* each gets its turn in the order that they came in */
	struct idle {
		CK_SESSION_HANDLE handle;
		struct session_ready ready;
	} idle[SESSION_POOL_MAX];
	size_t idle_count;
	size_t lent_count;
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
	if (rv == CKR_USER_PIN_NOT_INITIALIZED)
		return error_set_refused(error, rv,
			"the token has no user PIN yet: its security officer sets one first");
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
	module_enter_alone(pool->module);
	bool done = session_open(pool, &pool->login, error) && (!pin || login(pool, pin, error));
	module_leave(pool->module);
	if (done)
		return pool;
	session_pool_free(pool);
	return NULL;
}

void session_pool_free(struct session_pool *pool)
{
	if (!pool)
		return;
	module_enter_alone(pool->module);
	for (size_t i = 0; i < pool->idle_count; i++)
		pool->functions->C_CloseSession(pool->idle[i].handle);
	if (pool->login != CK_INVALID_HANDLE)
		pool->functions->C_CloseSession(pool->login);
	module_leave(pool->module);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

bool session_pool_login(struct session_pool *pool, const struct secret *pin, struct error *error)
{
	module_enter_alone(pool->module);
	pool->login_changes++;
	/* A module that was cut off from its device has lost this one, too. */
	if (pool->functions->C_Logout(pool->login) == CKR_SESSION_HANDLE_INVALID)
		session_open(pool, &pool->login, NULL);
	bool done = login(pool, pin, error);
	module_leave(pool->module);
	return done;
}

void session_pool_logout(struct session_pool *pool)
{
	module_enter_alone(pool->module);
	pool->login_changes++;
	pool->functions->C_Logout(pool->login);
	module_leave(pool->module);
}

unsigned session_pool_login_changes(const struct session_pool *pool)
{
	return pool->login_changes;
}

bool session_pool_is_logged_in(struct session_pool *pool)
{
	CK_SESSION_INFO info;

	module_enter_beside_others(pool->module);
	CK_RV rv = pool->functions->C_GetSessionInfo(pool->login, &info);
	module_leave(pool->module);
	return rv == CKR_OK &&
	       (info.state == CKS_RW_USER_FUNCTIONS || info.state == CKS_RO_USER_FUNCTIONS);
}

CK_RV session_pool_as_officer(struct session_pool *pool, const struct secret *pin,
	CK_RV (*run)(struct session *session, void *context), void *context)
{
	struct session session = {.functions = pool->functions, .handle = pool->login};

	module_enter_alone(pool->module);
	pool->login_changes++;
	CK_RV rv = pool->functions->C_Login(pool->login, CKU_SO, pin->data, (CK_ULONG)pin->length);
	if (rv == CKR_OK) {
		rv = run(&session, context);
		pool->functions->C_Logout(pool->login);
	}
	module_leave(pool->module);
	return rv;
}

/* --- turns; under the pool's lock --- */

static bool take_turn(struct session_pool *pool, bool wants_all)
{
	if (wants_all ? pool->lent_count > 0 : pool->lent_count == pool->size)
		return false;
	pool->lent_count += wants_all ? pool->size : 1;
	return true;
}

static void give_turns(struct session_pool *pool)
{
	struct waiter *waiter;

	while ((waiter = pool->first_waiter) && take_turn(pool, waiter->wants_all)) {
		pool->first_waiter = waiter->next;
		waiter->has_turn = true;
		pthread_cond_signal(&waiter->granted);
	}
}

/* Nobody overtakes: who comes back at once would leave others nothing when there are many. */
static void await_turn(struct session_pool *pool, bool wants_all)
{
	struct waiter waiter = {.wants_all = wants_all};
	struct waiter **last = &pool->first_waiter;

	if (!pool->first_waiter && take_turn(pool, wants_all))
		return;
	while (*last)
		last = &(*last)->next;
	*last = &waiter;
	pthread_cond_init(&waiter.granted, NULL);
	while (!waiter.has_turn)
		pthread_cond_wait(&waiter.granted, &pool->lock);
	pthread_cond_destroy(&waiter.granted);
}

/* Nobody is lent a session from here on; all that were lent have come back. */
static void stop_lending(struct session_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	await_turn(pool, true);
	pthread_mutex_unlock(&pool->lock);
}

static void go_on_lending(struct session_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->lent_count = 0;
	give_turns(pool);
	pthread_mutex_unlock(&pool->lock);
}

bool session_pool_without_sessions(struct session_pool *pool,
	bool (*run)(void *context, struct error *error), void *context, struct error *error)
{
	stop_lending(pool);
	module_enter_alone(pool->module);
	pool->login_changes++;
	for (; pool->idle_count > 0; pool->idle_count--)
		pool->functions->C_CloseSession(pool->idle[pool->idle_count - 1].handle);
	pool->functions->C_CloseSession(pool->login);
	bool done = run(context, error);
	done = session_open(pool, &pool->login, done ? error : NULL) && done;
	module_leave(pool->module);
	go_on_lending(pool);
	return done;
}

static bool is_ready(const struct session_ready *ready)
{
	return ready->key != CK_INVALID_HANDLE;
}

/* Whether a session that is ready like this can be used: for what is wanted, or for nothing. */
static bool fits(const struct session_ready *ready, const struct session_ready *wanted)
{
	return !is_ready(ready) ||
	       (ready->key == wanted->key && ready->mechanism == wanted->mechanism);
}

/* A session that fits best: one that is ready for what is wanted, or for nothing, or any. */
static size_t choose_idle(const struct session_pool *pool, const struct session_ready *wanted)
{
	size_t best = pool->idle_count ? pool->idle_count - 1 : 0;

	for (size_t i = pool->idle_count; i-- > 0;) {
		const struct session_ready *ready = &pool->idle[i].ready;
		if (is_ready(wanted) && ready->key == wanted->key &&
			ready->mechanism == wanted->mechanism)
			return i;
		if (!is_ready(ready))
			best = i;
	}
	return best;
}

/* An idle session (true), or a new one is to be opened (false). Waits while all are lent. */
static bool take_idle(
	struct session_pool *pool, const struct session_ready *wanted, struct idle *idle)
{
	pthread_mutex_lock(&pool->lock);
	await_turn(pool, false);
	size_t place = choose_idle(pool, wanted);
	/* Rather a new one than one that is ready for something else. */
	bool found =
		pool->idle_count > 0 && (fits(&pool->idle[place].ready, wanted) ||
						pool->idle_count + pool->lent_count > pool->size);
	if (found) {
		*idle = pool->idle[place];
		pool->idle[place] = pool->idle[--pool->idle_count];
	}
	pthread_mutex_unlock(&pool->lock);
	return found;
}

/* handle: CK_INVALID_HANDLE for one that was closed. */
static void give_back(struct session_pool *pool, const struct idle *idle)
{
	pthread_mutex_lock(&pool->lock);
	if (idle->handle != CK_INVALID_HANDLE)
		pool->idle[pool->idle_count++] = *idle;
	pool->lent_count--;
	give_turns(pool);
	pthread_mutex_unlock(&pool->lock);
}

static void close_alone(const struct session_pool *pool, CK_SESSION_HANDLE handle)
{
	module_enter_alone(pool->module);
	pool->functions->C_CloseSession(handle);
	module_leave(pool->module);
}

/* Only closing it ends what a session is ready for. */
static bool renew(struct session_pool *pool, bool is_there, struct idle *idle, struct error *error)
{
	module_enter_alone(pool->module);
	if (is_there)
		pool->functions->C_CloseSession(idle->handle);
	*idle = (struct idle){0};
	bool done = session_open(pool, &idle->handle, error);
	module_leave(pool->module);
	return done;
}

static bool take(struct session_pool *pool, const struct session_ready *wanted, bool for_use,
	struct session *session, struct error *error)
{
	static const struct idle none = {.handle = CK_INVALID_HANDLE};
	struct idle idle = none;
	bool is_there = take_idle(pool, wanted, &idle);
	if ((!is_there || !fits(&idle.ready, wanted)) && !renew(pool, is_there, &idle, error)) {
		give_back(pool, &none);
		return false;
	}
	if (for_use)
		module_enter_beside_others(pool->module);
	else
		module_enter_alone(pool->module);
	*session = (struct session){.pool = pool,
		.functions = pool->functions,
		.handle = idle.handle,
		.ready = idle.ready};
	return true;
}

static const struct session_ready for_nothing = {.key = CK_INVALID_HANDLE};

bool session_take(struct session_pool *pool, struct session *session, struct error *error)
{
	return take(pool, &for_nothing, false, session, error);
}

bool session_take_for_use(struct session_pool *pool, struct session *session, struct error *error)
{
	return take(pool, &for_nothing, true, session, error);
}

bool session_take_ready(struct session_pool *pool, const struct session_ready *wanted,
	struct session *session, struct error *error)
{
	return take(pool, wanted, true, session, error);
}

bool session_pool_has_room(struct session_pool *pool)
{
	size_t ready = 0;

	pthread_mutex_lock(&pool->lock);
	for (size_t i = 0; i < pool->idle_count; i++)
		ready += is_ready(&pool->idle[i].ready);
	bool room = pool->lent_count < pool->size && ready < pool->size / 2;
	pthread_mutex_unlock(&pool->lock);
	return room;
}

size_t session_pool_lent(struct session_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	size_t lent = pool->lent_count;
	pthread_mutex_unlock(&pool->lock);
	return lent;
}

void session_pool_forget_ready(struct session_pool *pool)
{
	struct idle forgotten[SESSION_POOL_MAX];
	size_t count = 0, kept = 0;

	pthread_mutex_lock(&pool->lock);
	for (size_t i = 0; i < pool->idle_count; i++) {
		if (is_ready(&pool->idle[i].ready))
			forgotten[count++] = pool->idle[i];
		else
			pool->idle[kept++] = pool->idle[i];
	}
	pool->idle_count = kept;
	pthread_mutex_unlock(&pool->lock);
	for (size_t i = 0; i < count; i++)
		close_alone(pool, forgotten[i].handle);
}

void session_return(struct session *session)
{
	struct session_pool *pool = session->pool;
	struct idle idle = {.handle = session->handle, .ready = session->ready};

	if (!pool)
		return;
	session->pool = NULL;
	module_leave(pool->module);
	if (session->broken) {
		close_alone(pool, session->handle);
		idle.handle = CK_INVALID_HANDLE;
	}
	give_back(pool, &idle);
}

bool session_failed(struct session *session, CK_RV value, const char *what, struct error *error)
{
	session->broken = true;
	return ckr_error(value, what, error);
}
