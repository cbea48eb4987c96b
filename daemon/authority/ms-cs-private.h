/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of the Microsoft CS client share. Numbers in brackets are sections of
 * [MS-WSTEP], [MS-XCEP] and [MS-WCCE].
 */
#ifndef TESSERA_AUTHORITY_MS_CS_PRIVATE_H
#define TESSERA_AUTHORITY_MS_CS_PRIVATE_H

#include "authority/authority.h"
#include "connection/identity.h"
#include "connection/kerberos-settings.h"
#include "authority/mapping.h"
#include "authority/ms-cs-agent.h"
#include "authority/ms-cs-revoke.h"
#include "core/http.h"
#include "core/xml.h"

#define MS_CS_PASSWORD_SECRET "password"
#define MS_CS_REQUESTER	      "requester" /* the field of who a certificate is for */

/* Namespaces. */
#define NS_SOAP	   "http://www.w3.org/2003/05/soap-envelope"
#define NS_ADDRESS "http://www.w3.org/2005/08/addressing"
#define NS_TRUST   "http://docs.oasis-open.org/ws-sx/ws-trust/200512"
#define NS_SECURITY                                                                                \
	"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
#define NS_UTILITY                                                                                 \
	"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
#define NS_ENROLLMENT "http://schemas.microsoft.com/windows/pki/2009/01/enrollment"
#define NS_POLICY     "http://schemas.microsoft.com/windows/pki/2009/01/enrollmentpolicy"

#define VALUE_TYPE_PKCS7  NS_SECURITY "#PKCS7"
#define VALUE_TYPE_PKCS10 NS_ENROLLMENT "#PKCS10"
#define VALUE_TYPE_X509                                                                            \
	"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3"

/* --- settings: ms-cs-settings.c --- */

enum ms_cs_authentication { MS_CS_PASSWORD, MS_CS_CLIENT_CERTIFICATE, MS_CS_KERBEROS };

/* An address of a service: a view of the settings or of a kept request. */
struct ms_cs_endpoint {
	char *url;
	char *host; /* with its port, if it has one */
};

struct ms_cs_protocol;
struct ms_cs_settings {
	const struct ms_cs_protocol *protocol;
	struct ms_cs_endpoint *endpoints; /* of enrollment, the first being asked first */
	size_t endpoint_count;
	struct ms_cs_endpoint policy; /* url NULL: none */
	enum ms_cs_authentication authentication;
	char *user;			   /* with MS_CS_PASSWORD */
	struct kerberos_settings kerberos; /* with MS_CS_KERBEROS */
	char *client_key;  /* pkcs11: URI of the certificate's key, or NULL: the secret has it */
	char *ca_file;	   /* or NULL */
	char *issuer_file; /* or NULL */
	int64_t timeout_seconds, pickup_seconds;
	struct ms_cs_agent_settings agent;
	struct ms_cs_revocation_settings revocation;
	struct revocation_settings revocation_check;
	struct mappings mappings;
};

struct ms_cs {
	struct ms_cs_settings settings;
	struct identity identity; /* the password or the client certificate; none with Kerberos */
};

void ms_cs_endpoint_clear(struct ms_cs_endpoint *endpoint);
/* On failure the caller clears, too. */
bool ms_cs_settings_parse(
	struct ms_cs_settings *settings, const char *document, struct error *error);
void ms_cs_settings_clear(struct ms_cs_settings *settings);

/* --- one message: ms-cs-message.c --- */

/* Writes what is in the body. */
typedef void (*ms_cs_body_writer)(struct xml_writer *writer, const void *context);

struct ms_cs_message {
	const char *action; /* of WS-Addressing */
	ms_cs_body_writer write_body;
	const void *context;
	size_t answer_max; /* bytes */
};

/* The request for a certificate, and the question what became of one [WSTEP 3.1.4.1.3.3]. */
struct ms_cs_token_request {
	const struct buffer *token; /* PKCS#10, or CMS around it */
	const char *value_type;
	const char *request_id; /* for the question; NULL for the request */
	const char *template;	/* name of the template, for the request */
	const char *key_digest; /* of the key that a certificate has to be for */
};
struct ms_cs_message ms_cs_issue_message(const struct ms_cs_token_request *request);
struct ms_cs_message ms_cs_status_message(const struct ms_cs_token_request *request);
/* GetPolicies [XCEP 3.1.4.1]. */
struct ms_cs_message ms_cs_policies_message(void);

/*
 * The envelope. message_id: "urn:uuid:..."; user NULL: nothing of WS-Security.
 */
void ms_cs_write_message(struct xml_writer *writer, const struct ms_cs_message *message,
	const char *message_id, const char *url, const char *user, const struct secret *password);
/* Heap: a new one. */
char *ms_cs_message_id(void);

/* --- faults: ms-cs-fault.c --- */

struct ms_cs_fault {
	bool is_decided;  /* the CA itself has answered (CertificateEnrollmentWSDetail) */
	bool is_final;	  /* it will say the same again */
	bool is_denial;	  /* the request itself is denied, not only this question about it */
	bool is_senders;  /* the service has refused the message before doing anything */
	bool is_security; /* because of who sends it */
	bool may_be_done; /* the CA may have done it all the same */
	char *words;	  /* one line, never NULL */
};
void ms_cs_fault_clear(struct ms_cs_fault *fault);
/*
 * What follows from an HRESULT, which the words then have, with what to do about it. False: nothing
 * is known of that one.
 */
bool ms_cs_fault_judge(struct ms_cs_fault *fault, uint32_t code);
/* Reads a Fault element. */
void ms_cs_fault_read(struct ms_cs_fault *fault, const struct xml_element *element);

/* --- pages of the web enrollment: ms-cs-web-page.c --- */

enum ms_cs_page_state {
	MS_CS_PAGE_UNKNOWN, /* it is none of the web enrollment's, or not understood */
	MS_CS_PAGE_ISSUED,
	MS_CS_PAGE_PENDING,
	MS_CS_PAGE_DENIED,
	MS_CS_PAGE_FAILED, /* the request was not come to an end with */
};
struct ms_cs_page {
	enum ms_cs_page_state state;
	char *id;      /* digits: the number of what is issued or pending, else NULL */
	char *words;   /* UTF-8 in one line: why it is denied or has failed, else NULL */
	uint32_t code; /* the HRESULT among them */
	bool has_code;
};
void ms_cs_page_clear(struct ms_cs_page *page);
#define _cleanup_ms_cs_page_ _cleanup_(ms_cs_page_clear)
/* Reads HTML in any language: by what is in it, not by words. */
void ms_cs_page_read(struct ms_cs_page *page, const void *data, size_t length);
/* Heap: the beginning of its text, in one line. */
char *ms_cs_page_words(const void *data, size_t length, size_t maximum);

/* --- asking: ms-cs-exchange.c --- */

/* What the service is to accept: "user and password". */
const char *ms_cs_proof(const struct ms_cs_settings *settings);
/* Whether nothing is sent because a secret was not set or cannot be opened. */
bool ms_cs_lacks_secret(const struct ms_cs *cs);

struct ms_cs_reply {
	long status;
	struct xml_document *document;
	const struct xml_element *body; /* what is in the envelope's body; NULL after a failure */
	struct ms_cs_page page;		/* of the web enrollment, */
	struct buffer certificate;	/* or what it has given in place of one, DER */
	struct ms_cs_fault fault;	/* words NULL when it is none */
	bool may_be_done; /* after a failure: the CA may have done what it was asked */
	bool is_resolved, is_connected, has_ticket;
};
void ms_cs_reply_clear(struct ms_cs_reply *reply);
#define _cleanup_ms_cs_reply_ _cleanup_(ms_cs_reply_clear)

/* Opens the password or the certificate, if there is one. */
bool ms_cs_open_identity(struct authority *authority, struct error *error);
/* Sends a request with all that each has, and notes how far it came. ms_cs_open_identity before. */
bool ms_cs_http(struct authority *authority, struct http_request *request,
	struct http_answer *answer, struct ms_cs_reply *reply, struct error *error);
/* Whether a service that has answered with this status, and nothing else, may have done it. */
bool ms_cs_may_be_done_after(long status);
/* What to do about a status: ": the service is stopped or busy", or "". */
const char *ms_cs_advice(long status, const struct ms_cs_settings *settings);
/* The error of what a fault says, by which the reply has failed. Returns false. */
bool ms_cs_fail_with_fault(
	const struct ms_cs_settings *settings, struct ms_cs_reply *reply, struct error *error);

/* Sends a message of SOAP to one address, once. The error is one sentence with what the service
 * said. */
bool ms_cs_send(struct authority *authority, const struct ms_cs_endpoint *endpoint,
	const struct ms_cs_message *message, struct ms_cs_reply *reply, struct error *error);
/*
 * Sends a request or a question to the addresses of enrollment in turn: to the next one only when
 * it is known that this one has done nothing, or it is a question. *used: the last one.
 */
bool ms_cs_ask(struct authority *authority, const struct ms_cs_token_request *request,
	struct ms_cs_reply *reply, const struct ms_cs_endpoint **used, struct error *error);

/* --- answers: ms-cs-token.c --- */

struct ms_cs_token {
	struct buffer der; /* of the certificate; empty while it is pending */
	char *id;	   /* the CA's number of the request, or NULL */
	char *reference;   /* where to ask for it, or NULL */
	char *words;	   /* what the CA says of it, or NULL */
};
void ms_cs_token_clear(struct ms_cs_token *token);
#define _cleanup_ms_cs_token_ _cleanup_(ms_cs_token_clear)
/*
 * Reads a RequestSecurityTokenResponseCollection. key_digest: of the key that a certificate has to
 * be for (issued_key_digest). ERROR_AUTHORITY_FAILED.
 */
bool ms_cs_token_read(struct ms_cs_token *token, const struct xml_element *collection,
	const char *key_digest, struct error *error);

/* --- protocols: ms-cs-ces.c, ms-cs-web.c --- */

/* How a CA is asked; what follows from the answers is the same for each. */
struct ms_cs_protocol {
	const char *name;
	const char *example;	 /* of an address */
	const char *refusals[3]; /* by ms_cs_authentication: advice after the statuses 401, 403 */
	bool has_policies;	 /* there can be a policy service */
	bool has_references;	 /* answers may say where to ask for a pending certificate */
	/* Sends a request, or the question what became of one, to one address, once. */
	bool (*send)(struct authority *authority, const struct ms_cs_endpoint *endpoint,
		const struct ms_cs_token_request *request, struct ms_cs_reply *reply,
		struct error *error);
	/* What the answer says, of the key of the request. ERROR_AUTHORITY_FAILED; the token's id
	 * is there after a failure, too, if it is known. */
	bool (*read)(struct authority *authority, const struct ms_cs_endpoint *endpoint,
		const struct ms_cs_token_request *request, struct ms_cs_reply *reply,
		struct ms_cs_token *token, struct error *error);
	/* Asks for something that changes nothing, to see whether the service is there. */
	bool (*probe)(struct authority *authority, const struct ms_cs_endpoint *endpoint,
		struct ms_cs_reply *reply, struct error *error);
};
extern const struct ms_cs_protocol ms_cs_ces, ms_cs_web;

/* --- profiles: ms-cs-policy.c, ms-cs-profiles.c --- */

/* Reads a GetPoliciesResponse. ERROR_AUTHORITY_FAILED. */
bool ms_cs_policies_read(struct authority_profiles *profiles, const struct xml_element *response,
	struct error *error);
bool ms_cs_fetch(
	struct authority *authority, struct authority_profiles *profiles, struct error *error);
/* What the document says of profiles, and the fields that they have by it. */
void ms_cs_complete_profiles(
	const struct ms_cs_settings *settings, struct authority_profiles *profiles);
/* Those of the policies or of the document, completed. */
bool ms_cs_profiles(
	struct authority *authority, struct authority_profiles *profiles, struct error *error);
/* Whether certificates of the profile are asked for by an enrollment agent for somebody else. */
bool ms_cs_is_on_behalf(const struct authority_profile *profile);
/* Whether the CA takes subject and san from the request. */
bool ms_cs_takes_subject(const struct authority_profile *profile);
/* Whether a CA that is known for the profile has signed it, if any is known.
 * ERROR_AUTHORITY_FAILED. */
bool ms_cs_check_issuer(struct authority *authority, const struct authority_profile *profile,
	const struct buffer *der, struct error *error);
bool ms_cs_ca_certificate(struct authority *authority, struct buffer *der, struct error *error);
/* Names of the fields that a request can have. */
bool ms_cs_is_field(const char *name);

/* --- purposes: ms-cs-purposes.c --- */

/* OIDs of an extended key usage, DER in base64, as an array of strings; NULL when it is none. */
json_t *ms_cs_purposes_read(const char *text);
/* Reads the optional member "purposes", an array of OIDs; *purposes is left alone without it. */
bool ms_cs_purposes_parse(const struct document_node *node, json_t **purposes, struct error *error);

/* --- requests: ms-cs-wrap.c --- */

/* The template that the request is for, and the san where the CA takes it from the request. */
bool ms_cs_request_extensions(struct authority *authority, const struct authority_request *asked,
	STACK_OF(X509_EXTENSION) * extensions, struct error *error);
/*
 * What is sent of a request: itself, or CMS around it where it is on behalf of somebody.
 * *value_type is static text.
 */
bool ms_cs_wrap(struct authority *authority, const struct authority_profile *profile,
	const struct authority_request *asked, struct buffer *token, const char **value_type,
	struct error *error);

/* --- after it was issued: ms-cs-status.c --- */

/* As authority_driver's check_issued. */
bool ms_cs_check_certificate(struct authority *authority, const struct certificate *certificate,
	const struct fields *holder, char **warning, struct error *error);
bool ms_cs_revoke(struct authority *authority, const struct certificate *certificate,
	const struct revocation_reason *reason, struct error *error);
bool ms_cs_suspend(
	struct authority *authority, const struct certificate *certificate, struct error *error);
bool ms_cs_resume(
	struct authority *authority, const struct certificate *certificate, struct error *error);

/* --- ms-cs-enroll.c, ms-cs-test.c --- */

bool ms_cs_enroll(struct authority *authority, const struct authority_request *request,
	struct certificate *certificate, enum enroll_outcome *outcome, struct error *error);
bool ms_cs_collect(struct authority *authority, struct certificate *certificate,
	enum enroll_outcome *outcome, struct error *error);
bool ms_cs_test(struct authority *authority, struct connection_steps *steps);

#endif
