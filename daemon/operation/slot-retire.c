/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* retire, of a key in an HSM slot: certificates revoked, key and certificate destroyed. */
#include "common/alloc.h"
#include "operation/certificates.h"
#include "operation/slot-keys.h"
#include "operation/template-rules.h"

static bool save(struct session *session, struct hsm_key *key, const char *reason,
	struct certificates *changed, struct error *error)
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
	       store_hsm_key_save(transaction, key, error) && store_commit(transaction, error);
}

/* Certificates first: whatever happens to the key, they are worth nothing any more. */
static bool retire(struct session *session, struct hsm *hsm, struct hsm_key *key,
	const struct slot_retirement *request, struct error *error)
{
	struct operation *operation = session->operation;
	struct certificates changed _cleanup_certificates_ = CERTIFICATES_INIT;

	job_progress(operation->job, 10, "revoking certificates");
	key->step = request->keep_key ? HSM_KEY_SETTLED : HSM_KEY_RETIRE;
	if (!save(session, key, request->reason, &changed, error) ||
		!certificates_tell(operation->services, &changed, error))
		return false;
	job_progress(operation->job, 50, "destroying the key");
	return slot_key_end(operation->services, request->keep_key ? NULL : hsm, key,
		session->credential, error);
}

/* A key that stays in the token needs no token. */
static bool open_slot(struct slot_access *access, struct services *services, int64_t credential_id,
	const struct slot_retirement *request, struct error *error)
{
	_cleanup_hsm_key_ struct hsm_key key = HSM_KEY_INIT;

	return request->keep_key ||
	       (store_hsm_key_get(services->store, credential_id, &key, error) &&
		       slot_access_open(access, services, key.slot, request->pin, error));
}

bool operation_slot_retire(struct operation *operation, int64_t credential_id,
	const struct slot_retirement *request, struct error *error)
{
	struct slot_access access _cleanup_slot_access_ = SLOT_ACCESS_INIT;
	struct session session _cleanup_session_ = SESSION_INIT;
	struct error result _cleanup_error_ = ERROR_INIT;
	_cleanup_hsm_key_ struct hsm_key key = HSM_KEY_INIT;

	/* Read after the tidying that opening the slot does. */
	if (open_slot(&access, operation->services, credential_id, request, &result) &&
		session_open(&session, operation, LIFECYCLE_RETIRE, credential_id, &result) &&
		store_hsm_key_get(operation->services->store, credential_id, &key, &result))
		retire(&session, access.hsm, &key, request, &result);
	return session_finish(operation, LIFECYCLE_RETIRE,
		session.credential ? session.credential->serial : NULL, request->reason, &result,
		error);
}
