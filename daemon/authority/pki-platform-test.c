/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The test of a connection: name, TLS, health, authentication, profiles. */
#include <string.h>
#include <strings.h>

#include "authority/issued.h"
#include "authority/pki-platform-private.h"
#include "connection/steps.h"
#include "common/alloc.h"

#define SPACE	  "http://schemas.pki.symantec.com/pkiservices/healthcheck"
#define WORDS_MAX 300

static bool ask_health(
	struct authority *authority, struct pki_platform_reply *reply, struct error *error)
{
	static const struct pki_platform_operation operation = {
		"healthcheckService", SPACE "/getStatus", "getStatusResponseMessage", true};
	_cleanup_xml_writer_ struct xml_writer writer = XML_WRITER_INIT;

	pki_platform_begin(&writer, "h:getStatusRequestMessage", "h", SPACE);
	xml_put_element(&writer, "h:version", "1.0");
	xml_put_element(&writer, "h:operationType", "ENROLL");
	return pki_platform_call(authority, &operation, &writer, reply, error);
}

/* A service that has no health to tell is asked for its profiles all the same. */
static bool is_without_health(const struct pki_platform_reply *reply)
{
	return reply->status == 404 || reply->status == 500;
}

static bool note_health(const struct pki_platform_reply *reply, struct connection_steps *steps)
{
	_cleanup_free_ char *status = pki_platform_text(reply->answer, "statusCode");
	_cleanup_free_ char *message = pki_platform_text(reply->answer, "statusMessage");
	_cleanup_free_ char *words = issued_words(message ? message : "", WORDS_MAX);
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!status || strcasecmp(status, "DOWN") != 0) {
		connection_step_passed(steps, "service", "PKI Platform answers");
		return true;
	}
	error_set(&error, ERROR_AUTHORITY_FAILED, "PKI Platform says that it is down: %s", words);
	return connection_step_failed(steps, "service", &error);
}

static const char *step_of(const struct pki_platform_reply *reply)
{
	if (reply->status == 401 || reply->status == 403)
		return "authentication";
	return steps_stopped_at(reply->is_resolved, reply->is_connected);
}

/*
 * With TLS 1.3 a client certificate is refused after the connection is made, which ends then (RFC
 * 8446, 4.4.2.4 and 6.2).
 */
static bool fail_at(
	struct connection_steps *steps, const struct pki_platform_reply *reply, struct error *error)
{
	if (!reply->is_connected || reply->status != 0 || error->code != ERROR_NETWORK_FAILED)
		return connection_step_failed(steps, step_of(reply), error);
	_cleanup_free_ char *words = xstrdup(error_message(error));
	error_set(error, ERROR_NETWORK_FAILED,
		"%s: if this is so each time, the client certificate is not accepted there", words);
	return connection_step_failed(steps, "authentication", error);
}

static bool greet(struct authority *authority, struct connection_steps *steps)
{
	struct pki_platform *platform = authority->data;
	const struct pki_platform_settings *settings = &platform->settings;
	_cleanup_reply_ struct pki_platform_reply reply = {0};
	_cleanup_error_ struct error error = ERROR_INIT;
	bool done = ask_health(authority, &reply, &error);

	if (!done && !secret_is_set(&platform->identity.secret))
		return connection_step_failed(steps, "secret", &error);
	steps_reached(
		steps, settings->host, settings->ca_file, reply.is_resolved, reply.is_connected);
	if (done)
		return note_health(&reply, steps);
	if (!is_without_health(&reply))
		return fail_at(steps, &reply, &error);
	connection_step_passed(
		steps, "service", "%s answers, but does not tell its health", settings->host);
	return true;
}

bool pki_platform_test(struct authority *authority, struct connection_steps *steps)
{
	_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!greet(authority, steps))
		return false;
	if (!pki_platform_fetch(authority, &profiles, &error))
		return connection_step_failed(steps, "authentication", &error);
	connection_step_passed(steps, "authentication", "the client certificate is accepted");
	return authority_profiles_step(&profiles, authority->name, steps);
}
