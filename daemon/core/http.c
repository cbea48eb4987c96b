/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/http.h"

#include <pthread.h>
#include <string.h>

#include <curl/curl.h>

#include "common/alloc.h"
#include "common/macros.h"

DEFINE_CLEANUP(CURL *, curl_easy_cleanup);
DEFINE_CLEANUP(struct curl_slist *, curl_slist_free_all);

/* One request under way. */
struct exchange {
	const struct http_request *request;
	struct http_answer *answer;
	bool is_too_long;
	char detail[CURL_ERROR_SIZE]; /* libcurl's own words */
};

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

/* libcurl's write callback: anything but the length given ends the transfer. */
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

static void set_security(CURL *curl, const struct http_request *request)
{
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	if (!request->ca_file)
		return;
	curl_easy_setopt(curl, CURLOPT_CAINFO, request->ca_file);
	curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
}

static void set_request(CURL *curl, struct exchange *exchange, struct curl_slist *headers)
{
	const struct http_request *request = exchange->request;

	curl_easy_setopt(curl, CURLOPT_URL, request->url);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "tesserad/" VERSION_STRING);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_POST, 1L);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
	curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)request->answer_max);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, exchange->detail);
}

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
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_PARTIAL_FILE:
		return "the answer breaks off";
	default:
		return exchange->detail[0] ? exchange->detail : curl_easy_strerror(code);
	}
}

static bool fail(CURLcode code, const struct exchange *exchange, struct error *error)
{
	const struct http_request *request = exchange->request;

	if (code == CURLE_OPERATION_TIMEDOUT)
		return error_set(error, ERROR_TIMEOUT, "%s: no whole answer within %u seconds",
			request->url, (request->timeout_ms + 999) / 1000);
	if (exchange->is_too_long || code == CURLE_FILESIZE_EXCEEDED)
		return error_set(error, ERROR_NETWORK_FAILED,
			"%s: the answer is longer than %zu bytes", request->url,
			request->answer_max);
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		return error_set(error, ERROR_NETWORK_FAILED,
			"%s: its certificate is not trusted (%s)", request->url, exchange->detail);
	return error_set(
		error, ERROR_NETWORK_FAILED, "%s: %s", request->url, reason_of(code, exchange));
}

static bool check_redirect(CURL *curl, const struct exchange *exchange, struct error *error)
{
	long status = exchange->answer->status;
	char *target = NULL;

	if (status < 300 || status > 399)
		return true;
	curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &target);
	return error_set(error, ERROR_NETWORK_FAILED,
		"%s: it redirects%s%.200s, which is not followed", exchange->request->url,
		target ? " to " : "", target ? target : "");
}

bool http_post(const struct http_request *request, struct http_answer *answer, struct error *error)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct exchange exchange = {.request = request, .answer = answer};
	_cleanup_free_ char *type = xasprintf("Content-Type: %s", request->content_type);

	pthread_once(&once, initialise);
	CURL *curl _cleanup_(curl_easy_cleanupp) = curl_easy_init();
	struct curl_slist *headers _cleanup_(curl_slist_free_allp) = curl_slist_append(NULL, type);
	if (!curl || !headers)
		abort();
	set_security(curl, request);
	set_request(curl, &exchange, headers);
	CURLcode code = curl_easy_perform(curl);
	if (code != CURLE_OK)
		return fail(code, &exchange, error);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
	return check_redirect(curl, &exchange, error);
}
