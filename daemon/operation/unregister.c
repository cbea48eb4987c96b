/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* unregister: a card that nobody holds is given up; it is anybody's again. */
#include "operation/blank.h"
#include "operation/session.h"
#include "operation/verbs.h"

/* A retired card was blanked, unless that was cut off and waits for its next contact. */
static bool check_blank(struct session *session, struct error *error)
{
	struct store *store = session->operation->services->store;
	struct intent *intents = NULL;
	size_t count = 0;

	if (!store_intent_list(store, session->credential->serial, &intents, &count, error))
		return false;
	intents_free(intents, count);
	return count == 0 || error_set(error, ERROR_NO_CARD,
				     "blanking the card %s was interrupted: insert it first",
				     session->credential->serial);
}

static bool save(struct session *session, struct error *error)
{
	struct credential *credential = session->credential;

	if (!store_begin(session->operation->services->store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = session->operation->services->store;
	return store_operator_remove(transaction, credential->id, error) &&
	       store_credential_save(transaction, credential, error) &&
	       store_commit(transaction, error);
}

/* Nothing is left to do but to say so. */
static bool forget(struct session *session, struct error *error)
{
	if (!check_blank(session, error))
		return false;
	credential_forget(session->credential);
	session->credential->state = session->next;
	return save(session, error);
}

static bool blank(struct session *session, struct error *error)
{
	credential_forget(session->credential);
	session->objects_changed = true;
	job_progress(session->operation->job, 10, "blanking the card");
	if (blank_card(session->operation, session->card, session->credential, LIFECYCLE_UNREGISTER,
		    error))
		return true;
	session_recover(session);
	return false;
}

static bool unregister(struct session *session, struct error *error)
{
	if (session->credential->state == LIFECYCLE_RETIRED)
		return forget(session, error);
	return session_take_card(session, LIFECYCLE_UNREGISTER, error) && blank(session, error);
}

bool operation_unregister(struct operation *operation, int64_t credential_id, struct error *error)
{
	struct session session _cleanup_session_ = SESSION_INIT;
	struct error result _cleanup_error_ = ERROR_INIT;

	if (session_open(&session, operation, LIFECYCLE_UNREGISTER, credential_id, &result))
		unregister(&session, &result);
	return session_finish(operation, LIFECYCLE_UNREGISTER,
		session.credential ? session.credential->serial : NULL, NULL, &result, error);
}
