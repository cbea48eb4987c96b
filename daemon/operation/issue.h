/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The part of issue that works on the card, apart from finding it. */
#ifndef TESSERA_OPERATION_ISSUE_H
#define TESSERA_OPERATION_ISSUE_H

#include "operation/session.h"
#include "operation/verbs.h"

/*
 * Issues session->card, which is held; sets session->credential. On failure the card is recovered
 * at once if it is still there. Errors: as operation_issue.
 */
bool issue_card(struct session *session, const char *template_name, const struct fields *holder,
	const struct issue_terms *terms, struct error *error);

/*
 * A card that tells no serial and has no CHUID gets a CHUID: its GUID is what it is known by from
 * then on.
 */
bool issue_give_identity(struct operation *operation, struct card *card, struct error *error);
/* The credential that the store has for a card, or a new one that it has not. */
struct credential *issue_find_credential(
	struct services *services, const struct card *card, struct error *error);
/* Finds out whose card it is, and takes one that is the factory's into ownership for the verb. */
bool issue_own(struct operation *operation, struct card *card, struct credential *credential,
	enum lifecycle_verb verb, struct error *error);

#endif
