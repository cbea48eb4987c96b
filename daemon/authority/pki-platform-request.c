/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One request to one of the services. */
#include <string.h>

#include "authority/issued.h"
#include "core/patience.h"
#include "authority/pki-platform-private.h"
#include "common/alloc.h"
#include "common/log.h"

#define SOAP "http://schemas.xmlsoap.org/soap/envelope/"
/* A list of policies with their authorities' certificates is the longest answer. */
#define ANSWER_BYTES_MAX (4 * 1024 * 1024)
#define CONNECT_MS	 15000
#define SHOWN_MAX	 60 /* bytes of what is no SOAP */

void pki_platform_reply_clear(struct pki_platform_reply *reply)
{
	xml_free(reply->document);
	*reply = (struct pki_platform_reply){0};
}

void pki_platform_begin(
	struct xml_writer *writer, const char *name, const char *prefix, const char *space)
{
	_cleanup_free_ char *declaration = xasprintf("xmlns:%s", prefix);

	xml_start(writer, "s:Envelope");
	xml_put_attribute(writer, "xmlns:s", SOAP);
	xml_start(writer, "s:Body");
	xml_start(writer, name);
	xml_put_attribute(writer, declaration, space);
}

/* --- what went wrong --- */

/* What to do about a status. */
static const char *advice_for(long status)
{
	switch (status) {
	case 401:
	case 403:
		return ": it does not accept the client certificate; see tessera connection secret";
	case 404:
		return ": check the address";
	case 429:
	case 503:
		return ": it is busy; try again later";
	default:
		return "";
	}
}

static bool fail_with_status(const struct pki_platform_reply *reply,
	const struct http_answer *answer, struct error *error)
{
	bool by_request = reply->status >= 400 && reply->status <= 499 && reply->status != 401 &&
			  reply->status != 403 && reply->status != 429;
	_cleanup_free_ char *text = xasprintf("%.*s", (int)answer->body.length,
		answer->body.data ? (char *)answer->body.data : "");
	_cleanup_free_ char *line = issued_words(text, SHOWN_MAX);

	return error_set(error, by_request ? ERROR_AUTHORITY_REJECTED : ERROR_AUTHORITY_FAILED,
		"PKI Platform answers HTTP status %ld%s%s%s%s", reply->status,
		advice_for(reply->status), line[0] ? " and no SOAP (\"" : "", line,
		line[0] ? "\")" : "");
}

static bool fail_to_read(struct error *error, const struct error *failure)
{
	return error_set(error, ERROR_AUTHORITY_FAILED,
		"PKI Platform gives an answer that cannot be read: %s", error_message(failure));
}

/* --- one exchange --- */

/* A fault comes with status 500 (SOAP 1.1, 6.2), or with any other. */
static bool read_answer(struct pki_platform_reply *reply, const struct http_answer *answer,
	const struct pki_platform_operation *operation, struct error *error)
{
	bool is_good = reply->status >= 200 && reply->status <= 299, is_refusal = false;
	_cleanup_error_ struct error failure = ERROR_INIT;

	/* A 4xx is the service's own word that it has not done it. */
	reply->may_be_done = is_good || reply->status >= 500;
	reply->document = xml_parse(answer->body.data, answer->body.length, &failure);
	if (!reply->document)
		return is_good ? fail_to_read(error, &failure)
			       : fail_with_status(reply, answer, error);
	reply->answer =
		pki_platform_open(reply->document, operation->answer, &is_refusal, &failure);
	if (reply->answer && is_good)
		return true;
	if (is_refusal)
		reply->may_be_done = false;
	reply->answer = NULL;
	if (failure.code != ERROR_NONE && (is_good || is_refusal || reply->status == 500))
		return error_move(error, &failure);
	return fail_with_status(reply, answer, error);
}

static bool exchange(struct authority *authority, const struct pki_platform_operation *operation,
	const struct buffer *body, struct pki_platform_reply *reply, struct error *error)
{
	struct pki_platform *platform = authority->data;
	const struct pki_platform_settings *settings = &platform->settings;
	_cleanup_http_answer_ struct http_answer answer = HTTP_ANSWER_INIT;
	_cleanup_free_ char *url = xasprintf("%s%s", settings->base, operation->service);
	_cleanup_free_ char *action = xasprintf("\"%s\"", operation->action);
	struct http_header header = {"SOAPAction", action};
	struct http_request request = {.method = HTTP_POST,
		.url = url,
		.ca_file = settings->ca_file,
		.client_certificate = &platform->identity.secret,
		.client_key = platform->identity.key,
		.accept = "text/xml",
		.content_type = "text/xml; charset=utf-8",
		.headers = &header,
		.header_count = 1,
		.body = body->data,
		.body_length = body->length,
		.answer_max = ANSWER_BYTES_MAX,
		.timeout_ms = (unsigned)settings->times.timeout_seconds * 1000,
		.connect_ms = CONNECT_MS};

	pki_platform_reply_clear(reply);
	bool done = http_send(authority->services->http, &request, &answer, error);
	reply->status = answer.status;
	reply->retry_after = answer.retry_after;
	reply->is_resolved = answer.is_resolved;
	reply->is_connected = answer.is_connected;
	reply->may_be_done = answer.may_be_seen;
	return done && read_answer(reply, &answer, operation, error);
}

static bool may_repeat(
	const struct pki_platform_operation *operation, const struct pki_platform_reply *reply)
{
	return reply->status == 429 || (reply->status == 503 && operation->may_repeat);
}

bool pki_platform_call(struct authority *authority, const struct pki_platform_operation *operation,
	struct xml_writer *writer, struct pki_platform_reply *reply, struct error *error)
{
	struct pki_platform *platform = authority->data;
	struct patience patience = PATIENCE_INIT(platform->settings.times.retry_seconds);

	while (writer->depth > 0)
		xml_end(writer);
	if (writer->text.failed)
		return error_set(error, ERROR_FAILED, "a request is too long");
	if (!identity_open(&platform->identity, authority->services, authority->name,
		    IDENTITY_CLIENT_CERTIFICATE, platform->settings.client_key, error))
		return false;
	for (;;) {
		if (error)
			error_clear(error);
		if (exchange(authority, operation, &writer->text, reply, error))
			return true;
		if (!may_repeat(operation, reply) ||
			!patience_wait(&patience, reply->retry_after, error))
			return false;
		log_info("PKI Platform answered %ld, and is asked again connection=%s",
			reply->status, authority->name);
	}
}
