/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* update: an issued card comes to the newest version of its template, as far as that needs no new
 * keys. */
#include <time.h>

#include "common/alloc.h"
#include "model/template-change.h"
#include "operation/identity.h"
#include "operation/ownership.h"
#include "operation/people.h"
#include "operation/session.h"
#include "operation/template-rules.h"
#include "operation/types.h"
#include "operation/verbs.h"

/* The way from the version and the fields that the card has to the newest ones. */
struct way {
	struct template *present, *newest;
	struct template_changes changes;
	struct person_holder holder; /* as it is to be */
	struct fields fields;	     /* of the holder, that have changed */
	enum change_effect effect;   /* of both */
};

static void way_clear(struct way *way)
{
	template_free(way->present);
	template_free(way->newest);
	template_changes_clear(&way->changes);
	person_holder_clear(&way->holder);
	fields_clear(&way->fields);
}

static bool find_fields(struct services *services, const struct credential *credential,
	bool keep_fields, struct way *way, struct error *error)
{
	enum change_effect effect = CHANGE_NONE;

	way->effect = template_changes_effect(&way->changes);
	if (keep_fields) {
		fields_copy(&way->holder.fields, &credential->holder);
		person_link_copy(&way->holder.link, &credential->person);
		return true;
	}
	if (!people_find_changes(
		    services, way->newest, credential, &way->holder, &way->fields, &effect, error))
		return false;
	if (effect > way->effect)
		way->effect = effect;
	return true;
}

static bool find_way(struct services *services, const struct credential *credential,
	bool keep_fields, struct way *way, struct error *error)
{
	if (!credential->template_name)
		return error_set(error, ERROR_NOT_FOUND, "the card was not issued by a template");
	way->present = card_template(services, credential, error);
	if (!way->present)
		return false;
	way->newest = store_template_get(services->store, credential->template_name, 0, error);
	if (!way->newest)
		return false;
	template_compare(way->present, way->newest, &way->changes);
	return find_fields(services, credential, keep_fields, way, error);
}

/* Whether the whole is beyond an update, so that the caller's consent to a reissue counts. */
static bool needs_reissue(struct services *services, int64_t credential_id, bool keep_fields,
	bool *needed, struct error *error)
{
	struct credential *credential _cleanup_credential_ =
		store_credential_by_id(services->store, credential_id, error);
	struct way way _cleanup_(way_clear) = {0};

	if (!credential || !find_way(services, credential, keep_fields, &way, error))
		return false;
	*needed = way.effect == CHANGE_REISSUE;
	return true;
}

static bool refuse_reissue(
	const struct credential *credential, const struct way *way, struct error *error)
{
	const struct template_changes *changes = &way->changes;
	const char *path = NULL;

	for (size_t i = changes->count; i-- > 0;) {
		if (changes->items[i].effect == CHANGE_REISSUE)
			path = changes->items[i].path;
	}
	if (!path)
		return error_set_field(error, ERROR_NOT_SUPPORTED, way->fields.items[0].name,
			"the holder's fields have changed in the directory (\"%s\"%s), which needs "
			"new certificates: reissue the card",
			way->fields.items[0].name, way->fields.count > 1 ? " and others" : "");
	return error_set_field(error, ERROR_NOT_SUPPORTED, path,
		credential_is_key(credential)
			? "%s has changed, which needs a new certificate: renew the key"
			: "%s has changed, which needs new keys or a new PIN: reissue the card",
		path);
}

/* The last end of the certificates that are good. */
static int64_t certificates_until(const struct certificates *certificates)
{
	int64_t until = 0;

	for (size_t i = 0; i < certificates->count; i++) {
		if (certificates->items[i].status != CERTIFICATE_REVOKED &&
			certificates->items[i].not_after > until)
			until = certificates->items[i].not_after;
	}
	return until;
}

static bool write_identity(struct session *session, const struct way *way, struct error *error)
{
	const struct template *template = way->newest;
	struct services *services = session->operation->services;
	const struct credential *credential = session->credential;
	struct certificates certificates _cleanup_certificates_ = CERTIFICATES_INIT;
	struct fields fields _cleanup_fields_ = FIELDS_INIT;
	struct fasc_n fasc_n;

	fields_copy(&fields, &way->holder.fields);
	fields_set(&fields, "serial", credential->serial);
	if (!identity_expand(template, &fields, &fasc_n, error) ||
		!store_certificate_list(services->store, credential->id, &certificates, error) ||
		!session_take_card(session, LIFECYCLE_UPDATE, error) ||
		!ownership_authenticate(
			services, session->card, session->credential->key_version, error))
		return false;
	job_progress(session->operation->job, 50, "writing the card's data");
	session->objects_changed = true;
	return identity_write(session->card, &fasc_n,
		identity_expiry(template, certificates_until(&certificates)), error);
}

/* Nothing of this can strand a card: repeating it does the whole again. */
static bool update(struct session *session, bool keep_fields, struct error *error)
{
	struct services *services = session->operation->services;
	struct way way _cleanup_(way_clear) = {0};

	if (!find_way(services, session->credential, keep_fields, &way, error) ||
		!type_suits_template(services, session->credential->card_type, way.newest, error))
		return false;
	bool is_same = way.newest->version == way.present->version && way.fields.count == 0;
	job_result(session->operation->job, "change",
		is_same ? "nothing" : change_effect_name(way.effect));
	if (way.effect == CHANGE_REISSUE)
		return refuse_reissue(session->credential, &way, error);
	if (way.effect == CHANGE_CARD && !write_identity(session, &way, error))
		return false;
	session->credential->template_version = way.newest->version;
	fields_copy(&session->credential->holder, &way.holder.fields);
	person_link_copy(&session->credential->person, &way.holder.link);
	return store_credential_save(services->store, session->credential, error);
}

bool operation_update(struct operation *operation, int64_t credential_id, bool may_reissue,
	bool keep_fields, struct error *error)
{
	struct session session _cleanup_session_ = SESSION_INIT;
	struct error result _cleanup_error_ = ERROR_INIT;
	struct fields same_holder _cleanup_fields_ = FIELDS_INIT;
	bool reissue = false;

	if (may_reissue &&
		needs_reissue(operation->services, credential_id, keep_fields, &reissue, &result) &&
		reissue) {
		job_result(operation->job, "change", change_effect_name(CHANGE_REISSUE));
		return operation_reissue(
			operation, credential_id, NULL, &same_holder, keep_fields, error);
	}
	if (result.code == ERROR_NONE &&
		session_open(&session, operation, LIFECYCLE_UPDATE, credential_id, &result))
		update(&session, keep_fields, &result);
	return session_finish(operation, LIFECYCLE_UPDATE,
		session.credential ? session.credential->serial : NULL,
		session.credential ? session.credential->template_name : NULL, &result, error);
}
