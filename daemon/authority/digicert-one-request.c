/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One request to the API, and what it answered in words. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "authority/digicert-one-private.h"
#include "authority/issued.h"
#include "core/patience.h"
#include "common/alloc.h"
#include "common/log.h"

/* The list of profiles with their issuers' chains is the longest answer. */
#define ANSWER_BYTES_MAX (4 * 1024 * 1024)
#define CONNECT_MS	 15000
#define SHOWN_MAX	 300 /* bytes of the service's own words */

void digicert_one_reply_clear(struct digicert_one_reply *reply)
{
	json_decref(reply->json);
	free(reply->text);
	*reply = (struct digicert_one_reply){0};
}

char *digicert_one_escape(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	char *escaped = xcalloc(strlen(text) * 3 + 1, 1);
	char *to = escaped;

	for (; *text; text++) {
		if (strchr(plain, *text))
			*to++ = *text;
		else
			to += sprintf(to, "%%%02X", (unsigned char)*text);
	}
	return escaped;
}

/* --- what the service says is wrong --- */

/* The object that holds code and message, in each of the documented shapes. */
static const json_t *error_of(const json_t *json)
{
	const json_t *errors = json_object_get(json, "errors");
	const json_t *single = json_object_get(json, "error");

	if (json_array_size(errors) > 0)
		return json_array_get(errors, 0);
	return json_is_object(single) ? single : json;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text && text[0] ? text : NULL;
}

bool digicert_one_says(const struct digicert_one_reply *reply, const char *text)
{
	const json_t *errors = json_object_get(reply->json, "errors");
	const char *message = text_of(error_of(reply->json), "message");
	const json_t *each;
	size_t index;

	json_array_foreach(errors, index, each)
	{
		const char *other = text_of(each, "message");
		if (other && strcasestr(other, text))
			return true;
	}
	return message && strcasestr(message, text);
}

/* "CSR key length 4096 does not match 2048 (invalid_request, csr)", heap; NULL without any. */
static char *words_of(const struct digicert_one_reply *reply)
{
	const json_t *said = error_of(reply->json);
	const char *message = text_of(said, "message"), *code = text_of(said, "code");
	const char *field = text_of(said, "field");

	if (!message && !code)
		return NULL;
	_cleanup_free_ char *words = xasprintf("%s%s%s%s%s%s", message ? message : code,
		(message && code) || field ? " (" : "", message && code ? code : "",
		message && code && field ? ", " : "", field ? field : "",
		(message && code) || field ? ")" : "");
	return issued_words(words, SHOWN_MAX);
}

/* What to do about a status, where the service's own words do not say it. */
static const char *advice_for(long status, const struct digicert_one *one)
{
	switch (status) {
	case 401:
		return one->settings.by_certificate
			       ? ": it does not accept the client certificate; see tessera "
				 "connection secret"
			       : ": it does not accept the API key; see tessera connection secret";
	case 403:
		return ": the user of this connection may not do this there";
	case 429:
	case 503:
		return ": it is busy; try again later";
	default:
		return "";
	}
}

static enum error_code code_for(long status)
{
	bool by_request = status >= 400 && status <= 499 && status != 401 && status != 429;

	return by_request ? ERROR_AUTHORITY_REJECTED : ERROR_AUTHORITY_FAILED;
}

static bool fail_with_status(
	const struct digicert_one *one, const struct digicert_one_reply *reply, struct error *error)
{
	_cleanup_free_ char *words = words_of(reply);
	const char *advice = advice_for(reply->status, one);

	if (words)
		return error_set(error, code_for(reply->status),
			"DigiCert ONE answers HTTP status %ld, %s%s", reply->status, words, advice);
	if (reply->text && reply->text[0]) {
		_cleanup_free_ char *begin = xasprintf("%.60s", reply->text);
		_cleanup_free_ char *line = issued_words(begin, SHOWN_MAX);
		return error_set(error, code_for(reply->status),
			"DigiCert ONE answers HTTP status %ld%s and no JSON (\"%s\")",
			reply->status, advice, line);
	}
	return error_set(error, code_for(reply->status), "DigiCert ONE answers HTTP status %ld%s",
		reply->status, advice);
}

bool digicert_one_need_object(struct digicert_one_reply *reply, struct error *error)
{
	if (json_is_object(reply->json))
		return true;
	reply->may_be_done = true;
	if (!reply->text)
		return error_set(error, ERROR_AUTHORITY_FAILED,
			"DigiCert ONE answers HTTP status %ld and not what was asked for",
			reply->status);
	_cleanup_free_ char *begin = xasprintf("%.60s", reply->text);
	_cleanup_free_ char *line = issued_words(begin, SHOWN_MAX);
	return error_set(error, ERROR_AUTHORITY_FAILED,
		"DigiCert ONE answers HTTP status %ld and no whole JSON (\"%s\")", reply->status,
		line);
}

/* --- one exchange --- */

static void read_body(const struct http_answer *answer, struct digicert_one_reply *reply)
{
	const char *data = (const char *)answer->body.data;
	size_t length = answer->body.length;

	reply->json = json_loadb(data ? data : "", length, JSON_REJECT_DUPLICATES, NULL);
	if (!reply->json)
		reply->text = xasprintf("%.*s", (int)length, data ? data : "");
}

static bool exchange(struct authority *authority, enum http_method method, const char *url,
	const char *body, struct digicert_one_reply *reply, struct error *error)
{
	struct digicert_one *one = authority->data;
	const struct digicert_one_settings *settings = &one->settings;
	_cleanup_http_answer_ struct http_answer answer = HTTP_ANSWER_INIT;
	struct http_request request = {.method = method,
		.url = url,
		.ca_file = settings->ca_file,
		.accept = "application/json",
		.content_type = body ? "application/json" : NULL,
		.body = body,
		.body_length = body ? strlen(body) : 0,
		.answer_max = ANSWER_BYTES_MAX,
		.timeout_ms = (unsigned)settings->times.timeout_seconds * 1000,
		.connect_ms = CONNECT_MS};

	if (settings->by_certificate) {
		request.client_certificate = &one->identity.secret;
		request.client_key = one->identity.key;
	} else {
		request.secret_header = "x-api-key";
		request.secret_value = &one->identity.secret;
	}
	digicert_one_reply_clear(reply);
	bool done = http_send(authority->services->http, &request, &answer, error);
	reply->status = answer.status;
	reply->retry_after = answer.retry_after;
	reply->is_resolved = answer.is_resolved;
	reply->is_connected = answer.is_connected;
	reply->may_be_done = answer.may_be_seen;
	if (!done)
		return false;
	read_body(&answer, reply);
	if (reply->status >= 200 && reply->status <= 299)
		return true;
	/* A 4xx is the service's own word that it has not done it. */
	reply->may_be_done = reply->status >= 500;
	return fail_with_status(one, reply, error);
}

/* Whether the same request may be made once more after this status. */
static bool may_repeat(enum http_method method, long status)
{
	if (status == 429)
		return true;
	if (status == 503)
		return method != HTTP_POST;
	return status == 500 && method == HTTP_GET;
}

bool digicert_one_call(struct authority *authority, enum http_method method, const char *path,
	json_t *body, struct digicert_one_reply *reply, struct error *error)
{
	struct digicert_one *one = authority->data;
	_cleanup_free_ char *url = xasprintf("%s%s", one->settings.base, path);
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	struct patience patience = PATIENCE_INIT(one->settings.times.retry_seconds);
	const char *secret =
		one->settings.by_certificate ? IDENTITY_CLIENT_CERTIFICATE : DIGICERT_ONE_API_KEY;
	bool done = identity_open(&one->identity, authority->services, authority->name, secret,
		one->settings.client_key, error);

	while (done) {
		if (error)
			error_clear(error);
		done = exchange(authority, method, url, text, reply, error);
		if (done || !may_repeat(method, reply->status) ||
			!patience_wait(&patience, reply->retry_after, error))
			break;
		log_info("DigiCert ONE answered %ld, and is asked again connection=%s",
			reply->status, authority->name);
		done = true;
	}
	free(text);
	return done;
}
