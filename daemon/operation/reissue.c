/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reissue: new keys and certificates on a card that is ours; the old ones are superseded. */
#include "model/holder.h"
#include "operation/ownership.h"
#include "operation/people.h"
#include "operation/personalise.h"
#include "operation/session.h"
#include "operation/verbs.h"

/*
 * Whoever issued the card to themselves stays its holder: the template that says so and the fields
 * of the user database change together with who may activate it, by another issuance.
 */
static bool check_issuer(const struct credential *credential, const struct template *template,
	const struct fields *holder, struct error *error)
{
	if ((template->issue.by == ISSUE_BY_USER) != (credential->user_id != NULL))
		return error_set(error, ERROR_NOT_SUPPORTED,
			credential->user_id
				? "a user has issued this card, and cards of the template \"%s\" "
				  "are issued by operators: retire it and issue it"
				: "cards of the template \"%s\" are issued by users, to "
				  "themselves: retire this card, and let the user issue it",
			template->name);
	return !credential->user_id || holder->count == 0 ||
	       error_set_field(error, ERROR_INVALID_ARGUMENT, holder->items[0].name,
		       "the holder of this card is the user who issued it: no fields are given");
}

/* Before the card is touched: who it is for. */
static bool find_holder(struct session *session, const char *template_name,
	const struct fields *given, bool keep_fields, struct person_holder *holder,
	struct error *error)
{
	struct services *services = session->operation->services;
	const struct credential *credential = session->credential;
	struct template *template _cleanup_template_ = store_template_get(services->store,
		template_name ? template_name : credential->template_name, 0, error);

	return template && holder_check(given, error) &&
	       check_issuer(credential, template, given, error) &&
	       people_refresh_holder(
		       services, template, credential, given, keep_fields, holder, error);
}

static bool reissue(struct session *session, const char *template_name,
	const struct person_holder *holder, struct error *error)
{
	struct operation *operation = session->operation;
	struct credential *credential = session->credential;
	struct personalisation preparation _cleanup_(personalisation_clear) = {0};

	fields_copy(&credential->holder, &holder->fields);
	person_link_copy(&credential->person, &holder->link);
	if (!personalise_prepare(operation->services, session->card, credential,
		    template_name ? template_name : credential->template_name, &preparation,
		    error) ||
		!ownership_authenticate(
			operation->services, session->card, credential->key_version, error))
		return false;
	session->objects_changed = true;
	if (personalise_card(operation, session->card, credential, &preparation, error))
		return true;
	session_recover(session);
	return false;
}

bool operation_reissue(struct operation *operation, int64_t credential_id,
	const char *template_name, const struct fields *given, bool keep_fields,
	struct error *error)
{
	struct person_holder holder _cleanup_person_holder_ = {0};
	struct session session _cleanup_session_ = SESSION_INIT;
	struct error result _cleanup_error_ = ERROR_INIT;

	if (session_open(&session, operation, LIFECYCLE_REISSUE, credential_id, &result) &&
		find_holder(&session, template_name, given, keep_fields, &holder, &result) &&
		session_take_card(&session, LIFECYCLE_REISSUE, &result))
		reissue(&session, template_name, &holder, &result);
	return session_finish(operation, LIFECYCLE_REISSUE,
		session.credential ? session.credential->serial : NULL, template_name, &result,
		error);
}
