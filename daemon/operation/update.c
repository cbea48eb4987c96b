/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* update: an issued card comes to the newest version of its template, as far as that needs no new
 * keys. */
#include <time.h>

#include "common/alloc.h"
#include "model/template-change.h"
#include "operation/identity.h"
#include "operation/ownership.h"
#include "operation/session.h"
#include "operation/template-rules.h"
#include "operation/types.h"
#include "operation/verbs.h"

/* The way from the version that the card has to the newest one. */
struct way {
	struct template *present, *newest;
	struct template_changes changes;
};

static void way_clear(struct way *way)
{
	template_free(way->present);
	template_free(way->newest);
	template_changes_clear(&way->changes);
}

static bool find_way(struct services *services, const struct credential *credential,
	struct way *way, struct error *error)
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
	return true;
}

/* Whether the whole is beyond an update, so that the caller's consent to a reissue counts. */
static bool needs_reissue(
	struct services *services, int64_t credential_id, bool *needed, struct error *error)
{
	struct credential *credential _cleanup_credential_ =
		store_credential_by_id(services->store, credential_id, error);
	struct way way _cleanup_(way_clear) = {0};

	if (!credential || !find_way(services, credential, &way, error))
		return false;
	*needed = template_changes_effect(&way.changes) == CHANGE_REISSUE;
	return true;
}

static bool refuse_reissue(const struct credential *credential,
	const struct template_changes *changes, struct error *error)
{
	const char *path = "";

	for (size_t i = changes->count; i-- > 0;) {
		if (changes->items[i].effect == CHANGE_REISSUE)
			path = changes->items[i].path;
	}
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

static bool write_identity(
	struct session *session, const struct template *template, struct error *error)
{
	struct services *services = session->operation->services;
	const struct credential *credential = session->credential;
	struct certificates certificates _cleanup_certificates_ = CERTIFICATES_INIT;
	struct fields fields _cleanup_fields_ = FIELDS_INIT;
	struct fasc_n fasc_n;

	fields_copy(&fields, &credential->holder);
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
static bool update(struct session *session, struct error *error)
{
	struct services *services = session->operation->services;
	struct way way _cleanup_(way_clear) = {0};

	if (!find_way(services, session->credential, &way, error) ||
		!type_suits_template(services, session->credential->card_type, way.newest, error))
		return false;
	enum change_effect effect = template_changes_effect(&way.changes);
	job_result(session->operation->job, "change",
		way.newest->version == way.present->version ? "nothing"
							    : change_effect_name(effect));
	if (effect == CHANGE_REISSUE)
		return refuse_reissue(session->credential, &way.changes, error);
	if (effect == CHANGE_CARD && !write_identity(session, way.newest, error))
		return false;
	session->credential->template_version = way.newest->version;
	return store_credential_save(services->store, session->credential, error);
}

bool operation_update(
	struct operation *operation, int64_t credential_id, bool may_reissue, struct error *error)
{
	struct session session _cleanup_session_ = SESSION_INIT;
	struct error result _cleanup_error_ = ERROR_INIT;
	struct fields same_holder _cleanup_fields_ = FIELDS_INIT;
	bool reissue = false;

	if (may_reissue && needs_reissue(operation->services, credential_id, &reissue, &result) &&
		reissue) {
		job_result(operation->job, "change", change_effect_name(CHANGE_REISSUE));
		return operation_reissue(operation, credential_id, NULL, &same_holder, error);
	}
	if (result.code == ERROR_NONE &&
		session_open(&session, operation, LIFECYCLE_UPDATE, credential_id, &result))
		update(&session, &result);
	return session_finish(operation, LIFECYCLE_UPDATE,
		session.credential ? session.credential->serial : NULL,
		session.credential ? session.credential->template_name : NULL, &result, error);
}
