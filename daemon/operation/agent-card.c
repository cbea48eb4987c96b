/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/agent-card.h"

#include <string.h>
#include <time.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "authority/ms-cs-check.h"
#include "common/alloc.h"
#include "common/audit-login.h"
#include "core/signing-key.h"
#include "operation/login.h"

#define PROOF_BYTES 32
/* How long a person may take: with a card that is held, everybody else waits for that card. The
 * person has just proved to be ready then. */
#define FREE_SECONDS 120
#define HELD_SECONDS 60
#define TITLE	     "the enrollment agent's signature"

DEFINE_CLEANUP(X509 *, X509_free);
DEFINE_CLEANUP(ECDSA_SIG *, ECDSA_SIG_free);

static X509 *decode(const struct buffer *der)
{
	const unsigned char *position = der->data;
	X509 *certificate = der->length ? d2i_X509(NULL, &position, (long)der->length) : NULL;

	ERR_clear_error();
	return certificate;
}

/* --- whose card it is --- */

/* The newest certificate of the card for that purpose which is good now; id 0 for none. */
static int64_t find_certificate(
	struct store *store, const struct credential *credential, const char *purpose)
{
	_cleanup_certificates_ struct certificates all = CERTIFICATES_INIT;
	int64_t now = time(NULL);

	if (!store_certificate_list(store, credential->id, &all, NULL))
		return 0;
	for (size_t i = all.count; i-- > 0;) {
		const struct certificate *each = &all.items[i];
		X509 *x509 _cleanup_(X509_freep) = decode(&each->der);
		if (x509 && each->status == CERTIFICATE_VALID && each->not_before <= now &&
			now < each->not_after && ms_cs_has_purpose(x509, purpose))
			return each->id;
	}
	return 0;
}

/* An operator's card that can be used; a holder who is logged in is no agent. */
static struct credential *load_operator(struct store *store, int64_t credential_id)
{
	struct operator_record record _cleanup_operator_ = OPERATOR_INIT;
	struct credential *credential _cleanup_credential_ =
		store_credential_by_id(store, credential_id, NULL);

	if (!credential || !store_operator_get(store, credential_id, &record, NULL) ||
		!record.active || !lifecycle_check(credential->state, LIFECYCLE_USE, NULL, NULL))
		return NULL;
	return steal_pointer(&credential);
}

static bool fail_to_find(size_t logins, const char *purpose, struct error *error)
{
	if (logins == 0)
		return error_set(error, ERROR_ACCESS_DENIED,
			"the enrollment agent's key is on an operator's card: an operator has to "
			"log in and do this");
	return error_set(error, ERROR_ACCESS_DENIED,
		"the enrollment agent's key is on an operator's card, and no operator who is "
		"logged in has a valid certificate with the purpose Certificate Request Agent (%s) "
		"on the card",
		purpose);
}

/* The agent's certificate, noted in the operation; whose card it is on. */
static struct credential *find_agent(
	struct operation *operation, const char *purpose, struct error *error)
{
	struct services *services = operation->services;
	size_t count = 0;
	_cleanup_free_ int64_t *ids =
		operation->caller && operation->job
			? logins_credentials(services->logins, operation->caller, &count)
			: NULL;

	for (size_t i = 0; i < count; i++) {
		struct credential *credential _cleanup_credential_ =
			load_operator(services->store, ids[i]);
		operation->agent =
			credential ? find_certificate(services->store, credential, purpose) : 0;
		if (operation->agent)
			return steal_pointer(&credential);
	}
	fail_to_find(count, purpose, error);
	return NULL;
}

static bool is_logged_in(struct services *services, const char *caller, int64_t credential_id)
{
	size_t count;
	_cleanup_free_ int64_t *ids = logins_credentials(services->logins, caller, &count);

	for (size_t i = 0; i < count; i++) {
		if (ids[i] == credential_id)
			return true;
	}
	return false;
}

/* --- signatures --- */

/* DER of an ECDSA signature as r || s. */
static bool put_raw(EVP_PKEY *key, const struct buffer *der, struct buffer *raw)
{
	const unsigned char *position = der->data;
	ECDSA_SIG *signature _cleanup_(ECDSA_SIG_freep) =
		d2i_ECDSA_SIG(NULL, &position, (long)der->length);
	size_t size = ((size_t)EVP_PKEY_get_bits(key) + 7) / 8;
	uint8_t *room = signature ? buffer_extend(raw, 2 * size) : NULL;

	return room && BN_bn2binpad(ECDSA_SIG_get0_r(signature), room, (int)size) == (int)size &&
	       BN_bn2binpad(ECDSA_SIG_get0_s(signature), room + size, (int)size) == (int)size;
}

static bool give_raw(X509 *certificate, const struct buffer *given, struct buffer *signature,
	struct error *error)
{
	EVP_PKEY *key = X509_get0_pubkey(certificate);

	if (!EVP_PKEY_is_a(key, "EC"))
		buffer_append(signature, given->data, given->length);
	else if (!put_raw(key, given, signature))
		return error_set(error, ERROR_FAILED, TITLE " cannot be read");
	return true;
}

/* Asks who started the job for the signature of the operation's agent. */
static bool ask(struct operation *operation, const struct buffer *content, const char *words,
	struct buffer *signature, struct error *error)
{
	struct services *services = operation->services;
	_cleanup_certificate_ struct certificate certificate = CERTIFICATE_INIT;
	_cleanup_signature_request_ struct job_signature_request request = {
		.purpose = xstrdup(words)};
	_cleanup_buffer_ struct buffer given = BUFFER_INIT;

	if (!store_certificate_get(services->store, operation->agent, &certificate, error))
		return false;
	struct credential *credential _cleanup_credential_ =
		store_credential_by_id(services->store, certificate.credential_id, error);
	if (!credential)
		return false;
	if (!is_logged_in(services, operation->caller, credential->id))
		return error_set(error, ERROR_ACCESS_DENIED,
			TITLE ": the operator of the card %s is not logged in any more",
			credential->serial);
	request.card = xstrdup(credential->serial);
	buffer_append(&request.content, content->data, content->length);
	buffer_append(&request.certificate, certificate.der.data, certificate.der.length);
	X509 *x509 _cleanup_(X509_freep) = decode(&certificate.der);
	unsigned seconds = operation->holds_card ? HELD_SECONDS : FREE_SECONDS;
	if (!job_ask_signature(operation->job, operation->caller, &request, seconds, &given, error))
		return error_prefix(error, TITLE);
	return give_raw(x509, &given, signature, error);
}

const char *agent_card_mechanism(const struct buffer *certificate)
{
	X509 *x509 _cleanup_(X509_freep) = decode(certificate);
	EVP_PKEY *key = x509 ? X509_get0_pubkey(x509) : NULL;

	if (!key || !EVP_PKEY_is_a(key, "EC"))
		return "SHA256-RSA-PKCS";
	return EVP_PKEY_get_bits(key) > 256 ? "ECDSA-SHA384" : "ECDSA-SHA256";
}

bool agent_card_give(struct services *services, unsigned job, const char *caller,
	const uint8_t *signature, size_t length, struct error *error)
{
	_cleanup_signature_request_ struct job_signature_request request = {0};
	const struct buffer given = {.data = (uint8_t *)(uintptr_t)signature, .length = length};

	if (!jobs_signature_request(services->jobs, job, caller, &request, error))
		return false;
	struct credential *credential _cleanup_credential_ =
		store_credential_by_serial(services->store, request.card, error);
	if (!credential)
		return false;
	if (!is_logged_in(services, caller, credential->id))
		return error_set(error, ERROR_ACCESS_DENIED,
			"the operator of the card %s is not logged in any more", request.card);
	X509 *x509 _cleanup_(X509_freep) = decode(&request.certificate);
	if (!x509 || !audit_login_is_signed(x509, &request.content, signature, length))
		return error_set(error, ERROR_SIGNATURE_INVALID,
			TITLE " is not that of the key on the card %s", request.card);
	return jobs_give_signature(services->jobs, job, caller, request.number, &given, error);
}

/* --- for authorities --- */

static X509 *get_certificate(void *context, const char *purpose, struct error *error)
{
	struct operation *operation = context;
	struct certificate certificate _cleanup_certificate_ = CERTIFICATE_INIT;
	struct credential *credential _cleanup_credential_ = find_agent(operation, purpose, error);

	if (!credential || !store_certificate_get(operation->services->store, operation->agent,
				   &certificate, error))
		return NULL;
	X509 *x509 = decode(&certificate.der);
	if (!x509)
		error_set(error, ERROR_FAILED, "the enrollment agent's certificate is damaged");
	return x509;
}

static bool sign(void *context, const struct buffer *content, const char *words,
	struct buffer *signature, struct error *error)
{
	return ask(context, content, words, signature, error);
}

struct authority_operator agent_card_operator(struct operation *operation)
{
	return (struct authority_operator){
		.certificate = get_certificate, .sign = sign, .context = operation};
}

/* --- before anything is changed --- */

static bool prove(struct operation *operation, struct error *error)
{
	_cleanup_buffer_ struct buffer content = BUFFER_INIT, signature = BUFFER_INIT;
	uint8_t nonce[PROOF_BYTES];

	if (RAND_bytes(nonce, sizeof(nonce)) != 1)
		return error_set(error, ERROR_FAILED, "no random numbers");
	buffer_append_string(&content, AGENT_CARD_PROOF " ");
	buffer_append_hex(&content, nonce, sizeof(nonce));
	job_progress(operation->job, 1, "waiting for the enrollment agent's card");
	return ask(operation, &content,
		"a proof that the enrollment agent's card is there, before anything is changed",
		&signature, error);
}

static bool be_ready(
	struct operation *operation, const char *purpose, const char *serial, struct error *error)
{
	struct credential *agent _cleanup_credential_ = find_agent(operation, purpose, error);

	if (!agent)
		return false;
	if (serial && strcmp(serial, agent->serial) == 0)
		return error_set(error, ERROR_WRONG_STATE,
			"the card %s cannot sign as the enrollment agent while it is changed "
			"itself: another operator has to do this",
			serial);
	return prove(operation, error);
}

static bool find_purpose(struct operation *operation, const struct template_key *key,
	const char **purpose, struct error *error)
{
	_cleanup_authority_ struct authority *authority =
		authority_open(&operation->services->connections, key->authority, error);

	*purpose = NULL;
	return authority &&
	       (!authority->driver->operator_purpose ||
		       authority->driver->operator_purpose(
			       authority, key->profile, purpose, error)) &&
	       job_continue(operation->job, error);
}

bool agent_card_ready(struct operation *operation, const struct template *template, key_slot only,
	const char *serial, struct error *error)
{
	for (size_t i = 0; i < template->key_count; i++) {
		const struct template_key *key = &template->keys[i];
		const char *purpose;
		if (!key->authority || (only != KEY_SLOT_NONE && key->slot != only))
			continue;
		if (!find_purpose(operation, key, &purpose, error))
			return error_prefix(error, "authority %s", key->authority);
		/* One card is enough for all of them. */
		if (purpose)
			return be_ready(operation, purpose, serial, error) ||
			       error_prefix(error, "authority %s", key->authority);
	}
	return true;
}

bool agent_card_ready_by_name(struct operation *operation, const char *template_name,
	const char *serial, struct error *error)
{
	struct template *template _cleanup_template_ =
		template_name
			? store_template_get(operation->services->store, template_name, 0, NULL)
			: NULL;

	/* That there is none that is enabled, the verb says itself. */
	return !template || !template->enabled ||
	       agent_card_ready(operation, template, KEY_SLOT_NONE, serial, error);
}
