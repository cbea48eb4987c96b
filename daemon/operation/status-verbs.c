/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* suspend, resume, revoke, report, expire: changes of state and certificates for which the card
 * need not be there. The lifecycle's table says what each does. */
#include <string.h>

#include "common/alloc.h"
#include "operation/certificates.h"
#include "operation/report.h"
#include "operation/session.h"
#include "operation/verbs.h"

/* reason: of the credential, and of its certificates where the table has none. */
static bool change_certificates(struct session *session, const struct lifecycle_rule *rule,
	const char *reason, struct certificates *changed, struct error *error)
{
	struct services *services = session->operation->services;
	int64_t id = session->credential->id;

	if (rule->certificates == CERTIFICATES_HELD)
		return certificates_hold(services, id, changed, error);
	if (rule->certificates == CERTIFICATES_RESUMED)
		return certificates_resume(services, id, changed, error);
	return certificates_revoke(services, id, INT64_MAX,
		revocation_reason_find(rule->reason ? rule->reason : reason), changed, error);
}

/* What the card itself has to suffer waits until it is there; a key in an HSM slot has no PIN, and
 * its state is asked for at each use. */
static bool save_intent(
	struct session *session, const struct lifecycle_rule *rule, struct error *error)
{
	const struct credential *credential = session->credential;
	struct intent intent _cleanup_intent_ = {.serial = xstrdup(credential->serial),
		.operation = xstrdup(rule->name),
		.step = xstrdup(INTENT_BLOCK_PIN),
		.old_version = credential->key_version,
		.new_version = credential->key_version};

	return rule->pin != PIN_EFFECT_BLOCKED || credential_is_key(credential) ||
	       store_intent_add(session->operation->services->store, &intent, error);
}

/* Certificates and state change together or not at all. */
static bool save(struct session *session, const struct lifecycle_rule *rule, const char *reason,
	struct certificates *changed, struct error *error)
{
	struct store *store = session->operation->services->store;
	struct credential *credential = session->credential;

	credential_set_state(credential, session->next);
	free(credential->reason);
	credential->reason = xstrdup(reason);
	if (!store_begin(store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = store;
	return change_certificates(session, rule, reason, changed, error) &&
	       save_intent(session, rule, error) &&
	       store_credential_save(transaction, credential, error) &&
	       store_commit(transaction, error);
}

/* untold: takes the certificates that the authorities are to be told of later; NULL: now. */
static bool run_untold(struct operation *operation, enum lifecycle_verb verb, int64_t credential_id,
	const char *reason, struct certificates *untold, struct error *error)
{
	const struct lifecycle_rule *rule = lifecycle_rule(verb);
	struct session session _cleanup_session_ = SESSION_INIT;
	struct certificates changed _cleanup_certificates_ = CERTIFICATES_INIT;
	struct error result _cleanup_error_ = ERROR_INIT;

	if (session_open(&session, operation, verb, credential_id, &result) &&
		save(&session, rule, reason, &changed, &result)) {
		if (!untold)
			certificates_tell(operation->services, &changed, &result);
		for (size_t i = 0; untold && i < changed.count; i++)
			certificates_take(untold, &changed.items[i]);
		if (rule->pin == PIN_EFFECT_BLOCKED)
			session_touch_card(&session);
	}
	return session_finish(operation, verb,
		session.credential ? session.credential->serial : NULL, reason, &result, error);
}

static bool run(struct operation *operation, enum lifecycle_verb verb, int64_t credential_id,
	const char *reason, struct error *error)
{
	return run_untold(operation, verb, credential_id, reason, NULL, error);
}

/* By these reasons it is known what tesserad itself has suspended (operation/people-watch.h). */
static bool refuse_our_reason(
	struct operation *operation, int64_t credential_id, const char *reason, struct error *error)
{
	struct error result _cleanup_error_ = ERROR_INIT;
	_cleanup_credential_ struct credential *credential =
		store_credential_by_id(operation->services->store, credential_id, NULL);

	error_set_field(&result, ERROR_INVALID_ARGUMENT, "reason",
		"\"%s\" is the reason of cards that tesserad suspends by itself: give another one",
		reason);
	return session_finish(operation, LIFECYCLE_SUSPEND, credential ? credential->serial : NULL,
		NULL, &result, error);
}

bool operation_suspend(
	struct operation *operation, int64_t credential_id, const char *reason, struct error *error)
{
	if (person_reason_is_ours(reason) && operation->actor != &audit_daemon)
		return refuse_our_reason(operation, credential_id, reason, error);
	return run(operation, LIFECYCLE_SUSPEND, credential_id, reason, error);
}

bool operation_resume(struct operation *operation, int64_t credential_id, struct error *error)
{
	return run(operation, LIFECYCLE_RESUME, credential_id, NULL, error);
}

bool operation_report(
	struct operation *operation, int64_t credential_id, const char *kind, struct error *error)
{
	enum lifecycle_verb verb = lifecycle_report_from_name(kind);

	if (verb == LIFECYCLE_VERB_COUNT)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "kind",
			"a card is reported lost, stolen, damaged or compromised, not \"%.64s\"",
			kind);
	return run(operation, verb, credential_id, kind, error);
}

bool operation_expire(struct operation *operation, int64_t credential_id, struct error *error)
{
	return run(operation, LIFECYCLE_EXPIRE, credential_id, "end date", error);
}

/* What an operator may say of a card; the others of RFC 5280 are holds or are about authorities. */
static const char *const revocation_reasons[] = {"unspecified", "keyCompromise",
	"affiliationChanged", "superseded", "cessationOfOperation", "privilegeWithdrawn"};

const char *operation_check_reason(const char *reason, struct error *error)
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
	const char *found = operation_check_reason(reason, &result);

	return found ? run(operation, LIFECYCLE_REVOKE, credential_id, found, error)
		     : refuse_reason(operation, credential_id, &result, error);
}

bool operation_revoke_untold(struct operation *operation, int64_t credential_id, const char *reason,
	struct certificates *untold, struct error *error)
{
	return run_untold(operation, LIFECYCLE_REVOKE, credential_id, reason, untold, error);
}
