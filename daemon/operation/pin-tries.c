/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/pin-tries.h"

#include "common/log.h"
#include "operation/ownership.h"
#include "operation/pin.h"

bool pin_tries_check(const struct card *card, const struct template *template, struct error *error)
{
	const struct pin_policy *policy = &template->pin_policy;

	if (policy->minimum_length > card->info.pin_maximum ||
		policy->maximum_length < card->info.pin_minimum)
		return error_set_field(error, ERROR_NOT_SUPPORTED, "/pin-policy",
			"/pin-policy: a %s takes PINs of %u to %u characters", card->info.model,
			card->info.pin_minimum, card->info.pin_maximum);
	if (policy->pin_tries && !card->info.can_set_tries)
		return error_set_field(error, ERROR_NOT_SUPPORTED, "/pin-policy/pin-tries",
			"/pin-policy/pin-tries: the numbers of tries of a %s cannot be set",
			card->info.model);
	return true;
}

/* Management key and PIN are proven. Afterwards the PIN is the factory's, the PUK ours. */
static bool set_tries_and_puk(struct services *services, struct card *card, uint32_t key_version,
	const struct pin_policy *policy, struct error *error)
{
	struct card_tries tries = {.pin = policy->pin_tries, .puk = policy->puk_tries};

	return card->driver->reset(card, &tries, error) &&
	       ownership_set_puk(services, card, key_version, error);
}

bool pin_tries_set(struct services *services, struct card *card, uint32_t key_version,
	const struct template *template, const struct secret *pin, struct error *error)
{
	const struct pin_policy *policy = &template->pin_policy;

	if (!policy->pin_tries)
		return true;
	if (!card->driver->authenticate(card, CARD_SECRET_PIN, pin, error) ||
		!set_tries_and_puk(services, card, key_version, policy, error))
		return error_prefix(error, "numbers of tries");
	return pin_set_by_puk(services, card, key_version, pin, error);
}

/* The factory's PIN says that the command was the last thing that happened to PIN and PUK. */
static bool prove_factory_pin(struct card *card, bool *proven, struct error *error)
{
	struct card_secret_state state;
	struct secret pin _cleanup_secret_ = SECRET_INIT;
	struct error refusal _cleanup_error_ = ERROR_INIT;

	*proven = false;
	if (!card->driver->secret_state(card, CARD_SECRET_PIN, &state, error))
		return false;
	if ((state.known_default && !state.is_default) || state.blocked)
		return true;
	if (!card_factory_secret(card, CARD_SECRET_PIN, &pin, error))
		return false;
	*proven = card->driver->authenticate(card, CARD_SECRET_PIN, &pin, &refusal);
	if (*proven || refusal.code == ERROR_PIN_WRONG || refusal.code == ERROR_PIN_BLOCKED)
		return true;
	return error_move(error, &refusal);
}

/*
 * With the factory's PIN the command is repeated: then the PUK is known without a guess that would
 * cost a try. Without it the PUK was set already.
 */
static bool repair_puk(struct services *services, struct card *card, uint32_t key_version,
	const struct pin_policy *policy, struct error *error)
{
	struct error refusal _cleanup_error_ = ERROR_INIT;
	bool proven = false;

	if (!prove_factory_pin(card, &proven, error))
		return false;
	if (proven)
		return set_tries_and_puk(services, card, key_version, policy, error);
	if (ownership_complete_puk(services, card, key_version, &refusal))
		return true;
	if (refusal.code != ERROR_PUK_BLOCKED && refusal.code != ERROR_PIN_WRONG)
		return error_move(error, &refusal);
	/* Another program's doing: retiring the card helps, and must not be stopped by this. */
	log_warning("PUK not recovered: %s card=%s", error_message(&refusal), card->info.serial);
	return true;
}

bool pin_tries_recover(struct services *services, struct card *card,
	const struct credential *credential, struct error *error)
{
	struct error refusal _cleanup_error_ = ERROR_INIT;
	struct template *template _cleanup_template_ =
		credential->template_name
			? store_template_get(services->store, credential->template_name,
				  credential->template_version, error)
			: NULL;

	if (!template)
		return !credential->template_name;
	if (!template->pin_policy.pin_tries || !card->info.can_set_tries)
		return true;
	if (ownership_authenticate(services, card, credential->key_version, &refusal))
		return repair_puk(
			services, card, credential->key_version, &template->pin_policy, error);
	/* Somebody else's meanwhile: that is said when it is issued again. */
	return refusal.code == ERROR_CARD_FOREIGN || error_move(error, &refusal);
}
