/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sending a message, to one address or to several in turn, and what came back in words. */
#include <string.h>

#include "authority/issued.h"
#include "authority/ms-cs-private.h"
#include "common/alloc.h"
#include "common/log.h"
#include "core/http.h"

#define CONNECT_MS   15000
#define SHOWN_MAX    60 /* bytes of an answer that is no SOAP */
#define CONTENT_TYPE "application/soap+xml; charset=utf-8"

void ms_cs_reply_clear(struct ms_cs_reply *reply)
{
	xml_free(reply->document);
	ms_cs_fault_clear(&reply->fault);
	ms_cs_page_clear(&reply->page);
	buffer_clear(&reply->certificate);
	*reply = (struct ms_cs_reply){0};
}

/* --- what came --- */

/* An answer to another message is none to this one (WS-Addressing 1.0 Core, 3.4). */
static bool check_relation(
	const struct xml_element *envelope, const char *message_id, struct error *error)
{
	const struct xml_element *header = xml_child(envelope, NS_SOAP, "Header");
	const struct xml_element *related = xml_child(header, NS_ADDRESS, "RelatesTo");
	_cleanup_free_ char *id = xml_text(related);

	return !related || strcmp(id, message_id) == 0 ||
	       error_set(error, ERROR_AUTHORITY_FAILED,
		       "the service's answer belongs to another message");
}

/* Finds the body, and reads the fault that may be in it. False without an error when it is none. */
static bool read_envelope(struct ms_cs_reply *reply)
{
	const struct xml_element *envelope = xml_root(reply->document);
	const struct xml_element *body = xml_child(envelope, NS_SOAP, "Body");

	if (!xml_is(envelope, NS_SOAP, "Envelope") || !body)
		return false;
	reply->body = xml_child(body, NULL, NULL);
	if (!xml_is(reply->body, NS_SOAP, "Fault"))
		return reply->body != NULL;
	ms_cs_fault_read(&reply->fault, reply->body);
	return true;
}

const char *ms_cs_proof(const struct ms_cs_settings *settings)
{
	static const char *const names[] = {
		[MS_CS_PASSWORD] = "user and password",
		[MS_CS_CLIENT_CERTIFICATE] = "client certificate",
		[MS_CS_KERBEROS] = "Kerberos account",
	};

	return names[settings->authentication];
}

const char *ms_cs_advice(long status, const struct ms_cs_settings *settings)
{
	switch (status) {
	case 401:
	case 403:
		return settings->protocol->refusals[settings->authentication];
	case 404:
		return ": there is no such service; check the path of the address";
	case 503:
		return ": the service is stopped or busy";
	default:
		return "";
	}
}

static bool fail_with_status(const struct ms_cs_settings *settings, const struct ms_cs_reply *reply,
	const struct buffer *body, struct error *error)
{
	_cleanup_free_ char *text = xasprintf("%.*s",
		(int)(body->length < 4 * SHOWN_MAX ? body->length : 4 * SHOWN_MAX),
		body->data ? (const char *)body->data : "");
	_cleanup_free_ char *begin = issued_words(text, SHOWN_MAX);

	return error_set(error, ERROR_AUTHORITY_FAILED,
		"it answers HTTP status %ld%s, and no SOAP (\"%s\")", reply->status,
		ms_cs_advice(reply->status, settings), begin);
}

/*
 * Of what a service that has answered without SOAP may have done: a 4xx is the server's own
 * refusal, and 503 that of a server or a balancer that has nobody to pass it on to (RFC 9110
 * 15.6.4); any other failure may come from behind them.
 */
bool ms_cs_may_be_done_after(long status)
{
	return status < 400 || (status >= 500 && status != 503);
}

bool ms_cs_fail_with_fault(
	const struct ms_cs_settings *settings, struct ms_cs_reply *reply, struct error *error)
{
	const struct ms_cs_fault *fault = &reply->fault;

	reply->body = NULL;
	reply->may_be_done = fault->may_be_done;
	if (fault->is_security)
		return error_set(error, ERROR_AUTHORITY_FAILED,
			"it does not accept the %s (%s); see %swhether this machine's clock is "
			"right",
			ms_cs_proof(settings), fault->words,
			settings->authentication == MS_CS_KERBEROS
				? ""
				: "tessera connection secret, and ");
	return error_set(error, fault->is_final ? ERROR_AUTHORITY_REJECTED : ERROR_AUTHORITY_FAILED,
		"%s: %s", fault->is_decided ? "the CA refuses" : "the service answers with a fault",
		fault->words);
}

static bool judge(struct authority *authority, const char *message_id,
	const struct http_answer *answer, struct ms_cs_reply *reply, struct error *error)
{
	const struct ms_cs *cs = authority->data;
	const struct buffer *body = &answer->body;

	reply->may_be_done = true;
	reply->document = xml_parse(body->data, body->length, NULL);
	if (!reply->document || !read_envelope(reply)) {
		reply->body = NULL;
		reply->may_be_done = ms_cs_may_be_done_after(reply->status);
		return fail_with_status(&cs->settings, reply, body, error);
	}
	if (!check_relation(xml_root(reply->document), message_id, error)) {
		reply->body = NULL;
		return false;
	}
	if (reply->fault.words)
		return ms_cs_fail_with_fault(&cs->settings, reply, error);
	if (reply->status == 200)
		return true;
	reply->body = NULL;
	return error_set(error, ERROR_AUTHORITY_FAILED, "it answers HTTP status %ld, and no fault",
		reply->status);
}

/* --- one exchange --- */

bool ms_cs_lacks_secret(const struct ms_cs *cs)
{
	return cs->settings.authentication != MS_CS_KERBEROS &&
	       !secret_is_set(&cs->identity.secret);
}

bool ms_cs_open_identity(struct authority *authority, struct error *error)
{
	struct ms_cs *cs = authority->data;

	if (cs->settings.authentication == MS_CS_KERBEROS)
		return true;
	const char *secret = cs->settings.authentication == MS_CS_PASSWORD
				     ? MS_CS_PASSWORD_SECRET
				     : IDENTITY_CLIENT_CERTIFICATE;

	return identity_open(&cs->identity, authority->services, authority->name, secret,
		cs->settings.client_key, error);
}

bool ms_cs_http(struct authority *authority, struct http_request *request,
	struct http_answer *answer, struct ms_cs_reply *reply, struct error *error)
{
	struct ms_cs *cs = authority->data;
	const struct http_negotiate account = kerberos_settings_account(&cs->settings.kerberos);

	request->ca_file = cs->settings.ca_file;
	request->timeout_ms = (unsigned)cs->settings.timeout_seconds * 1000;
	request->connect_ms = CONNECT_MS;
	if (cs->settings.authentication == MS_CS_CLIENT_CERTIFICATE) {
		request->client_certificate = &cs->identity.secret;
		request->client_key = cs->identity.key;
	}
	if (cs->settings.authentication == MS_CS_KERBEROS)
		request->negotiate = &account;
	bool done = http_send(authority->services->http, request, answer, error);
	request->negotiate = NULL;
	reply->status = answer->status;
	reply->is_resolved = answer->is_resolved;
	reply->is_connected = answer->is_connected;
	reply->has_ticket = answer->has_ticket;
	reply->may_be_done = answer->may_be_seen;
	return done;
}

bool ms_cs_send(struct authority *authority, const struct ms_cs_endpoint *endpoint,
	const struct ms_cs_message *message, struct ms_cs_reply *reply, struct error *error)
{
	struct ms_cs *cs = authority->data;
	_cleanup_http_answer_ struct http_answer answer = HTTP_ANSWER_INIT;
	_cleanup_xml_writer_ struct xml_writer writer = XML_WRITER_INIT;
	_cleanup_free_ char *message_id = ms_cs_message_id();

	ms_cs_reply_clear(reply);
	if (!ms_cs_open_identity(authority, error))
		return false;
	ms_cs_write_message(&writer, message, message_id, endpoint->url, cs->settings.user,
		&cs->identity.secret);
	if (writer.text.failed)
		return error_set(error, ERROR_FAILED, "out of memory");
	struct http_request request = {.method = HTTP_POST,
		.url = endpoint->url,
		.content_type = CONTENT_TYPE,
		.body = writer.text.data,
		.body_length = writer.text.length,
		.answer_max = message->answer_max};
	if (!ms_cs_http(authority, &request, &answer, reply, error))
		return false;
	return judge(authority, message_id, &answer, reply, error) ||
	       error_prefix(error, "%s", endpoint->host);
}

/* --- several addresses --- */

/* Whether another address may be asked after this failure. */
static bool may_go_on(const struct ms_cs_token_request *request, const struct ms_cs_reply *reply)
{
	bool is_refused = reply->status >= 400 && reply->status <= 499;

	if (reply->fault.is_decided || reply->fault.is_security || is_refused)
		return false;
	return request->request_id || !reply->may_be_done;
}

bool ms_cs_ask(struct authority *authority, const struct ms_cs_token_request *request,
	struct ms_cs_reply *reply, const struct ms_cs_endpoint **used, struct error *error)
{
	const struct ms_cs *cs = authority->data;
	const struct ms_cs_settings *settings = &cs->settings;
	const struct ms_cs_endpoint *last = NULL;

	for (size_t i = 0; i < settings->endpoint_count; i++) {
		_cleanup_error_ struct error failure = ERROR_INIT;
		last = &settings->endpoints[i];
		*used = last;
		if (settings->protocol->send(authority, last, request, reply, &failure))
			return true;
		bool is_last = i + 1 == settings->endpoint_count;
		if (is_last || !may_go_on(request, reply) || ms_cs_lacks_secret(cs))
			return error_move(error, &failure);
		log_warning("the next address is asked: %s connection=%s", error_message(&failure),
			authority->name);
	}
	return false;
}
