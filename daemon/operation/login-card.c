/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A login in one call, with a card that is in a reader here; it may open the vault. */
#include "card/card.h"
#include "common/alloc.h"
#include "core/signing-key.h"
#include "operation/card-key.h"
#include "operation/contact.h"
#include "operation/login-private.h"
#include "operation/vault.h"

#define CARD_TIMEOUT_MS	  3000
#define TOKEN_PIN_MAXIMUM 256 /* bytes */

static bool sign(EVP_PKEY *key, const struct buffer *challenge, struct buffer *signature,
	struct error *error)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t length = (size_t)EVP_PKEY_get_size(key);
	uint8_t *space = buffer_extend(signature, length);
	bool done =
		space && context &&
		EVP_DigestSignInit(context, NULL, audit_login_digest(key), NULL, key) == 1 &&
		EVP_DigestSign(context, space, &length, challenge->data, challenge->length) == 1;

	EVP_MD_CTX_free(context);
	signature->length = done ? length : 0;
	return done || signing_key_error(ERROR_CARD_FAILED, "signing the challenge", error);
}

/* Has the card sign a fresh challenge and looks whether the signature is that of its certificate.
 */
static bool prove(struct logins *logins, struct card *card, unsigned reader,
	const struct login_identity *identity, struct login_attempt *attempt, struct error *error)
{
	struct key_on_card on_card = {
		.card = card, .slot = KEY_SLOT_AUTHENTICATION, .use = KEY_USE_SIGN};
	struct buffer signature _cleanup_buffer_ = BUFFER_INIT;

	if (!login_attempt_begin(logins, card->info.serial, attempt, error) ||
		!card_key_find(logins->services->contacts, reader, &on_card, error))
		return false;
	EVP_PKEY *key _cleanup_(EVP_PKEY_freep) = signing_key_new(
		X509_get0_pubkey(identity->authentication), card_key_use, &on_card, error);
	return key && sign(key, &attempt->proof.challenge, &signature, error) &&
	       login_attempt_prove(
		       attempt, identity->authentication, signature.data, signature.length, error);
}

/* The token's PIN, when it is sealed to this card; *pin stays unset otherwise. */
static bool open_sealed(struct logins *logins, struct card *card,
	const struct login_identity *identity, struct secret *pin, struct error *error)
{
	struct operator_record record _cleanup_operator_ = OPERATOR_INIT;

	if (!identity->key_management || logins->services->token ||
		!store_operator_get(
			logins->services->store, identity->credential->id, &record, NULL) ||
		!record.active || record.sealed.length == 0)
		return true;
	return card_key_unseal(card, identity->key_management, &record.sealed, TOKEN_PIN_MAXIMUM,
		       pin, error) ||
	       error_prefix(error, "unlocking the master key");
}

/* What is done while the card is held. */
static bool ask_card(struct logins *logins, struct card *card, unsigned reader,
	const struct secret *pin, const struct login_identity *identity,
	struct login_attempt *attempt, struct secret *token_pin, struct error *error)
{
	if (!card->driver->authenticate(card, CARD_SECRET_PIN, pin, error))
		return false;
	bool done = prove(logins, card, reader, identity, attempt, error) &&
		    open_sealed(logins, card, identity, token_pin, error);
	/* The proof was for this login alone: no other program goes on with it. */
	card->driver->authenticate(card, CARD_SECRET_PIN, NULL, NULL);
	return done;
}

static bool log_in(struct logins *logins, const struct login_request *request, struct card *card,
	struct login_identity *identity, struct login_attempt *attempt, struct error *error)
{
	struct secret token_pin _cleanup_secret_ = SECRET_INIT;

	if (!card->info.serial || !login_identity_load(logins, card->info.serial, identity, error))
		return false;
	if (!card_begin(card, CARD_TIMEOUT_MS, error))
		return false;
	bool done = ask_card(
		logins, card, request->reader, request->pin, identity, attempt, &token_pin, error);
	card_end(card);
	if (!done)
		card_key_note_pin(logins->services->contacts, request->reader, error);
	return done && (!secret_is_set(&token_pin) ||
			       vault_open(logins->services->vault, &token_pin, error));
}

bool login_with_card(
	struct logins *logins, const struct login_request *request, struct error *error)
{
	struct login_identity identity _cleanup_login_identity_ = {0};
	struct login_attempt attempt _cleanup_login_attempt_ = {0};
	struct error failure _cleanup_error_ = ERROR_INIT;

	contacts_await(logins->services->contacts, request->reader);
	struct card *card _cleanup_card_ =
		contacts_card(logins->services->contacts, request->reader, &failure);
	if (!card)
		return login_fail(logins, request->actor, NULL, &failure, error);
	if (!log_in(logins, request, card, &identity, &attempt, &failure)) {
		if (failure.code == ERROR_NONE || failure.code == ERROR_NOT_FOUND)
			error_set(&failure, ERROR_NOT_FOUND,
				"the card is none that anybody can log in with");
		return login_fail(logins, request->actor, card->info.serial, &failure, error);
	}
	return login_add(logins, request, identity.credential, &attempt, error);
}
