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
#define SIGNATURE_MAX	       1024 /* bytes */
#define SERIAL_MAX	       128  /* bytes */

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

void login_challenge_build(struct logins *logins, const char *serial,
	const uint8_t nonce[LOGIN_NONCE_LENGTH], struct buffer *challenge)
{
	buffer_append_string(challenge, "Tessera login");
	buffer_append_u8(challenge, 0);
	buffer_append_string(challenge, store_id(logins->services->store));
	buffer_append_u8(challenge, 0);
	buffer_append_string(challenge, serial);
	buffer_append_u8(challenge, 0);
	buffer_append(challenge, nonce, LOGIN_NONCE_LENGTH);
}

const EVP_MD *login_digest(const EVP_PKEY *key)
{
	return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && EVP_PKEY_get_bits(key) > 256
		       ? EVP_sha384()
		       : EVP_sha256();
}

bool login_verify(X509 *certificate, const struct buffer *challenge, const uint8_t *signature,
	size_t length, struct error *error)
{
	EVP_PKEY *key = X509_get0_pubkey(certificate);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good = length <= SIGNATURE_MAX && context &&
		    EVP_DigestVerifyInit(context, NULL, login_digest(key), NULL, key) == 1 &&
		    EVP_DigestVerify(
			    context, signature, length, challenge->data, challenge->length) == 1;

	EVP_MD_CTX_free(context);
	ERR_clear_error();
	return good ||
	       error_set(error, ERROR_ACCESS_DENIED, "the signature over the challenge is wrong");
}

/* --- open challenges; under the lock --- */

static void remove_challenge(struct logins *logins, size_t index)
{
	free(logins->challenges[index].caller);
	free(logins->challenges[index].serial);
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
	uint8_t nonce[LOGIN_NONCE_LENGTH])
{
	drop_old_challenges(logins);
	for (size_t i = 0; i < logins->challenge_count; i++) {
		struct login_challenge *challenge = &logins->challenges[i];
		if (strcmp(challenge->caller, caller) == 0 &&
			strcmp(challenge->serial, serial) == 0) {
			memcpy(nonce, challenge->nonce, LOGIN_NONCE_LENGTH);
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
	if (RAND_bytes(open.nonce, sizeof(open.nonce)) != 1)
		return error_set(error, ERROR_FAILED, "no random numbers");
	open.caller = xstrdup(caller);
	open.serial = xstrdup(serial);
	pthread_mutex_lock(&logins->lock);
	bool added = add_challenge(logins, &open);
	pthread_mutex_unlock(&logins->lock);
	login_challenge_build(logins, serial, open.nonce, challenge);
	if (added)
		return true;
	free(open.caller);
	free(open.serial);
	return error_set(error, ERROR_BUSY, "too many challenges are open; try again in a minute");
}

static bool prove(struct logins *logins, const char *caller, const char *serial,
	const uint8_t *signature, size_t length, struct login_identity *identity,
	struct error *error)
{
	struct buffer challenge _cleanup_buffer_ = BUFFER_INIT;
	uint8_t nonce[LOGIN_NONCE_LENGTH];

	pthread_mutex_lock(&logins->lock);
	bool taken = take_challenge(logins, caller, serial, nonce);
	pthread_mutex_unlock(&logins->lock);
	if (!taken)
		return error_set(error, ERROR_ACCESS_DENIED,
			"no challenge for this card is open; begin again");
	login_challenge_build(logins, serial, nonce, &challenge);
	return login_identity_load(logins, serial, identity, error) &&
	       login_verify(identity->authentication, &challenge, signature, length, error);
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

bool login_finish(struct logins *logins, const char *caller, const char *actor, const char *serial,
	const uint8_t *signature, size_t length, struct error *error)
{
	struct login_identity identity _cleanup_login_identity_ = {0};
	struct error failure _cleanup_error_ = ERROR_INIT;

	if (!prove(logins, caller, serial, signature, length, &identity, &failure)) {
		struct error reason _cleanup_error_ = ERROR_INIT;
		login_fail(logins, actor, serial, &failure, &reason);
		return refuse_alike(&reason, error);
	}
	return login_add(logins, caller, actor, identity.credential, false, error);
}
