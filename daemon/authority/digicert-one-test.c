/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The test of a connection: name, TLS, greeting, authentication, profiles. */
#include <string.h>

#include "authority/digicert-one-private.h"
#include "common/alloc.h"

#define GREETING "Hello from DigiCert ONE"

/* The step at which a request that failed has stopped. */
static const char *failed_step(const struct digicert_one_reply *reply)
{
	if (!reply->is_resolved)
		return "name";
	return reply->is_connected ? "service" : "TLS";
}

static void note_connection(struct authority_steps *steps, const struct digicert_one *one,
	const struct digicert_one_reply *reply)
{
	if (reply->is_resolved)
		authority_step_passed(steps, "name", "%s is found", one->settings.host);
	if (reply->is_connected)
		authority_step_passed(steps, "TLS", "%s has proved its name%s%s",
			one->settings.host,
			one->settings.ca_file ? " by an authority of "
					      : " to this system's authorities",
			one->settings.ca_file ? one->settings.ca_file : "");
}

/* The greeting, in quotes or not. */
static bool is_greeting(const struct digicert_one_reply *reply)
{
	const char *text = reply->json ? json_string_value(reply->json) : reply->text;

	while (text && *text && strchr(" \t\r\n\"", *text))
		text++;
	return text && strncmp(text, GREETING, strlen(GREETING)) == 0;
}

static bool greet(struct authority *authority, struct authority_steps *steps)
{
	struct digicert_one *one = authority->data;
	_cleanup_reply_ struct digicert_one_reply reply = {0};
	_cleanup_error_ struct error error = ERROR_INIT;
	bool done = digicert_one_call(authority, HTTP_GET, "/hello", NULL, &reply, &error);

	if (!done && !secret_is_set(&one->secret))
		return authority_step_failed(steps, "secret", &error);
	note_connection(steps, one, &reply);
	if (!done)
		return authority_step_failed(steps,
			reply.status == 401 ? "authentication" : failed_step(&reply), &error);
	if (is_greeting(&reply)) {
		authority_step_passed(steps, "service", "DigiCert ONE answers");
		return true;
	}
	error_set(&error, ERROR_AUTHORITY_FAILED,
		"what answers at %s is not DigiCert ONE: check the address", one->settings.host);
	return authority_step_failed(steps, "service", &error);
}

static size_t count_usable(const struct authority_profiles *profiles)
{
	size_t count = 0;

	for (size_t i = 0; i < profiles->count; i++)
		count += profiles->items[i].is_usable;
	return count;
}

bool digicert_one_test(struct authority *authority, struct authority_steps *steps)
{
	struct digicert_one *one = authority->data;
	_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!greet(authority, steps))
		return false;
	if (!digicert_one_fetch(authority, &profiles, &error))
		return authority_step_failed(steps, "authentication", &error);
	authority_step_passed(steps, "authentication", "the %s is accepted",
		one->settings.by_certificate ? "client certificate" : "API key");
	size_t usable = count_usable(&profiles);
	if (usable == 0) {
		error_set(&error, ERROR_AUTHORITY_FAILED,
			"none of %zu profiles can be used: see tessera connection profiles %s "
			"--update for the reasons",
			profiles.count, authority->name);
		return authority_step_failed(steps, "profiles", &error);
	}
	authority_step_passed(
		steps, "profiles", "%zu of %zu profiles can be used", usable, profiles.count);
	return true;
}
