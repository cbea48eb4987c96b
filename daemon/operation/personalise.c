/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/personalise.h"

#include <string.h>

#include "common/alloc.h"
#include "common/log.h"
#include "core/signing-key.h"
#include "operation/certificates.h"
#include "operation/enroll.h"
#include "operation/identity.h"
#include "operation/licence.h"
#include "operation/operators.h"
#include "operation/pin-tries.h"
#include "operation/pin.h"
#include "operation/replace.h"

/* Percent of the job's progress when the keys begin and end; what is before is ownership. */
#define PROGRESS_KEYS_BEGIN 20
#define PROGRESS_KEYS_END   90

static bool check_key(
	const struct card *card, const struct template *template, size_t index, struct error *error)
{
	const struct template_key *key = &template->keys[index];
	_cleanup_free_ char *path = xasprintf("/keys/%zu/algorithm", index);

	if (card->info.algorithms & 1U << key->algorithm)
		return true;
	return error_set_field(error, ERROR_NOT_SUPPORTED, path,
		"%s: a %s cannot make keys of algorithm %s", path, card->info.model,
		key_algorithm_name(key->algorithm));
}

static bool check_template(
	const struct card *card, const struct template *template, struct error *error)
{
	_cleanup_free_ char *types = template_card_types_text(template);

	if (!template->enabled)
		return error_set_field(error, ERROR_WRONG_STATE, "/enabled",
			"the template \"%s\" is not enabled", template->name);
	if (!template_names_card_type(template, card->driver->name) &&
		!template_names_card_type(template, card->info.type))
		return error_set_field(error, ERROR_NOT_SUPPORTED, "/card-type",
			"the template is for %s cards, this is a %s", types, card->info.type);
	for (size_t i = 0; i < template->key_count; i++) {
		if (!check_key(card, template, i, error))
			return false;
	}
	return pin_tries_check(card, template, error);
}

void personalisation_clear(struct personalisation *preparation)
{
	for (size_t i = 0; i < preparation->key_count; i++)
		enroll_names_clear(&preparation->names[i]);
	free(preparation->names);
	certificates_clear(&preparation->before);
	template_free(preparation->template);
	*preparation = (struct personalisation){0};
}

static bool prepare_names(struct services *services, const struct credential *credential,
	struct personalisation *preparation, struct error *error)
{
	const struct template *template = preparation->template;
	struct fields fields _cleanup_fields_ = FIELDS_INIT;

	fields_copy(&fields, &credential->holder);
	fields_set(&fields, "serial", credential->serial);
	preparation->names = xcalloc(template->key_count, sizeof(*preparation->names));
	preparation->key_count = template->key_count;
	for (size_t i = 0; i < template->key_count; i++) {
		if (!enroll_names_expand(
			    services, &template->keys[i], &fields, &preparation->names[i], error))
			return false;
	}
	return identity_expand(template, &fields, &preparation->fasc_n, error);
}

bool personalise_prepare(struct services *services, const struct card *card,
	const struct credential *credential, const char *template_name,
	struct personalisation *preparation, struct error *error)
{
	enum lifecycle_state next;

	preparation->template = store_template_get(services->store, template_name, 0, error);
	preparation->succeeds = credential->replaces != 0 &&
				lifecycle_check(credential->state, LIFECYCLE_ISSUE, &next, NULL);
	if (!preparation->template || !check_template(card, preparation->template, error) ||
		!operators_check_template(services, credential->id, preparation->template, error) ||
		(preparation->succeeds && !operators_check_template(services, credential->replaces,
						  preparation->template, error)) ||
		!prepare_names(services, credential, preparation, error) ||
		!store_certificate_list(
			services->store, credential->id, &preparation->before, error))
		return false;
	for (size_t i = 0; i < preparation->before.count; i++) {
		if (preparation->before.items[i].id > preparation->last_before)
			preparation->last_before = preparation->before.items[i].id;
	}
	return true;
}

static bool save_intent(struct operation *operation, struct credential *credential,
	const struct template *template, struct intent *intent, struct error *error)
{
	/* The card may be ours although the store does not know it: it is managed from here on. */
	if (!licence_begin(operation->services, credential, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = operation->services->store;
	char *name = xstrdup(template->name);
	free(credential->template_name);
	credential->template_name = name;
	credential->template_version = template->version;
	credential->state = LIFECYCLE_REGISTERED;
	*intent = (struct intent){.serial = xstrdup(credential->serial),
		.operation = xstrdup("issue"),
		.step = xstrdup(INTENT_PERSONALISE),
		.old_version = credential->key_version,
		.new_version = credential->key_version};
	return store_credential_save(transaction, credential, error) &&
	       store_intent_add(transaction, intent, error) && store_commit(transaction, error);
}

static bool enroll_all(struct operation *operation, struct card *card,
	const struct credential *credential, const struct personalisation *preparation,
	const struct secret *pin, int64_t *expires_at, struct error *error)
{
	const struct template *template = preparation->template;

	for (size_t i = 0; i < template->key_count; i++) {
		const struct template_key *key = &template->keys[i];
		unsigned percent = (unsigned)(PROGRESS_KEYS_BEGIN +
					      i * (PROGRESS_KEYS_END - PROGRESS_KEYS_BEGIN) /
						      template->key_count);
		job_progress(operation->job, percent, "making %s key (%s)",
			key_slot_name(key->slot), key_algorithm_name(key->algorithm));
		if (!job_continue(operation->job, error))
			return false;
		if (!enroll_key(operation, card, credential, key, &preparation->names[i],
			    &preparation->before, pin, expires_at, error))
			return error_prefix(error, "%s key", key_slot_name(key->slot));
	}
	return true;
}

/*
 * An older template may have used more slots. PIV has no command that deletes a key: one that
 * nobody will use takes its place.
 */
static bool destroy_key(struct card *card, key_slot slot, struct error *error)
{
	EVP_PKEY *replacement _cleanup_(EVP_PKEY_freep) = NULL;

	return card->driver->write(card, CARD_OBJECT_CERTIFICATE, slot, NULL, 0, error) &&
	       card->driver->generate_key(card, slot, KEY_ALGORITHM_EC_P256, PIN_USE_DEFAULT,
		       TOUCH_USE_DEFAULT, &replacement, error);
}

static bool destroy_old_keys(
	struct card *card, const struct personalisation *preparation, struct error *error)
{
	for (size_t i = 0; i < preparation->before.count; i++) {
		const struct certificate *old = &preparation->before.items[i];
		if (old->status != CERTIFICATE_REVOKED &&
			!template_has_slot(preparation->template, old->slot) &&
			!destroy_key(card, old->slot, error))
			return error_prefix(error, "old %s key", key_slot_name(old->slot));
	}
	return true;
}

bool personalise_write_chuid(struct card *card, int64_t expires_at, struct error *error)
{
	return identity_write(card, &fasc_n_default, expires_at, error);
}

/* What depends on the card's new keys. */
static bool take_effect(struct services *services, const struct credential *credential,
	const struct personalisation *preparation, struct certificates *superseded,
	struct error *error)
{
	return operators_reseal(services, credential->id, error) &&
	       (!preparation->succeeds || replace_settle(services, credential, superseded, error));
}

/*
 * The certificates of before are superseded, and the intent ends, in one transaction. Without a
 * preparation the card is not issued, and none of its certificates is good.
 */
static bool save_outcome(struct services *services, struct credential *credential,
	const struct personalisation *preparation, const struct intent *intent,
	struct certificates *superseded, struct error *error)
{
	credential->state = preparation ? LIFECYCLE_ISSUED : LIFECYCLE_REGISTERED;
	if (!store_begin(services->store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = services->store;
	return certificates_revoke(services, credential->id,
		       preparation ? preparation->last_before : INT64_MAX,
		       revocation_reason_find("superseded"), superseded, error) &&
	       (!preparation ||
		       take_effect(services, credential, preparation, superseded, error)) &&
	       store_credential_save(transaction, credential, error) &&
	       store_intent_remove(transaction, intent->id, error) &&
	       store_commit(transaction, error);
}

/* The card is done by now: an authority that does not answer is told again later. */
static bool settle(struct services *services, struct credential *credential,
	const struct personalisation *preparation, const struct intent *intent, struct error *error)
{
	struct certificates superseded _cleanup_certificates_ = CERTIFICATES_INIT;
	struct error failure _cleanup_error_ = ERROR_INIT;

	if (!save_outcome(services, credential, preparation, intent, &superseded, error))
		return false;
	if (!certificates_tell(services, &superseded, &failure))
		log_warning("%s card=%s", error_message(&failure), credential->serial);
	return true;
}

static bool write_card(struct operation *operation, struct card *card,
	const struct credential *credential, const struct personalisation *preparation,
	struct error *error)
{
	struct secret pin _cleanup_secret_ = SECRET_INIT;
	int64_t expires_at = 0;

	if (!pin_random(card, &pin, error) ||
		!pin_set_by_puk(operation->services, card, credential->key_version, &pin, error) ||
		!pin_tries_set(operation->services, card, credential->key_version,
			preparation->template, &pin, error) ||
		!enroll_all(operation, card, credential, preparation, &pin, &expires_at, error) ||
		!destroy_old_keys(card, preparation, error))
		return false;
	job_progress(operation->job, PROGRESS_KEYS_END, "writing the card's data");
	expires_at = identity_expiry(preparation->template, expires_at);
	if (credential->expires_at != 0 && expires_at > credential->expires_at)
		expires_at = credential->expires_at;
	return identity_write(card, &preparation->fasc_n, expires_at, error) &&
	       (!preparation->template->lifecycle.block_pin ||
		       card_block(card, CARD_SECRET_PIN, error));
}

bool personalise_card(struct operation *operation, struct card *card, struct credential *credential,
	const struct personalisation *preparation, struct error *error)
{
	struct intent intent _cleanup_intent_ = INTENT_INIT;

	return save_intent(operation, credential, preparation->template, &intent, error) &&
	       write_card(operation, card, credential, preparation, error) &&
	       settle(operation->services, credential, preparation, &intent, error);
}

bool personalise_recover(struct services *services, struct card *card, const struct intent *intent,
	struct credential *credential, struct error *error)
{
	return pin_tries_recover(services, card, credential, error) &&
	       card_block(card, CARD_SECRET_PIN, error) &&
	       settle(services, credential, NULL, intent, error);
}
