/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* renew: a card's certificates end later, its PIN and what it is stay. */
#include "operation/agent-card.h"
#include "operation/card-key.h"
#include "operation/card-renew.h"
#include "operation/session.h"
#include "operation/template-rules.h"
#include "operation/verbs.h"

static bool is_about_pin(const struct error *failure)
{
	return failure->code == ERROR_PIN_WRONG || failure->code == ERROR_PIN_BLOCKED;
}

static bool renew(struct session *session, const struct card_renewal *request, struct error *error)
{
	session->objects_changed = true;
	if (card_renew(session->operation, session->card, session->credential, request, error))
		return true;
	if (is_about_pin(error))
		card_key_note_pin(session->operation->services->contacts, session->reader, error);
	else
		session_recover(session);
	return false;
}

/* By the card's version of its template, as the renewal is. */
static bool agent_is_ready(
	struct session *session, const struct card_renewal *request, struct error *error)
{
	struct template *template _cleanup_template_ =
		card_template(session->operation->services, session->credential, NULL);

	return !template || agent_card_ready(session->operation, template, request->slot,
				    session->credential->serial, error);
}

bool operation_renew(struct operation *operation, int64_t credential_id,
	const struct card_renewal *request, struct error *error)
{
	struct session session _cleanup_session_ = SESSION_INIT;
	struct error result _cleanup_error_ = ERROR_INIT;

	if (session_open(&session, operation, LIFECYCLE_RENEW, credential_id, &result) &&
		agent_is_ready(&session, request, &result) &&
		session_take_card(&session, LIFECYCLE_RENEW, &result))
		renew(&session, request, &result);
	return session_finish(operation, LIFECYCLE_RENEW,
		session.credential ? session.credential->serial : NULL,
		request->new_key ? "with new keys" : NULL, &result, error);
}
