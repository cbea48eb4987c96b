/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/pin.h"

#include <openssl/rand.h>

#include "common/alloc.h"
#include "operation/ownership.h"
#include "operation/pin-history.h"
#include "operation/remote-card.h"
#include "operation/template-rules.h"

void pin_change_clear(struct pin_change *change)
{
	pin_rules_clear(&change->rules);
	intent_clear(&change->intent);
	*change = (struct pin_change)PIN_CHANGE_INIT;
}

static bool save_intent(struct pin_change *change, struct error *error)
{
	struct store *store = change->session->operation->services->store;
	int64_t id = change->session->credential->id;

	if (!store_begin(store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = store;
	return (pin_history_length(change->rules.policy) == 0 ||
		       store_pin_add(transaction, id, &change->record, error)) &&
	       store_intent_add(transaction, &change->intent, error) &&
	       store_commit(transaction, error);
}

/* What the history would say, had it the token to compare with. */
static bool check_present(
	const struct pin_change *change, const struct secret *pin, struct error *error)
{
	return !change->present || pin_history_length(change->rules.policy) == 0 ||
	       !secret_equal(change->present, pin) ||
	       error_set(error, ERROR_PIN_POLICY, "the new PIN is the present one");
}

bool pin_change_begin(struct pin_change *change, struct session *session, enum lifecycle_verb verb,
	struct secret *pin, struct error *error)
{
	struct services *services = session->operation->services;
	const struct credential *credential = session->credential;

	change->session = session;
	change->intent = (struct intent){.serial = xstrdup(credential->serial),
		.operation = xstrdup(lifecycle_verb_name(verb)),
		.step = xstrdup(INTENT_PIN),
		.old_version = credential->key_version,
		.new_version = credential->key_version};
	if (!pin_rules_load(&change->rules, services, credential, session->card, error))
		return false;
	bool allowed = secret_is_set(pin)
			       ? pin_rules_check(&change->rules, pin, &change->record, error)
			       : pin_rules_generate(&change->rules, pin, &change->record, error);
	return allowed && check_present(change, pin, error) && save_intent(change, error);
}

/* A policy that keeps no history leaves none behind either. */
static bool confirm(struct store *store, const struct pin_change *change, struct error *error)
{
	int64_t id = change->session->credential->id;
	unsigned length = pin_history_length(change->rules.policy);

	return length == 0 ? store_pin_forget_all(store, id, error)
			   : store_pin_confirm(store, id, change->record.id, length, error);
}

bool pin_change_settle(struct pin_change *change, struct error *error)
{
	struct session *session = change->session;
	struct store *store = session->operation->services->store;

	session->credential->state = session->next;
	if (!store_begin(store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = store;
	return confirm(transaction, change, error) &&
	       store_credential_save(transaction, session->credential, error) &&
	       store_intent_remove(transaction, change->intent.id, error) &&
	       store_commit(transaction, error);
}

bool pin_change_drop(struct pin_change *change, struct error *error)
{
	struct store *store = change->session->operation->services->store;
	int64_t id = change->session->credential->id;

	if (!store_begin(store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = store;
	return store_pin_forget(transaction, id, change->record.id, error) &&
	       store_intent_remove(transaction, change->intent.id, error) &&
	       store_commit(transaction, error);
}

bool pin_recover(struct services *services, struct card *card, const struct intent *intent,
	struct credential *credential, struct error *error)
{
	bool is_first = credential_waits_for_pin(credential);

	if (is_first && !card_block(card, CARD_SECRET_PIN, error))
		return false;
	if (!store_begin(services->store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = services->store;
	return (!is_first || store_pin_forget_pending(transaction, credential->id, error)) &&
	       store_intent_remove(transaction, intent->id, error) &&
	       store_commit(transaction, error);
}

bool pin_set_by_puk(struct services *services, struct card *card, uint32_t key_version,
	const struct secret *pin, struct error *error)
{
	struct secret puk _cleanup_secret_ = SECRET_INIT;
	struct error refusal _cleanup_error_ = ERROR_INIT;

	if (!remote_card_prove(services, card, key_version, error) ||
		!ownership_secret(services, card, CARD_SECRET_PUK, key_version, &puk, error))
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

static bool set_pin(
	struct session *session, enum lifecycle_verb verb, struct secret *pin, struct error *error)
{
	struct pin_change change _cleanup_pin_change_ = PIN_CHANGE_INIT;

	if (!pin_change_begin(&change, session, verb, pin, error))
		return false;
	if (remote_card_expose_puk(session->operation->services, session->card, error) &&
		pin_set_by_puk(session->operation->services, session->card,
			session->credential->key_version, pin, error) &&
		pin_change_settle(&change, error))
		return true;
	session_recover(session);
	return false;
}

bool pin_verb(struct operation *operation, enum lifecycle_verb verb, int64_t credential_id,
	struct secret *pin, struct error *error)
{
	struct session session _cleanup_session_ = SESSION_INIT;
	struct error result _cleanup_error_ = ERROR_INIT;

	if (session_open(&session, operation, verb, credential_id, &result) &&
		(verb != LIFECYCLE_UNBLOCK || template_rules_check_unblock(operation->services,
						      session.credential, false, &result)) &&
		session_take_card(&session, verb, &result))
		set_pin(&session, verb, pin, &result);
	return session_finish(operation, verb,
		session.credential ? session.credential->serial : NULL, NULL, &result, error);
}
