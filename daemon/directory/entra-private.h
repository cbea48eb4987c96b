/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of the Entra ID client share. Tokens come from the Microsoft identity platform
 * (OAuth 2.0 client credentials grant, RFC 6749, 4.4), people from Microsoft Graph (OData).
 */
#ifndef TESSERA_DIRECTORY_ENTRA_PRIVATE_H
#define TESSERA_DIRECTORY_ENTRA_PRIVATE_H

#include <jansson.h>
#include <openssl/x509.h>

#include "connection/identity.h"
#include "connection/steps.h"
#include "core/http.h"
#include "directory/mapping.h"
#include "model/document.h"

#define ENTRA_CLIENT_SECRET "client-secret"
#define ENTRA_GROUPS_MAX    20	 /* checkMemberGroups takes no more */
#define ENTRA_URL_MAX	    8192 /* bytes of a next page's address */
#define ENTRA_FAILED	    ERROR_DIRECTORY_FAILED

struct entra_settings {
	char *tenant, *client_id;
	bool by_certificate;
	bool is_pkcs1;	  /* RS256 rather than PS256 */
	char *client_key; /* pkcs11: URI of the certificate's key, or NULL: the secret has it */
	char *token_url, *token_host;
	char *api, *api_host; /* "https://graph.microsoft.com/v1.0", "graph.microsoft.com" */
	char *scope;
	char *ca_file; /* or NULL */
	char *filter;  /* OData, or NULL */
	char **groups; /* ids; none: everybody */
	size_t group_count;
	/* Of Graph's users: "employeeId", "a/b" for one inside another, "a@" for what stands
	 * before an @ in it. */
	struct field_mapping fields;
	int64_t timeout_seconds, retry_seconds, page_size;
};

struct entra {
	struct entra_settings settings;
	struct identity identity; /* the client secret or the certificate */
	char *document;		  /* as it is stored */
	char *memory_key;	  /* of the token and the cursors; NULL until it is needed */
};

/* --- entra-settings.c --- */
/* On failure the caller clears, too. */
bool entra_settings_parse(
	struct entra_settings *settings, const char *document, struct error *error);
void entra_settings_clear(struct entra_settings *settings);
bool entra_is_guid(const char *text);

/* --- entra-assertion.c --- */
struct entra_assertion {
	const char *audience; /* the token endpoint */
	const char *client_id;
	X509 *certificate;
	EVP_PKEY *key; /* its private key, here or elsewhere */
	bool is_pkcs1; /* RS256 */
	int64_t now;   /* seconds since 1970 */
};
/* A signed JWT that is good for a few minutes. ERROR_TOKEN_FAILED, or why the key does not sign. */
bool entra_assertion_make(
	const struct entra_assertion *assertion, struct secret *token, struct error *error);
/* Whether Entra ID takes such certificates. ERROR_INVALID_ARGUMENT. */
bool entra_check_certificate(X509 *certificate, struct error *error);

/* --- entra-query.c --- */
/* $search for what a person typed, not empty; heap, without the escapes of an URL. */
char *entra_search_text(const char *typed);
/* $filter for people who have exactly this value; the same. */
char *entra_filter_text(const struct mapped_field *field, const char *value);

struct entra_query {
	size_t group; /* members of the settings' group of that index; past its end: all users */
	size_t limit;
	bool is_sorted;
	const char *search; /* or NULL */
	const char *filter; /* beside the settings' own, or NULL */
};
/* Addresses, heap. */
char *entra_collection_url(const struct entra_settings *settings, const struct entra_query *query);
char *entra_person_url(const struct entra_settings *settings, const char *id);
/* Whether an address that Graph gives is below the configured one: a token is sent nowhere else. */
bool entra_is_of_api(const struct entra_settings *settings, const char *url);

/* --- entra-answer.c --- */
/* Fills an empty *person, which stays so on failure. */
bool entra_read_person(const struct field_mapping *fields, const json_t *user,
	struct directory_person *person, struct error *error);
/* Adds the people of a page to *people, and replaces its cursor by the next page's address. On
 * failure the caller clears. */
bool entra_read_people(const struct entra_settings *settings, const json_t *json, size_t limit,
	struct directory_people *people, struct error *error);
/* Graph's own words for what is wrong, in one line; heap, NULL without any. */
char *entra_words(const json_t *json);
/* Whether they have this code. */
bool entra_says(const json_t *json, const char *code);
/* The same for the token endpoint: what to do, where it is known; never with the secret in it. */
char *entra_token_words(const json_t *json, const struct secret *secret);

/* --- entra-request.c --- */
struct entra_reply {
	long status;  /* 0: none came */
	json_t *json; /* NULL when it is no JSON */
	int64_t retry_after;
	bool is_resolved, is_connected;
};
void entra_reply_clear(struct entra_reply *reply);
#define _cleanup_entra_reply_ _cleanup_(entra_reply_clear)

/* Sends a request once. True for any whole answer with JSON in it, whatever its status. */
bool entra_send(struct directory *directory, struct http_request *request,
	struct entra_reply *reply, struct error *error);
/*
 * Asks Graph, with a token that is fetched when there is none, or once anew when it is not taken.
 * A busy service is asked again within retry-seconds. url: below the API's; body (borrowed) NULL:
 * GET. True for a 2xx with a JSON object; else the error says what to do.
 */
bool entra_call(struct directory *directory, const char *url, json_t *body,
	struct entra_reply *reply, struct error *error);
/* Whether it is worth while to ask once more after that status. */
bool entra_is_busy(long status);

/* --- entra-token.c --- */
/* "Bearer ..." to be sent to Graph; a kept one, or a new one. reply: how far its request came. */
bool entra_token(struct directory *directory, struct secret *header, struct entra_reply *reply,
	struct error *error);
/* Fetches a new one, after entra_prove_ready(). */
bool entra_token_test(struct directory *directory, struct entra_reply *reply, struct error *error);
/* It is not taken any more. */
void entra_token_drop(struct directory *directory, const struct secret *header);
/* Opens the secret, and fills memory_key. */
bool entra_prove_ready(struct directory *directory, struct error *error);

/* --- entra-people.c --- */
bool entra_search(struct directory *directory, const struct directory_query *query,
	struct directory_people *people, struct error *error);
bool entra_get(struct directory *directory, const char *id, struct directory_person *person,
	struct error *error);
bool entra_find(struct directory *directory, const char *login, struct directory_person *person,
	struct error *error);

/* --- entra-test.c --- */
bool entra_test(struct directory *directory, struct connection_steps *steps);

#endif
