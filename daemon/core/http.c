/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/http.h"

#include <pthread.h>
#include <string.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "common/alloc.h"
#include "core/http-private.h"

static void initialise(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
}

void http_answer_clear(struct http_answer *answer)
{
	buffer_clear(&answer->body);
	*answer = (struct http_answer)HTTP_ANSWER_INIT;
}

/* --- libcurl's callbacks --- */

/* Anything but the length given ends the transfer. */
static size_t take_body(char *data, size_t size, size_t count, void *context)
{
	struct exchange *exchange = context;
	struct buffer *body = &exchange->answer->body;
	size_t length = size * count;

	exchange->is_too_long = length > exchange->request->answer_max - body->length;
	if (exchange->is_too_long)
		return 0;
	buffer_append(body, data, length);
	return body->failed ? 0 : length;
}

static size_t give_body(char *data, size_t size, size_t count, void *context)
{
	struct exchange *exchange = context;
	const struct http_request *request = exchange->request;
	size_t left = request->body_length - exchange->sent;
	size_t length = left < size * count ? left : size * count;

	memcpy(data, (const char *)request->body + exchange->sent, length);
	exchange->sent += length;
	return length;
}

/*
 * libcurl asks for the body anew when it wants to repeat a request whose connection broke: the
 * service may have done by then what it was asked to do.
 */
static int refuse_repeat(void *context, curl_off_t offset, int origin)
{
	(void)context, (void)offset, (void)origin;
	return CURL_SEEKFUNC_FAIL;
}

/* --- options --- */

static void set_client_certificate(CURL *curl, const struct secret *certificate)
{
	struct curl_blob blob = {certificate->data, certificate->length, CURL_BLOB_COPY};

	curl_easy_setopt(curl, CURLOPT_SSLCERTTYPE, "PEM");
	curl_easy_setopt(curl, CURLOPT_SSLCERT_BLOB, &blob);
	curl_easy_setopt(curl, CURLOPT_SSLKEYTYPE, "PEM");
	curl_easy_setopt(curl, CURLOPT_SSLKEY_BLOB, &blob);
}

/* libcurl hands its SSL_CTX over before the handshake. */
static CURLcode use_client_key(CURL *curl, void *ssl_context, void *context)
{
	const struct exchange *exchange = context;
	const struct secret *pem = exchange->request->client_certificate;
	BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->length);
	X509 *x509 = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	bool used = x509 && SSL_CTX_use_certificate(ssl_context, x509) == 1 &&
		    SSL_CTX_use_PrivateKey(ssl_context, exchange->request->client_key) == 1;

	(void)curl;
	X509_free(x509);
	BIO_free(bio);
	ERR_clear_error();
	return used ? CURLE_OK : CURLE_SSL_CERTPROBLEM;
}

static void set_security(CURL *curl, struct exchange *exchange)
{
	const struct http_request *request = exchange->request;

	curl_easy_setopt(
		curl, CURLOPT_PROTOCOLS_STR, request->allow_plain ? "http,https" : "https");
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	/* One request at a time and one connection: nothing is gained by more. */
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	if (request->client_key) {
		curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, use_client_key);
		curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, exchange);
	} else if (request->client_certificate)
		set_client_certificate(curl, request->client_certificate);
	if (!request->ca_file)
		return;
	curl_easy_setopt(curl, CURLOPT_CAINFO, request->ca_file);
	curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
}

static void set_method(CURL *curl, struct exchange *exchange)
{
	static const char *const others[] = {[HTTP_PUT] = "PUT", [HTTP_DELETE] = "DELETE"};
	const struct http_request *request = exchange->request;

	if (request->method == HTTP_GET) {
		curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
		return;
	}
	if (request->method != HTTP_POST)
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, others[request->method]);
	if (request->method == HTTP_DELETE && !request->body)
		return;
	curl_easy_setopt(curl, CURLOPT_POST, 1L);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_body);
	curl_easy_setopt(curl, CURLOPT_READDATA, exchange);
	curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, refuse_repeat);
}

static void set_request(CURL *curl, struct exchange *exchange, struct curl_slist *headers)
{
	const struct http_request *request = exchange->request;

	curl_easy_setopt(curl, CURLOPT_URL, request->url);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "tesserad/" VERSION_STRING);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)request->answer_max);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
	if (request->connect_ms)
		curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_ms);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, exchange->detail);
	set_method(curl, exchange);
}

/* --- headers --- */

struct curl_slist *http_add_header(
	struct curl_slist *headers, const char *name, const void *value, size_t length)
{
	char *line = xasprintf("%s: %.*s", name, (int)length, (const char *)value);

	headers = curl_slist_append(headers, line);
	explicit_bzero(line, strlen(line));
	free(line);
	if (!headers)
		abort();
	return headers;
}

static struct curl_slist *make_headers(const struct http_request *request)
{
	struct curl_slist *headers = http_add_header(NULL, "Expect", "", 0);

	if (request->accept)
		headers = http_add_header(
			headers, "Accept", request->accept, strlen(request->accept));
	if (request->content_type)
		headers = http_add_header(headers, "Content-Type", request->content_type,
			strlen(request->content_type));
	for (size_t i = 0; i < request->header_count; i++)
		headers = http_add_header(headers, request->headers[i].name,
			request->headers[i].value, strlen(request->headers[i].value));
	if (request->secret_header)
		headers = http_add_header(headers, request->secret_header,
			request->secret_value->data, request->secret_value->length);
	return headers;
}

static void wipe_headers(struct curl_slist *headers)
{
	for (struct curl_slist *header = headers; header; header = header->next)
		explicit_bzero(header->data, strlen(header->data));
	curl_slist_free_all(headers);
}

/* --- outcomes --- */

/* What a person is told; libcurl's own words where they say more. */
static const char *reason_of(CURLcode code, const struct exchange *exchange)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return "its name is not known";
	case CURLE_COULDNT_CONNECT:
		return "it does not take connections";
	case CURLE_SSL_CACERT_BADFILE:
		return "the file of certificates to trust cannot be read";
	case CURLE_SSL_CERTPROBLEM:
		return "the client certificate or its key cannot be used";
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_SEND_FAIL_REWIND:
	case CURLE_PARTIAL_FILE:
		return "the answer breaks off";
	default:
		return exchange->detail[0] ? exchange->detail : curl_easy_strerror(code);
	}
}

/* Without its query: what was asked for may be long, and is not where it went wrong. Heap. */
static char *url_shown(const struct http_request *request)
{
	return xasprintf("%.*s", (int)strcspn(request->url, "?"), request->url);
}

static bool fail(CURLcode code, struct exchange *exchange, struct error *error)
{
	const struct http_request *request = exchange->request;
	_cleanup_free_ char *url = url_shown(request);

	if (exchange->error.code != ERROR_NONE) {
		error_move(error, &exchange->error);
		return error_prefix(error, "%s", url);
	}
	if (code == CURLE_OPERATION_TIMEDOUT)
		return error_set(error, ERROR_TIMEOUT, "%s: no whole answer within %u seconds", url,
			(request->timeout_ms + 999) / 1000);
	if (exchange->is_too_long || code == CURLE_FILESIZE_EXCEEDED)
		return error_set(error, ERROR_NETWORK_FAILED,
			"%s: the answer is longer than %zu bytes", url, request->answer_max);
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		return error_set(error, ERROR_NETWORK_FAILED,
			"%s: its certificate is not trusted (%s)", url, exchange->detail);
	return error_set(error, ERROR_NETWORK_FAILED, "%s: %s", url, reason_of(code, exchange));
}

static bool check_redirect(CURL *curl, const struct exchange *exchange, struct error *error)
{
	long status = exchange->answer->status;
	char *target = NULL;

	if (status < 300 || status > 399)
		return true;
	_cleanup_free_ char *url = url_shown(exchange->request);
	curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &target);
	return error_set(error, ERROR_NETWORK_FAILED,
		"%s: it redirects%s%.200s, which is not followed", url, target ? " to " : "",
		target ? target : "");
}

/* How far the request came, and what the answer's head says. */
static void take_facts(CURL *curl, const struct exchange *exchange)
{
	struct http_answer *answer = exchange->answer;
	curl_off_t resolved = 0, secured = 0, wait = 0;
	struct curl_header *header;
	long connections = 0;

	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
	curl_easy_getinfo(curl, CURLINFO_NAMELOOKUP_TIME_T, &resolved);
	curl_easy_getinfo(curl, CURLINFO_APPCONNECT_TIME_T, &secured);
	curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &connections);
	curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &wait);
	answer->is_connected = secured > 0 || answer->status != 0 || exchange->has_connection;
	answer->is_resolved = resolved > 0 || answer->is_connected;
	answer->may_be_seen = exchange->sent > 0;
	answer->retry_after = -1;
	if (curl_easy_header(curl, "Retry-After", 0, CURLH_HEADER, -1, &header) == CURLHE_OK)
		answer->retry_after = wait > 0 ? wait : 0;
}

/*
 * The service ended a kept connection just when it was to be used. What could not be sent to its
 * end was not done.
 */
static bool has_lost_kept_connection(const struct exchange *exchange, CURLcode code)
{
	long connections = 1, status = 0;

	curl_easy_getinfo(exchange->curl, CURLINFO_NUM_CONNECTS, &connections);
	curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &status);
	return connections == 0 && status == 0 &&
	       (code == CURLE_SEND_ERROR || exchange->has_lost_connection);
}

static bool perform(struct exchange *exchange, struct error *error)
{
	CURLcode code = curl_easy_perform(exchange->curl);

	if (has_lost_kept_connection(exchange, code)) {
		exchange->sent = 0;
		error_clear(&exchange->error);
		curl_easy_setopt(exchange->curl, CURLOPT_FRESH_CONNECT, 1L);
		code = curl_easy_perform(exchange->curl);
	}
	take_facts(exchange->curl, exchange);
	if (code != CURLE_OK)
		return fail(code, exchange, error);
	return check_redirect(exchange->curl, exchange, error) &&
	       http_negotiate_check(exchange, error);
}

bool http_send(struct http_pool *pool, const struct http_request *request,
	struct http_answer *answer, struct error *error)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct exchange exchange = {.request = request, .answer = answer};

	pthread_once(&once, initialise);
	if (request->client_key)
		pool = NULL;
	exchange.curl = http_pool_take(pool, request);
	if (!exchange.curl)
		abort();
	exchange.headers = make_headers(request);
	set_security(exchange.curl, &exchange);
	set_request(exchange.curl, &exchange, exchange.headers);
	http_negotiate_begin(&exchange);
	bool done = perform(&exchange, error);
	http_negotiate_end(&exchange);
	http_pool_give(pool, request, exchange.curl);
	wipe_headers(exchange.headers);
	return done;
}

bool http_post(const struct http_request *request, struct http_answer *answer, struct error *error)
{
	return http_send(NULL, request, answer, error);
}
