/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/blank.h"

#include "common/alloc.h"
#include "operation/ownership.h"
#include "operation/remote-card.h"

/* The card resets only when PIN and PUK are blocked; both are blocked already when it is repeated.
 */
static bool reset(struct card *card, struct error *error)
{
	return card_block(card, CARD_SECRET_PIN, error) &&
	       card_block(card, CARD_SECRET_PUK, error) && card->driver->reset(card, NULL, error);
}

/*
 * In its new state from the moment of the intent: a card that is known by its CHUID loses its name
 * with the reset and could not be found again to say that it is done.
 */
static bool save_intent(struct store *store, struct credential *credential, struct intent *intent,
	struct error *error)
{
	if (!store_begin(store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = store;
	return store_credential_save(transaction, credential, error) &&
	       store_intent_add(transaction, intent, error) && store_commit(transaction, error);
}

/* Issued again, the card does not get the PUK once more that somebody was shown. */
static bool puk_end(
	struct store *store, const char *serial, const struct puk_record *puk, struct error *error)
{
	struct puk_record next = {.generation = puk->next_generation, .state = PUK_OURS};

	if (puk->exposed_at == 0 && puk->generation == puk->next_generation &&
		puk->state == PUK_OURS)
		return true;
	if (puk->state == PUK_EXPOSED)
		next.generation++;
	next.next_generation = next.generation;
	return store_puk_set(store, serial, &next, error);
}

static bool settle(struct store *store, const struct intent *intent, struct credential *credential,
	struct error *error)
{
	struct puk_record puk;

	credential->key_version = 0;
	if (!store_begin(store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = store;
	return store_puk_get(transaction, credential->serial, &puk, error) &&
	       puk_end(transaction, credential->serial, &puk, error) &&
	       store_credential_save(transaction, credential, error) &&
	       store_pin_forget_all(transaction, credential->id, error) &&
	       store_intent_remove(transaction, intent->id, error) &&
	       store_commit(transaction, error);
}

bool blank_card(struct operation *operation, struct card *card, struct credential *credential,
	enum lifecycle_verb verb, struct error *error)
{
	struct store *store = operation->services->store;
	struct intent intent _cleanup_intent_ = {.serial = xstrdup(credential->serial),
		.operation = xstrdup(lifecycle_verb_name(verb)),
		.step = xstrdup(INTENT_BLANK),
		.old_version = credential->key_version};

	if (!card->info.can_reset)
		return error_set(error, ERROR_NOT_SUPPORTED,
			"this type of card cannot be given its factory state back");
	if (!remote_card_prove(operation->services, card, credential->key_version, error))
		return false;
	credential->state = lifecycle_rule(verb)->to;
	return save_intent(store, credential, &intent, error) && reset(card, error) &&
	       settle(store, &intent, credential, error);
}

bool blank_recover(struct services *services, struct card *card, const struct intent *intent,
	struct credential *credential, struct error *error)
{
	struct error refusal _cleanup_error_ = ERROR_INIT;

	/* Reset had happened when the factory's management key fits; doing it twice is harmless. */
	if (!ownership_authenticate(services, card, 0, &refusal) && !reset(card, error))
		return false;
	return settle(services->store, intent, credential, error);
}
