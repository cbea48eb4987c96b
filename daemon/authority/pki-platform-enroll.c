/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Enrolling, and what the service has of a request whose answer was lost (WS-Trust 1.3). */
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "authority/attempt.h"
#include "authority/issued.h"
#include "authority/pki-platform-private.h"
#include "common/alloc.h"

#define TRUST	 "http://docs.oasis-open.org/ws-sx/ws-trust/200512/"
#define VERISIGN "http://schemas.verisign.com/pkiservices/2009/07/"
#define SPACE	 VERISIGN "enrollment"
#define TOKEN_PKCS7                                                                                \
	"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#PKCS7"
#define DAYS		   "overrideValidityDays"
#define WORDS_MAX	   300
#define TRANSACTION_DIGITS 32 /* of the key's digest: with "tessera-" before them 40, the most */

/* --- requests --- */

/* What is sent. */
struct question {
	struct buffer request; /* PKCS#10 */
	const struct authority_request *asked;
};

static void question_clear(struct question *question)
{
	buffer_clear(&question->request);
}

static void put_pair(struct xml_writer *writer, const char *name, const char *value)
{
	xml_start(writer, "e:nameValuePair");
	xml_put_element(writer, "e:name", name);
	xml_put_element(writer, "e:value", value);
	xml_end(writer);
}

/* Up to its requestType. */
static void begin_request(
	struct xml_writer *writer, const struct attempt *attempt, const char *type)
{
	const json_t *settings = attempt->profile ? attempt->profile->settings : NULL;
	const char *format = json_string_value(json_object_get(settings, "delivery"));
	_cleanup_free_ char *transaction =
		xasprintf("tessera-%.*s", TRANSACTION_DIGITS, attempt_asked(attempt, "key"));

	pki_platform_begin(writer, "t:RequestSecurityToken", "t", TRUST);
	xml_start(writer, "e:requestVSSecurityToken");
	xml_put_attribute(writer, "xmlns:e", SPACE);
	xml_put_attribute(writer, "preferredLanguage", "en-US");
	xml_put_element(writer, "e:certificateProfileID", attempt_asked(attempt, "profile"));
	xml_put_element(writer, "e:clientTransactionID", transaction);
	xml_put_element(writer, "e:tokenType", format ? format : TOKEN_PKCS7);
	xml_put_element(writer, "e:requestType", type);
}

/* Only where the profile lets a request say it. */
static void put_days(struct xml_writer *writer, const struct attempt *attempt)
{
	const struct pki_platform *platform = attempt->authority->data;
	const json_t *settings = attempt->profile->settings;
	int64_t days =
		attempt_days(attempt, mapping_find(&platform->settings.mappings, attempt->profile));

	if (days == 0 || !json_is_true(json_object_get(settings, "override-validity")))
		return;
	_cleanup_free_ char *text = xasprintf("%lld", (long long)days);
	put_pair(writer, DAYS, text);
}

static void put_fields(struct xml_writer *writer, const struct attempt *attempt)
{
	const struct authority_request *request = attempt->request;

	for (size_t i = 0; i < request->field_count; i++) {
		const struct name_rule *value = &request->fields[i];
		const struct authority_field *field =
			authority_profile_field(attempt->profile, value->type);
		if (!field || (!field->fixed && !field->is_from_request))
			put_pair(writer, value->type, value->pattern);
	}
}

static void write_issue(struct xml_writer *writer, const struct attempt *attempt)
{
	const struct question *question = attempt->data;

	begin_request(writer, attempt, TRUST "Issue");
	xml_start(writer, "e:binarySecurityToken");
	xml_put_attribute(writer, "ValueType", VERISIGN "PKCS10");
	xml_put_base64(writer, question->request.data, question->request.length);
	xml_end(writer);
	put_fields(writer, attempt);
	put_days(writer, attempt);
	xml_put_element(writer, "e:version", "2.0");
}

static void write_query(struct xml_writer *writer, const struct attempt *attempt)
{
	begin_request(writer, attempt, VERISIGN "QueryTokenStatus");
	xml_put_element(writer, "e:pendingTokenReferenceID", attempt_asked(attempt, "id"));
	xml_put_element(writer, "e:version", "2.0");
}

/* --- asking --- */

static const struct pki_platform_operation issue_operation = {
	"enrollmentService", SPACE "/requestSecurityToken", "RequestSecurityTokenResponse", false};
static const struct pki_platform_operation query_operation = {
	"enrollmentService", SPACE "/requestSecurityToken", "RequestSecurityTokenResponse", true};

/* An answer without certificate and without a promise of one. */
static bool fail_without(
	const struct pki_platform_token *token, enum error_code code, struct error *error)
{
	_cleanup_free_ char *words = issued_words(token->message ? token->message : "", WORDS_MAX);

	return error_set(error, code, "PKI Platform answers without a certificate%s%s",
		words[0] ? ", and says: " : "", words);
}

static enum attempt_answer take_answer(
	struct attempt *attempt, const struct xml_element *answer, struct error *error)
{
	_cleanup_token_ struct pki_platform_token token = {0};

	pki_platform_read_token(&token, answer);
	if (token.certificate)
		return attempt_take(attempt, token.certificate, NULL, error) ? ATTEMPT_ISSUED
									     : ATTEMPT_LOST;
	json_t *pending = token.pending ? json_string(token.pending) : NULL;
	if (!pending) {
		fail_without(&token, ERROR_AUTHORITY_FAILED, error);
		return ATTEMPT_LOST;
	}
	json_object_set_new(attempt->asked, "id", pending);
	return ATTEMPT_PENDING;
}

static enum attempt_answer ask(struct attempt *attempt, struct error *error)
{
	_cleanup_xml_writer_ struct xml_writer writer = XML_WRITER_INIT;
	_cleanup_reply_ struct pki_platform_reply reply = {0};

	write_issue(&writer, attempt);
	if (pki_platform_call(attempt->authority, &issue_operation, &writer, &reply, error))
		return take_answer(attempt, reply.answer, error);
	if (!reply.may_be_done)
		return ATTEMPT_REFUSED;
	return reply.status == 503 ? ATTEMPT_BUSY : ATTEMPT_LOST;
}

static bool pick_up(struct attempt *attempt, enum enroll_outcome *outcome, struct error *error)
{
	_cleanup_xml_writer_ struct xml_writer writer = XML_WRITER_INIT;
	_cleanup_reply_ struct pki_platform_reply reply = {0};
	_cleanup_token_ struct pki_platform_token token = {0};

	write_query(&writer, attempt);
	if (!pki_platform_call(attempt->authority, &query_operation, &writer, &reply, error))
		return attempt_not_denied(error);
	pki_platform_read_token(&token, reply.answer);
	*outcome = token.certificate ? ENROLL_ISSUED : ENROLL_PENDING;
	if (token.certificate)
		return attempt_take(attempt, token.certificate, NULL, error);
	return token.pending || fail_without(&token, ERROR_AUTHORITY_REJECTED, error);
}

/* --- looking for a certificate by its key --- */

struct sought {
	struct attempt *attempt;
	bool found, is_bad;
};

static bool visit(void *context, const char *certificate, const char *serial, const char *status)
{
	struct sought *sought = context;

	(void)status;
	if (certificate)
		sought->is_bad =
			!attempt_take_found(sought->attempt, certificate, serial, &sought->found);
	return !sought->found;
}

static bool search_for_key(struct attempt *attempt, bool *found, struct error *error)
{
	struct pki_platform_criteria criteria = {.seat = attempt_asked(attempt, "seat"),
		.profile = attempt_asked(attempt, "profile")};
	struct sought sought = {.attempt = attempt};

	if (!pki_platform_search(attempt->authority, &criteria, visit, &sought, error))
		return false;
	*found = sought.found;
	return !sought.is_bad || error_set(error, ERROR_AUTHORITY_FAILED,
					 "PKI Platform has a certificate for this key that cannot "
					 "be used");
}

/* --- verbs --- */

static struct attempt begin(struct authority *authority, const struct authority_request *request,
	struct certificate *certificate, const struct question *question)
{
	static const struct attempt_verbs verbs = {
		.ask = ask, .search = search_for_key, .pick_up = pick_up};
	const struct pki_platform *platform = authority->data;

	return (struct attempt){.verbs = &verbs,
		.authority = authority,
		.request = request,
		.certificate = certificate,
		.retry_seconds = platform->settings.times.retry_seconds,
		.pickup_seconds = platform->settings.times.pickup_seconds,
		.data = question};
}

static bool encode_request(X509_REQ *request, struct buffer *der, struct error *error)
{
	int length = i2d_X509_REQ(request, NULL);
	unsigned char *room = length > 0 ? buffer_extend(der, (size_t)length) : NULL;

	if (room && i2d_X509_REQ(request, &room) == length)
		return true;
	ERR_clear_error();
	return error_set(error, ERROR_FAILED, "a certificate request cannot be encoded");
}

/* The value of the seat's id; NULL without one. */
static const char *seat_of(const struct authority_request *request)
{
	for (size_t i = 0; i < request->field_count; i++) {
		const struct name_rule *field = &request->fields[i];
		if (strcmp(field->type, PKI_PLATFORM_SEAT) == 0 && field->pattern[0])
			return field->pattern;
	}
	return NULL;
}

bool pki_platform_enroll(struct authority *authority, const struct authority_request *request,
	struct certificate *certificate, enum enroll_outcome *outcome, struct error *error)
{
	_cleanup_profiles_ struct authority_profiles profiles = AUTHORITY_PROFILES_INIT;
	struct question question _cleanup_(question_clear) = {.request = BUFFER_INIT};
	_cleanup_attempt_ struct attempt attempt =
		begin(authority, request, certificate, &question);
	const char *seat = seat_of(request);

	if (!seat)
		return error_set(error, ERROR_AUTHORITY_REJECTED, "the seat's id is empty");
	if (!pki_platform_profiles(authority, &profiles, error))
		return false;
	attempt.profile = authority_profiles_find(&profiles, request->profile, error);
	return attempt.profile && encode_request(request->request, &question.request, error) &&
	       attempt_enroll(&attempt, seat, outcome, error);
}

bool pki_platform_collect(struct authority *authority, struct certificate *certificate,
	enum enroll_outcome *outcome, struct error *error)
{
	_cleanup_attempt_ struct attempt attempt = begin(authority, NULL, certificate, NULL);

	return attempt_collect(&attempt, outcome, error);
}
