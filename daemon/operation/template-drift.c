/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cards whose version, certificates or keys are not as their templates are. */
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "operation/contact.h"
#include "operation/template-rules.h"
#include "operation/templates.h"

/* So many cards are looked at for one page at most. */
#define CARDS_A_PAGE 500

void card_drifts_free(struct card_drift *drifts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(drifts[i].serial);
		free(drifts[i].template_name);
		fields_clear(&drifts[i].differences);
	}
	free(drifts);
}

/* One card that is looked at. Templates are mostly the same from card to card: the last is kept. */
struct look {
	struct services *services;
	struct template *template; /* of the card's version */
	struct template *newest;   /* or NULL when it was removed */
	struct credential *credential;
	struct certificates certificates;
	struct fields differences;
};

static void look_clear(struct look *look)
{
	template_free(look->template);
	template_free(look->newest);
	credential_free(look->credential);
	certificates_clear(&look->certificates);
	fields_clear(&look->differences);
}

static void differs(struct look *look, char *path, const char *how)
{
	_cleanup_free_ char *owned = path;

	/* The first that is found of one place says enough. */
	if (!fields_get(&look->differences, owned))
		fields_set(&look->differences, owned, how);
}

static char *slot_path(key_slot slot)
{
	return xasprintf("/keys/%s", key_slot_name(slot));
}

static bool load_templates(struct look *look, struct error *error)
{
	const struct credential *credential = look->credential;
	struct error missing _cleanup_error_ = ERROR_INIT;

	if (look->template && strcmp(look->template->name, credential->template_name) == 0 &&
		look->template->version == credential->template_version)
		return true;
	template_free(look->template);
	template_free(look->newest);
	look->newest = NULL;
	look->template = card_template(look->services, credential, error);
	if (!look->template)
		return false;
	look->newest =
		store_template_get(look->services->store, credential->template_name, 0, &missing);
	return look->newest || missing.code == ERROR_NOT_FOUND || error_move(error, &missing);
}

static void compare_version(struct look *look)
{
	if (!look->newest) {
		differs(look, xstrdup("/"), "the template was removed");
	} else if (look->newest->version != look->template->version) {
		_cleanup_free_ char *text = xasprintf("version %lld, the newest is %lld",
			(long long)look->template->version, (long long)look->newest->version);
		differs(look, xstrdup("/"), text);
	}
}

/* The newest of a slot that was not revoked, else the newest; the list is oldest first. */
static const struct certificate *certificate_of(const struct look *look, key_slot slot)
{
	const struct certificate *found = NULL;

	for (size_t i = 0; i < look->certificates.count; i++) {
		const struct certificate *certificate = &look->certificates.items[i];
		if (certificate->slot == slot &&
			(!found || found->status == CERTIFICATE_REVOKED ||
				certificate->status != CERTIFICATE_REVOKED))
			found = certificate;
	}
	return found;
}

static const char *what_is_wrong(const struct look *look, const struct template_key *key,
	const struct certificate *certificate)
{
	bool suspended = look->credential->state == LIFECYCLE_INACTIVE;

	if (!certificate)
		return "there is no certificate";
	if (certificate->status == CERTIFICATE_REVOKED)
		return "the certificate is revoked";
	if (certificate->status == CERTIFICATE_PENDING)
		return "the certificate is pending";
	if (certificate->status == CERTIFICATE_ON_HOLD && !suspended)
		return "the certificate is on hold";
	if (certificate->not_after <= time(NULL))
		return "the certificate has expired";
	if (strcmp(certificate->authority, key->authority) != 0 ||
		strcmp(certificate->profile, key->profile) != 0)
		return "the certificate is of another authority or profile";
	return NULL;
}

static void compare_certificates(struct look *look)
{
	for (size_t i = 0; i < look->template->key_count; i++) {
		const struct template_key *key = &look->template->keys[i];
		const char *wrong =
			key->authority ? what_is_wrong(look, key, certificate_of(look, key->slot))
				       : NULL;
		if (wrong)
			differs(look, slot_path(key->slot), wrong);
	}
	for (size_t i = 0; i < look->certificates.count; i++) {
		const struct certificate *certificate = &look->certificates.items[i];
		const struct template_key *key =
			template_find_key(look->template, certificate->slot);
		if (certificate->status != CERTIFICATE_REVOKED && (!key || !key->authority))
			differs(look, slot_path(certificate->slot),
				"there is a certificate that the template does not have");
	}
}

static const struct contact_key *find_key(
	const struct contact_key *keys, size_t count, key_slot slot)
{
	for (size_t i = 0; i < count; i++) {
		if (keys[i].slot == slot)
			return &keys[i];
	}
	return NULL;
}

static void compare_key(
	struct look *look, const struct template_key *key, const struct contact_key *found)
{
	const struct certificate *certificate = certificate_of(look, key->slot);

	/* Without a certificate not every card tells of its key. */
	if (!found && key->authority)
		differs(look, slot_path(key->slot), "the key is not on the card");
	if (!found)
		return;
	if (found->algorithm != key->algorithm)
		differs(look, slot_path(key->slot), "the card's key is of another algorithm");
	if (certificate && certificate->der.length > 0 &&
		(certificate->der.length != found->certificate.length ||
			memcmp(certificate->der.data, found->certificate.data,
				certificate->der.length) != 0))
		differs(look, slot_path(key->slot), "the card has another certificate");
}

/* As the directory was last seen; nobody is asked. */
static bool compare_person(struct look *look, struct error *error)
{
	const struct credential *credential = look->credential;
	_cleanup_person_record_ struct person_record record = PERSON_RECORD_INIT;
	_cleanup_error_ struct error missing = ERROR_INIT;
	struct fields changes _cleanup_fields_ = FIELDS_INIT;

	if (!credential->person.connection)
		return true;
	if (!store_person_get(look->services->store, credential->person.connection,
		    credential->person.id, &record, &missing))
		return missing.code == ERROR_NOT_FOUND || error_move(error, &missing);
	person_changes(&record, &credential->person, &credential->holder, &changes);
	for (size_t i = 0; i < changes.count; i++) {
		_cleanup_free_ char *how =
			xasprintf("the directory \"%s\" has another one now", record.connection);
		differs(look, xasprintf("/issue/holder/%s", changes.items[i].name), how);
	}
	return true;
}

/* What the card in a reader was last seen with; no APDU. */
static void compare_card(struct look *look)
{
	struct contacts *contacts = look->services->contacts;
	unsigned reader = contacts_find(contacts, look->credential->id);
	struct contact_key *keys = NULL;
	uint64_t generation;
	size_t count = 0;

	if (reader == 0 || !contacts_keys(contacts, reader, &generation, &keys, &count, NULL))
		return;
	for (size_t i = 0; i < look->template->key_count; i++) {
		const struct template_key *key = &look->template->keys[i];
		compare_key(look, key, find_key(keys, count, key->slot));
	}
	for (size_t i = 0; i < count; i++) {
		if (!template_has_slot(look->template, keys[i].slot) &&
			keys[i].certificate.length > 0)
			differs(look, slot_path(keys[i].slot),
				"the card has a certificate that the template does not have");
	}
	contact_keys_free(keys, count);
}

static bool is_looked_at(const struct credential *credential, const char *name)
{
	return (credential->state == LIFECYCLE_ISSUED || credential->state == LIFECYCLE_ACTIVE ||
		       credential->state == LIFECYCLE_INACTIVE) &&
	       credential->template_name && (!name || strcmp(credential->template_name, name) == 0);
}

/* Fills look->differences. */
static bool look_at(struct look *look, int64_t id, const char *name, struct error *error)
{
	struct store *store = look->services->store;

	credential_free(look->credential);
	certificates_clear(&look->certificates);
	fields_clear(&look->differences);
	look->credential = store_credential_by_id(store, id, error);
	if (!look->credential)
		return false;
	if (!is_looked_at(look->credential, name))
		return true;
	if (!load_templates(look, error) ||
		!store_certificate_list(store, id, &look->certificates, error))
		return false;
	compare_version(look);
	compare_certificates(look);
	compare_card(look);
	return compare_person(look, error);
}

static void take(struct look *look, struct card_drift *drift)
{
	*drift = (struct card_drift){.credential_id = look->credential->id,
		.serial = xstrdup(look->credential->serial),
		.template_name = xstrdup(look->credential->template_name),
		.template_version = look->credential->template_version,
		.differences = look->differences};
	look->differences = (struct fields)FIELDS_INIT;
}

/* A template that was removed still has cards. */
static bool check_name(struct services *services, const char *name, struct error *error)
{
	_cleanup_free_ struct template_version *versions = NULL;
	size_t count;

	return !name || store_template_versions(services->store, name, &versions, &count, error);
}

bool template_drift(struct services *services, const char *name, int64_t after, unsigned limit,
	struct card_drift **drifts, size_t *count, int64_t *next, struct error *error)
{
	struct look look _cleanup_(look_clear) = {.services = services};
	_cleanup_free_ int64_t *ids = NULL;
	size_t cards = 0, i = 0;

	*count = 0;
	if (!check_name(services, name, error) ||
		!store_credential_list(services->store, LIFECYCLE_STATE_COUNT, after, CARDS_A_PAGE,
			&ids, &cards, error))
		return false;
	struct card_drift *found = xcalloc(limit, sizeof(*found));
	for (; i < cards && *count < limit; i++) {
		if (!look_at(&look, ids[i], name, error)) {
			card_drifts_free(found, *count);
			return false;
		}
		if (look.differences.count > 0)
			take(&look, &found[(*count)++]);
	}
	*next = i < cards || cards == CARDS_A_PAGE ? ids[i - 1] : 0;
	*drifts = found;
	return true;
}
