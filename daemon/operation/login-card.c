/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A login in one call, with a card that is in a reader here; it may open the vault. */
#include "card/card.h"
#include "common/alloc.h"
#include "core/signing-key.h"
#include "keys/seal.h"
#include "operation/contact.h"
#include "operation/login-private.h"
#include "operation/vault.h"

#define CARD_TIMEOUT_MS	  3000
#define TOKEN_PIN_MAXIMUM 256 /* bytes */

/* A key on the card, as OpenSSL's keys want it. */
struct key_on_card {
	struct card *card;
	key_slot slot;
	enum key_algorithm algorithm;
	enum key_use use;
};

static bool use_key(void *context, const uint8_t *input, size_t length, struct buffer *output,
	struct error *error)
{
	const struct key_on_card *key = context;

	return key->card->driver->use_key(
		key->card, key->slot, key->algorithm, key->use, input, length, output, error);
}

static bool find_key(
	struct logins *logins, unsigned reader, struct key_on_card *key, struct error *error)
{
	enum pin_use pin;

	return contacts_key_info(
		       logins->services->contacts, reader, key->slot, &key->algorithm, &pin) ||
	       error_set(
		       error, ERROR_NOT_FOUND, "the card has no %s key", key_slot_name(key->slot));
}

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
		!find_key(logins, reader, &on_card, error))
		return false;
	EVP_PKEY *key _cleanup_(EVP_PKEY_freep) = signing_key_new(
		X509_get0_pubkey(identity->authentication), use_key, &on_card, error);
	return key && sign(key, &attempt->proof.challenge, &signature, error) &&
	       login_attempt_prove(
		       attempt, identity->authentication, signature.data, signature.length, error);
}

/* The token's PIN, when it is sealed to this card; *pin stays unset otherwise. */
static bool open_sealed(struct logins *logins, struct card *card, unsigned reader,
	const struct login_identity *identity, struct secret *pin, struct error *error)
{
	struct operator_record record _cleanup_operator_ = OPERATOR_INIT;
	struct key_on_card on_card = {.card = card, .slot = KEY_SLOT_KEY_MANAGEMENT};

	if (!identity->key_management || logins->services->token ||
		!store_operator_get(
			logins->services->store, identity->credential->id, &record, NULL) ||
		!record.active || record.sealed.length == 0)
		return true;
	if (!find_key(logins, reader, &on_card, error))
		return false;
	on_card.use = key_algorithm_is_rsa(on_card.algorithm) ? KEY_USE_DECRYPT : KEY_USE_DERIVE;
	EVP_PKEY *key _cleanup_(EVP_PKEY_freep) = deciphering_key_new(
		X509_get0_pubkey(identity->key_management), use_key, &on_card, error);
	return key && (unseal(&record.sealed, identity->key_management, key, TOKEN_PIN_MAXIMUM, pin,
			       error) ||
			      error_prefix(error, "unlocking the master key"));
}

/* What is done while the card is held. */
static bool ask_card(struct logins *logins, struct card *card, unsigned reader,
	const struct secret *pin, const struct login_identity *identity,
	struct login_attempt *attempt, struct secret *token_pin, struct error *error)
{
	if (!card->driver->authenticate(card, CARD_SECRET_PIN, pin, error))
		return false;
	bool done = prove(logins, card, reader, identity, attempt, error) &&
		    open_sealed(logins, card, reader, identity, token_pin, error);
	/* The proof was for this login alone: no other program goes on with it. */
	card->driver->authenticate(card, CARD_SECRET_PIN, NULL, NULL);
	return done;
}

static void note_pin(struct logins *logins, unsigned reader, const struct error *failure)
{
	const struct card_secret_state state = {
		.tries_left = failure->code == ERROR_PIN_WRONG ? (int)failure->detail : 0,
		.blocked = failure->code == ERROR_PIN_BLOCKED || failure->detail == 0};

	if (failure->code == ERROR_PIN_WRONG || failure->code == ERROR_PIN_BLOCKED)
		contacts_note_pin(logins->services->contacts, reader, &state);
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
		note_pin(logins, request->reader, error);
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
