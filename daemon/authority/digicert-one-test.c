/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The test of a connection: name, TLS, greeting, authentication, profiles. */
#include <string.h>

#include "authority/digicert-one-private.h"
#include "connection/steps.h"
#include "common/alloc.h"

#define GREETING "Hello from DigiCert ONE"

/* The greeting, in quotes or not. */
static bool is_greeting(const struct digicert_one_reply *reply)
{
	const char *text = reply->json ? json_string_value(reply->json) : reply->text;

	while (text && *text && strchr(" \t\r\n\"", *text))
		text++;
	return text && strncmp(text, GREETING, strlen(GREETING)) == 0;
}

static bool greet(struct authority *authority, struct connection_steps *steps)
{
	struct digicert_one *one = authority->data;
	_cleanup_reply_ struct digicert_one_reply reply = {0};
	_cleanup_error_ struct error error = ERROR_INIT;
	bool done = digicert_one_call(authority, HTTP_GET, "/hello", NULL, &reply, &error);

	if (!done && !secret_is_set(&one->identity.secret))
		return connection_step_failed(steps, "secret", &error);
	steps_reached(steps, one->settings.host, one->settings.ca_file, reply.is_resolved,
		reply.is_connected);
	if (!done)
		return connection_step_failed(steps,
			reply.status == 401
				? "authentication"
				: steps_stopped_at(reply.is_resolved, reply.is_connected),
			&error);
	if (is_greeting(&reply)) {
		connection_step_passed(steps, "service", "DigiCert ONE answers");
		return true;
	}
	error_set(&error, ERROR_AUTHORITY_FAILED,
		"what answers at %s is not DigiCert ONE: check the address", one->settings.host);
	return connection_step_failed(steps, "service", &error);
}

bool digicert_one_test(struct authority *authority, struct connection_steps *steps)
{
	struct digicert_one *one = authority->data;
	_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!greet(authority, steps))
		return false;
	if (!digicert_one_fetch(authority, &profiles, &error))
		return connection_step_failed(steps, "authentication", &error);
	connection_step_passed(steps, "authentication", "the %s is accepted",
		one->settings.by_certificate ? "client certificate" : "API key");
	return authority_profiles_step(&profiles, authority->name, steps);
}
