/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* renew: a key in an HSM slot gets another certificate, or another key takes its place. */
#include "common/alloc.h"
#include "operation/agent-card.h"
#include "operation/slot-keys.h"

/* While the authority is asked nobody shall find two keys of one label. */
static char *temporary_label(const struct hsm_key *key)
{
	return xasprintf("%s (new)", key->label);
}

static bool renew(struct session *session, struct hsm *hsm, struct hsm_key *key,
	const struct slot_renewal *request, struct error *error)
{
	struct services *services = session->operation->services;
	struct slot_key_plan plan _cleanup_(slot_key_plan_clear) = {0};
	_cleanup_free_ char *label = request->new_key ? temporary_label(key) : NULL;

	if (key->old_id.length > 0)
		return error_set(error, ERROR_TOKEN_FAILED,
			"the key that was renewed last is not destroyed yet; see the log");
	if (!agent_card_ready_by_name(
		    session->operation, session->credential->template_name, NULL, error))
		return false;
	/* One that is pending is given up for this one, as a card's is by its reissue. */
	if (key->step == HSM_KEY_RENEW &&
		!slot_key_undo(services, hsm, key, session->credential, NULL, error))
		return false;
	key->step = HSM_KEY_RENEW;
	if (!slot_key_plan_make(services, session->credential->template_name, session->credential,
		    &plan, error) ||
		(request->new_key && !slot_key_random_id(&key->new_id, error)) ||
		!slot_key_begin(services, key, session->credential, error))
		return false;
	if (slot_key_certify(
		    session->operation, hsm, key, session->credential, &plan, label, error))
		return true;
	slot_key_take_back(services, hsm, session->credential->id);
	return false;
}

bool operation_slot_renew(
	struct operation *operation, const struct slot_renewal *request, struct error *error)
{
	struct slot_access access _cleanup_slot_access_ = SLOT_ACCESS_INIT;
	struct session session _cleanup_session_ = SESSION_INIT;
	struct error result _cleanup_error_ = ERROR_INIT;
	_cleanup_hsm_key_ struct hsm_key key = HSM_KEY_INIT;
	_cleanup_free_ char *detail = xasprintf("key \"%s\" of slot %s%s", request->label,
		request->slot, request->new_key ? ", a new key" : "");

	if (slot_access_open(&access, operation->services, request->slot, request->pin, &result) &&
		slot_key_find(operation->services, request->slot, request->label, &key, &result) &&
		session_open(&session, operation, LIFECYCLE_RENEW, key.credential_id, &result) &&
		renew(&session, access.hsm, &key, request, &result))
		slot_key_tell_result(&session);
	return session_finish(operation, LIFECYCLE_RENEW,
		session.credential ? session.credential->serial : NULL, detail, &result, error);
}
