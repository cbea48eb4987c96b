/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* replace: a new card for the holder of another one. */
#include "operation/replace.h"

#include "common/alloc.h"
#include "operation/certificates.h"
#include "operation/contact.h"
#include "operation/people.h"
#include "operation/session.h"
#include "operation/verbs.h"

/* A card that was reported keeps what was said of it; another one is superseded. */
static const struct revocation_reason *final_reason(struct credential *old)
{
	const char *reported = lifecycle_report_final_reason(old->reason);
	const char *superseded = lifecycle_rule(LIFECYCLE_REPLACE)->reason;

	if (!reported) {
		free(old->reason);
		old->reason = xstrdup(superseded);
	}
	return revocation_reason_find(reported ? reported : superseded);
}

bool replace_settle(struct services *services, const struct credential *credential,
	struct certificates *changed, struct error *error)
{
	struct credential *old _cleanup_credential_ =
		credential->replaces
			? store_credential_by_id(services->store, credential->replaces, error)
			: NULL;

	if (!old)
		return !credential->replaces;
	if (old->replaced_by == credential->id)
		return true;
	old->replaced_by = credential->id;
	return lifecycle_check(old->state, LIFECYCLE_REPLACE, &old->state, error) &&
	       operators_move(services, old->id, credential->id, error) &&
	       certificates_revoke(
		       services, old->id, INT64_MAX, final_reason(old), changed, error) &&
	       store_credential_save(services->store, old, error);
}

/* Roles are the card's; its successor has the same. The system owner's are given otherwise. */
static bool read_operator(struct services *services, int64_t credential_id,
	struct operator_record *record, bool *is_operator, struct error *error)
{
	struct error lookup _cleanup_error_ = ERROR_INIT;

	*is_operator = store_operator_get(services->store, credential_id, record, &lookup);
	if (!*is_operator)
		return lookup.code == ERROR_NOT_FOUND || error_move(error, &lookup);
	return !operator_has_role(record, ROLE_SYSTEM_OWNER) ||
	       error_set(error, ERROR_NOT_SUPPORTED,
		       "a system owner's card is not replaced: add another owner, then retire or "
		       "report this one");
}

/* The card cannot take its own place; this one is claimed by the verb itself. */
static bool check_reader(const struct session *session, unsigned reader, struct error *error)
{
	const struct credential *old = session->credential;

	return contacts_find(session->operation->services->contacts, old->id) != reader ||
	       error_set_field(error, ERROR_INVALID_ARGUMENT, "reader",
		       "reader %u holds the card %s itself: put the new card into a reader", reader,
		       old->serial);
}

/* Before any card is touched: the same person, as the directory has them now. */
static bool find_holder(struct session *session, bool keep_fields, struct person_holder *holder,
	struct error *error)
{
	static const struct fields none = FIELDS_INIT;
	struct services *services = session->operation->services;
	const struct credential *old = session->credential;
	struct template *template _cleanup_template_ =
		store_template_get(services->store, old->template_name, 0, error);

	return template &&
	       people_refresh_holder(services, template, old, &none, keep_fields, holder, error);
}

static bool replace(struct session *session, unsigned reader, int64_t expires_at, bool keep_fields,
	struct secret *pin, struct error *error)
{
	struct person_holder holder _cleanup_person_holder_ = {0};
	struct operator_record record _cleanup_operator_ = OPERATOR_INIT;
	const struct credential *old = session->credential;
	const struct issue_terms terms = {.expires_at = expires_at,
		.replaces = old->id,
		.user_id = old->user_id,
		.link = &holder.link};
	bool is_operator;

	if (!check_reader(session, reader, error) ||
		!find_holder(session, keep_fields, &holder, error) ||
		!read_operator(session->operation->services, old->id, &record, &is_operator, error))
		return false;
	const struct operator_change change = {.roles = record.roles,
		.role_count = record.role_count,
		.active = record.active,
		.custodian = record.sealed.length > 0};
	return operation_issue_and_initiate(session->operation, reader, old->template_name,
		&holder.fields, is_operator ? &change : NULL, &terms, pin, error);
}

bool operation_replace(struct operation *operation, int64_t credential_id, unsigned reader,
	int64_t expires_at, bool keep_fields, struct secret *pin, struct error *error)
{
	struct session session _cleanup_session_ = SESSION_INIT;
	struct error result _cleanup_error_ = ERROR_INIT;

	if (session_open(&session, operation, LIFECYCLE_REPLACE, credential_id, &result))
		replace(&session, reader, expires_at, keep_fields, pin, &result);
	return session_finish(operation, LIFECYCLE_REPLACE,
		session.credential ? session.credential->serial : NULL, NULL, &result, error);
}
