/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The proof of a login: a challenge, and a signature over it. */
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "common/alloc.h"
#include "core/signing-key.h"
#include "operation/login-private.h"

#define CHALLENGES_MAX	       64
#define CHALLENGES_OF_A_CALLER 4
#define SERIAL_MAX	       128 /* bytes */

void login_identity_clear(struct login_identity *identity)
{
	credential_free(identity->credential);
	X509_free(identity->authentication);
	X509_free(identity->key_management);
	*identity = (struct login_identity){0};
}

static X509 *decode(const struct buffer *der)
{
	const unsigned char *position = der->data;

	return d2i_X509(NULL, &position, (long)der->length);
}

/* The newest certificate of the slot that is good now, or NULL. */
static X509 *valid_certificate(const struct certificates *certificates, key_slot slot)
{
	int64_t now = time(NULL);

	for (size_t i = certificates->count; i-- > 0;) {
		const struct certificate *certificate = &certificates->items[i];
		if (certificate->slot == slot && certificate->status == CERTIFICATE_VALID &&
			certificate->not_before <= now && now < certificate->not_after)
			return decode(&certificate->der);
	}
	return NULL;
}

bool login_identity_load(struct logins *logins, const char *serial, struct login_identity *identity,
	struct error *error)
{
	struct store *store = logins->services->store;
	struct certificates certificates _cleanup_certificates_ = CERTIFICATES_INIT;

	identity->credential = store_credential_by_serial(store, serial, error);
	if (!identity->credential ||
		!lifecycle_check(identity->credential->state, LIFECYCLE_USE, NULL, error) ||
		!store_certificate_list(store, identity->credential->id, &certificates, error))
		return false;
	identity->authentication = valid_certificate(&certificates, KEY_SLOT_AUTHENTICATION);
	identity->key_management = valid_certificate(&certificates, KEY_SLOT_KEY_MANAGEMENT);
	return identity->authentication ||
	       error_set(error, ERROR_WRONG_STATE,
		       "the card has no valid authentication certificate: nobody can log in with "
		       "it");
}

/* --- attempts --- */

void login_attempt_clear(struct login_attempt *attempt)
{
	audit_signer_unref(attempt->signer);
	audit_proof_clear(&attempt->proof);
	*attempt = (struct login_attempt){0};
}

bool login_attempt_begin(struct logins *logins, const char *serial, struct login_attempt *attempt,
	struct error *error)
{
	struct audit_challenge challenge = {.store_id = (char *)store_id(logins->services->store),
		.card = (char *)serial,
		.time_us = audit_now_us()};

	challenge.until_us = challenge.time_us +
			     (LOGIN_SECONDS_MAX + LOGIN_OPERATION_SECONDS) * INT64_C(1000000);
	if (RAND_bytes(challenge.nonce, sizeof(challenge.nonce)) != 1)
		return error_set(error, ERROR_FAILED, "no random numbers");
	attempt->signer = audit_signer_new(error);
	if (!attempt->signer)
		return false;
	attempt->from_us = challenge.time_us;
	memcpy(challenge.key, audit_signer_key(attempt->signer), sizeof(challenge.key));
	audit_challenge_encode(&challenge, &attempt->proof.challenge);
	return true;
}

bool login_attempt_prove(struct login_attempt *attempt, X509 *certificate, const uint8_t *signature,
	size_t length, struct error *error)
{
	unsigned char *der = NULL;

	if (!audit_login_is_signed(certificate, &attempt->proof.challenge, signature, length))
		return error_set(
			error, ERROR_ACCESS_DENIED, "the signature over the challenge is wrong");
	int der_length = i2d_X509(certificate, &der);
	if (der_length <= 0) {
		ERR_clear_error();
		return error_set(error, ERROR_FAILED, "the card's certificate is damaged");
	}
	buffer_append(&attempt->proof.signature, signature, length);
	buffer_append(&attempt->proof.certificate, der, (size_t)der_length);
	OPENSSL_free(der);
	return true;
}

/* --- open challenges; under the lock --- */

void login_challenge_clear(struct login_challenge *challenge)
{
	free(challenge->caller);
	free(challenge->serial);
	login_attempt_clear(&challenge->attempt);
}

static void remove_challenge(struct logins *logins, size_t index)
{
	login_challenge_clear(&logins->challenges[index]);
	logins->challenges[index] = logins->challenges[--logins->challenge_count];
}

static void drop_old_challenges(struct logins *logins)
{
	for (size_t i = logins->challenge_count; i-- > 0;) {
		if (login_now() - logins->challenges[i].made_at > LOGIN_CHALLENGE_SECONDS)
			remove_challenge(logins, i);
	}
}

static bool add_challenge(struct logins *logins, const struct login_challenge *challenge)
{
	size_t of_caller = 0;

	drop_old_challenges(logins);
	for (size_t i = 0; i < logins->challenge_count; i++)
		of_caller += strcmp(logins->challenges[i].caller, challenge->caller) == 0;
	if (logins->challenge_count == CHALLENGES_MAX || of_caller == CHALLENGES_OF_A_CALLER)
		return false;
	logins->challenges = xreallocarray(
		logins->challenges, logins->challenge_count + 1, sizeof(*logins->challenges));
	logins->challenges[logins->challenge_count++] = *challenge;
	return true;
}

/* Takes the caller's challenge for the card, which is spent then. */
static bool take_challenge(struct logins *logins, const char *caller, const char *serial,
	struct login_attempt *attempt)
{
	drop_old_challenges(logins);
	for (size_t i = 0; i < logins->challenge_count; i++) {
		struct login_challenge *challenge = &logins->challenges[i];
		if (strcmp(challenge->caller, caller) == 0 &&
			strcmp(challenge->serial, serial) == 0) {
			*attempt = challenge->attempt;
			challenge->attempt = (struct login_attempt){0};
			remove_challenge(logins, i);
			return true;
		}
	}
	return false;
}

/* --- the two steps --- */

bool login_begin(struct logins *logins, const char *caller, const char *serial,
	struct buffer *challenge, struct error *error)
{
	struct login_challenge open = {.made_at = login_now()};

	/* For any card, so that nobody learns which there are: the proof looks it up. */
	if (strlen(serial) > SERIAL_MAX)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "serial", "it is too long");
	if (!login_attempt_begin(logins, serial, &open.attempt, error))
		return false;
	const struct buffer *bytes = &open.attempt.proof.challenge;
	buffer_append(challenge, bytes->data, bytes->length);
	open.caller = xstrdup(caller);
	open.serial = xstrdup(serial);
	pthread_mutex_lock(&logins->lock);
	bool added = add_challenge(logins, &open);
	pthread_mutex_unlock(&logins->lock);
	if (added)
		return true;
	login_challenge_clear(&open);
	return error_set(error, ERROR_BUSY, "too many challenges are open; try again in a minute");
}

static bool prove(struct logins *logins, const char *caller, const char *serial,
	struct login_attempt *attempt, const uint8_t *signature, size_t length,
	struct login_identity *identity, struct error *error)
{
	pthread_mutex_lock(&logins->lock);
	bool taken = take_challenge(logins, caller, serial, attempt);
	pthread_mutex_unlock(&logins->lock);
	if (!taken)
		return error_set(error, ERROR_ACCESS_DENIED,
			"no challenge for this card is open; begin again");
	return login_identity_load(logins, serial, identity, error) &&
	       login_attempt_prove(attempt, identity->authentication, signature, length, error);
}

/* The trail has the reason; the caller may be anyone, who is not to learn which cards there are. */
static bool refuse_alike(struct error *reason, struct error *error)
{
	switch (reason->code) {
	case ERROR_STORE_FAILED:
	case ERROR_BUSY:
		return error_move(error, reason);
	default:
		return error_set(error, ERROR_ACCESS_DENIED,
			"no challenge for this card is open, the signature is wrong, or nobody can "
			"log in with the card");
	}
}

bool login_finish(struct logins *logins, const struct login_request *request, const char *serial,
	const uint8_t *signature, size_t length, struct error *error)
{
	struct login_identity identity _cleanup_login_identity_ = {0};
	struct login_attempt attempt _cleanup_login_attempt_ = {0};
	struct error failure _cleanup_error_ = ERROR_INIT;

	if (!prove(logins, request->caller, serial, &attempt, signature, length, &identity,
		    &failure)) {
		struct error reason _cleanup_error_ = ERROR_INIT;
		login_fail(logins, request->actor, serial, &failure, &reason);
		return refuse_alike(&reason, error);
	}
	return login_add(logins, request, identity.credential, &attempt, error);
}
