/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests as an account of Kerberos. libcurl of Debian 12 binds no token to the connection. So it
 * says when a connection is there and the request about to go over it (CURLOPT_PREREQFUNCTION), the
 * token is made there and then for that very connection, and goes along with the request: another
 * connection, to a server with another certificate, gets a token of its own, and the body goes
 * nowhere before there is one.
 */
#include <poll.h>
#include <string.h>
#include <time.h>

#include <openssl/ssl.h>

#include "common/alloc.h"
#include "core/http-private.h"

DEFINE_CLEANUP(X509 *, X509_free);

/* The certificate that the server of the present connection has shown, or NULL. */
static X509 *server_certificate(CURL *curl)
{
	struct curl_tlssessioninfo *session = NULL;

	if (curl_easy_getinfo(curl, CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK || !session ||
		session->backend != CURLSSLBACKEND_OPENSSL || !session->internals)
		return NULL;
	return SSL_get1_peer_certificate(session->internals);
}

static unsigned left_ms(const struct timespec *end)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	int64_t left =
		(int64_t)(end->tv_sec - now.tv_sec) * 1000 + (end->tv_nsec - now.tv_nsec) / 1000000;
	return left > 0 ? (unsigned)left : 0;
}

static bool make_token(struct exchange *exchange, char **value)
{
	_cleanup_(X509_freep) X509 *certificate = server_certificate(exchange->curl);

	if (!certificate)
		return error_set(&exchange->error, ERROR_FAILED,
			"the certificate of its connection cannot be had from libcurl");
	return negotiate_start(
		exchange->negotiate, certificate, left_ms(&exchange->end), value, &exchange->error);
}

/* Removes what an earlier connection was given. */
static void remove_authorization(struct exchange *exchange)
{
	struct curl_slist *first = exchange->authorization;

	if (!first)
		return;
	first->next = NULL;
	explicit_bzero(first->data, strlen(first->data));
	curl_slist_free_all(first);
	exchange->authorization = NULL;
}

/* Nothing comes on a connection before a request but its end. */
static bool has_ended(CURL *curl)
{
	struct pollfd watched = {.fd = -1, .events = POLLIN | POLLRDHUP};
	curl_socket_t socket = CURL_SOCKET_BAD;
	long connections = 1;

	curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &connections);
	if (connections > 0 || curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, &socket) != CURLE_OK)
		return false;
	watched.fd = socket;
	return poll(&watched, 1, 0) > 0;
}

/* The connection stands; nothing of the request has gone over it. */
static int before_request(
	void *context, char *remote_address, char *local_address, int remote_port, int local_port)
{
	struct exchange *exchange = context;
	_cleanup_free_ char *value = NULL;

	(void)remote_address, (void)local_address, (void)remote_port, (void)local_port;
	exchange->has_connection = true;
	error_clear(&exchange->error);
	if (!make_token(exchange, &value))
		return CURL_PREREQFUNC_ABORT;
	/* That may have taken a while. */
	exchange->has_lost_connection = has_ended(exchange->curl);
	if (exchange->has_lost_connection)
		return CURL_PREREQFUNC_ABORT;
	exchange->answer->has_ticket = true;
	remove_authorization(exchange);
	exchange->authorization = http_add_header(NULL, "Authorization", value, strlen(value));
	exchange->authorization->next = exchange->headers;
	curl_easy_setopt(exchange->curl, CURLOPT_HTTPHEADER, exchange->authorization);
	return CURL_PREREQFUNC_OK;
}

/* Heap; "" for a URL without one, which no connection is made for. */
static char *host_of(const char *text)
{
	char *host = NULL, *copy;
	CURLU *url = curl_url();

	if (!url)
		abort();
	if (curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK ||
		curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		host = NULL;
	copy = xstrdup(host ? host : "");
	curl_free(host);
	curl_url_cleanup(url);
	return copy;
}

void http_negotiate_begin(struct exchange *exchange)
{
	const struct http_request *request = exchange->request;

	if (!request->negotiate)
		return;
	_cleanup_free_ char *host = host_of(request->url);
	exchange->negotiate = negotiate_new(request->negotiate, host);
	clock_gettime(CLOCK_MONOTONIC, &exchange->end);
	exchange->end.tv_sec += request->timeout_ms / 1000;
	exchange->end.tv_nsec += request->timeout_ms % 1000 * 1000000L;
	curl_easy_setopt(exchange->curl, CURLOPT_PREREQFUNCTION, before_request);
	curl_easy_setopt(exchange->curl, CURLOPT_PREREQDATA, exchange);
}

void http_negotiate_end(struct exchange *exchange)
{
	remove_authorization(exchange);
	negotiate_free(exchange->negotiate);
	error_clear(&exchange->error);
}

/* --- the answer --- */

/* What the answer's headers WWW-Authenticate say together: the most that one of them does. */
static enum negotiate_challenge read_challenges(CURL *curl, struct buffer *token)
{
	enum negotiate_challenge most = CHALLENGE_OTHER;
	struct curl_header *header;

	for (size_t i = 0;
		most < CHALLENGE_TOKEN && curl_easy_header(curl, "WWW-Authenticate", i,
						  CURLH_HEADER, -1, &header) == CURLHE_OK;
		i++) {
		enum negotiate_challenge one = negotiate_read_challenge(header->value, token);
		most = one > most ? one : most;
	}
	return most;
}

static bool refused(struct exchange *exchange, enum negotiate_challenge challenge,
	const struct buffer *token, struct error *error)
{
	const char *url = exchange->request->url;
	_cleanup_error_ struct error reason = ERROR_INIT;

	/* It has not taken the request. */
	exchange->answer->may_be_seen = false;
	if (challenge == CHALLENGE_OTHER)
		return error_set(error, ERROR_NETWORK_FAILED,
			"%s: it takes no Kerberos (HTTP status 401 that does not offer "
			"Negotiate): give the address of its endpoint for Kerberos",
			url);
	if (challenge == CHALLENGE_TOKEN && !negotiate_finish(exchange->negotiate, token, &reason))
		return error_set(error, ERROR_NETWORK_FAILED,
			"%s: it refuses the Kerberos ticket (HTTP status 401): %s", url,
			error_message(&reason));
	return error_set(error, ERROR_NETWORK_FAILED,
		"%s: it refuses the Kerberos ticket (HTTP status 401): may the account use it, has "
		"the service's key changed, does something in between end TLS?",
		url);
}

static bool check_proof(struct exchange *exchange, enum negotiate_challenge challenge,
	const struct buffer *token, struct error *error)
{
	if (challenge == CHALLENGE_TOKEN) {
		if (negotiate_finish(exchange->negotiate, token, error))
			return true;
		return error_prefix(error, "%s: the answer is not proved to be the service's",
			exchange->request->url);
	}
	/* Errors may come from what stands before the service. TLS has proved their sender. */
	if (exchange->answer->status >= 400 && challenge != CHALLENGE_MALFORMED)
		return true;
	return error_set(error, ERROR_NETWORK_FAILED,
		"%s: the answer is not proved to be the service's: it has no token of Kerberos%s",
		exchange->request->url,
		challenge == CHALLENGE_MALFORMED ? " that can be read" : "");
}

bool http_negotiate_check(struct exchange *exchange, struct error *error)
{
	_cleanup_buffer_ struct buffer token = BUFFER_INIT;

	if (!exchange->negotiate)
		return true;
	enum negotiate_challenge challenge = read_challenges(exchange->curl, &token);
	return exchange->answer->status == 401 ? refused(exchange, challenge, &token, error)
					       : check_proof(exchange, challenge, &token, error);
}
