/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/remote-card.h"

#include <string.h>

#include "common/alloc.h"
#include "common/log.h"
#include "operation/blank.h"
#include "operation/changeover.h"
#include "operation/contact.h"
#include "operation/ownership.h"
#include "operation/recover.h"

#define CARD_TIMEOUT_MS 30000 /* as long as a first contact may wait */

/* has: whether the card has the key, as it proved far away or shows in a reader here. */
static void remember(const struct services *services, const char *serial, bool has)
{
	struct error error _cleanup_error_ = ERROR_INIT;

	if (!(has ? store_secure_card_add : store_secure_card_remove)(
		    services->store, serial, &error))
		log_warning("not remembered whether the card can encrypt: %s card=%s",
			error_message(&error), serial);
}

/* Nobody is between, and what the card says counts. */
static bool check_here(
	const struct services *services, struct card *card, bool known, struct error *error)
{
	bool has = known;

	if (!card_begin(card, CARD_TIMEOUT_MS, error))
		return false;
	bool told = card_has_channel_key(card, services->card_trust, &has, error);
	card_end(card);
	if (told && has != known)
		remember(services, card->info.serial, has);
	return told;
}

static bool check_clear(bool known, struct error *error)
{
	return !known ||
	       error_set(error, ERROR_ACCESS_DENIED,
		       "the card can encrypt the way to it, and does not: its reader carries short "
		       "commands only, or something on its machine hides it; use a reader of the "
		       "server");
}

bool remote_card_check_way(const struct services *services, struct card *card, struct error *error)
{
	const struct card_info *info = &card->info;
	bool is_remote = card->transport->is_remote, known = false;

	if (is_remote && !info->is_encrypted && services->remote_encryption)
		return error_set(error, ERROR_ACCESS_DENIED,
			"the card, or its reader, cannot encrypt the way to it, as is "
			"required here (remote-encryption): use a reader of the server");
	if (!services->card_trust || !info->serial || (!is_remote && !info->can_encrypt))
		return true;
	if (!store_secure_card_find(services->store, info->serial, &known, error))
		return false;
	if (!is_remote)
		return check_here(services, card, known, error);
	if (!info->is_encrypted)
		return check_clear(known, error);
	if (!known)
		remember(services, info->serial, true);
	return true;
}

bool remote_card_check_secrets(
	const struct services *services, const struct card *card, struct error *error)
{
	return !card->transport->is_remote || card->info.is_encrypted ||
	       services->remote_ownership ||
	       error_set(error, ERROR_ACCESS_DENIED,
		       "the card's new secrets would pass another machine in the clear: put the "
		       "card into a reader of the server, or allow it there (remote-ownership)");
}

bool remote_card_prove(
	struct services *services, struct card *card, uint32_t version, struct error *error)
{
	return !card->transport->is_remote ||
	       ownership_authenticate(services, card, version, error);
}

static bool is_operators(struct services *services, const char *serial)
{
	struct operator_record record _cleanup_operator_ = OPERATOR_INIT;
	struct credential *credential _cleanup_credential_ =
		store_credential_by_serial(services->store, serial, NULL);

	return credential && store_operator_get(services->store, credential->id, &record, NULL);
}

bool remote_card_expose_puk(struct services *services, const struct card *card, struct error *error)
{
	const char *serial = card->info.serial;
	struct puk_record puk;

	if (!card->transport->is_remote || card->info.is_encrypted ||
		is_operators(services, serial))
		return true;
	if (!store_puk_get(services->store, serial, &puk, error))
		return false;
	if (puk.state != PUK_OURS)
		return true;
	puk.state = PUK_EXPOSED;
	return store_puk_set(services->store, serial, &puk, error);
}

static bool sends_secrets(const struct intent *intent)
{
	return strcmp(intent->step, INTENT_OWNERSHIP) == 0 ||
	       strcmp(intent->step, INTENT_CHANGEOVER) == 0;
}

/* A key of the factory, which everybody knows, proves only what was never, or is not any more,
 * ours. */
static bool may_have_factory_key(const struct intent *intent)
{
	return strcmp(intent->step, INTENT_OWNERSHIP) == 0 ||
	       strcmp(intent->step, INTENT_BLANK) == 0;
}

static bool check_intents(struct services *services, struct card *card,
	const struct intent *intents, size_t count, struct error *error)
{
	bool factory = true;
	uint32_t version = intents[0].new_version;

	for (size_t i = 0; i < count; i++) {
		if (sends_secrets(&intents[i]) && !remote_card_check_secrets(services, card, error))
			return error_prefix(error, "it was interrupted");
		factory = factory && may_have_factory_key(&intents[i]);
	}
	if (!ownership_find(services, card, version, &version, error))
		return false;
	return version != 0 || factory ||
	       error_set(error, ERROR_CARD_FOREIGN,
		       "the card does not know the management key that it was given");
}

static bool claim_and_recover(struct services *services, struct card *card, struct error *error)
{
	const char *serial = card->info.serial;

	if (!contacts_claim(services->contacts, serial, error))
		return false;
	bool done = recover_card(services, card, error);
	contacts_release(services->contacts, serial);
	return done;
}

bool remote_card_recover(
	struct services *services, struct card *card, bool is_claimed, struct error *error)
{
	struct intent *intents = NULL;
	size_t count = 0;

	if (!card->info.serial)
		return true;
	if (!store_intent_list(services->store, card->info.serial, &intents, &count, error))
		return false;
	bool done = count == 0 || (check_intents(services, card, intents, count, error) &&
					  (is_claimed ? recover_card(services, card, error)
						      : claim_and_recover(services, card, error)));
	for (size_t i = 0; i < count; i++)
		intent_clear(&intents[i]);
	free(intents);
	return done;
}
