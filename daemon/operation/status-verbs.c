/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* suspend, resume, revoke: changes of state and certificates for which the card need not be there.
 */
#include "common/alloc.h"
#include "operation/certificates.h"
#include "operation/session.h"
#include "operation/verbs.h"

/* Certificates and state change together or not at all. */
static bool change(
	struct session *session, enum lifecycle_verb verb, const char *reason, struct error *error)
{
	struct services *services = session->operation->services;
	struct credential *credential = session->credential;

	if (!store_begin(services->store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = services->store;
	bool changed = verb == LIFECYCLE_SUSPEND
			       ? certificates_hold(services, credential->id, error)
		       : verb == LIFECYCLE_RESUME
			       ? certificates_resume(services, credential->id, error)
			       : certificates_revoke(services, credential->id, INT64_MAX,
					 revocation_reason_find(reason), error);
	if (!changed)
		return false;
	credential->state = session->next;
	free(credential->reason);
	credential->reason = xstrdup(reason);
	return store_credential_save(transaction, credential, error) &&
	       store_commit(transaction, error);
}

static bool run(struct operation *operation, enum lifecycle_verb verb, int64_t credential_id,
	const char *reason, struct error *error)
{
	struct session session _cleanup_session_ = SESSION_INIT;
	struct error result _cleanup_error_ = ERROR_INIT;

	if (session_open(&session, operation, verb, credential_id, &result))
		change(&session, verb, reason, &result);
	return session_finish(operation, verb,
		session.credential ? session.credential->serial : NULL, reason, &result, error);
}

bool operation_suspend(
	struct operation *operation, int64_t credential_id, const char *reason, struct error *error)
{
	return run(operation, LIFECYCLE_SUSPEND, credential_id, reason, error);
}

bool operation_resume(struct operation *operation, int64_t credential_id, struct error *error)
{
	return run(operation, LIFECYCLE_RESUME, credential_id, NULL, error);
}

bool operation_revoke(
	struct operation *operation, int64_t credential_id, const char *reason, struct error *error)
{
	const struct revocation_reason *found = revocation_reason_find(reason);

	if (!found)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "reason",
			"\"%s\" is no reason for revoking; use one of unspecified, keyCompromise, "
			"affiliationChanged, superseded, cessationOfOperation, privilegeWithdrawn",
			reason);
	return run(operation, LIFECYCLE_REVOKE, credential_id, found->name, error);
}
