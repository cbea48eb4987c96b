/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/card-renew.h"

#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "common/alloc.h"
#include "common/log.h"
#include "core/signing-key.h"
#include "operation/certificates.h"
#include "operation/enroll.h"
#include "operation/identity.h"
#include "operation/operators.h"
#include "operation/ownership.h"
#include "operation/template-rules.h"

/* One renewal under way; what is found out before the card is touched. */
struct renewal {
	struct operation *operation;
	struct card *card;
	struct credential *credential;
	const struct card_renewal *request;
	struct template *template;
	struct enroll_names *names; /* one per key of the template, where it is renewed */
	bool *is_wanted;
	struct certificates before;
	int64_t last;
	struct fasc_n fasc_n;
};

static void renewal_clear(struct renewal *renewal)
{
	for (size_t i = 0; renewal->template && i < renewal->template->key_count; i++)
		enroll_names_clear(&renewal->names[i]);
	free(renewal->names);
	free(renewal->is_wanted);
	certificates_clear(&renewal->before);
	template_free(renewal->template);
}

static EVP_PKEY *key_of(const struct certificate *certificate)
{
	const unsigned char *position = certificate->der.data;
	X509 *x509 = d2i_X509(NULL, &position, (long)certificate->der.length);
	EVP_PKEY *key = x509 ? X509_get_pubkey(x509) : NULL;

	X509_free(x509);
	ERR_clear_error();
	return key;
}

static bool is_good(const struct certificate *certificate, key_slot slot)
{
	return certificate->slot == slot && certificate->status == CERTIFICATE_VALID &&
	       certificate->der.length > 0;
}

/* The newest good certificate of a slot with an id greater than `after`, up to last; or NULL. */
static const struct certificate *find_good(
	const struct certificates *certificates, key_slot slot, int64_t after, int64_t last)
{
	const struct certificate *found = NULL;

	for (size_t i = 0; i < certificates->count; i++) {
		const struct certificate *each = &certificates->items[i];
		if (is_good(each, slot) && each->id > after && each->id <= last)
			found = each;
	}
	return found;
}

/* --- what is found out first --- */

static bool is_asked_for(const struct renewal *renewal, const struct template_key *key)
{
	const struct card_renewal *request = renewal->request;

	if (request->slot != KEY_SLOT_NONE)
		return key->slot == request->slot && key->authority;
	return key->authority && !(request->new_key && key->slot == KEY_SLOT_KEY_MANAGEMENT) &&
	       find_good(&renewal->before, key->slot, 0, INT64_MAX);
}

static bool choose_keys(struct renewal *renewal, bool *needs_pin, struct error *error)
{
	const struct template *template = renewal->template;
	struct fields fields _cleanup_fields_ = FIELDS_INIT;
	size_t count = 0;

	fields_copy(&fields, &renewal->credential->holder);
	fields_set(&fields, "serial", renewal->credential->serial);
	renewal->names = xcalloc(template->key_count, sizeof(*renewal->names));
	renewal->is_wanted = xcalloc(template->key_count, sizeof(*renewal->is_wanted));
	for (size_t i = 0; i < template->key_count; i++) {
		const struct template_key *key = &template->keys[i];
		if (!is_asked_for(renewal, key))
			continue;
		if (!find_good(&renewal->before, key->slot, 0, INT64_MAX))
			return error_set(error, ERROR_NOT_FOUND,
				"the %s key has no good certificate that could be renewed: "
				"reissue the card",
				key_slot_name(key->slot));
		renewal->is_wanted[i] = true;
		*needs_pin |= key->pin != PIN_USE_NEVER;
		count++;
		if (!enroll_names_expand(
			    renewal->operation->services, key, &fields, &renewal->names[i], error))
			return false;
	}
	return (count > 0 || error_set(error, ERROR_NOT_FOUND,
				     "the card has no certificate of its template there that could "
				     "be renewed")) &&
	       identity_expand(template, &fields, &renewal->fasc_n, error);
}

static bool prepare(struct renewal *renewal, bool *needs_pin, struct error *error)
{
	struct services *services = renewal->operation->services;

	renewal->template = card_template(services, renewal->credential, error);
	if (!renewal->template)
		return error && error->code != ERROR_NONE
			       ? false
			       : error_set(error, ERROR_NOT_FOUND,
					 "the card was not issued by a template");
	if (renewal->request->new_key && renewal->template->operator_kind != OPERATOR_NONE)
		return error_set(error, ERROR_NOT_SUPPORTED,
			"an operator's card gets new keys by its reissue alone");
	if (!store_certificate_list(
		    services->store, renewal->credential->id, &renewal->before, error))
		return false;
	for (size_t i = 0; i < renewal->before.count; i++) {
		if (renewal->before.items[i].id > renewal->last)
			renewal->last = renewal->before.items[i].id;
	}
	return choose_keys(renewal, needs_pin, error);
}

/* A wrong PIN costs a try, and nothing else. */
static bool prove_pin(struct renewal *renewal, struct error *error)
{
	const struct secret *pin = renewal->request->pin;
	struct card *card = renewal->card;

	if (!pin || pin->length == 0)
		return error_set(error, ERROR_PIN_REQUIRED,
			"the card signs the requests with its keys: its PIN is needed");
	return card->driver->authenticate(card, CARD_SECRET_PIN, pin, error);
}

/* --- the end of a slot's renewal, now or after an interruption --- */

static bool save_successor(struct services *services, const struct credential *credential,
	const struct intent *intent, struct certificates *superseded, struct error *error)
{
	if (!store_begin(services->store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = services->store;
	return certificates_supersede(services, credential->id, (key_slot)intent->new_version,
		       intent->old_version, superseded, error) &&
	       operators_reseal(services, credential->id, error) &&
	       store_intent_remove(transaction, intent->id, error) &&
	       store_commit(transaction, error);
}

/* The new one is on the card: the older ones of the slot go. An authority that does not answer is
 * told again later. */
static bool settle(struct services *services, const struct credential *credential,
	const struct intent *intent, struct error *error)
{
	struct certificates superseded _cleanup_certificates_ = CERTIFICATES_INIT;
	struct error failure _cleanup_error_ = ERROR_INIT;

	if (!save_successor(services, credential, intent, &superseded, error))
		return false;
	if (!certificates_tell(services, &superseded, &failure))
		log_warning("%s card=%s", error_message(&failure), credential->serial);
	return true;
}

/* --- one slot --- */

static bool begin(
	struct renewal *renewal, key_slot slot, struct intent *intent, struct error *error)
{
	*intent = (struct intent){.serial = xstrdup(renewal->credential->serial),
		.operation = xstrdup(lifecycle_verb_name(LIFECYCLE_RENEW)),
		.step = xstrdup(INTENT_RENEW),
		.old_version = (uint32_t)renewal->last,
		.new_version = slot};
	return store_intent_add(renewal->operation->services->store, intent, error);
}

/* The key that the certificate is for: the one that is there, or another in its place. */
static EVP_PKEY *find_key(
	struct renewal *renewal, const struct template_key *key, struct error *error)
{
	struct card *card = renewal->card;
	EVP_PKEY *made = NULL;

	if (!renewal->request->new_key)
		return key_of(find_good(&renewal->before, key->slot, 0, INT64_MAX));
	/* Nobody shall find the old certificate with the new key. */
	if (!card->driver->write(card, CARD_OBJECT_CERTIFICATE, key->slot, NULL, 0, error) ||
		!card->driver->generate_key(
			card, key->slot, key->algorithm, key->pin, key->touch, &made, error))
		return NULL;
	return made;
}

/* A certificate that was refused after it had been saved is good for nothing. */
static void discard(struct services *services, struct certificate *certificate)
{
	struct error failure _cleanup_error_ = ERROR_INIT;
	struct certificates changed _cleanup_certificates_ = CERTIFICATES_INIT;

	if (certificate->id == 0 || certificate->status != CERTIFICATE_VALID)
		return;
	if (!certificates_discard(services, certificate, &changed, &failure) ||
		!certificates_tell(services, &changed, &failure))
		log_warning("%s", error_message(&failure));
}

static bool take_certificate(struct renewal *renewal, const struct intent *intent,
	const struct certificate *certificate, struct error *error)
{
	struct services *services = renewal->operation->services;
	struct card *card = renewal->card;
	_cleanup_free_ char *name = xasprintf("certificate-%s", key_slot_name(certificate->slot));

	/* What comes later is written, and takes the old one's place, then (task_recover). */
	if (certificate->status == CERTIFICATE_PENDING)
		return store_intent_remove(services->store, intent->id, error);
	if (!card->driver->write(card, CARD_OBJECT_CERTIFICATE, certificate->slot,
		    certificate->der.data, certificate->der.length, error) ||
		!settle(services, renewal->credential, intent, error))
		return false;
	job_result(renewal->operation->job, name, certificate->serial_hex);
	return true;
}

static bool renew_slot(struct renewal *renewal, size_t index, struct error *error)
{
	const struct template_key *key = &renewal->template->keys[index];
	struct intent intent _cleanup_intent_ = INTENT_INIT;
	struct certificate certificate _cleanup_certificate_ = CERTIFICATE_INIT;

	if (!begin(renewal, key->slot, &intent, error))
		return false;
	EVP_PKEY *public_key _cleanup_(EVP_PKEY_freep) = find_key(renewal, key, error);
	if (!public_key)
		return error->code == ERROR_NONE
			       ? error_set(error, ERROR_FAILED, "its certificate is damaged")
			       : false;
	const struct enroll_card asked = {.credential = renewal->credential,
		.key = key,
		.names = &renewal->names[index],
		.before = &renewal->before,
		.public_key = public_key,
		.pin = renewal->request->pin};
	if (!enroll_on_card(renewal->operation, renewal->card, &asked, &certificate, error)) {
		discard(renewal->operation->services, &certificate);
		return false;
	}
	return take_certificate(renewal, &intent, &certificate, error);
}

static bool renew_all(struct renewal *renewal, struct error *error)
{
	size_t count = renewal->template->key_count;

	for (size_t i = 0; i < count; i++) {
		const char *name = key_slot_name(renewal->template->keys[i].slot);
		if (!renewal->is_wanted[i])
			continue;
		job_progress(renewal->operation->job, (unsigned)(10 + 80 * i / count),
			"renewing the certificate of the %s key", name);
		if (!job_continue(renewal->operation->job, error))
			return false;
		if (!renew_slot(renewal, i, error))
			return error_prefix(error, "%s key", name);
	}
	return true;
}

/* The card says how long it is good; its certificates may go on longer now. */
static bool write_identity(struct renewal *renewal, struct error *error)
{
	struct credential *credential = renewal->credential;
	_cleanup_certificates_ struct certificates all = CERTIFICATES_INIT;
	int64_t until = 0;

	if (!store_certificate_list(
		    renewal->operation->services->store, credential->id, &all, error))
		return false;
	for (size_t i = 0; i < all.count; i++) {
		if (all.items[i].status == CERTIFICATE_VALID && all.items[i].not_after > until)
			until = all.items[i].not_after;
	}
	until = identity_expiry(renewal->template, until);
	if (credential->expires_at != 0 && until > credential->expires_at)
		until = credential->expires_at;
	return identity_write(renewal->card, &renewal->fasc_n, until, error);
}

bool card_renew(struct operation *operation, struct card *card, struct credential *credential,
	const struct card_renewal *request, struct error *error)
{
	struct renewal renewal _cleanup_(renewal_clear) = {
		.operation = operation, .card = card, .credential = credential, .request = request};
	struct error failure _cleanup_error_ = ERROR_INIT;
	bool needs_pin = false;

	if (prepare(&renewal, &needs_pin, &failure) &&
		(!needs_pin || prove_pin(&renewal, &failure)) &&
		ownership_authenticate(
			operation->services, card, credential->key_version, &failure) &&
		renew_all(&renewal, &failure) && write_identity(&renewal, &failure))
		return true;
	return error_move(error, &failure);
}

/* --- after an interruption --- */

static bool fits(const struct certificate *certificate, const struct card_key *key)
{
	EVP_PKEY *own _cleanup_(EVP_PKEY_freep) = key_of(certificate);
	bool same = own && (!key->public_key || EVP_PKEY_eq(own, key->public_key) == 1);

	ERR_clear_error();
	return same;
}

static bool put(struct services *services, struct card *card, const struct credential *credential,
	const struct card_key *key, const struct buffer *der, struct error *error)
{
	bool is_there =
		key->certificate.length == der->length &&
		(der->length == 0 || memcmp(key->certificate.data, der->data, der->length) == 0);

	return is_there ||
	       (ownership_authenticate(services, card, credential->key_version, error) &&
		       card->driver->write(card, CARD_OBJECT_CERTIFICATE, key->slot, der->data,
			       der->length, error));
}

/* The old certificate's key may be gone, and the new one have none: then the slot is empty. */
static bool recover_slot(struct services *services, struct card *card, const struct intent *intent,
	const struct credential *credential, const struct card_key *key, struct error *error)
{
	_cleanup_certificates_ struct certificates all = CERTIFICATES_INIT;
	static const struct buffer none = BUFFER_INIT;

	if (!store_certificate_list(services->store, credential->id, &all, error))
		return false;
	const struct certificate *fresh =
		find_good(&all, key->slot, intent->old_version, INT64_MAX);
	const struct certificate *old = find_good(&all, key->slot, 0, intent->old_version);
	if (fresh && fits(fresh, key))
		return put(services, card, credential, key, &fresh->der, error) &&
		       settle(services, credential, intent, error);
	if (old && key->public_key && fits(old, key))
		return put(services, card, credential, key, &old->der, error) &&
		       store_intent_remove(services->store, intent->id, error);
	return put(services, card, credential, key, &none, error) &&
	       settle(services, credential, intent, error);
}

bool card_renew_recover(struct services *services, struct card *card, const struct intent *intent,
	struct credential *credential, struct error *error)
{
	struct card_key key _cleanup_(card_key_clear) = {0};

	if (!card->driver->read_key(card, (key_slot)intent->new_version, &key, error))
		return false;
	key.slot = (key_slot)intent->new_version;
	return recover_slot(services, card, intent, credential, &key, error);
}
