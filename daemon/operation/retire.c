/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* retire: certificates revoked, the card blanked, its factory secrets restored. */
#include "common/alloc.h"
#include "operation/blank.h"
#include "operation/certificates.h"
#include "operation/session.h"
#include "operation/slot-keys.h"
#include "operation/template-rules.h"
#include "operation/verbs.h"

static bool save(struct session *session, const char *reason, struct certificates *changed,
	struct error *error)
{
	struct services *services = session->operation->services;
	struct credential *credential = session->credential;

	free(credential->reason);
	credential->reason = xstrdup(reason);
	if (!store_begin(services->store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = services->store;
	return (!template_rules_retire_revokes(services, credential) ||
		       certificates_revoke(services, credential->id, INT64_MAX,
			       revocation_reason_find("cessationOfOperation"), changed, error)) &&
	       store_credential_save(transaction, credential, error) &&
	       store_commit(transaction, error);
}

/* Certificates first: whatever happens to the card, they are worth nothing any more. */
static bool revoke_all(struct session *session, const char *reason, struct error *error)
{
	struct certificates changed _cleanup_certificates_ = CERTIFICATES_INIT;

	return save(session, reason, &changed, error) &&
	       certificates_tell(session->operation->services, &changed, error);
}

static bool retire(struct session *session, const char *reason, struct error *error)
{
	struct operation *operation = session->operation;

	job_progress(operation->job, 10, "revoking certificates");
	if (!revoke_all(session, reason, error))
		return false;
	job_progress(operation->job, 50, "blanking the card");
	session->objects_changed = true;
	if (blank_card(operation, session->card, session->credential, LIFECYCLE_RETIRE, error))
		return true;
	session_recover(session);
	return false;
}

static bool is_key(struct services *services, int64_t credential_id)
{
	_cleanup_credential_ struct credential *credential =
		store_credential_by_id(services->store, credential_id, NULL);

	return credential && credential_is_key(credential);
}

bool operation_retire(
	struct operation *operation, int64_t credential_id, const char *reason, struct error *error)
{
	struct session session _cleanup_session_ = SESSION_INIT;
	struct error result _cleanup_error_ = ERROR_INIT;
	const struct slot_retirement of_key = {.reason = reason};

	if (is_key(operation->services, credential_id))
		return operation_slot_retire(operation, credential_id, &of_key, error);
	if (session_open(&session, operation, LIFECYCLE_RETIRE, credential_id, &result) &&
		session_take_card(&session, LIFECYCLE_RETIRE, &result))
		retire(&session, reason, &result);
	return session_finish(operation, LIFECYCLE_RETIRE,
		session.credential ? session.credential->serial : NULL, reason, &result, error);
}
