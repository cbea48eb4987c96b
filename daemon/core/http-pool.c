/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <pthread.h>
#include <string.h>

#include "common/alloc.h"
#include "core/http-private.h"

/* Each holds a connection; libcurl ends one that was idle for two minutes when it is used next. */
#define IDLE_MAX 32

struct idle {
	char *use; /* what connections of different use differ in (use_of) */
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
	free(idle->use);
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

static const char *text_or_nothing(const char *text)
{
	return text ? text : "";
}

/* "https://one.example:443" and the account of Kerberos, heap. */
static char *use_of(const struct http_request *request)
{
	const char *url = request->url, *host = strstr(url, "://");
	const struct http_negotiate *as = request->negotiate;

	host = host ? host + strlen("://") : url;
	int length = (int)(host - url + (ptrdiff_t)strcspn(host, "/?#"));
	if (!as)
		return xasprintf("%.*s", length, url);
	return xasprintf("%.*s\n%s\n%s\n%s\n%s", length, url, text_or_nothing(as->principal),
		text_or_nothing(as->keytab), text_or_nothing(as->cache),
		text_or_nothing(as->service));
}

static CURL *take_idle(struct http_pool *pool, const char *use)
{
	CURL *curl = NULL;

	pthread_mutex_lock(&pool->lock);
	for (size_t i = pool->count; i > 0 && !curl; i--) {
		if (strcmp(pool->idle[i - 1].use, use) != 0)
			continue;
		curl = pool->idle[i - 1].curl;
		free(pool->idle[i - 1].use);
		memmove(&pool->idle[i - 1], &pool->idle[i],
			(pool->count - i) * sizeof(pool->idle[0]));
		pool->count--;
	}
	pthread_mutex_unlock(&pool->lock);
	return curl;
}

CURL *http_pool_take(struct http_pool *pool, const struct http_request *request)
{
	_cleanup_free_ char *use = use_of(request);
	CURL *curl = pool ? take_idle(pool, use) : NULL;

	if (!curl)
		curl = curl_easy_init();
	return curl;
}

void http_pool_give(struct http_pool *pool, const struct http_request *request, CURL *curl)
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
	pool->idle[pool->count++] = (struct idle){use_of(request), curl};
	pthread_mutex_unlock(&pool->lock);
	if (oldest.curl)
		idle_clear(&oldest);
}
