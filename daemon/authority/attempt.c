/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "authority/attempt.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "authority/issued.h"
#include "core/patience.h"
#include "common/alloc.h"
#include "common/log.h"
#include "model/document.h"

#define SECONDS_OF_DAY (24 * 60 * 60)
/* A lost answer: how often it is looked for at once, and how long before it is given up. */
#define LOOKS	       4
#define GIVE_UP_AFTER  SECONDS_OF_DAY
#define PICKUP_SECONDS 2 /* between two questions */

void attempt_clear(struct attempt *attempt)
{
	json_decref(attempt->asked);
	attempt->asked = NULL;
}

/* --- what was asked --- */

const char *attempt_asked(const struct attempt *attempt, const char *name)
{
	const char *text = json_string_value(json_object_get(attempt->asked, name));

	return text && text[0] ? text : NULL;
}

static void set_asked(struct attempt *attempt, const char *seat)
{
	_cleanup_free_ char *key =
		issued_key_digest(X509_REQ_get0_pubkey(attempt->request->request));

	json_decref(attempt->asked);
	attempt->asked = json_pack("{s:s, s:s, s:s, s:I}", "profile", attempt->profile->id, "seat",
		seat, "key", key, "since", (json_int_t)time(NULL));
}

static void forget(struct attempt *attempt)
{
	free(steal_pointer(&attempt->certificate->request));
}

static bool note(struct attempt *attempt, struct error *error)
{
	const struct authority_request *request = attempt->request;
	struct certificate *certificate = attempt->certificate;

	free(certificate->request);
	certificate->request = json_dumps(attempt->asked, JSON_COMPACT);
	certificate->status = CERTIFICATE_PENDING;
	return !request || !request->note ||
	       request->note(request->note_context, certificate, error);
}

bool attempt_not_denied(struct error *error)
{
	if (error && error->code == ERROR_AUTHORITY_REJECTED)
		error->code = ERROR_AUTHORITY_FAILED;
	return false;
}

int64_t attempt_days(const struct attempt *attempt, const struct mapping *mapping)
{
	int64_t days = mapping ? mapping->validity_days : 0;

	if (!attempt->request->not_after)
		return days;
	int64_t left = (attempt->request->not_after - time(NULL)) / SECONDS_OF_DAY;
	if (days == 0 || left < days)
		days = left > 0 ? left : 1;
	return days;
}

/* --- certificates of answers --- */

static bool same_serial(const struct certificate *certificate, const char *serial)
{
	const char *own = certificate->serial_hex;

	own += strspn(own, "0");
	serial += strspn(serial, "0");
	return strcasecmp(own, serial) == 0;
}

/* Whatever its key is. */
static bool take(struct attempt *attempt, const char *text, const char *serial, struct error *error)
{
	struct certificate *certificate = attempt->certificate;
	_cleanup_buffer_ struct buffer der = BUFFER_INIT;

	if (!issued_decode(text, &der, error) ||
		!certificate_from_der(certificate, der.data, der.length, error))
		return false;
	if (serial && !same_serial(certificate, serial))
		return error_set(error, ERROR_AUTHORITY_FAILED,
			"it says the serial number %.64s, and the certificate says %s", serial,
			certificate->serial_hex);
	certificate->status = CERTIFICATE_VALID;
	return true;
}

static bool check_issuer(const struct attempt *attempt, struct error *error)
{
	return !attempt->profile ||
	       issued_check_issuer(attempt->profile, &attempt->certificate->der, error);
}

bool attempt_take(
	struct attempt *attempt, const char *text, const char *serial, struct error *error)
{
	if (!take(attempt, text, serial, error))
		return false;
	if (!issued_has_key(&attempt->certificate->der, attempt_asked(attempt, "key")))
		return error_set(error, ERROR_AUTHORITY_FAILED,
			"it gave a certificate for another key, which was not used");
	return check_issuer(attempt, error);
}

bool attempt_take_found(struct attempt *attempt, const char *text, const char *serial, bool *found)
{
	const char *key = attempt_asked(attempt, "key");
	_cleanup_buffer_ struct buffer der = BUFFER_INIT;

	*found = key && issued_decode(text, &der, NULL) && issued_has_key(&der, key);
	return !*found || take(attempt, text, serial, NULL);
}

/* --- lost answers --- */

/*
 * The service is asked what it has for this key, some times, as it may still be at it. False
 * without touching the error when nothing is found.
 */
static bool settle(struct attempt *attempt)
{
	int64_t left = attempt->retry_seconds;
	bool found = false;

	if (!attempt->verbs->search)
		return false;
	for (int i = 0; i < LOOKS; i++) {
		_cleanup_error_ struct error failure = ERROR_INIT;
		int64_t pause = i == 0 ? 0 : INT64_C(1) << (i - 1);
		if (pause > left)
			break;
		patience_sleep(pause);
		left -= pause;
		if (!attempt->verbs->search(attempt, &found, &failure))
			log_warning("the outcome of a request is not known yet: %s connection=%s",
				error_message(&failure), attempt->authority->name);
		else if (found)
			return true;
	}
	return false;
}

/* "2026-11-26 21:40:03 UTC", heap. */
static char *moment_of(const struct attempt *attempt)
{
	time_t since = (time_t)json_integer_value(json_object_get(attempt->asked, "since"));
	struct tm parts;
	char text[40];

	gmtime_r(&since, &parts);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &parts);
	return xstrdup(text);
}

/* A service that has no search: its people know more. */
static bool fail_unknown(const struct attempt *attempt, struct error *error)
{
	_cleanup_free_ char *moment = moment_of(attempt);

	return error_set(error, ERROR_NOT_SUPPORTED,
		"nobody but the authority's administrator knows whether it has issued a "
		"certificate by the request of %s: one that was is to be revoked there",
		moment);
}

static bool fail_unsettled(const struct attempt *attempt, struct error *error)
{
	_cleanup_free_ char *first = xstrdup(error_message(error));
	_cleanup_error_ struct error unknown = ERROR_INIT;

	if (attempt->verbs->search)
		return error_set(error, error->code,
			"%s; no certificate for this key is found there now, and the request is "
			"not repeated: should one turn up, it is revoked (tessera task list)",
			first);
	fail_unknown(attempt, &unknown);
	return error_set(error, error->code,
		"%s; the request is not repeated: %s (tessera task list)", first,
		error_message(&unknown));
}

/* One that cannot be used stays known, and is revoked. */
static bool take_settled(struct attempt *attempt, struct error *error)
{
	error_clear(error);
	if (!check_issuer(attempt, error))
		return false;
	forget(attempt);
	return true;
}

/* --- pending ones --- */

static bool await(struct attempt *attempt, enum enroll_outcome *outcome, struct error *error)
{
	int64_t left = attempt->pickup_seconds;

	*outcome = ENROLL_PENDING;
	if (!note(attempt, error))
		return false;
	while (*outcome == ENROLL_PENDING && left > 0) {
		_cleanup_error_ struct error failure = ERROR_INIT;
		int64_t pause = left < PICKUP_SECONDS ? left : PICKUP_SECONDS;
		patience_sleep(pause);
		left -= pause;
		if (attempt->verbs->pick_up(attempt, outcome, &failure))
			continue;
		*outcome = ENROLL_PENDING;
		if (failure.code == ERROR_AUTHORITY_REJECTED) {
			forget(attempt);
			return error_move(error, &failure);
		}
		log_warning("a pending certificate is collected later: %s connection=%s",
			error_message(&failure), attempt->authority->name);
		left = 0;
	}
	if (*outcome == ENROLL_ISSUED)
		forget(attempt);
	return true;
}

/* --- asking --- */

/* By its number it is found later, and revoked. */
static bool keep_unusable(struct attempt *attempt, struct error *error)
{
	_cleanup_error_ struct error failure = ERROR_INIT;

	if (!note(attempt, &failure))
		log_error("the number of a request is not kept: %s", error_message(&failure));
	return error_prefix(error, "request %.64s", attempt_asked(attempt, "id"));
}

/* *again: nothing was done, and it may be asked anew. */
static bool ask_once(
	struct attempt *attempt, enum enroll_outcome *outcome, bool *again, struct error *error)
{
	enum attempt_answer answer = attempt->verbs->ask(attempt, error);

	*again = answer == ATTEMPT_AGAIN;
	*outcome = ENROLL_ISSUED;
	switch (answer) {
	case ATTEMPT_PENDING:
		return await(attempt, outcome, error);
	case ATTEMPT_ISSUED:
	case ATTEMPT_REFUSED:
	case ATTEMPT_AGAIN:
		forget(attempt);
		return answer == ATTEMPT_ISSUED;
	case ATTEMPT_LOST:
	case ATTEMPT_BUSY:
		break;
	}
	if (attempt_asked(attempt, "id"))
		return keep_unusable(attempt, error);
	if (settle(attempt))
		return take_settled(attempt, error);
	*again = answer == ATTEMPT_BUSY;
	return *again ? false : fail_unsettled(attempt, error);
}

/*
 * At most twice: once more when something was missing, or a busy service has verifiably done
 * nothing.
 */
bool attempt_enroll(struct attempt *attempt, const char *seat, enum enroll_outcome *outcome,
	struct error *error)
{
	bool again;

	set_asked(attempt, seat);
	if (!note(attempt, error))
		return false;
	if (ask_once(attempt, outcome, &again, error))
		return true;
	if (!again)
		return false;
	error_clear(error);
	if (!note(attempt, error))
		return false;
	if (ask_once(attempt, outcome, &again, error))
		return true;
	return again ? fail_unsettled(attempt, error) : false;
}

/* --- collecting --- */

static bool look_for_it(struct attempt *attempt, enum enroll_outcome *outcome, struct error *error)
{
	json_int_t since = json_integer_value(json_object_get(attempt->asked, "since"));
	bool found = false;

	if (!attempt->verbs->search)
		return fail_unknown(attempt, error);
	if (!attempt->verbs->search(attempt, &found, error))
		return false;
	*outcome = found				? ENROLL_ISSUED
		   : time(NULL) - since > GIVE_UP_AFTER ? ENROLL_NOTHING
							: ENROLL_PENDING;
	return true;
}

bool attempt_collect(struct attempt *attempt, enum enroll_outcome *outcome, struct error *error)
{
	_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;
	struct authority *authority = attempt->authority;
	const char *request = attempt->certificate->request;

	attempt->asked = json_loads(request ? request : "", 0, NULL);
	if (!attempt_asked(attempt, "profile") || !attempt_asked(attempt, "key"))
		return error_set(error, ERROR_AUTHORITY_FAILED,
			"what is kept of a pending request is damaged");
	if (!authority->driver->profiles(authority, &profiles, error))
		return false;
	attempt->profile =
		authority_profiles_find(&profiles, attempt_asked(attempt, "profile"), NULL);
	bool done = attempt_asked(attempt, "id") ? attempt->verbs->pick_up(attempt, outcome, error)
						 : look_for_it(attempt, outcome, error);
	attempt->profile = NULL;
	if (done && *outcome == ENROLL_ISSUED)
		forget(attempt);
	return done;
}
