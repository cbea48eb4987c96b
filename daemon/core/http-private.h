/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What http.c and http-pool.c share. */
#ifndef TESSERA_CORE_HTTP_PRIVATE_H
#define TESSERA_CORE_HTTP_PRIVATE_H

#include <curl/curl.h>

#include "core/http.h"

DEFINE_CLEANUP(CURL *, curl_easy_cleanup);
DEFINE_CLEANUP(struct curl_slist *, curl_slist_free_all);

/* A handle with its options reset; one whose last request went to the same host, if there is. */
CURL *http_pool_take(struct http_pool *pool, const char *url);
/* Keeps the handle and its open connection, or ends both. */
void http_pool_give(struct http_pool *pool, const char *url, CURL *curl);

#endif
