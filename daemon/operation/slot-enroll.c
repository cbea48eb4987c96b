/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* enroll: a key in an HSM slot gets a holder, a certificate, and a credential of its own. */
#include <string.h>

#include "common/alloc.h"
#include "model/card-type.h"
#include "model/holder.h"
#include "operation/agent-card.h"
#include "operation/contact.h"
#include "operation/slot-keys.h"

static bool check_label(const char *label, struct error *error)
{
	size_t length = strlen(label);

	for (const char *c = label; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7F)
			length = 0;
	}
	return (length >= 1 && length <= HSM_KEY_LABEL_MAX) ||
	       error_set_field(error, ERROR_INVALID_ARGUMENT, "label",
		       "a key's label has 1 to %d bytes, and no control characters",
		       HSM_KEY_LABEL_MAX);
}

static bool label_is_free(
	struct services *services, const struct slot_enrollment *request, struct error *error)
{
	struct error missing _cleanup_error_ = ERROR_INIT;
	_cleanup_hsm_key_ struct hsm_key key = HSM_KEY_INIT;

	if (slot_key_find(services, request->slot, request->label, &key, &missing))
		return error_set_field(error, ERROR_EXISTS, "label",
			"the slot \"%s\" has an enrolled key \"%s\" already: renew or retire it",
			request->slot, request->label);
	return missing.code == ERROR_NOT_FOUND || error_move(error, &missing);
}

/* The CKA_ID of the key that is there, or of one to be made. */
static bool choose_id(struct hsm *hsm, const struct slot_enrollment *request, struct buffer *id,
	struct error *error)
{
	if (request->existing_key)
		return hsm_pair_find(hsm, request->label, id, error);
	if (hsm_pair_label_is_taken(hsm, request->label))
		return error_set_field(error, ERROR_EXISTS, "label",
			"the token has a key or certificate with the label \"%s\" already: choose "
			"another one, or enroll the existing key",
			request->label);
	return slot_key_random_id(id, error);
}

/* That of a key that was enrolled before: of the slot, not of another one with such a CKA_ID. */
static bool find_before(struct services *services, const char *slot, const struct buffer *id,
	int64_t *credential_id, struct error *error)
{
	struct hsm_key *keys;
	size_t count;

	*credential_id = 0;
	if (!store_hsm_key_list(services->store, slot, &keys, &count, error))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (keys[i].id.length == id->length &&
			memcmp(keys[i].id.data, id->data, id->length) == 0)
			*credential_id = keys[i].credential_id;
	}
	hsm_keys_free(keys, count);
	return true;
}

/* By the CKA_ID, unless a key of another slot has that. */
static char *choose_serial(struct services *services, const struct buffer *id, struct error *error)
{
	_cleanup_buffer_ struct buffer other = BUFFER_INIT;
	_cleanup_free_ char *serial = hsm_key_serial(id);
	_cleanup_credential_ struct credential *taken =
		store_credential_by_serial(services->store, serial, NULL);

	if (!taken)
		return steal_pointer(&serial);
	return slot_key_random_id(&other, error) ? hsm_key_serial(&other) : NULL;
}

/* A key whose credential was retired is enrolled again under the same serial. */
static struct credential *find_credential(struct services *services,
	const struct slot_enrollment *request, const struct buffer *id, struct error *error)
{
	int64_t before = 0;

	if (request->existing_key && !find_before(services, request->slot, id, &before, error))
		return NULL;
	if (before)
		return store_credential_by_id(services->store, before, error);
	char *serial = choose_serial(services, id, error);
	if (!serial)
		return NULL;
	struct credential *credential = xnew(struct credential);
	credential->serial = serial;
	credential->card_type = xstrdup(HSM_KEY_TYPE);
	credential->state = LIFECYCLE_UNREGISTERED;
	return credential;
}

static bool claim(struct session *session, struct error *error)
{
	if (!contacts_claim(
		    session->operation->services->contacts, session->credential->serial, error))
		return false;
	session->claim = xstrdup(session->credential->serial);
	return true;
}

static bool prepare(struct session *session, struct hsm *hsm, const struct slot_enrollment *request,
	struct hsm_key *key, struct slot_key_plan *plan, struct error *error)
{
	struct services *services = session->operation->services;

	if (!label_is_free(services, request, error) || !choose_id(hsm, request, &key->id, error))
		return false;
	session->credential = find_credential(services, request, &key->id, error);
	if (!session->credential ||
		!credential_check(session->credential, LIFECYCLE_ENROLL, &session->next, error) ||
		!claim(session, error))
		return false;
	credential_forget(session->credential);
	session->credential->expires_at = request->expires_at;
	fields_copy(&session->credential->holder, request->holder);
	return slot_key_plan_make(
		services, request->template_name, session->credential, plan, error);
}

static bool enroll(struct session *session, struct hsm *hsm, const struct slot_enrollment *request,
	struct error *error)
{
	struct services *services = session->operation->services;
	struct slot_key_plan plan _cleanup_(slot_key_plan_clear) = {0};
	_cleanup_hsm_key_ struct hsm_key key = {.slot = xstrdup(request->slot),
		.label = xstrdup(request->label),
		.was_there = request->existing_key,
		.step = HSM_KEY_ENROLL};

	if (!prepare(session, hsm, request, &key, &plan, error) ||
		!agent_card_ready(session->operation, plan.template, KEY_SLOT_NONE, NULL, error))
		return false;
	session->credential->state = LIFECYCLE_REGISTERED;
	session->credential->template_name = xstrdup(plan.template->name);
	session->credential->template_version = plan.template->version;
	if (!slot_key_begin(services, &key, session->credential, error))
		return false;
	slot_keys_changed(services->slots, session->credential->id);
	if (slot_key_certify(session->operation, hsm, &key, session->credential, &plan,
		    request->existing_key ? NULL : request->label, error))
		return true;
	slot_key_take_back(services, hsm, session->credential->id);
	return false;
}

/* Two enrollments of one label would both find it free. */
static bool enroll_label(struct session *session, struct slot_access *access,
	const struct slot_enrollment *request, struct error *error)
{
	struct contacts *contacts = session->operation->services->contacts;
	_cleanup_free_ char *label = xasprintf("key %s of slot %s", request->label, request->slot);

	if (!contacts_claim(contacts, label, error))
		return false;
	bool done = enroll(session, access->hsm, request, error);
	contacts_release(contacts, label);
	return done;
}

bool operation_slot_enroll(
	struct operation *operation, const struct slot_enrollment *request, struct error *error)
{
	struct slot_access access _cleanup_slot_access_ = SLOT_ACCESS_INIT;
	struct session session _cleanup_session_ = {.operation = operation};
	struct error result _cleanup_error_ = ERROR_INIT;
	_cleanup_free_ char *detail = xasprintf(
		"%s, key \"%s\" of slot %s", request->template_name, request->label, request->slot);

	if (check_label(request->label, &result) && holder_check(request->holder, &result) &&
		slot_access_open(
			&access, operation->services, request->slot, request->pin, &result) &&
		enroll_label(&session, &access, request, &result))
		slot_key_tell_result(&session);
	return session_finish(operation, LIFECYCLE_ENROLL,
		session.credential ? session.credential->serial : NULL, detail, &result, error);
}
