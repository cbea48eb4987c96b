/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "directory/ldap-pool.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include <openssl/rand.h>

#include "common/alloc.h"
#include "directory/ldap-private.h"

#define IDLE_MAX      16
#define IDLE_SECONDS  60
#define LINK_SECONDS  300 /* so that an account that lost its rights has them no longer */
#define CURSORS_MAX   32
#define RESTING_MAX   32
#define REST_SECONDS  30
#define CURSOR_RANDOM 16 /* bytes of a cursor's name */

struct idle {
	char *use;
	struct ldap_link *link;
};

struct waiting {
	char *use, *name;
	struct ldap_cursor *cursor;
	int64_t until;
};

struct resting {
	char *host;
	int64_t until;
};

struct ldap_pool {
	pthread_mutex_t lock; /* guards what follows; nothing is asked or closed under it */
	struct idle idle[IDLE_MAX];
	size_t idle_count;
	struct waiting waiting[CURSORS_MAX];
	size_t waiting_count;
	struct resting resting[RESTING_MAX];
	size_t resting_count;
};

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

struct ldap_pool *ldap_pool_new(void)
{
	struct ldap_pool *pool = xnew(struct ldap_pool);

	pthread_mutex_init(&pool->lock, NULL);
	return pool;
}

static void idle_clear(struct idle *idle)
{
	ldap_link_close(idle->link);
	free(idle->use);
}

void ldap_cursor_free(struct ldap_cursor *cursor)
{
	if (!cursor)
		return;
	ldap_link_close(cursor->link);
	buffer_clear(&cursor->cookie);
	free(cursor->filter);
	free(cursor);
}

static void waiting_clear(struct waiting *waiting)
{
	ldap_cursor_free(waiting->cursor);
	free(waiting->use);
	free(waiting->name);
}

void ldap_pool_free(struct ldap_pool *pool)
{
	if (!pool)
		return;
	for (size_t i = 0; i < pool->idle_count; i++)
		idle_clear(&pool->idle[i]);
	for (size_t i = 0; i < pool->waiting_count; i++)
		waiting_clear(&pool->waiting[i]);
	for (size_t i = 0; i < pool->resting_count; i++)
		free(pool->resting[i].host);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

/* --- what is taken out under the lock, and closed after it --- */

static struct idle take_idle(struct ldap_pool *pool, size_t index)
{
	struct idle idle = pool->idle[index];

	pool->idle_count--;
	memmove(&pool->idle[index], &pool->idle[index + 1],
		(pool->idle_count - index) * sizeof(idle));
	return idle;
}

static struct waiting take_waiting(struct ldap_pool *pool, size_t index)
{
	struct waiting waiting = pool->waiting[index];

	pool->waiting_count--;
	memmove(&pool->waiting[index], &pool->waiting[index + 1],
		(pool->waiting_count - index) * sizeof(waiting));
	return waiting;
}

static bool is_old(const struct ldap_link *link)
{
	return now() - link->used_at >= IDLE_SECONDS || now() - link->opened_at >= LINK_SECONDS;
}

static bool is_forgotten(const char *use, const char *connection)
{
	return strncmp(use, connection, strlen(connection)) == 0 && use[strlen(connection)] == '\n';
}

/* Closes what is too old, and what is the connection's (NULL: no connection's). */
static void clean(struct ldap_pool *pool, const char *connection)
{
	struct idle idle[IDLE_MAX];
	struct waiting waiting[CURSORS_MAX];
	size_t idle_count = 0, waiting_count = 0;

	pthread_mutex_lock(&pool->lock);
	for (size_t i = pool->idle_count; i > 0; i--) {
		if (is_old(pool->idle[i - 1].link) ||
			(connection && is_forgotten(pool->idle[i - 1].use, connection)))
			idle[idle_count++] = take_idle(pool, i - 1);
	}
	for (size_t i = pool->waiting_count; i > 0; i--) {
		if (pool->waiting[i - 1].until <= now() ||
			(connection && is_forgotten(pool->waiting[i - 1].use, connection)))
			waiting[waiting_count++] = take_waiting(pool, i - 1);
	}
	pthread_mutex_unlock(&pool->lock);
	for (size_t i = 0; i < idle_count; i++)
		idle_clear(&idle[i]);
	for (size_t i = 0; i < waiting_count; i++)
		waiting_clear(&waiting[i]);
}

void ldap_pool_forget(struct ldap_pool *pool, const char *connection)
{
	if (pool)
		clean(pool, connection);
}

/* --- connections --- */

struct ldap_link *ldap_pool_take(struct ldap_pool *pool, const char *use)
{
	struct idle idle = {0};

	if (!pool)
		return NULL;
	clean(pool, NULL);
	pthread_mutex_lock(&pool->lock);
	for (size_t i = pool->idle_count; i > 0 && !idle.link; i--) {
		if (strcmp(pool->idle[i - 1].use, use) == 0)
			idle = take_idle(pool, i - 1);
	}
	pthread_mutex_unlock(&pool->lock);
	free(idle.use);
	return idle.link;
}

void ldap_pool_give(struct ldap_pool *pool, const char *use, struct ldap_link *link)
{
	struct idle oldest = {0};

	if (!pool || link->is_broken) {
		ldap_link_close(link);
		return;
	}
	link->used_at = now();
	pthread_mutex_lock(&pool->lock);
	if (pool->idle_count == IDLE_MAX)
		oldest = take_idle(pool, 0);
	pool->idle[pool->idle_count++] = (struct idle){xstrdup(use), link};
	pthread_mutex_unlock(&pool->lock);
	if (oldest.link)
		idle_clear(&oldest);
}

/* --- cursors --- */

char *ldap_pool_put_cursor(struct ldap_pool *pool, const char *use, struct ldap_cursor *cursor)
{
	struct waiting oldest = {0};
	uint8_t random[CURSOR_RANDOM];
	char *name = NULL;

	if (!pool || RAND_bytes(random, sizeof(random)) != 1 ||
		!(name = hex_encode(random, sizeof(random)))) {
		ldap_cursor_free(cursor);
		return NULL;
	}
	clean(pool, NULL);
	pthread_mutex_lock(&pool->lock);
	if (pool->waiting_count == CURSORS_MAX)
		oldest = take_waiting(pool, 0);
	pool->waiting[pool->waiting_count++] =
		(struct waiting){xstrdup(use), xstrdup(name), cursor, now() + LDAP_CURSOR_SECONDS};
	pthread_mutex_unlock(&pool->lock);
	if (oldest.cursor)
		waiting_clear(&oldest);
	return name;
}

struct ldap_cursor *ldap_pool_take_cursor(struct ldap_pool *pool, const char *use, const char *name)
{
	struct waiting found = {0};

	if (!pool)
		return NULL;
	clean(pool, NULL);
	pthread_mutex_lock(&pool->lock);
	for (size_t i = pool->waiting_count; i > 0 && !found.cursor; i--) {
		if (strcmp(pool->waiting[i - 1].name, name) == 0 &&
			strcmp(pool->waiting[i - 1].use, use) == 0)
			found = take_waiting(pool, i - 1);
	}
	pthread_mutex_unlock(&pool->lock);
	free(found.use);
	free(found.name);
	return found.cursor;
}

/* --- servers that do not answer --- */

/* Under the lock; RESTING_MAX: it is not among them. */
static size_t find_resting(const struct ldap_pool *pool, const char *host)
{
	for (size_t i = 0; i < pool->resting_count; i++) {
		if (strcmp(pool->resting[i].host, host) == 0)
			return i;
	}
	return RESTING_MAX;
}

void ldap_pool_host_failed(struct ldap_pool *pool, const char *host)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	size_t index = find_resting(pool, host);
	if (index == RESTING_MAX && pool->resting_count < RESTING_MAX) {
		index = pool->resting_count++;
		pool->resting[index].host = xstrdup(host);
	} else if (index == RESTING_MAX) {
		index = 0;
		free(pool->resting[0].host);
		pool->resting[0].host = xstrdup(host);
	}
	pool->resting[index].until = now() + REST_SECONDS;
	pthread_mutex_unlock(&pool->lock);
}

bool ldap_pool_host_rests(struct ldap_pool *pool, const char *host)
{
	if (!pool)
		return false;
	pthread_mutex_lock(&pool->lock);
	size_t index = find_resting(pool, host);
	bool rests = index != RESTING_MAX && pool->resting[index].until > now();
	pthread_mutex_unlock(&pool->lock);
	return rests;
}
