/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Enrolling and renewing, and settling what an answer that never came has left open.
 * What was asked is kept as JSON in the certificate's `request`: {profile, seat, key, since, id},
 * where key is the digest of the public key and id what a pending request is picked up by.
 */
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "authority/digicert-one-private.h"
#include "authority/issued.h"
#include "common/alloc.h"
#include "common/log.h"

#define SECONDS_OF_DAY (24 * 60 * 60)
/* A lost answer: how often it is looked for at once, and how long before it is given up. */
#define LOOKS	       4
#define GIVE_UP_AFTER  SECONDS_OF_DAY
#define PAGE	       50
#define ITEMS_MAX      1000
#define PICKUP_SECONDS 2 /* between two questions */

DEFINE_CLEANUP(BIO *, BIO_free_all);

/* One enrollment under way. */
struct attempt {
	struct authority *authority;
	const struct authority_request *request;
	const struct authority_profile *profile;
	struct certificate *certificate;
	json_t *asked; /* what `request` of the certificate holds */
	json_t *seat;  /* what makes the seat, or NULL */
};

static void attempt_clear(struct attempt *attempt)
{
	json_decref(attempt->asked);
	json_decref(attempt->seat);
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text && text[0] ? text : NULL;
}

/* --- what was asked --- */

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

/* --- looking for a certificate by its key --- */

static bool take_found(struct attempt *attempt, const json_t *item, bool *found)
{
	const char *text = text_of(item, "certificate"), *key = text_of(attempt->asked, "key");
	_cleanup_buffer_ struct buffer der = BUFFER_INIT;

	*found = text && key && digicert_one_decode(text, &der, NULL) && issued_has_key(&der, key);
	return !*found || digicert_one_take(attempt->certificate, item, NULL);
}

/* A list that shows no certificates: each is asked for. */
static bool take_by_serial(
	struct attempt *attempt, const json_t *item, bool *found, struct error *error)
{
	_cleanup_reply_ struct digicert_one_reply reply = {0};
	const char *serial = text_of(item, "serial_number");

	if (!serial)
		return true;
	_cleanup_free_ char *escaped = digicert_one_escape(serial);
	_cleanup_free_ char *path = xasprintf("/certificate/%s", escaped);
	return digicert_one_call(attempt->authority, HTTP_GET, path, NULL, &reply, error) &&
	       take_found(attempt, reply.json, found);
}

static bool look_at_page(
	struct attempt *attempt, const json_t *items, bool *found, struct error *error)
{
	const json_t *item;
	size_t index;

	json_array_foreach(items, index, item)
	{
		bool done = text_of(item, "certificate")
				    ? take_found(attempt, item, found)
				    : take_by_serial(attempt, item, found, error);
		if (!done || *found)
			return done;
	}
	return true;
}

/* One search over all that the seat has of the profile. */
static bool search(struct attempt *attempt, bool *found, struct error *error)
{
	_cleanup_free_ char *seat = digicert_one_escape(text_of(attempt->asked, "seat"));
	_cleanup_free_ char *profile = digicert_one_escape(text_of(attempt->asked, "profile"));
	size_t offset = 0, total = 1;

	*found = false;
	while (!*found && offset < total && offset < ITEMS_MAX) {
		_cleanup_reply_ struct digicert_one_reply reply = {0};
		_cleanup_free_ char *path = xasprintf(
			"/certificate-search?seat_id=%s&profile_id=%s&offset=%zu&limit=%d", seat,
			profile, offset, PAGE);
		if (!digicert_one_call(attempt->authority, HTTP_GET, path, NULL, &reply, error) ||
			!digicert_one_need_object(&reply, error))
			return false;
		const json_t *items = json_object_get(reply.json, "items");
		if (!look_at_page(attempt, items, found, error))
			return false;
		total = (size_t)json_integer_value(json_object_get(reply.json, "total"));
		offset += json_array_size(items);
		if (json_array_size(items) == 0)
			break;
	}
	return true;
}

/*
 * The answer was lost: the service is asked what it has for this key, some times, as it may still
 * be at it. False without touching the error when nothing is found.
 */
static bool settle(struct attempt *attempt)
{
	const struct digicert_one *one = attempt->authority->data;
	int64_t left = one->settings.retry_seconds;
	bool found = false;

	for (int i = 0; i < LOOKS; i++) {
		_cleanup_error_ struct error failure = ERROR_INIT;
		int64_t pause = i == 0 ? 0 : INT64_C(1) << (i - 1);
		if (pause > left)
			break;
		digicert_one_wait(pause);
		left -= pause;
		if (!search(attempt, &found, &failure))
			log_warning("the outcome of a request is not known yet: %s connection=%s",
				error_message(&failure), attempt->authority->name);
		if (found)
			return true;
	}
	return false;
}

static bool fail_unsettled(struct error *error)
{
	_cleanup_free_ char *first = xstrdup(error_message(error));

	return error_set(error, error->code,
		"%s; no certificate for this key is found there now, and the request is not "
		"repeated: should one turn up, it is revoked (tessera task list)",
		first);
}

/* --- the answer --- */

static bool take_answer(struct attempt *attempt, const json_t *object, struct error *error)
{
	struct certificate *certificate = attempt->certificate;
	const char *key = text_of(attempt->asked, "key");

	if (!digicert_one_take(certificate, object, error))
		return false;
	if (!issued_has_key(&certificate->der, key))
		return error_set(error, ERROR_AUTHORITY_FAILED,
			"DigiCert ONE gave a certificate for another key, which was not used");
	return !attempt->profile ||
	       digicert_one_check_issuer(attempt->profile, &certificate->der, error);
}

static bool is_pending(const json_t *object)
{
	const char *status = text_of(object, "status");

	return text_of(object, "request_id") && !text_of(object, "certificate") &&
	       (!status || strcasecmp(status, "PENDING") == 0);
}

/* Asks once whether a pending request is done. */
static bool pick_up(struct attempt *attempt, enum enroll_outcome *outcome, struct error *error)
{
	_cleanup_reply_ struct digicert_one_reply reply = {0};
	const char *id = text_of(attempt->asked, "id");
	json_t *body _cleanup_json_ =
		json_pack("{s:{s:s}}", "profile", "id", text_of(attempt->asked, "profile"));

	_cleanup_free_ char *escaped = digicert_one_escape(id);
	_cleanup_free_ char *path = xasprintf("/certificate-pickup/%s", escaped);
	if (!digicert_one_call(attempt->authority, HTTP_POST, path, body, &reply, error) ||
		!digicert_one_need_object(&reply, error))
		return false;
	const char *status = text_of(reply.json, "status");
	*outcome = ENROLL_PENDING;
	if (is_pending(reply.json) || (status && strcasecmp(status, "PENDING") == 0))
		return true;
	*outcome = ENROLL_ISSUED;
	if (text_of(reply.json, "certificate"))
		return take_answer(attempt, reply.json, error);
	return error_set(error, ERROR_AUTHORITY_REJECTED,
		"DigiCert ONE says of the pending request: %.64s", status ? status : "nothing");
}

/* Waits a while for a pending request. */
static bool await(struct attempt *attempt, const json_t *object, enum enroll_outcome *outcome,
	struct error *error)
{
	const struct digicert_one *one = attempt->authority->data;
	int64_t left = one->settings.pickup_seconds;

	json_object_set_new(attempt->asked, "id", json_string(text_of(object, "request_id")));
	*outcome = ENROLL_PENDING;
	if (!note(attempt, error))
		return false;
	while (*outcome == ENROLL_PENDING && left > 0) {
		_cleanup_error_ struct error failure = ERROR_INIT;
		int64_t pause = left < PICKUP_SECONDS ? left : PICKUP_SECONDS;
		digicert_one_wait(pause);
		left -= pause;
		if (pick_up(attempt, outcome, &failure))
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

static bool make_seat(struct attempt *attempt, struct error *error)
{
	_cleanup_reply_ struct digicert_one_reply reply = {0};

	return digicert_one_call(
		       attempt->authority, HTTP_POST, "/seat", attempt->seat, &reply, error) ||
	       error_prefix(error, "making the seat");
}

static bool lacks_seat(const struct attempt *attempt, const struct digicert_one_reply *reply)
{
	return attempt->seat && reply->status >= 400 && reply->status <= 499 &&
	       digicert_one_says(reply, "seat") &&
	       (digicert_one_says(reply, "could not find") ||
		       digicert_one_says(reply, "not found") ||
		       digicert_one_says(reply, "does not exist"));
}

/* One that cannot be used stays known, and is revoked. */
static bool take_settled(struct attempt *attempt, struct error *error)
{
	error_clear(error);
	if (attempt->profile &&
		!digicert_one_check_issuer(attempt->profile, &attempt->certificate->der, error))
		return false;
	forget(attempt);
	return true;
}

/* Posts once, and finds out what became of it. *again: nothing did, and it may be asked anew. */
static bool ask_once(struct attempt *attempt, const char *path, json_t *body,
	enum enroll_outcome *outcome, bool *again, struct error *error)
{
	_cleanup_reply_ struct digicert_one_reply reply = {0};
	bool answered =
		digicert_one_call(attempt->authority, HTTP_POST, path, body, &reply, error) &&
		digicert_one_need_object(&reply, error);

	*again = false;
	*outcome = ENROLL_ISSUED;
	if (answered && is_pending(reply.json))
		return await(attempt, reply.json, outcome, error);
	if (answered && take_answer(attempt, reply.json, error)) {
		forget(attempt);
		return true;
	}
	if (!answered && !reply.may_be_done) {
		forget(attempt);
		*again = lacks_seat(attempt, &reply) && make_seat(attempt, error);
		return false;
	}
	if (settle(attempt))
		return take_settled(attempt, error);
	*again = reply.status == 503;
	if (!*again)
		fail_unsettled(error);
	return false;
}

/* At most twice: once more when there was no seat, or a busy service has verifiably done nothing.
 */
static bool ask(struct attempt *attempt, const char *path, json_t *body,
	enum enroll_outcome *outcome, struct error *error)
{
	bool again;

	if (!note(attempt, error))
		return false;
	if (ask_once(attempt, path, body, outcome, &again, error))
		return true;
	if (!again)
		return false;
	error_clear(error);
	if (!note(attempt, error))
		return false;
	if (ask_once(attempt, path, body, outcome, &again, error))
		return true;
	return again ? fail_unsettled(error) : false;
}

/* --- bodies --- */

static json_t *csr_of(X509_REQ *request)
{
	BIO *bio _cleanup_(BIO_free_allp) = BIO_new(BIO_s_mem());
	char *text = NULL;

	if (!bio || PEM_write_bio_X509_REQ(bio, request) != 1)
		return NULL;
	long length = BIO_get_mem_data(bio, &text);
	return json_stringn(text, (size_t)length);
}

/* Only where the profile lets a request say it. */
static void put_validity(struct attempt *attempt, json_t *body)
{
	const struct digicert_one *one = attempt->authority->data;
	const struct mapping *mapping = mapping_find(&one->settings.mappings, attempt->profile);
	int64_t days = mapping ? mapping->validity_days : 0;

	if (attempt->request->not_after) {
		int64_t left = (attempt->request->not_after - time(NULL)) / SECONDS_OF_DAY;
		if (days == 0 || left < days)
			days = left > 0 ? left : 1;
	}
	if (days == 0 ||
		!json_is_true(json_object_get(attempt->profile->settings, "override-validity")))
		return;
	json_object_set_new(
		body, "validity", json_pack("{s:s, s:I}", "unit", "days", "duration", days));
}

static bool put_csr(struct attempt *attempt, json_t *body, struct error *error)
{
	json_t *csr = csr_of(attempt->request->request);

	if (!csr) {
		ERR_clear_error();
		return error_set(error, ERROR_FAILED, "a certificate request cannot be encoded");
	}
	json_object_set_new(body, "csr", csr);
	json_object_set_new(body, "delivery_format", json_string("x509"));
	json_object_set_new(body, "include_ca_chain", json_false());
	put_validity(attempt, body);
	return true;
}

/* Keeps what is about the seat itself for the request that makes one. */
static void split_seat(struct attempt *attempt, json_t *body)
{
	const struct digicert_one *one = attempt->authority->data;
	const struct digicert_one_settings *settings = &one->settings;
	json_t *seat = json_object_get(body, "seat");

	if (settings->create_seats) {
		attempt->seat = json_deep_copy(seat);
		json_object_set_new(
			attempt->seat, "seat_type", json_pack("{s:s}", "id", settings->seat_type));
		if (settings->business_unit)
			json_object_set_new(attempt->seat, "business_unit_id",
				json_string(settings->business_unit));
	}
	json_object_del(seat, "email");
	json_object_del(seat, "seat_name");
}

static bool put_fields(struct attempt *attempt, json_t *body, struct error *error)
{
	const struct authority_request *request = attempt->request;

	for (size_t i = 0; i < request->field_count; i++) {
		const char *name = request->fields[i].type;
		const struct authority_field *field =
			authority_profile_field(attempt->profile, name);
		if (field && (field->fixed || field->is_from_request))
			continue;
		if (!digicert_one_put(body, name, request->fields[i].pattern))
			return error_set_field(error, ERROR_AUTHORITY_REJECTED, name,
				"no request to DigiCert ONE has a field %s", name);
	}
	if (text_of(json_object_get(body, "seat"), "seat_id"))
		return true;
	return error_set(error, ERROR_AUTHORITY_REJECTED, "the seat's id is empty");
}

static json_t *make_body(struct attempt *attempt, struct error *error)
{
	json_t *body _cleanup_json_ = json_pack("{s:{s:s}}", "profile", "id", attempt->profile->id);

	if (!put_fields(attempt, body, error) || !put_csr(attempt, body, error))
		return NULL;
	split_seat(attempt, body);
	return steal_pointer(&body);
}

static void set_asked(struct attempt *attempt, const char *seat)
{
	_cleanup_free_ char *key =
		issued_key_digest(X509_REQ_get0_pubkey(attempt->request->request));

	attempt->asked = json_pack("{s:s, s:s, s:s, s:I}", "profile", attempt->profile->id, "seat",
		seat, "key", key, "since", (json_int_t)time(NULL));
}

/* --- verbs --- */

bool digicert_one_enroll(struct authority *authority, const struct authority_request *request,
	struct certificate *certificate, enum enroll_outcome *outcome, struct error *error)
{
	_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;
	struct attempt attempt _cleanup_(attempt_clear) = {
		.authority = authority, .request = request, .certificate = certificate};

	if (!digicert_one_profiles(authority, &profiles, error))
		return false;
	attempt.profile = authority_profiles_find(&profiles, request->profile, error);
	json_t *body _cleanup_json_ = attempt.profile ? make_body(&attempt, error) : NULL;
	if (!body)
		return false;
	set_asked(&attempt, text_of(json_object_get(body, "seat"), "seat_id"));
	return ask(&attempt, "/certificate", body, outcome, error);
}

static const char *seat_of(const struct authority_request *request)
{
	for (size_t i = 0; i < request->field_count; i++) {
		if (strcmp(request->fields[i].type, "seat.id") == 0)
			return request->fields[i].pattern;
	}
	return "";
}

/* Outside its window the service would only refuse. */
static bool check_window(
	const struct authority_profile *profile, const struct certificate *old, struct error *error)
{
	int64_t days = json_integer_value(json_object_get(profile->settings, "renewal-days"));
	int64_t now = time(NULL);

	if (old->serial_hex && old->not_after > now &&
		old->not_after - now <= days * SECONDS_OF_DAY)
		return true;
	return error_set(error, ERROR_NOT_SUPPORTED,
		"a certificate of the profile \"%s\" is renewed in its last %lld days only",
		profile->name, (long long)days);
}

bool digicert_one_renew(struct authority *authority, const struct certificate *old,
	const struct authority_request *request, struct certificate *certificate,
	enum enroll_outcome *outcome, struct error *error)
{
	_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;
	struct attempt attempt _cleanup_(attempt_clear) = {
		.authority = authority, .request = request, .certificate = certificate};
	json_t *body _cleanup_json_ = json_object();

	if (!digicert_one_profiles(authority, &profiles, error))
		return false;
	attempt.profile = authority_profiles_find(&profiles, request->profile, error);
	if (!attempt.profile || !check_window(attempt.profile, old, error) ||
		!put_csr(&attempt, body, error))
		return false;
	set_asked(&attempt, seat_of(request));
	_cleanup_free_ char *serial = digicert_one_escape(old->serial_hex);
	_cleanup_free_ char *path = xasprintf("/certificate/%s/renew", serial);
	return ask(&attempt, path, body, outcome, error);
}

bool digicert_one_collect(struct authority *authority, struct certificate *certificate,
	enum enroll_outcome *outcome, struct error *error)
{
	_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;
	struct attempt attempt _cleanup_(attempt_clear) = {
		.authority = authority, .certificate = certificate};
	bool found = false;

	attempt.asked = json_loads(certificate->request ? certificate->request : "", 0, NULL);
	if (!text_of(attempt.asked, "profile") || !text_of(attempt.asked, "key"))
		return error_set(error, ERROR_AUTHORITY_FAILED,
			"what is kept of a pending request is damaged");
	if (!digicert_one_profiles(authority, &profiles, error))
		return false;
	attempt.profile =
		authority_profiles_find(&profiles, text_of(attempt.asked, "profile"), NULL);
	if (text_of(attempt.asked, "id")) {
		if (!pick_up(&attempt, outcome, error))
			return false;
	} else {
		json_int_t since = json_integer_value(json_object_get(attempt.asked, "since"));
		if (!search(&attempt, &found, error))
			return false;
		*outcome = found				? ENROLL_ISSUED
			   : time(NULL) - since > GIVE_UP_AFTER ? ENROLL_NOTHING
								: ENROLL_PENDING;
	}
	if (*outcome == ENROLL_ISSUED)
		forget(&attempt);
	return true;
}
