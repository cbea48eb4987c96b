/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/ownership.h"

#include <string.h>

#include "common/alloc.h"
#include "operation/vault.h"
#include "common/log.h"
#include "operation/licence.h"
#include "operation/remote-card.h"

bool ownership_check_key(
	struct services *services, const char *serial, uint32_t version, struct error *error)
{
	struct secret key _cleanup_secret_ = SECRET_INIT;
	struct error lookup _cleanup_error_ = ERROR_INIT;
	struct credential *credential _cleanup_credential_ =
		store_credential_by_serial(services->store, serial, &lookup);
	uint8_t value[3];

	if (!credential && lookup.code != ERROR_NOT_FOUND)
		return error_move(error, &lookup);
	if (!credential || !credential->kdf || credential->key_version != version)
		return true;
	if (!master_key_derive_management_key(services->master_key, serial, version,
		    credential->admin_algorithm, &key, error) ||
		!management_key_check_value(&key, credential->admin_algorithm, value, error))
		return false;
	return memcmp(value, credential->key_check_value, sizeof(value)) == 0 ||
	       error_set(error, ERROR_TOKEN_FAILED,
		       "master key version %u is not the one that the secrets of card %s were "
		       "derived from (the key check values differ); nothing is sent to the card",
		       version, serial);
}

static bool derive(struct services *services, const struct card *card, enum card_secret which,
	uint32_t version, uint8_t algorithm, struct secret *value, struct error *error)
{
	struct puk_record puk;

	if (!vault_check_open(services, error) ||
		!ownership_check_key(services, card->info.serial, version, error))
		return false;
	if (which == CARD_SECRET_ADMIN)
		return master_key_derive_management_key(
			services->master_key, card->info.serial, version, algorithm, value, error);
	return store_puk_get(services->store, card->info.serial, &puk, error) &&
	       master_key_derive_puk(services->master_key, card->info.serial, version,
		       puk.generation, value, error);
}

bool ownership_secret(struct services *services, const struct card *card, enum card_secret which,
	uint32_t version, struct secret *value, struct error *error)
{
	if (version == 0)
		return card_factory_secret(card, which, value, error);
	return derive(services, card, which, version, card->info.admin_algorithm, value, error);
}

bool ownership_authenticate(
	struct services *services, struct card *card, uint32_t version, struct error *error)
{
	struct secret key _cleanup_secret_ = SECRET_INIT;

	return ownership_secret(services, card, CARD_SECRET_ADMIN, version, &key, error) &&
	       card->driver->authenticate(card, CARD_SECRET_ADMIN, &key, error);
}

bool ownership_find(struct services *services, struct card *card, uint32_t expected,
	uint32_t *version, struct error *error)
{
	struct error refusal _cleanup_error_ = ERROR_INIT;

	if (!vault_check_open(services, error))
		return false;
	uint32_t current = master_key_version(services->master_key);
	if (ownership_authenticate(services, card, expected, &refusal)) {
		*version = expected;
		return true;
	}
	/* From the newest down: a card keeps its version until it is changed over. */
	for (uint32_t other = current + 1; other-- > 0;) {
		bool there = other == 0;
		if (refusal.code != ERROR_CARD_FOREIGN)
			return error_move(error, &refusal);
		if (!there && !master_key_has(services->master_key, other, &there, error))
			return false;
		if (there && other != expected &&
			ownership_authenticate(services, card, other, &refusal)) {
			*version = other;
			return true;
		}
	}
	return error_move(error, &refusal);
}

bool ownership_describe(struct services *services, const struct card *card, uint32_t version,
	struct credential *credential, struct error *error)
{
	struct secret key _cleanup_secret_ = SECRET_INIT;

	if (!ownership_secret(services, card, CARD_SECRET_ADMIN, version, &key, error) ||
		!management_key_check_value(
			&key, card->info.admin_algorithm, credential->key_check_value, error))
		return false;
	free(credential->kdf);
	credential->kdf = version ? xstrdup(MASTER_KEY_KDF) : NULL;
	credential->key_version = version;
	credential->admin_algorithm = card->info.admin_algorithm;
	return true;
}

bool ownership_check_fresh(const struct card *card, enum card_secret which,
	const struct secret *fresh, struct error *error)
{
	struct secret factory _cleanup_secret_ = SECRET_INIT;

	if (!card_factory_secret(card, which, &factory, error))
		return false;
	if (secret_equal(fresh, &factory))
		return error_set(error, ERROR_FAILED,
			"the derived secret equals the factory's; it is not used");
	return true;
}

/* The value to be, and the refusal of one that an outsider could know (design, decision 4). */
static bool derive_fresh(struct services *services, const struct card *card, enum card_secret which,
	uint32_t version, struct secret *fresh, struct error *error)
{
	return derive(services, card, which, version, card->info.preferred_admin_algorithm, fresh,
		       error) &&
	       ownership_check_fresh(card, which, fresh, error);
}

static bool is_other_puk(const struct error *refusal)
{
	return refusal->code == ERROR_PIN_WRONG || refusal->code == ERROR_PUK_BLOCKED;
}

/* Factory value to the fresh one. */
static bool set_secret(struct services *services, struct card *card, enum card_secret which,
	uint32_t version, struct error *error)
{
	struct secret fresh _cleanup_secret_ = SECRET_INIT;
	struct secret factory _cleanup_secret_ = SECRET_INIT;

	return derive_fresh(services, card, which, version, &fresh, error) &&
	       card_factory_secret(card, which, &factory, error) &&
	       card->driver->change_secret(card, which, which, &factory, &fresh, error);
}

/*
 * Before anything is changed: a PUK that somebody has set, or blocked, would be found out only when
 * the management key is ours already. Where the card does not tell, it is given the factory's value
 * once more.
 */
static bool check_puk(struct services *services, struct card *card, struct error *error)
{
	struct card_secret_state state;
	struct secret factory _cleanup_secret_ = SECRET_INIT;
	struct error refusal _cleanup_error_ = ERROR_INIT;
	bool fits;

	if (!card->driver->secret_state(card, CARD_SECRET_PUK, &state, error) ||
		!ownership_secret(services, card, CARD_SECRET_PUK, 0, &factory, error))
		return false;
	if (state.known_default)
		fits = state.is_default;
	else
		fits = card->driver->change_secret(
			card, CARD_SECRET_PUK, CARD_SECRET_PUK, &factory, &factory, &refusal);
	if (!fits && refusal.code != ERROR_NONE && !is_other_puk(&refusal))
		return error_move(error, &refusal);
	return fits || error_set(error, ERROR_CARD_FOREIGN,
			       "the card's PUK is not the factory's: reset the card, which "
			       "deletes what is on it, and try again");
}

bool ownership_set_puk(
	struct services *services, struct card *card, uint32_t version, struct error *error)
{
	return set_secret(services, card, CARD_SECRET_PUK, version, error);
}

/* Where the card does not tell, the new value is tried first: a wrong try costs one of three. */
bool ownership_complete_puk(
	struct services *services, struct card *card, uint32_t version, struct error *error)
{
	struct card_secret_state state;
	struct secret fresh _cleanup_secret_ = SECRET_INIT;
	struct error refusal _cleanup_error_ = ERROR_INIT;

	if (!card->driver->secret_state(card, CARD_SECRET_PUK, &state, error))
		return false;
	if (state.known_default && !state.is_default)
		return true;
	if (state.known_default)
		return set_secret(services, card, CARD_SECRET_PUK, version, error);
	if (!derive_fresh(services, card, CARD_SECRET_PUK, version, &fresh, error))
		return false;
	if (card->driver->change_secret(
		    card, CARD_SECRET_PUK, CARD_SECRET_PUK, &fresh, &fresh, &refusal))
		return true;
	if (refusal.code != ERROR_PIN_WRONG)
		return error_move(error, &refusal);
	return set_secret(services, card, CARD_SECRET_PUK, version, error);
}

/* What came of it and the end of the intent are one transaction. */
static bool settle(struct services *services, struct credential *credential,
	const struct intent *intent, struct error *error)
{
	if (!store_begin(services->store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = services->store;
	return store_credential_save(transaction, credential, error) &&
	       store_intent_remove(transaction, intent->id, error) &&
	       store_commit(transaction, error);
}

/* Until it is issued, which sets another PIN, a registered card is of use to nobody. */
static bool close_card(struct card *card, const struct intent *intent,
	struct credential *credential, struct error *error)
{
	if (strcmp(intent->operation, lifecycle_verb_name(LIFECYCLE_REGISTER)) != 0)
		return true;
	credential_forget(credential);
	return card_block(card, CARD_SECRET_PIN, error);
}

static bool register_credential(struct services *services, struct card *card,
	const struct intent *intent, struct credential *credential, struct error *error)
{
	if (!close_card(card, intent, credential, error) ||
		!ownership_authenticate(services, card, intent->new_version, error) ||
		!ownership_describe(services, card, intent->new_version, credential, error))
		return false;
	credential->state = LIFECYCLE_REGISTERED;
	return settle(services, credential, intent, error);
}

/* On disk, the intent keeps the credential's place under the licence. */
static bool save_intent(struct services *services, const struct credential *credential,
	struct intent *intent, struct error *error)
{
	if (!licence_begin(services, credential, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = services->store;
	return store_intent_add(transaction, intent, error) && store_commit(transaction, error);
}

bool ownership_take(struct operation *operation, struct card *card, struct credential *credential,
	enum lifecycle_verb verb, struct error *error)
{
	struct services *services = operation->services;
	uint32_t version = master_key_version(services->master_key);
	struct intent intent _cleanup_intent_ = {.serial = xstrdup(card->info.serial),
		.operation = xstrdup(lifecycle_verb_name(verb)),
		.step = xstrdup(INTENT_OWNERSHIP),
		.new_version = version};

	if (!remote_card_check_secrets(services, card, error) ||
		!check_puk(services, card, error) ||
		!save_intent(services, credential, &intent, error))
		return false;
	if (!set_secret(services, card, CARD_SECRET_ADMIN, version, error))
		return error_prefix(error, "management key");
	if (!set_secret(services, card, CARD_SECRET_PUK, version, error))
		return error_prefix(error, "PUK");
	return register_credential(services, card, &intent, credential, error);
}

bool ownership_retake(struct operation *operation, struct card *card, uint32_t version,
	struct credential *credential, struct error *error)
{
	struct intent intent _cleanup_intent_ = {.serial = xstrdup(card->info.serial),
		.operation = xstrdup(lifecycle_verb_name(LIFECYCLE_REGISTER)),
		.step = xstrdup(INTENT_OWNERSHIP),
		.old_version = version,
		.new_version = version};

	return save_intent(operation->services, credential, &intent, error) &&
	       register_credential(operation->services, card, &intent, credential, error);
}

bool ownership_recover(struct services *services, struct card *card, const struct intent *intent,
	struct credential *credential, struct error *error)
{
	struct error refusal _cleanup_error_ = ERROR_INIT;
	uint32_t version;

	if (!ownership_find(services, card, intent->new_version, &version, error))
		return false;
	if (version == intent->old_version && version != intent->new_version)
		return store_intent_remove(services->store, intent->id, error);
	if (!ownership_complete_puk(services, card, version, &refusal)) {
		if (!is_other_puk(&refusal))
			return error_move(error, &refusal);
		/* The card is ours all the same: it can be retired, which needs no PUK. */
		log_warning(
			"the card's PUK was changed by another program card=%s", intent->serial);
	}
	return register_credential(services, card, intent, credential, error);
}
