/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The test of a connection: each address's name, TLS and authentication, then the profiles. */
#include "authority/ms-cs-private.h"
#include "connection/steps.h"

/* The step at which a request that failed has stopped. */
static const char *failed_step(const struct ms_cs *cs, const struct ms_cs_reply *reply)
{
	bool is_by_ticket = cs->settings.authentication == MS_CS_KERBEROS;

	if (is_by_ticket && reply->is_connected && !reply->has_ticket)
		return "ticket";
	if (reply->status == 401 || reply->status == 403 || reply->fault.is_security)
		return "authentication";
	return steps_stopped_at(reply->is_resolved, reply->is_connected);
}

/* Tells how far it came with one service; the error is why it was not done. */
static bool reached(struct authority *authority, const struct ms_cs_endpoint *endpoint, bool done,
	const struct ms_cs_reply *reply, struct connection_steps *steps, struct error *error)
{
	struct ms_cs *cs = authority->data;

	if (!done && ms_cs_lacks_secret(cs))
		return connection_step_failed(steps, "secret", error);
	steps_reached(steps, endpoint->host, cs->settings.ca_file, reply->is_resolved,
		reply->is_connected);
	if (reply->has_ticket)
		connection_step_passed(steps, "ticket", "%s has a Kerberos ticket for %s",
			cs->settings.kerberos.principal, endpoint->host);
	if (!done)
		return connection_step_failed(steps, failed_step(cs, reply), error);
	connection_step_passed(steps, "authentication", "%s accepts the %s", endpoint->host,
		ms_cs_proof(&cs->settings));
	return true;
}

static bool test_policies(struct authority *authority, struct authority_profiles *profiles,
	struct connection_steps *steps)
{
	struct ms_cs *cs = authority->data;
	const struct ms_cs_message message = ms_cs_policies_message();
	_cleanup_ms_cs_reply_ struct ms_cs_reply reply = {0};
	_cleanup_error_ struct error error = ERROR_INIT;

	bool done = ms_cs_send(authority, &cs->settings.policy, &message, &reply, &error);
	if (!reached(authority, &cs->settings.policy, done, &reply, steps, &error))
		return false;
	if (ms_cs_policies_read(profiles, reply.body, &error)) {
		connection_step_passed(
			steps, "policies", "%zu templates are listed", profiles->count);
		ms_cs_complete_profiles(&cs->settings, profiles);
		return true;
	}
	return connection_step_failed(steps, "policies", &error);
}

static bool test_enrollment(struct authority *authority, const struct ms_cs_endpoint *endpoint,
	struct connection_steps *steps)
{
	const struct ms_cs *cs = authority->data;
	_cleanup_ms_cs_reply_ struct ms_cs_reply reply = {0};
	_cleanup_error_ struct error error = ERROR_INIT;

	bool done = cs->settings.protocol->probe(authority, endpoint, &reply, &error);
	if (!reached(authority, endpoint, done, &reply, steps, &error))
		return false;
	connection_step_passed(
		steps, "service", "the enrollment service at %s answers", endpoint->host);
	return true;
}

bool ms_cs_test(struct authority *authority, struct connection_steps *steps)
{
	struct ms_cs *cs = authority->data;
	_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	for (size_t i = 0; i < cs->settings.endpoint_count; i++) {
		if (!test_enrollment(authority, &cs->settings.endpoints[i], steps))
			return false;
	}
	bool known = cs->settings.policy.url ? test_policies(authority, &profiles, steps)
					     : ms_cs_profiles(authority, &profiles, &error);
	return known && authority_profiles_step(&profiles, authority->name, steps);
}
