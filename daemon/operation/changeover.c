/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/changeover.h"

#include <string.h>

#include "audit/audit.h"
#include "common/alloc.h"
#include "common/log.h"
#include "operation/contact.h"
#include "operation/operators.h"
#include "operation/ownership.h"
#include "operation/recover.h"
#include "operation/remote-card.h"
#include "operation/vault.h"

#define CARD_TIMEOUT_MS 3000

/* --- the PUK --- */

/* From one of the two to the new one. */
static bool change_puk(struct services *services, struct card *card, const struct intent *intent,
	const struct puk_record *puk, bool from_old, struct error *error)
{
	struct secret old _cleanup_secret_ = SECRET_INIT;
	struct secret fresh _cleanup_secret_ = SECRET_INIT;
	const char *serial = card->info.serial;

	if (!master_key_derive_puk(services->master_key, serial, intent->new_version,
		    puk->next_generation, &fresh, error) ||
		!ownership_check_fresh(card, CARD_SECRET_PUK, &fresh, error))
		return false;
	if (from_old && !master_key_derive_puk(services->master_key, serial, intent->old_version,
				puk->generation, &old, error))
		return false;
	return card->driver->change_secret(
		card, CARD_SECRET_PUK, CARD_SECRET_PUK, from_old ? &old : &fresh, &fresh, error);
}

/*
 * A wrong guess costs one of the PUK's tries. So that interruptions at the same place cannot use
 * them up, it is on disk before each guess that the next recovery begins with the other one.
 */
static bool guess_puk(struct services *services, struct card *card, const struct intent *intent,
	struct puk_record *puk, struct error *error)
{
	for (int guesses = 0; guesses < 2; guesses++) {
		struct error refusal _cleanup_error_ = ERROR_INIT;
		bool from_old = puk->old_first;
		puk->old_first = !from_old;
		if (!store_puk_set(services->store, intent->serial, puk, error))
			return false;
		if (change_puk(services, card, intent, puk, from_old, &refusal))
			return true;
		if (refusal.code != ERROR_PIN_WRONG || guesses == 1)
			return error_move(error, &refusal);
	}
	return false;
}

static bool is_other_puk(const struct error *refusal)
{
	return refusal->code == ERROR_PIN_WRONG || refusal->code == ERROR_PUK_BLOCKED;
}

/* One that another program has set does not keep the card from the new management key. */
static bool note_foreign(
	struct puk_record *puk, const char *serial, struct error *refusal, struct error *error)
{
	if (!is_other_puk(refusal))
		return error_move(error, refusal);
	log_warning("the card's PUK was changed or blocked by another program card=%s", serial);
	puk->state = PUK_FOREIGN;
	return true;
}

/* --- the steps --- */

/* What came of it and the end of the intent are one transaction. */
static bool settle(struct services *services, struct card *card, const struct intent *intent,
	struct puk_record *puk, struct credential *credential, struct error *error)
{
	if (!ownership_describe(services, card, intent->new_version, credential, error))
		return false;
	puk->generation = puk->next_generation;
	puk->old_first = false;
	if (puk->state == PUK_EXPOSED) {
		puk->state = PUK_OURS;
		puk->exposed_until = 0;
	}
	if (!store_begin(services->store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = services->store;
	return store_puk_set(transaction, intent->serial, puk, error) &&
	       store_credential_save(transaction, credential, error) &&
	       store_intent_remove(transaction, intent->id, error) &&
	       store_commit(transaction, error);
}

static bool save_intent(struct services *services, struct intent *intent,
	const struct puk_record *puk, struct error *error)
{
	if (!store_begin(services->store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = services->store;
	return store_puk_set(transaction, intent->serial, puk, error) &&
	       store_intent_add(transaction, intent, error) && store_commit(transaction, error);
}

/* The old management key is authenticated. */
static bool set_management_key(
	struct services *services, struct card *card, uint32_t version, struct error *error)
{
	struct secret fresh _cleanup_secret_ = SECRET_INIT;

	return master_key_derive_management_key(services->master_key, card->info.serial, version,
		       card->info.preferred_admin_algorithm, &fresh, error) &&
	       ownership_check_fresh(card, CARD_SECRET_ADMIN, &fresh, error) &&
	       card->driver->change_secret(
		       card, CARD_SECRET_ADMIN, CARD_SECRET_ADMIN, NULL, &fresh, error);
}

static bool change_card(struct services *services, struct card *card, const struct intent *intent,
	struct puk_record *puk, struct credential *credential, struct error *error)
{
	struct error refusal _cleanup_error_ = ERROR_INIT;

	if (intent->old_version != intent->new_version &&
		!set_management_key(services, card, intent->new_version, error))
		return error_prefix(error, "management key");
	if (puk->state != PUK_FOREIGN && !change_puk(services, card, intent, puk, true, &refusal) &&
		!note_foreign(puk, intent->serial, &refusal, error))
		return error_prefix(error, "PUK");
	return settle(services, card, intent, puk, credential, error);
}

bool changeover(struct operation *operation, struct card *card, struct credential *credential,
	struct error *error)
{
	struct services *services = operation->services;
	struct puk_record puk;
	struct intent intent _cleanup_intent_ = {.serial = xstrdup(card->info.serial),
		.operation = xstrdup(lifecycle_verb_name(LIFECYCLE_ROTATE)),
		.step = xstrdup(INTENT_CHANGEOVER),
		.old_version = credential->key_version};

	if (!remote_card_check_secrets(services, card, error) ||
		!vault_check_open(services, error) ||
		!store_puk_get(services->store, intent.serial, &puk, error) ||
		!ownership_authenticate(services, card, intent.old_version, error))
		return false;
	intent.new_version = master_key_version(services->master_key);
	puk.next_generation = puk.generation;
	puk.old_first = false;
	if (puk.state == PUK_EXPOSED || intent.old_version == intent.new_version)
		puk.next_generation = puk.generation + 1;
	if (puk.state == PUK_FOREIGN && intent.old_version == intent.new_version)
		return error_set(error, ERROR_CARD_FOREIGN,
			"the card's PUK was changed by another program; retire the card");
	return save_intent(services, &intent, &puk, error) &&
	       change_card(services, card, &intent, &puk, credential, error);
}

bool changeover_recover(struct services *services, struct card *card, const struct intent *intent,
	struct credential *credential, struct error *error)
{
	struct error refusal _cleanup_error_ = ERROR_INIT;
	struct puk_record puk;
	uint32_t version;

	if (!ownership_find(services, card, intent->new_version, &version, error) ||
		!store_puk_get(services->store, intent->serial, &puk, error))
		return false;
	if (version != intent->new_version)
		return store_intent_remove(services->store, intent->id, error);
	if (puk.state != PUK_FOREIGN && !guess_puk(services, card, intent, &puk, &refusal) &&
		!note_foreign(&puk, intent->serial, &refusal, error))
		return error_prefix(error, "PUK");
	return settle(services, card, intent, &puk, credential, error);
}

/* --- at a contact --- */

static bool template_asks(struct services *services, const struct credential *credential)
{
	struct template *template _cleanup_template_ =
		credential->template_name
			? store_template_get(services->store, credential->template_name,
				  credential->template_version, NULL)
			: NULL;

	return template && template->rotate_at_contact;
}

/* An operator's or owner's unblock code changes only when somebody is there to be given the new
 * one. */
static bool is_for_operators(struct services *services, int64_t credential_id)
{
	struct operator_record record _cleanup_operator_ = OPERATOR_INIT;

	return store_operator_get(services->store, credential_id, &record, NULL);
}

static bool is_due(struct services *services, const struct credential *credential,
	const struct puk_record *puk)
{
	if (!lifecycle_is_managed(credential->state) || credential->key_version == 0)
		return false;
	if (puk->state == PUK_EXPOSED)
		return true;
	return credential->key_version < master_key_version(services->master_key) &&
	       !is_for_operators(services, credential->id) &&
	       (services->rotate_at_contact || template_asks(services, credential));
}

static void audit(struct services *services, const char *serial, const struct error *result)
{
	struct error failure _cleanup_error_ = ERROR_INIT;

	if (!audit_write(services->store, &audit_daemon, lifecycle_verb_name(LIFECYCLE_ROTATE),
		    serial, 0, result, "at contact", &failure))
		log_error("audit record not written: %s", error_message(&failure));
}

bool changeover_at_contact(struct services *services, struct card *card, struct error *error)
{
	struct operation operation = {.services = services, .actor = &audit_daemon};
	struct error result _cleanup_error_ = ERROR_INIT;
	struct puk_record puk;

	if (!services->token || !card->info.serial)
		return true;
	struct credential *credential _cleanup_credential_ =
		store_credential_by_serial(services->store, card->info.serial, NULL);
	if (!credential || !store_puk_get(services->store, card->info.serial, &puk, error) ||
		!is_due(services, credential, &puk))
		return true;
	log_notice("changing over card=%s", card->info.serial);
	if (changeover(&operation, card, credential, &result)) {
		audit(services, card->info.serial, &result);
		return true;
	}
	log_warning("not changed over: %s card=%s", error_message(&result), card->info.serial);
	audit(services, card->info.serial, &result);
	return recover_card(services, card, error);
}

static void change_over_reader(struct services *services, unsigned reader)
{
	struct contacts *contacts = services->contacts;
	struct error error _cleanup_error_ = ERROR_INIT;
	struct contact_status status _cleanup_contact_status_ = {0};

	/* Nothing waits for a card on another machine. */
	if (!contacts_status(contacts, reader, &status, NULL) || status.is_remote)
		return;
	struct card *card _cleanup_card_ = contacts_card(contacts, reader, NULL);
	if (!card || !card->info.serial || !contacts_claim(contacts, card->info.serial, NULL))
		return;
	if (card_begin(card, CARD_TIMEOUT_MS, NULL)) {
		if (!changeover_at_contact(services, card, &error))
			log_warning("%s card=%s", error_message(&error), card->info.serial);
		contacts_refresh(contacts, reader, false);
		card_end(card);
	}
	contacts_release(contacts, card->info.serial);
}

void changeover_all_present(struct services *services)
{
	size_t count = 0;
	_cleanup_free_ unsigned *readers = contacts_list(services->contacts, &count);

	for (size_t i = 0; i < count; i++)
		change_over_reader(services, readers[i]);
}
