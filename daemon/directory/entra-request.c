/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One request to Graph, and its answers in words. */
#include <string.h>

#include "common/alloc.h"
#include "common/log.h"
#include "common/text.h"
#include "core/patience.h"
#include "directory/entra-private.h"

#define ANSWER_BYTES_MAX (4 * 1024 * 1024) /* a page of 100 people is below 200 KB */
#define CONNECT_MS	 15000
#define BEGIN_MAX	 60 /* bytes of an answer that is no JSON */

void entra_reply_clear(struct entra_reply *reply)
{
	json_decref(reply->json);
	*reply = (struct entra_reply){.retry_after = -1};
}

bool entra_is_busy(long status)
{
	return status == 429 || status == 500 || (status >= 502 && status <= 504);
}

/* The beginning of what came is shown, unless it may be a part of a token's answer. */
static bool fail_without_json(
	const struct http_answer *answer, const char *url, struct error *error)
{
	_cleanup_free_ char *begin = xasprintf("%.*s", (int)answer->body.length,
		answer->body.data ? (const char *)answer->body.data : "");
	_cleanup_free_ char *line = text_shown(begin, BEGIN_MAX);
	bool is_shown = begin[strspn(begin, " \t\r\n")] == '<';

	explicit_bzero(begin, strlen(begin));
	return error_set(error, ENTRA_FAILED,
		"%.*s answers HTTP status %ld and no whole JSON%s%s%s", (int)strcspn(url, "?"), url,
		answer->status, is_shown ? " (\"" : "", is_shown ? line : "",
		is_shown ? "\")" : "");
}

bool entra_send(struct directory *directory, struct http_request *request,
	struct entra_reply *reply, struct error *error)
{
	const struct entra *entra = directory->data;
	_cleanup_http_answer_ struct http_answer answer = HTTP_ANSWER_INIT;

	answer.body.wipe = true;
	request->ca_file = entra->settings.ca_file;
	request->accept = "application/json";
	request->answer_max = ANSWER_BYTES_MAX;
	request->timeout_ms = (unsigned)entra->settings.timeout_seconds * 1000;
	request->connect_ms = CONNECT_MS;
	entra_reply_clear(reply);
	bool done = http_send(directory->services->http, request, &answer, error);
	reply->status = answer.status;
	reply->retry_after = answer.retry_after;
	reply->is_resolved = answer.is_resolved;
	reply->is_connected = answer.is_connected;
	if (!done)
		return false;
	reply->json = json_loadb(answer.body.data ? (const char *)answer.body.data : "",
		answer.body.length, JSON_REJECT_DUPLICATES, NULL);
	return json_is_object(reply->json) || fail_without_json(&answer, request->url, error);
}

/* --- Graph --- */

/* What to do about a status; the service's own words stand before it. */
static const char *advice_for(const struct entra_reply *reply, const char *url)
{
	switch (reply->status) {
	case 401:
		return ": it does not take the token; check cloud and api-url";
	case 403:
		return strstr(url, "/groups/") || strstr(url, "/checkMemberGroups")
			       ? ": grant the application the permissions User.Read.All and "
				 "GroupMember.Read.All (application, not delegated), with the "
				 "admin's consent"
			       : ": grant the application the permission User.Read.All "
				 "(application, not delegated), with the admin's consent";
	case 429:
	case 503:
		return ": it is busy; try again later";
	default:
		return "";
	}
}

static bool fail_with_status(const struct entra_reply *reply, const char *url, struct error *error)
{
	_cleanup_free_ char *words = entra_words(reply->json);

	return error_set(error, ENTRA_FAILED, "Graph answers HTTP status %ld%s%s%s%s",
		reply->status, words ? " (" : "", words ? words : "", words ? ")" : "",
		advice_for(reply, url));
}

/* Queries of a collection read an index, which Graph wants to be told to; what else is asked for is
 * read as it is now. */
static bool is_query(const struct entra_settings *settings, const char *url)
{
	const char *path = url + strlen(settings->api);

	return strncmp(path, "/users?", strlen("/users?")) == 0 ||
	       strstr(path, "/transitiveMembers/");
}

static bool ask(struct directory *directory, const char *url, const char *body,
	const struct secret *token, struct entra_reply *reply, struct error *error)
{
	static const struct http_header eventual = {"ConsistencyLevel", "eventual"};
	const struct entra *entra = directory->data;

	if (!entra_is_of_api(&entra->settings, url))
		return error_set(error, ENTRA_FAILED,
			"the token is not sent to another address than %s", entra->settings.api);
	struct http_request request = {.method = body ? HTTP_POST : HTTP_GET,
		.url = url,
		.secret_header = "Authorization",
		.secret_value = token,
		.headers = &eventual,
		.header_count = is_query(&entra->settings, url) ? 1 : 0,
		.content_type = body ? "application/json" : NULL,
		.body = body,
		.body_length = body ? strlen(body) : 0};

	if (!entra_send(directory, &request, reply, error))
		return false;
	return (reply->status >= 200 && reply->status <= 299) ||
	       fail_with_status(reply, url, error);
}

/* With a token; a kept one that is not taken any more is replaced once. */
static bool ask_with_token(struct directory *directory, const char *url, const char *body,
	struct entra_reply *reply, struct error *error)
{
	_cleanup_secret_ struct secret token = SECRET_INIT;

	for (bool is_again = false;; is_again = true) {
		if (!entra_token(directory, &token, reply, error))
			return false;
		if (ask(directory, url, body, &token, reply, error))
			return true;
		if (reply->status != 401)
			return false;
		entra_token_drop(directory, &token);
		if (is_again)
			return false;
		error_clear(error);
	}
}

/* All that is asked of Graph is read: what broke on its way may be asked once more. */
static bool is_broken(const struct entra_reply *reply, const struct error *failure)
{
	return failure->code != ERROR_TIMEOUT && reply->is_connected && !reply->json;
}

bool entra_call(struct directory *directory, const char *url, json_t *body,
	struct entra_reply *reply, struct error *error)
{
	const struct entra *entra = directory->data;
	struct patience patience = PATIENCE_INIT(entra->settings.retry_seconds);
	_cleanup_error_ struct error failure = ERROR_INIT;
	_cleanup_free_ char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	bool was_broken = false;

	while (!ask_with_token(directory, url, text, reply, &failure)) {
		bool is_first = !was_broken && is_broken(reply, &failure);
		was_broken = was_broken || is_first;
		if (!is_first && (!entra_is_busy(reply->status) ||
					 !patience_wait(&patience, reply->retry_after, &failure)))
			return error_move(error, &failure);
		log_info("Graph is asked again connection=%s: %s", directory->name,
			error_message(&failure));
		error_clear(&failure);
	}
	return true;
}
