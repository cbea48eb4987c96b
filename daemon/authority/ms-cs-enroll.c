/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Enrolling and collecting. Beside what every attempt keeps of what was asked, {id, url,
 * reference}: the CA's number of the request, the address that took it, and where the CA says to
 * ask for it. There is no search: without an id nobody but the CA's administrator knows what became
 * of a request whose answer was lost.
 */
#include <string.h>
#include <strings.h>

#include "authority/attempt.h"
#include "authority/ms-cs-private.h"
#include "connection/settings.h"
#include "common/alloc.h"

/* --- what came --- */

/* One that is only to be revoked may be signed by anyone. */
static bool take(struct attempt *attempt, struct ms_cs_token *token, struct error *error)
{
	struct certificate *certificate = attempt->certificate;
	bool is_wanted = certificate->status != CERTIFICATE_REVOKED;

	if (!certificate_from_der(certificate, token->der.data, token->der.length, error) ||
		(is_wanted && !ms_cs_check_issuer(
				      attempt->authority, attempt->profile, &token->der, error)))
		return false;
	certificate->status = CERTIFICATE_VALID;
	return true;
}

/* Remembers the number of a request, and where to ask for it. */
static void keep_number(struct attempt *attempt, const struct ms_cs_token *token,
	const struct ms_cs_endpoint *endpoint)
{
	if (token->id)
		json_object_set_new(attempt->asked, "id", json_string(token->id));
	json_object_set_new(attempt->asked, "url", json_string(endpoint->url));
	if (token->reference)
		json_object_set_new(attempt->asked, "reference", json_string(token->reference));
}

/* --- asking what became of it --- */

/* One of ours, by its host, so that nothing is sent to a host that nobody configured. */
static bool is_known_host(const struct ms_cs_settings *settings, const char *host)
{
	for (size_t i = 0; i < settings->endpoint_count; i++) {
		if (strcasecmp(settings->endpoints[i].host, host) == 0)
			return true;
	}
	return false;
}

/* The address that took the request, if it is one of ours still. */
static const struct ms_cs_endpoint *find_endpoint(
	const struct ms_cs_settings *settings, const char *url)
{
	for (size_t i = 0; url && i < settings->endpoint_count; i++) {
		if (strcmp(settings->endpoints[i].url, url) == 0)
			return &settings->endpoints[i];
	}
	return NULL;
}

/*
 * Asks at the address that the CA gave or took the request at, else at all. *used: which one, whose
 * parts are `given`'s or the settings'.
 */
static bool ask_status(struct attempt *attempt, const struct ms_cs_token_request *request,
	struct ms_cs_reply *reply, struct ms_cs_endpoint *given, const struct ms_cs_endpoint **used,
	struct error *error)
{
	const struct ms_cs *cs = attempt->authority->data;
	const struct ms_cs_protocol *protocol = cs->settings.protocol;
	const char *reference = attempt_asked(attempt, "reference"), *path;

	*used = find_endpoint(&cs->settings, attempt_asked(attempt, "url"));
	if (reference && protocol->has_references) {
		given->host = settings_host_of(reference, &path);
		given->url = xstrdup(reference);
		if (given->host && is_known_host(&cs->settings, given->host))
			*used = given;
	}
	return *used ? protocol->send(attempt->authority, *used, request, reply, error)
		     : ms_cs_ask(attempt->authority, request, reply, used, error);
}

/*
 * Asks once whether a pending request is done. ERROR_AUTHORITY_REJECTED: it was denied, and is
 * over; a refusal to answer is not.
 */
static bool pick_up(struct attempt *attempt, enum enroll_outcome *outcome, struct error *error)
{
	const struct ms_cs *cs = attempt->authority->data;
	const struct ms_cs_token_request request = {.request_id = attempt_asked(attempt, "id"),
		.key_digest = attempt_asked(attempt, "key")};
	_cleanup_ms_cs_reply_ struct ms_cs_reply reply = {0};
	_cleanup_ms_cs_token_ struct ms_cs_token token = {0};
	_cleanup_(ms_cs_endpoint_clear) struct ms_cs_endpoint given = {0};
	const struct ms_cs_endpoint *used = NULL;

	if (!ask_status(attempt, &request, &reply, &given, &used, error))
		return reply.fault.is_denial ? false : attempt_not_denied(error);
	if (!cs->settings.protocol->read(attempt->authority, used, &request, &reply, &token, error))
		return false;
	*outcome = ENROLL_PENDING;
	if (token.der.length == 0)
		return true;
	*outcome = ENROLL_ISSUED;
	return take(attempt, &token, error);
}

/* --- asking for it --- */

static enum attempt_answer ask(struct attempt *attempt, struct error *error)
{
	const struct ms_cs *cs = attempt->authority->data;
	struct ms_cs_token_request request = *(const struct ms_cs_token_request *)attempt->data;
	_cleanup_ms_cs_reply_ struct ms_cs_reply reply = {0};
	_cleanup_ms_cs_token_ struct ms_cs_token token = {0};
	const struct ms_cs_endpoint *endpoint = NULL;

	request.key_digest = attempt_asked(attempt, "key");
	if (!ms_cs_ask(attempt->authority, &request, &reply, &endpoint, error))
		return reply.may_be_done ? ATTEMPT_LOST : ATTEMPT_REFUSED;
	bool is_read = cs->settings.protocol->read(
		attempt->authority, endpoint, &request, &reply, &token, error);
	if (is_read && token.der.length > 0 && take(attempt, &token, error))
		return ATTEMPT_ISSUED;
	/* Also of one that cannot be used: by its number it is found, and revoked. */
	keep_number(attempt, &token, endpoint);
	return is_read && token.der.length == 0 ? ATTEMPT_PENDING : ATTEMPT_LOST;
}

/* --- verbs --- */

static const struct attempt_verbs verbs = {.ask = ask, .pick_up = pick_up};

static struct attempt make_attempt(struct authority *authority, struct certificate *certificate)
{
	const struct ms_cs *cs = authority->data;

	return (struct attempt){.verbs = &verbs,
		.authority = authority,
		.certificate = certificate,
		.pickup_seconds = cs->settings.pickup_seconds};
}

bool ms_cs_enroll(struct authority *authority, const struct authority_request *request,
	struct certificate *certificate, enum enroll_outcome *outcome, struct error *error)
{
	_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;
	_cleanup_attempt_ struct attempt attempt = make_attempt(authority, certificate);
	_cleanup_buffer_ struct buffer token = BUFFER_INIT;
	struct ms_cs_token_request asked = {.token = &token};

	if (!ms_cs_profiles(authority, &profiles, error))
		return false;
	attempt.request = request;
	attempt.data = &asked;
	attempt.profile = authority_profiles_find(&profiles, request->profile, error);
	asked.template = attempt.profile ? attempt.profile->name : NULL;
	return attempt.profile &&
	       ms_cs_wrap(authority, attempt.profile, request, &token, &asked.value_type, error) &&
	       attempt_enroll(&attempt, "", outcome, error);
}

bool ms_cs_collect(struct authority *authority, struct certificate *certificate,
	enum enroll_outcome *outcome, struct error *error)
{
	_cleanup_attempt_ struct attempt attempt = make_attempt(authority, certificate);

	return attempt_collect(&attempt, outcome, error);
}
