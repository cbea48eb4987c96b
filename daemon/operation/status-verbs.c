/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* suspend, resume, revoke: changes of state and certificates for which the card need not be there.
 */
#include <string.h>

#include "common/alloc.h"
#include "operation/certificates.h"
#include "operation/session.h"
#include "operation/verbs.h"

static bool change_certificates(struct session *session, enum lifecycle_verb verb,
	const char *reason, struct certificates *changed, struct error *error)
{
	struct services *services = session->operation->services;
	int64_t id = session->credential->id;

	if (verb == LIFECYCLE_SUSPEND)
		return certificates_hold(services, id, changed, error);
	if (verb == LIFECYCLE_RESUME)
		return certificates_resume(services, id, changed, error);
	return certificates_revoke(
		services, id, INT64_MAX, revocation_reason_find(reason), changed, error);
}

/* Certificates and state change together or not at all. */
static bool save(struct session *session, enum lifecycle_verb verb, const char *reason,
	struct certificates *changed, struct error *error)
{
	struct store *store = session->operation->services->store;
	struct credential *credential = session->credential;

	credential->state = session->next;
	free(credential->reason);
	credential->reason = xstrdup(reason);
	if (!store_begin(store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = store;
	return change_certificates(session, verb, reason, changed, error) &&
	       store_credential_save(transaction, credential, error) &&
	       store_commit(transaction, error);
}

static bool run(struct operation *operation, enum lifecycle_verb verb, int64_t credential_id,
	const char *reason, struct error *error)
{
	struct session session _cleanup_session_ = SESSION_INIT;
	struct certificates changed _cleanup_certificates_ = CERTIFICATES_INIT;
	struct error result _cleanup_error_ = ERROR_INIT;

	if (session_open(&session, operation, verb, credential_id, &result) &&
		save(&session, verb, reason, &changed, &result))
		certificates_tell(operation->services, &changed, &result);
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

/* What an operator may say of a card; the others of RFC 5280 are holds or are about authorities. */
static const char *const revocation_reasons[] = {"unspecified", "keyCompromise",
	"affiliationChanged", "superseded", "cessationOfOperation", "privilegeWithdrawn"};

static const char *check_reason(const char *reason, struct error *error)
{
	const struct revocation_reason *found = revocation_reason_find(reason);

	for (size_t i = 0; found && i < ARRAY_SIZE(revocation_reasons); i++) {
		if (strcmp(revocation_reasons[i], found->name) == 0)
			return found->name;
	}
	error_set_field(error, ERROR_INVALID_ARGUMENT, "reason",
		"\"%s\" is no reason for revoking; use one of unspecified, keyCompromise, "
		"affiliationChanged, superseded, cessationOfOperation, privilegeWithdrawn",
		reason);
	return NULL;
}

/* A wrong reason is a failed verb like any other, and recorded with its card. */
static bool refuse_reason(struct operation *operation, int64_t credential_id, struct error *result,
	struct error *error)
{
	_cleanup_credential_ struct credential *credential =
		store_credential_by_id(operation->services->store, credential_id, NULL);

	return session_finish(operation, LIFECYCLE_REVOKE, credential ? credential->serial : NULL,
		NULL, result, error);
}

bool operation_revoke(
	struct operation *operation, int64_t credential_id, const char *reason, struct error *error)
{
	struct error result _cleanup_error_ = ERROR_INIT;
	const char *found = check_reason(reason, &result);

	return found ? run(operation, LIFECYCLE_REVOKE, credential_id, found, error)
		     : refuse_reason(operation, credential_id, &result, error);
}
