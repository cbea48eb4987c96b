/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* register: a card becomes ours without being issued. */
#include <inttypes.h>
#include <stdio.h>

#include "operation/contact.h"
#include "operation/issue.h"
#include "operation/licence.h"
#include "operation/vault.h"
#include "operation/verbs.h"

static bool register_card(struct session *session, struct error *error)
{
	struct operation *operation = session->operation;
	struct card *card = session->card;

	if (!issue_give_identity(operation, card, error))
		return false;
	session->credential = issue_find_credential(operation->services, card, error);
	if (!session->credential || !lifecycle_check(session->credential->state, LIFECYCLE_REGISTER,
					    &session->next, error))
		return false;
	session->objects_changed = true;
	if (issue_own(operation, card, session->credential, LIFECYCLE_REGISTER, error))
		return true;
	session_recover(session);
	return false;
}

bool operation_register(struct operation *operation, unsigned reader, struct error *error)
{
	struct session session _cleanup_session_ = SESSION_INIT;
	struct error result _cleanup_error_ = ERROR_INIT;
	struct card *card _cleanup_card_ =
		contacts_card(operation->services->contacts, reader, &result);
	const char *serial = card ? card->info.serial : NULL;
	char id[32];

	/* Before the card is taken: one that has no place is not sent anything. */
	if (card && vault_check_open(operation->services, &result) &&
		licence_check_room(operation->services, serial, &result) &&
		session_take_reader(&session, operation, reader, &result) &&
		register_card(&session, &result)) {
		snprintf(id, sizeof(id), "%" PRId64, session.credential->id);
		job_result(operation->job, "serial", session.credential->serial);
		job_result(operation->job, "credential-id", id);
	}
	return session_finish(operation, LIFECYCLE_REGISTER,
		session.card ? session.card->info.serial : serial, NULL, &result, error);
}
