/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/pin.h"

#include <openssl/rand.h>

#include "common/alloc.h"
#include "operation/ownership.h"

bool pin_check(struct services *services, const struct credential *credential,
	const struct card *card, const struct secret *pin, struct error *error)
{
	if (pin->length < card->info.pin_minimum || pin->length > card->info.pin_maximum)
		return error_set(error, ERROR_PIN_LENGTH,
			"the card takes PINs of %u to %u characters", card->info.pin_minimum,
			card->info.pin_maximum);
	if (!credential->template_name)
		return pin_policy_check(&pin_policy_default, pin, error);
	struct template *template _cleanup_template_ = store_template_get(
		services->store, credential->template_name, credential->template_version, error);
	return template && pin_policy_check(&template->pin_policy, pin, error);
}

bool pin_set_by_puk(struct services *services, struct card *card, uint32_t key_version,
	const struct secret *pin, struct error *error)
{
	struct secret puk _cleanup_secret_ = SECRET_INIT;
	struct error refusal _cleanup_error_ = ERROR_INIT;

	if (!ownership_secret(services, card, CARD_SECRET_PUK, key_version, &puk, error))
		return false;
	if (card->driver->change_secret(
		    card, CARD_SECRET_PIN, CARD_SECRET_PUK, &puk, pin, &refusal))
		return true;
	if (refusal.code == ERROR_PIN_WRONG)
		return error_set(error, ERROR_CARD_FOREIGN,
			"the card's PUK was changed by another program; retire the card");
	return error_move(error, &refusal);
}

bool pin_random(const struct card *card, struct secret *pin, struct error *error)
{
	if (!secret_allocate(pin, card->info.pin_maximum))
		return error_set(error, ERROR_FAILED, "out of memory");
	for (size_t i = 0; i < pin->length; i++) {
		/* 250 is the largest multiple of 10 in a byte: every digit is equally likely. */
		do {
			if (RAND_priv_bytes(&pin->data[i], 1) != 1)
				return error_set(error, ERROR_FAILED, "no random numbers");
		} while (pin->data[i] >= 250);
		pin->data[i] = (uint8_t)('0' + pin->data[i] % 10);
	}
	return true;
}

static bool settle(struct session *session, const struct intent *intent, struct error *error)
{
	struct store *store = session->operation->services->store;

	session->credential->state = session->next;
	if (!store_begin(store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = store;
	return store_credential_save(transaction, session->credential, error) &&
	       store_intent_remove(transaction, intent->id, error) &&
	       store_commit(transaction, error);
}

static bool set_pin(struct session *session, enum lifecycle_verb verb, const struct secret *pin,
	struct error *error)
{
	struct services *services = session->operation->services;
	struct credential *credential = session->credential;
	struct intent intent _cleanup_intent_ = {.serial = xstrdup(credential->serial),
		.operation = xstrdup(lifecycle_verb_name(verb)),
		.step = xstrdup(INTENT_PIN),
		.old_version = credential->key_version,
		.new_version = credential->key_version};

	if (!pin_check(services, credential, session->card, pin, error) ||
		!store_intent_add(services->store, &intent, error))
		return false;
	if (pin_set_by_puk(services, session->card, credential->key_version, pin, error) &&
		settle(session, &intent, error))
		return true;
	session_recover(session);
	return false;
}

bool pin_verb(struct operation *operation, enum lifecycle_verb verb, int64_t credential_id,
	const struct secret *pin, struct error *error)
{
	struct session session _cleanup_session_ = SESSION_INIT;
	struct error result _cleanup_error_ = ERROR_INIT;

	if (session_open(&session, operation, verb, credential_id, &result) &&
		session_take_card(&session, verb, &result))
		set_pin(&session, verb, pin, &result);
	return session_finish(operation, verb,
		session.credential ? session.credential->serial : NULL, NULL, &result, error);
}
