/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <pthread.h>
#include <string.h>

#include "common/alloc.h"
#include "core/http-private.h"

/* Each holds a connection; libcurl ends one that was idle for two minutes when it is used next. */
#define IDLE_MAX 32

struct idle {
	char *host; /* scheme, host and port of the URL */
	CURL *curl;
};

struct http_pool {
	pthread_mutex_t lock; /* guards what follows; nothing is asked under it */
	struct idle idle[IDLE_MAX];
	size_t count;
};

struct http_pool *http_pool_new(void)
{
	struct http_pool *pool = xnew(struct http_pool);

	pthread_mutex_init(&pool->lock, NULL);
	return pool;
}

static void idle_clear(struct idle *idle)
{
	curl_easy_cleanup(idle->curl);
	free(idle->host);
}

void http_pool_free(struct http_pool *pool)
{
	if (!pool)
		return;
	for (size_t i = 0; i < pool->count; i++)
		idle_clear(&pool->idle[i]);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

/* "https://one.example:443", heap. */
static char *host_of(const char *url)
{
	const char *host = strstr(url, "://");

	host = host ? host + strlen("://") : url;
	return xasprintf("%.*s", (int)(host - url + (ptrdiff_t)strcspn(host, "/?#")), url);
}

static CURL *take_idle(struct http_pool *pool, const char *host)
{
	CURL *curl = NULL;

	pthread_mutex_lock(&pool->lock);
	for (size_t i = pool->count; i > 0 && !curl; i--) {
		if (strcmp(pool->idle[i - 1].host, host) != 0)
			continue;
		curl = pool->idle[i - 1].curl;
		free(pool->idle[i - 1].host);
		memmove(&pool->idle[i - 1], &pool->idle[i],
			(pool->count - i) * sizeof(pool->idle[0]));
		pool->count--;
	}
	pthread_mutex_unlock(&pool->lock);
	return curl;
}

CURL *http_pool_take(struct http_pool *pool, const char *url)
{
	_cleanup_free_ char *host = host_of(url);
	CURL *curl = pool ? take_idle(pool, host) : NULL;

	if (!curl)
		curl = curl_easy_init();
	return curl;
}

void http_pool_give(struct http_pool *pool, const char *url, CURL *curl)
{
	struct idle oldest = {NULL, NULL};

	/* Secrets of this request are not the next one's. */
	curl_easy_reset(curl);
	if (!pool) {
		curl_easy_cleanup(curl);
		return;
	}
	pthread_mutex_lock(&pool->lock);
	if (pool->count == IDLE_MAX) {
		oldest = pool->idle[0];
		pool->count--;
		memmove(&pool->idle[0], &pool->idle[1], pool->count * sizeof(pool->idle[0]));
	}
	pool->idle[pool->count++] = (struct idle){host_of(url), curl};
	pthread_mutex_unlock(&pool->lock);
	if (oldest.curl)
		idle_clear(&oldest);
}
