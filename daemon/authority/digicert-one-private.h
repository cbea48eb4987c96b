/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the DigiCert ONE client share. */
#ifndef TESSERA_AUTHORITY_DIGICERT_ONE_PRIVATE_H
#define TESSERA_AUTHORITY_DIGICERT_ONE_PRIVATE_H

#include <jansson.h>

#include "authority/authority.h"
#include "connection/identity.h"
#include "authority/mapping.h"
#include "connection/settings.h"
#include "model/document.h"

#define DIGICERT_ONE_API_KEY "api-key"

struct digicert_one_settings {
	char *base;    /* "https://one.digicert.com/mpki/api/v1" */
	char *host;    /* "one.digicert.com" */
	char *ca_file; /* or NULL */
	bool by_certificate;
	char *client_key;    /* pkcs11: URI of the certificate's key, or NULL: the secret has it */
	char *business_unit; /* or NULL */
	char *seat_id, *seat_email, *seat_name; /* patterns; the last two or NULL */
	char *seat_type;
	bool create_seats;
	struct settings_times times;
	struct mappings mappings;
	struct revocation_settings revocation;
};

struct digicert_one {
	struct digicert_one_settings settings;
	struct identity identity; /* the API key or the client certificate */
};

/* --- digicert-one-settings.c --- */
/* On failure the caller clears, too. */
bool digicert_one_settings_parse(
	struct digicert_one_settings *settings, const char *document, struct error *error);
void digicert_one_settings_clear(struct digicert_one_settings *settings);
/* --- digicert-one-request.c --- */
struct digicert_one_reply {
	long status;
	json_t *json;	  /* NULL when the body is none, or is empty */
	char *text;	  /* the body when it is no JSON, else NULL */
	bool may_be_done; /* after a failure: the service may have done what it was asked */
	bool is_resolved, is_connected;
	int64_t retry_after;
};
void digicert_one_reply_clear(struct digicert_one_reply *reply);
#define _cleanup_reply_ _cleanup_(digicert_one_reply_clear)

/*
 * One request, path below the base ("/profile"); body (borrowed) NULL: none. A busy service is
 * asked again within retry_seconds, but a POST only when the service said 429 and so has not done
 * it. true for a 2xx; otherwise the error is one sentence with what the service said, and
 * *reply tells the status.
 */
bool digicert_one_call(struct authority *authority, enum http_method method, const char *path,
	json_t *body, struct digicert_one_reply *reply, struct error *error);
/* A 2xx has to hold a JSON object. ERROR_AUTHORITY_FAILED. */
bool digicert_one_need_object(struct digicert_one_reply *reply, struct error *error);
/* Heap: text as a part of a path or a query. */
char *digicert_one_escape(const char *text);
/* Whether one of the service's errors has this in its message, ASCII letters alike in any case. */
bool digicert_one_says(const struct digicert_one_reply *reply, const char *text);

/* --- digicert-one-fields.c --- */
/* The fields that a profile of the API has, and why it cannot be used, if so. */
void digicert_one_read_fields(struct authority_profile *profile, const json_t *json);
/* Puts a field's value where a request has it. False for a field that no request has. */
bool digicert_one_put(json_t *body, const char *field, const char *value);

/* --- digicert-one-profiles.c --- */
bool digicert_one_fetch(
	struct authority *authority, struct authority_profiles *profiles, struct error *error);
/* The kept ones, with what the document fills in. */
bool digicert_one_profiles(
	struct authority *authority, struct authority_profiles *profiles, struct error *error);

/* --- digicert-one-enroll.c --- */
bool digicert_one_enroll(struct authority *authority, const struct authority_request *request,
	struct certificate *certificate, enum enroll_outcome *outcome, struct error *error);
bool digicert_one_renew(struct authority *authority, const struct certificate *old,
	const struct authority_request *request, struct certificate *certificate,
	enum enroll_outcome *outcome, struct error *error);
bool digicert_one_collect(struct authority *authority, struct certificate *certificate,
	enum enroll_outcome *outcome, struct error *error);

/* --- digicert-one-status.c --- */
bool digicert_one_revoke(struct authority *authority, const struct certificate *certificate,
	const struct revocation_reason *reason, struct error *error);
bool digicert_one_suspend(
	struct authority *authority, const struct certificate *certificate, struct error *error);
bool digicert_one_resume(
	struct authority *authority, const struct certificate *certificate, struct error *error);
bool digicert_one_status(struct authority *authority, const struct certificate *certificate,
	enum certificate_status *status, struct error *error);

/* --- digicert-one-test.c --- */
bool digicert_one_test(struct authority *authority, struct connection_steps *steps);

#endif
