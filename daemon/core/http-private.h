/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files http* share. */
#ifndef TESSERA_CORE_HTTP_PRIVATE_H
#define TESSERA_CORE_HTTP_PRIVATE_H

#include <time.h>

#include <curl/curl.h>

#include "core/http.h"
#include "core/negotiate.h"

DEFINE_CLEANUP(CURL *, curl_easy_cleanup);
DEFINE_CLEANUP(struct curl_slist *, curl_slist_free_all);

/* One request under way. */
struct exchange {
	const struct http_request *request;
	struct http_answer *answer;
	CURL *curl;
	struct curl_slist *headers;
	size_t sent; /* bytes of the body that libcurl has taken */
	bool is_too_long;
	char detail[CURL_ERROR_SIZE]; /* libcurl's own words */
	/* Of requests with Kerberos alone (http-negotiate.c). */
	struct negotiate *negotiate;
	struct curl_slist *authorization; /* its header, and behind it `headers` */
	bool has_connection;	  /* also one that was kept, of which libcurl tells nothing */
	bool has_lost_connection; /* a kept one ended while its token was made */
	struct timespec end;	  /* of all its time, CLOCK_MONOTONIC */
	struct error error;	  /* why there is no token */
};

/* A handle with its options reset; one whose last request went to the same host as the same
 * account, if there is: a server may take the account of a connection's first request for that of
 * all the others. */
CURL *http_pool_take(struct http_pool *pool, const struct http_request *request);
/* Keeps the handle and its open connection, or ends both. */
void http_pool_give(struct http_pool *pool, const struct http_request *request, CURL *curl);

/* "Name: value" at the end of the list. */
struct curl_slist *http_add_header(
	struct curl_slist *headers, const char *name, const void *value, size_t length);

/* Makes the exchange prove the request's account on each connection that it comes to use. Does
 * nothing without one, here and below. */
void http_negotiate_begin(struct exchange *exchange);
/*
 * What a whole answer means: ERROR_NETWORK_FAILED when the service refuses the account, or when an
 * answer does not prove that it is the service's.
 */
bool http_negotiate_check(struct exchange *exchange, struct error *error);
void http_negotiate_end(struct exchange *exchange);

#endif
