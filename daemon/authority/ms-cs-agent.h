/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Enrollment on behalf of the holder at Microsoft CS: the card's PKCS#10 request in a CMS message
 * that an enrollment agent signs, with the account that the certificate is for as a signed
 * attribute (MS-WCCE 3.1.1.4.3.3.2).
 */
#ifndef TESSERA_AUTHORITY_MS_CS_AGENT_H
#define TESSERA_AUTHORITY_MS_CS_AGENT_H

#include <openssl/x509.h>

#include "authority/authority.h"
#include "model/document.h"

/* Name of the connection's secret with the agent's certificate. */
#define MS_CS_AGENT_SECRET "enrollment-agent"

/* --- settings: ms-cs-agent-settings.c --- */

/*
 * "enrollment-agent": {"requester": "LAB\\{account}", "key": "pkcs11:token=...;object=..."}
 */
struct ms_cs_agent_settings {
	char *requester; /* a pattern of holder fields; NULL: nothing is asked for on behalf */
	char *key;	 /* URI of the agent's key; NULL: the secret has it */
};
/* Does nothing when the document has no such member. Its ERROR_INVALID_CONNECTION. */
bool ms_cs_agent_settings_parse(const struct document_node *root,
	struct ms_cs_agent_settings *settings, struct error *error);
void ms_cs_agent_settings_clear(struct ms_cs_agent_settings *settings);

/*
 * Whether an expanded pattern names an account: DOMAIN\user or user@domain, with the form that the
 * pattern's own text has, and nothing else in it that Windows takes no account name with. A
 * field's value cannot make it another domain's. ERROR_INVALID_ARGUMENT.
 */
bool ms_cs_requester_check(const char *pattern, const char *requester, struct error *error);

/* --- the agent --- */

struct ms_cs_agent {
	X509 *certificate;
	STACK_OF(X509) * chain; /* what else the secret holds; or NULL */
	EVP_PKEY *key;
	void *key_handle; /* of connection_services.open_key, or NULL */
};

/* Whether a secret is PEM of a certificate, further ones, and of its key unless that is elsewhere.
 * ERROR_INVALID_ARGUMENT. */
bool ms_cs_agent_check_secret(const struct ms_cs_agent_settings *settings,
	const struct secret *secret, struct error *error);

/*
 * Opens the agent by the connection's secret, and by services->open_key where the key is in a slot.
 * Close it also after a failure. ERROR_AUTHORITY_FAILED says what is wrong with the certificate
 * (ms_cs_agent_check()) or that there is none.
 */
bool ms_cs_agent_open(struct authority *authority, const struct ms_cs_agent_settings *settings,
	struct ms_cs_agent *agent, struct error *error);
void ms_cs_agent_close(struct authority *authority, struct ms_cs_agent *agent);

/*
 * Whether the certificate may ask on behalf of others: now valid, for signatures, with the purpose
 * Certificate Request Agent (1.3.6.1.4.1.311.20.2.1), and the key its own.
 * ERROR_AUTHORITY_FAILED.
 */
bool ms_cs_agent_check(X509 *certificate, EVP_PKEY *key, struct error *error);

/*
 * Appends DER of SignedData around the request: content id-data, one signer, the signed attribute
 * 1.3.6.1.4.1.311.13.2.1 with requestername. chain may be NULL. The key may sign elsewhere
 * (core/signing-key.h). ERROR_INVALID_ARGUMENT when the requester has characters outside of the
 * Basic Multilingual Plane; otherwise as the key, or ERROR_AUTHORITY_FAILED.
 */
bool ms_cs_agent_wrap(X509_REQ *request, X509 *certificate, STACK_OF(X509) * chain, EVP_PKEY *key,
	const char *requester, struct buffer *cms, struct error *error);

#endif
