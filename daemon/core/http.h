/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests to services over HTTPS; libcurl is known to the files http*
 * alone. The service must prove its name by a certificate (TLS 1.2 or newer);
 * redirects are not followed, so that nothing is sent to a host that nobody
 * configured.
 */
#ifndef TESSERA_CORE_HTTP_H
#define TESSERA_CORE_HTTP_H

#include <openssl/evp.h>

#include "common/buffer.h"
#include "common/error.h"
#include "common/secret.h"

enum http_method { HTTP_POST, HTTP_GET, HTTP_PUT, HTTP_DELETE };

/* An account of Kerberos that a request is made as (SPNEGO, bound to the TLS connection). */
struct http_negotiate {
	const char *keytab;    /* path of the file with the account's keys, or NULL */
	const char *principal; /* "svc@EXAMPLE.ORG"; NULL: the cache's, without a keytab */
	const char *cache;     /* without a keytab: of tickets, "FILE:..."; NULL: the default one */
	const char *service;   /* the service's principal; NULL: HTTP/ and the host of the URL */
};

struct http_header {
	const char *name, *value; /* neither is a secret */
};

struct http_request {
	enum http_method method;
	const char *url; /* https:// */
	/* http:// too: for answers that count by a signature of their own (CRL, OCSP). */
	bool allow_plain;
	const char *ca_file; /* PEM certificates to trust instead of the system's, or NULL */
	/* PEM of the certificate and of the key that prove who asks, or NULL. */
	const struct secret *client_certificate;
	/* The key where it is not in there: signs elsewhere (core/signing-key.h). Its connection is
	 * not kept. NULL otherwise. */
	EVP_PKEY *client_key;
	const char *accept;	   /* media type of the answer, or NULL */
	const char *secret_header; /* name of a header with a secret value, or NULL */
	const struct secret *secret_value;
	const struct http_negotiate *negotiate; /* who asks, by Kerberos, or NULL */
	const char *content_type;		/* of the body; NULL without one */
	const struct http_header *headers;	/* further ones */
	size_t header_count;
	const void *body;
	size_t body_length;
	size_t answer_max;   /* bytes of the answer's body */
	unsigned timeout_ms; /* for everything together */
	unsigned connect_ms; /* for name, connection and TLS alone; 0: no limit of their own */
};

struct http_answer {
	long status; /* 200, 404, ...; 0 when none came */
	struct buffer body;
	/* Seconds that Retry-After asks to wait (seconds or a date, RFC 9110 10.2.3); -1: absent.
	 */
	int64_t retry_after;
	/* Whether the service may have read the request: after a failure it may still do it. */
	bool may_be_seen;
	bool is_resolved, is_connected; /* how far a request came: its name, and TLS */
	bool has_ticket;		/* and, with Kerberos, the ticket for the service */
};
#define HTTP_ANSWER_INIT                                                                           \
	{                                                                                          \
		.retry_after = -1                                                                  \
	}
void http_answer_clear(struct http_answer *answer);
#define _cleanup_http_answer_ _cleanup_(http_answer_clear)

/* Connections that stay open for further requests; each function may be called from any thread. */
struct http_pool;
struct http_pool *http_pool_new(void);
/* NULL is allowed. No request may be under way. */
void http_pool_free(struct http_pool *pool);
DEFINE_CLEANUP(struct http_pool *, http_pool_free);

/*
 * Sends a request and waits for the whole answer, whatever its status but a redirect. It is sent
 * once: a connection that breaks is an error, unless the service cannot have read any of the body.
 * pool: its connections are used and kept; NULL: one of its own. ERROR_TIMEOUT;
 * ERROR_NETWORK_FAILED when the service cannot be reached, is not trusted, redirects, or its answer
 * is too long or breaks off; with Kerberos also when there is no ticket, the service refuses it
 * (status 401), or an answer below 400 does not prove that it is the service's. *answer is filled
 * as far as it is known after a failure, too. May be called from any thread.
 */
bool http_send(struct http_pool *pool, const struct http_request *request,
	struct http_answer *answer, struct error *error);
/* The same with a POST over a connection of its own. */
bool http_post(const struct http_request *request, struct http_answer *answer, struct error *error);

/* Heap: a text as a part of a path or of a query (RFC 3986, 2.1). */
char *http_escape(const char *text);

#endif
