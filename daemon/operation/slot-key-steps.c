/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is done with a key in the token, in steps of which each may be the last before the daemon is
 * killed: the store says what is under way, and doing a step again does no harm.
 */
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "common/log.h"
#include "operation/certificates.h"
#include "operation/contact.h"
#include "operation/slot-keys.h"
#include "operation/slots-private.h"
#include "operation/tasks.h"

#define DISCARDED "cessationOfOperation"

static void move(struct buffer *to, struct buffer *from)
{
	buffer_clear(to);
	*to = *from;
	*from = (struct buffer)BUFFER_INIT;
}

static void tell(struct services *services, const struct certificates *changed, const char *serial)
{
	struct error failure _cleanup_error_ = ERROR_INIT;

	if (!certificates_tell(services, changed, &failure))
		log_warning("%s card=%s", error_message(&failure), serial);
}

static bool save(struct services *services, struct hsm_key *key, struct credential *credential,
	struct error *error)
{
	return store_credential_save(services->store, credential, error) &&
	       store_hsm_key_save(services->store, key, error);
}

/* --- settle --- */

/* The key whose place another one has taken, and certificates but the newest one, go. */
static bool clean_token(struct hsm *hsm, const struct hsm_key *key, const struct buffer *newest,
	struct error *error)
{
	return (key->old_id.length == 0 || hsm_pair_destroy(hsm, &key->old_id, error)) &&
	       hsm_pair_remove_certificates(hsm, &key->id, newest, error);
}

/* Nothing depends on it: what cannot be done now is done by the next tidying. */
static void clean(struct services *services, struct hsm *hsm, struct hsm_key *key,
	const struct certificate *newest)
{
	struct error error _cleanup_error_ = ERROR_INIT;

	if (!clean_token(hsm, key, &newest->der, &error)) {
		log_warning("what was renewed is not removed from the token yet: %s slot=%s",
			error_message(&error), key->slot);
		return;
	}
	buffer_clear(&key->old_id);
	key->step = HSM_KEY_SETTLED;
	if (!store_hsm_key_save(services->store, key, &error))
		log_error("%s slot=%s", error_message(&error), key->slot);
}

/* Whether there may be something of before in the token: not with a key that was made for this. */
static bool wants_cleaning(const struct hsm_key *key, const struct credential *credential)
{
	return credential->state != LIFECYCLE_REGISTERED || key->was_there;
}

static bool save_settled(struct services *services, struct hsm_key *key,
	struct credential *credential, struct certificates *superseded, struct error *error)
{
	if (key->new_id.length > 0) {
		move(&key->old_id, &key->id);
		move(&key->id, &key->new_id);
	}
	key->step = wants_cleaning(key, credential) ? HSM_KEY_CLEAN : HSM_KEY_SETTLED;
	if (credential->state == LIFECYCLE_REGISTERED)
		credential->state = LIFECYCLE_ACTIVE;
	if (!store_begin(services->store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = services->store;
	return certificates_revoke(services, credential->id, key->last_certificate,
		       revocation_reason_find("superseded"), superseded, error) &&
	       save(services, key, credential, error) && store_commit(transaction, error);
}

bool slot_key_settle(struct services *services, struct hsm *hsm, struct hsm_key *key,
	struct credential *credential, const struct certificate *certificate, struct error *error)
{
	bool is_other = key->new_id.length > 0;
	const struct buffer *id = is_other ? &key->new_id : &key->id;
	struct certificates superseded _cleanup_certificates_ = CERTIFICATES_INIT;

	if (!hsm_pair_write_certificate(hsm, id, key->label, &certificate->der, error) ||
		(is_other && !hsm_pair_set_label(hsm, id, key->label, error)) ||
		!save_settled(services, key, credential, &superseded, error))
		return false;
	if (key->step == HSM_KEY_CLEAN)
		clean(services, hsm, key, certificate);
	tell(services, &superseded, credential->serial);
	return true;
}

/* --- undo --- */

static bool is_new(const struct hsm_key *key, const struct certificate *certificate)
{
	return certificate->id > key->last_certificate;
}

/* Those that the step has got. */
static bool revoke_new(struct services *services, const struct hsm_key *key,
	struct certificates *all, struct certificates *revoked, struct error *error)
{
	for (size_t i = 0; i < all->count; i++) {
		struct certificate *certificate = &all->items[i];
		if (!is_new(key, certificate) || certificate->status == CERTIFICATE_REVOKED)
			continue;
		certificate->status = CERTIFICATE_REVOKED;
		free(certificate->reason);
		certificate->reason = xstrdup(DISCARDED);
		certificate->revoked_at = time(NULL);
		if (!store_certificate_save(services->store, certificate, error) ||
			!task_note_status(services, certificate, error))
			return false;
		certificates_take(revoked, certificate);
	}
	return true;
}

static bool begin_undo(struct services *services, struct hsm_key *key, struct certificates *all,
	struct certificates *revoked, struct error *error)
{
	key->step = HSM_KEY_DISCARD;
	if (!store_begin(services->store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = services->store;
	return revoke_new(services, key, all, revoked, error) &&
	       store_hsm_key_save(transaction, key, error) && store_commit(transaction, error);
}

/* The certificates of the failed step; the key stays. */
static bool remove_new(
	struct services *services, struct hsm *hsm, const struct hsm_key *key, struct error *error)
{
	struct certificates all _cleanup_certificates_ = CERTIFICATES_INIT;

	if (!store_certificate_list(services->store, key->credential_id, &all, error))
		return false;
	for (size_t i = 0; i < all.count; i++) {
		if (is_new(key, &all.items[i]) &&
			!hsm_pair_remove_certificate(hsm, &key->id, &all.items[i].der, error))
			return false;
	}
	return true;
}

static bool discard(struct services *services, struct hsm *hsm, const struct hsm_key *key,
	bool is_enrollment, struct error *error)
{
	if (key->new_id.length > 0)
		return hsm_pair_destroy(hsm, &key->new_id, error);
	if (is_enrollment && !key->was_there)
		return hsm_pair_destroy(hsm, &key->id, error);
	return remove_new(services, hsm, key, error);
}

static bool end_undo(struct services *services, struct hsm_key *key, struct credential *credential,
	bool had_certificates, bool *forgotten, struct error *error)
{
	bool is_enrollment = credential->state == LIFECYCLE_REGISTERED;

	if (is_enrollment && !had_certificates) {
		*forgotten = true;
		return store_hsm_key_forget(services->store, credential->id, error);
	}
	key->step = key->old_id.length > 0 ? HSM_KEY_CLEAN : HSM_KEY_SETTLED;
	buffer_clear(&key->new_id);
	if (is_enrollment)
		credential->state = LIFECYCLE_RETIRED;
	if (!store_begin(services->store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = services->store;
	return save(services, key, credential, error) && store_commit(transaction, error);
}

bool slot_key_undo(struct services *services, struct hsm *hsm, struct hsm_key *key,
	struct credential *credential, bool *forgotten, struct error *error)
{
	struct certificates all _cleanup_certificates_ = CERTIFICATES_INIT;
	struct certificates revoked _cleanup_certificates_ = CERTIFICATES_INIT;
	bool is_gone = false;

	if (!store_certificate_list(services->store, credential->id, &all, error) ||
		!begin_undo(services, key, &all, &revoked, error))
		return false;
	tell(services, &revoked, credential->serial);
	if (!discard(services, hsm, key, credential->state == LIFECYCLE_REGISTERED, error) ||
		!end_undo(services, key, credential, all.count > 0, &is_gone, error))
		return false;
	if (forgotten)
		*forgotten = is_gone;
	return true;
}

/* --- end --- */

static bool destroy_others(struct hsm *hsm, const struct hsm_key *key, struct error *error)
{
	return (key->old_id.length == 0 || hsm_pair_destroy(hsm, &key->old_id, error)) &&
	       (key->new_id.length == 0 || hsm_pair_destroy(hsm, &key->new_id, error));
}

bool slot_key_end(struct services *services, struct hsm *hsm, struct hsm_key *key,
	struct credential *credential, struct error *error)
{
	if (hsm && (!hsm_pair_destroy(hsm, &key->id, error) || !destroy_others(hsm, key, error)))
		return false;
	key->step = HSM_KEY_SETTLED;
	buffer_clear(&key->old_id);
	buffer_clear(&key->new_id);
	credential->state = LIFECYCLE_RETIRED;
	if (!store_begin(services->store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = services->store;
	return save(services, key, credential, error) && store_commit(transaction, error);
}

/* --- tidying --- */

/* The newest good certificate that the step has got; NULL for none. */
static const struct certificate *find_new(const struct hsm_key *key,
	const struct credential *credential, const struct certificates *all)
{
	const struct certificate *found = NULL;

	for (size_t i = 0; i < all->count; i++) {
		const struct certificate *certificate = &all->items[i];
		bool is_short =
			!credential->expires_at || certificate->not_after <= credential->expires_at;
		if (is_new(key, certificate) && certificate->status == CERTIFICATE_VALID &&
			is_short && (!found || certificate->id > found->id))
			found = certificate;
	}
	return found;
}

/* Whether it comes later: the authority is asked by and by (operation/tasks.h). */
static bool is_pending(const struct hsm_key *key, const struct certificates *all)
{
	for (size_t i = 0; i < all->count; i++) {
		if (is_new(key, &all->items[i]) && all->items[i].status == CERTIFICATE_PENDING)
			return true;
	}
	return false;
}

static bool finish_or_undo(struct services *services, struct hsm *hsm, struct hsm_key *key,
	struct credential *credential, struct error *error)
{
	struct certificates all _cleanup_certificates_ = CERTIFICATES_INIT;

	if (!store_certificate_list(services->store, credential->id, &all, error))
		return false;
	if (key->step == HSM_KEY_CLEAN && all.count > 0) {
		clean(services, hsm, key, &all.items[all.count - 1]);
		return true;
	}
	const struct certificate *certificate = find_new(key, credential, &all);
	if (!certificate && is_pending(key, &all))
		return true;
	if (certificate)
		return slot_key_settle(services, hsm, key, credential, certificate, error);
	return slot_key_undo(services, hsm, key, credential, NULL, error);
}

static bool tidy(struct services *services, struct hsm *hsm, struct hsm_key *key,
	struct credential *credential, struct error *error)
{
	switch (key->step) {
	case HSM_KEY_ENROLL:
	case HSM_KEY_RENEW:
	case HSM_KEY_CLEAN:
		return finish_or_undo(services, hsm, key, credential, error);
	case HSM_KEY_DISCARD:
		return slot_key_undo(services, hsm, key, credential, NULL, error);
	case HSM_KEY_RETIRE:
		return slot_key_end(services, hsm, key, credential, error);
	default:
		return true;
	}
}

/* Read again once it is claimed: a verb may have been at it. */
static bool tidy_claimed(struct slot *slot, int64_t credential_id, struct error *error)
{
	struct services *services = slot->slots->services;
	_cleanup_hsm_key_ struct hsm_key key = HSM_KEY_INIT;
	_cleanup_credential_ struct credential *credential =
		store_credential_by_id(services->store, credential_id, error);
	struct hsm *hsm = slot_hsm(slot, error);

	if (!credential || !hsm || !store_hsm_key_get(services->store, credential_id, &key, error))
		return false;
	bool done = tidy(services, hsm, &key, credential, error);
	slot_keys_changed(services->slots, credential_id);
	contacts_credential_changed(services->contacts, credential_id);
	return done;
}

/* Whether there is nothing to be seen to before its authority has answered. */
static bool only_waits(struct services *services, const struct hsm_key *key)
{
	struct certificates all _cleanup_certificates_ = CERTIFICATES_INIT;

	if ((key->step != HSM_KEY_ENROLL && key->step != HSM_KEY_RENEW) ||
		!store_certificate_list(services->store, key->credential_id, &all, NULL))
		return false;
	for (size_t i = 0; i < all.count; i++) {
		if (is_new(key, &all.items[i]) && all.items[i].status == CERTIFICATE_VALID)
			return false;
	}
	return is_pending(key, &all);
}

static void tidy_key(struct slot *slot, const struct hsm_key *key)
{
	struct services *services = slot->slots->services;
	struct error error _cleanup_error_ = ERROR_INIT;
	_cleanup_credential_ struct credential *credential =
		store_credential_by_id(services->store, key->credential_id, &error);

	/* A verb that is at it does its own tidying. */
	if (!credential || !contacts_claim(services->contacts, credential->serial, NULL))
		return;
	log_notice("what was interrupted with a key is seen to slot=%s card=%s", key->slot,
		credential->serial);
	if (!tidy_claimed(slot, key->credential_id, &error))
		log_warning("a key waits for the next tidying: %s slot=%s", error_message(&error),
			key->slot);
	contacts_release(services->contacts, credential->serial);
}

void slot_keys_tidy(struct slot *slot, bool logged_in)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct hsm_key *keys;
	size_t count;

	if (!logged_in && slot->record->pin == SLOT_PIN_CALLER)
		return;
	if (!store_hsm_key_list_unsettled(
		    slot->slots->services->store, slot->record->name, &keys, &count, &error)) {
		log_warning("%s slot=%s", error_message(&error), slot->record->name);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (!only_waits(slot->slots->services, &keys[i]))
			tidy_key(slot, &keys[i]);
	}
	hsm_keys_free(keys, count);
}

void slot_key_arrived(struct services *services, int64_t credential_id)
{
	_cleanup_hsm_key_ struct hsm_key key = HSM_KEY_INIT;

	if (!store_hsm_key_get(services->store, credential_id, &key, NULL))
		return;
	_cleanup_slot_ struct slot *slot = slots_find(services->slots, key.slot, NULL);
	if (!slot || !slot_hsm(slot, NULL))
		return;
	slot_keys_tidy(slot, false);
	slot_touch(slot);
}
