/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Enrolling and renewing, and what the service has of a request whose answer was lost. */
#include <string.h>
#include <strings.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "authority/attempt.h"
#include "authority/digicert-one-private.h"
#include "common/alloc.h"

#define SECONDS_OF_DAY (24 * 60 * 60)
#define PAGE	       50
#define ITEMS_MAX      1000

DEFINE_CLEANUP(BIO *, BIO_free_all);

/* What is sent. */
struct question {
	const char *path;
	json_t *body;
	json_t *seat; /* what makes the seat, or NULL */
};

static void question_clear(struct question *question)
{
	json_decref(question->body);
	json_decref(question->seat);
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text && text[0] ? text : NULL;
}

/* --- looking for a certificate by its key --- */

static bool take_found(struct attempt *attempt, const json_t *item, bool *found)
{
	const char *text = text_of(item, "certificate");

	*found = false;
	return !text || attempt_take_found(attempt, text, text_of(item, "serial_number"), found);
}

/* A list that shows no certificates: each is asked for. */
static bool take_by_serial(
	struct attempt *attempt, const json_t *item, bool *found, struct error *error)
{
	_cleanup_reply_ struct digicert_one_reply reply = {0};
	const char *serial = text_of(item, "serial_number");

	if (!serial)
		return true;
	_cleanup_free_ char *escaped = http_escape(serial);
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
	_cleanup_free_ char *seat = http_escape(attempt_asked(attempt, "seat"));
	_cleanup_free_ char *profile = http_escape(attempt_asked(attempt, "profile"));
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

/* --- the answer --- */

static bool take_answer(struct attempt *attempt, const json_t *object, struct error *error)
{
	const char *text = text_of(object, "certificate");

	return text ? attempt_take(attempt, text, text_of(object, "serial_number"), error)
		    : error_set(error, ERROR_AUTHORITY_FAILED,
			      "DigiCert ONE answers without a certificate");
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
	const char *id = attempt_asked(attempt, "id");
	json_t *body _cleanup_json_ =
		json_pack("{s:{s:s}}", "profile", "id", attempt_asked(attempt, "profile"));

	_cleanup_free_ char *escaped = http_escape(id);
	_cleanup_free_ char *path = xasprintf("/certificate-pickup/%s", escaped);
	if (!digicert_one_call(attempt->authority, HTTP_POST, path, body, &reply, error) ||
		!digicert_one_need_object(&reply, error))
		return attempt_not_denied(error);
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

/* --- asking --- */

static bool make_seat(struct attempt *attempt, struct error *error)
{
	const struct question *question = attempt->data;
	_cleanup_reply_ struct digicert_one_reply reply = {0};

	return digicert_one_call(
		       attempt->authority, HTTP_POST, "/seat", question->seat, &reply, error) ||
	       error_prefix(error, "making the seat");
}

static bool lacks_seat(const struct question *question, const struct digicert_one_reply *reply)
{
	return question->seat && reply->status >= 400 && reply->status <= 499 &&
	       digicert_one_says(reply, "seat") &&
	       (digicert_one_says(reply, "could not find") ||
		       digicert_one_says(reply, "not found") ||
		       digicert_one_says(reply, "does not exist"));
}

static enum attempt_answer ask(struct attempt *attempt, struct error *error)
{
	const struct question *question = attempt->data;
	_cleanup_reply_ struct digicert_one_reply reply = {0};
	bool answered = digicert_one_call(attempt->authority, HTTP_POST, question->path,
				question->body, &reply, error) &&
			digicert_one_need_object(&reply, error);

	if (answered && is_pending(reply.json)) {
		json_object_set_new(
			attempt->asked, "id", json_string(text_of(reply.json, "request_id")));
		return ATTEMPT_PENDING;
	}
	if (answered)
		return take_answer(attempt, reply.json, error) ? ATTEMPT_ISSUED : ATTEMPT_LOST;
	if (!reply.may_be_done)
		return lacks_seat(question, &reply) && make_seat(attempt, error) ? ATTEMPT_AGAIN
										 : ATTEMPT_REFUSED;
	return reply.status == 503 ? ATTEMPT_BUSY : ATTEMPT_LOST;
}

static struct attempt begin(struct authority *authority, const struct authority_request *request,
	struct certificate *certificate, const struct question *question)
{
	static const struct attempt_verbs verbs = {
		.ask = ask, .search = search, .pick_up = pick_up};
	const struct digicert_one *one = authority->data;

	return (struct attempt){.verbs = &verbs,
		.authority = authority,
		.request = request,
		.certificate = certificate,
		.retry_seconds = one->settings.times.retry_seconds,
		.pickup_seconds = one->settings.times.pickup_seconds,
		.data = question};
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
	int64_t days =
		attempt_days(attempt, mapping_find(&one->settings.mappings, attempt->profile));

	if (days > 0 &&
		json_is_true(json_object_get(attempt->profile->settings, "override-validity")))
		json_object_set_new(body, "validity",
			json_pack("{s:s, s:I}", "unit", "days", "duration", days));
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
static void split_seat(const struct attempt *attempt, struct question *question)
{
	const struct digicert_one *one = attempt->authority->data;
	const struct digicert_one_settings *settings = &one->settings;
	json_t *seat = json_object_get(question->body, "seat");

	if (settings->create_seats) {
		question->seat = json_deep_copy(seat);
		json_object_set_new(
			question->seat, "seat_type", json_pack("{s:s}", "id", settings->seat_type));
		if (settings->business_unit)
			json_object_set_new(question->seat, "business_unit_id",
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

static bool make_question(struct attempt *attempt, struct question *question, struct error *error)
{
	question->path = "/certificate";
	question->body = json_pack("{s:{s:s}}", "profile", "id", attempt->profile->id);
	if (!put_fields(attempt, question->body, error) || !put_csr(attempt, question->body, error))
		return false;
	split_seat(attempt, question);
	return true;
}

/* --- verbs --- */

bool digicert_one_enroll(struct authority *authority, const struct authority_request *request,
	struct certificate *certificate, enum enroll_outcome *outcome, struct error *error)
{
	_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;
	struct question question _cleanup_(question_clear) = {0};
	_cleanup_attempt_ struct attempt attempt =
		begin(authority, request, certificate, &question);

	if (!digicert_one_profiles(authority, &profiles, error))
		return false;
	attempt.profile = authority_profiles_find(&profiles, request->profile, error);
	if (!attempt.profile || !make_question(&attempt, &question, error))
		return false;
	const char *seat = text_of(json_object_get(question.body, "seat"), "seat_id");
	return attempt_enroll(&attempt, seat, outcome, error);
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
	struct question question _cleanup_(question_clear) = {.body = json_object()};
	_cleanup_attempt_ struct attempt attempt =
		begin(authority, request, certificate, &question);

	if (!digicert_one_profiles(authority, &profiles, error))
		return false;
	attempt.profile = authority_profiles_find(&profiles, request->profile, error);
	if (!attempt.profile || !check_window(attempt.profile, old, error) ||
		!put_csr(&attempt, question.body, error))
		return false;
	_cleanup_free_ char *serial = http_escape(old->serial_hex);
	_cleanup_free_ char *path = xasprintf("/certificate/%s/renew", serial);
	question.path = path;
	return attempt_enroll(&attempt, seat_of(request), outcome, error);
}

bool digicert_one_collect(struct authority *authority, struct certificate *certificate,
	enum enroll_outcome *outcome, struct error *error)
{
	_cleanup_attempt_ struct attempt attempt = begin(authority, NULL, certificate, NULL);

	return attempt_collect(&attempt, outcome, error);
}
