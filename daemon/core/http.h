/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests to services over HTTPS; the only file that knows libcurl. The
 * service must prove its name by a certificate (TLS 1.2 or newer); redirects are
 * not followed, so that nothing is sent to a host that nobody configured.
 */
#ifndef TESSERA_CORE_HTTP_H
#define TESSERA_CORE_HTTP_H

#include "common/buffer.h"
#include "common/error.h"

struct http_request {
	const char *url;     /* https:// */
	const char *ca_file; /* PEM certificates to trust instead of the system's, or NULL */
	const char *content_type;
	const void *body;
	size_t body_length;
	size_t answer_max;   /* bytes of the answer's body */
	unsigned timeout_ms; /* for everything together */
};

struct http_answer {
	long status; /* 200, 404, ... */
	struct buffer body;
};
#define HTTP_ANSWER_INIT                                                                           \
	{                                                                                          \
		0                                                                                  \
	}
void http_answer_clear(struct http_answer *answer);
#define _cleanup_http_answer_ _cleanup_(http_answer_clear)

/*
 * Sends a POST and waits for the whole answer, whatever its status but a redirect.
 * ERROR_TIMEOUT; ERROR_NETWORK_FAILED when the service cannot be reached, is not trusted,
 * redirects, or its answer is too long or breaks off. May be called from any thread.
 */
bool http_post(const struct http_request *request, struct http_answer *answer, struct error *error);

#endif
