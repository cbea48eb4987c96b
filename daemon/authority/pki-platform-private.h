/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the client of PKI Platform 8 share. */
#ifndef TESSERA_AUTHORITY_PKI_PLATFORM_PRIVATE_H
#define TESSERA_AUTHORITY_PKI_PLATFORM_PRIVATE_H

#include "authority/authority.h"
#include "connection/identity.h"
#include "authority/mapping.h"
#include "connection/settings.h"
#include "core/xml.h"

/* The name of a request's value that every profile wants. */
#define PKI_PLATFORM_SEAT "seat_id"

struct pki_platform_settings {
	char *base;	  /* "https://pki-ws.symauth.com/pki-ws/" */
	char *host;	  /* "pki-ws.symauth.com" */
	char *ca_file;	  /* or NULL */
	char *client_key; /* pkcs11: URI of the certificate's key, or NULL: the secret has it */
	char *seat_id;	  /* pattern */
	struct settings_times times;
	struct mappings mappings;
	struct revocation_settings revocation; /* the authority's, once it is open */
};

struct pki_platform {
	struct pki_platform_settings settings;
	struct identity identity;
};

/* --- pki-platform-settings.c --- */
/* On failure the caller clears, too. */
bool pki_platform_settings_parse(
	struct pki_platform_settings *settings, const char *document, struct error *error);
void pki_platform_settings_clear(struct pki_platform_settings *settings);

/* --- pki-platform-request.c --- */
struct pki_platform_operation {
	const char *service; /* "policyService" */
	const char *action;  /* SOAPAction */
	const char *answer;  /* of the element in the answer's body */
	bool may_repeat;     /* twice is as good as once */
};

struct pki_platform_reply {
	long status;
	struct xml_document *document;
	const struct xml_element *answer; /* the element in the body; NULL after a failure */
	bool may_be_done; /* after a failure: the service may have done what it was asked */
	bool is_resolved, is_connected;
	int64_t retry_after;
};
void pki_platform_reply_clear(struct pki_platform_reply *reply);
#define _cleanup_reply_ _cleanup_(pki_platform_reply_clear)

/* Begins the one element of a request's body, whose prefix is of that namespace. */
void pki_platform_begin(
	struct xml_writer *writer, const char *name, const char *prefix, const char *space);
/*
 * Ends the body and sends it. A busy service is asked again within retry_seconds, but for an
 * operation that may not be repeated only when the service said 429 and so has not done it. A
 * failure is one sentence with what the service said.
 */
bool pki_platform_call(struct authority *authority, const struct pki_platform_operation *operation,
	struct xml_writer *writer, struct pki_platform_reply *reply, struct error *error);

/* --- pki-platform-answer.c --- */
/*
 * The schemas are public in copies alone: elements of answers are looked for by their name in
 * whatever namespace. The first child and the next sibling of that name; NULL: none.
 */
const struct xml_element *pki_platform_child(const struct xml_element *element, const char *name);
const struct xml_element *pki_platform_next(const struct xml_element *element, const char *name);
/* The text of a child, heap; NULL when it is absent, nil or empty. */
char *pki_platform_text(const struct xml_element *element, const char *name);
/* Whether the child's text says so (XML Schema 2, 3.2.2). */
bool pki_platform_is_true(const struct xml_element *element, const char *name);
/*
 * Reads an answer's envelope: its element with that name, or NULL with the fault in words.
 * is_refusal: the fault says that nothing was done.
 */
const struct xml_element *pki_platform_open(const struct xml_document *document, const char *answer,
	bool *is_refusal, struct error *error);

/* What an answer says of a request. */
struct pki_platform_token {
	char *certificate; /* in base64, or NULL */
	char *pending;	   /* what to ask with later, or NULL */
	char *message;	   /* the service's words, or NULL */
};
void pki_platform_token_clear(struct pki_platform_token *token);
#define _cleanup_token_ _cleanup_(pki_platform_token_clear)
void pki_platform_read_token(struct pki_platform_token *token, const struct xml_element *answer);

/* Sees a certificate in base64, its serial number and status; each may be NULL. False: enough. */
typedef bool pki_platform_visit(
	void *context, const char *certificate, const char *serial, const char *status);
/* Visits what one answer lists; *count: how many those are, *more: whether there are others. */
bool pki_platform_read_page(const struct xml_element *answer, pki_platform_visit *visit,
	void *context, size_t *count, bool *more);

/* --- pki-platform-policies.c --- */
/* Adds the profiles that an answer lists. ERROR_AUTHORITY_FAILED. */
bool pki_platform_read_policies(
	const struct xml_element *answer, struct authority_profiles *profiles, struct error *error);

/* --- pki-platform-profiles.c --- */
bool pki_platform_fetch(
	struct authority *authority, struct authority_profiles *profiles, struct error *error);
/* The kept ones, with what the document fills in. */
bool pki_platform_profiles(
	struct authority *authority, struct authority_profiles *profiles, struct error *error);

/* --- pki-platform-fields.c --- */
/* Whether a request's value can have this name: 1 to 128 visible ASCII characters. */
bool pki_platform_is_field(const char *name);
/* Adds the fields of a policy's attributes to the profile. san_reference: of the extension's OID.
 */
void pki_platform_read_fields(struct authority_profile *profile,
	const struct xml_element *attributes, const char *san_reference);

/* --- pki-platform-enroll.c --- */
bool pki_platform_enroll(struct authority *authority, const struct authority_request *request,
	struct certificate *certificate, enum enroll_outcome *outcome, struct error *error);
bool pki_platform_collect(struct authority *authority, struct certificate *certificate,
	enum enroll_outcome *outcome, struct error *error);

/* --- pki-platform-search.c --- */
/* What certificates are looked for by; NULL: by anything. */
struct pki_platform_criteria {
	const char *seat, *profile, *serial;
};
bool pki_platform_search(struct authority *authority, const struct pki_platform_criteria *criteria,
	pki_platform_visit *visit, void *context, struct error *error);

/* --- pki-platform-status.c --- */
bool pki_platform_revoke(struct authority *authority, const struct certificate *certificate,
	const struct revocation_reason *reason, struct error *error);
bool pki_platform_suspend(
	struct authority *authority, const struct certificate *certificate, struct error *error);
bool pki_platform_resume(
	struct authority *authority, const struct certificate *certificate, struct error *error);
bool pki_platform_status(struct authority *authority, const struct certificate *certificate,
	enum certificate_status *status, struct error *error);

/* --- pki-platform-test.c --- */
bool pki_platform_test(struct authority *authority, struct connection_steps *steps);

#endif
