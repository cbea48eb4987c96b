/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PIN work that several verbs share. The card is held by the caller. */
#ifndef TESSERA_OPERATION_PIN_H
#define TESSERA_OPERATION_PIN_H

#include "card/card.h"
#include "operation/session.h"

/* The step of the intent around a PIN that is set by the PUK. */
#define INTENT_PIN "pin"

/* The PIN against the policy of the credential's template and the card's own limits. */
bool pin_check(struct services *services, const struct credential *credential,
	const struct card *card, const struct secret *pin, struct error *error);

/* Sets the PIN by the card's derived PUK, whatever the PIN was. ERROR_PUK_BLOCKED. */
bool pin_set_by_puk(struct services *services, struct card *card, uint32_t key_version,
	const struct secret *pin, struct error *error);

/* A random PIN of the longest length the card takes, digits: for the time of issuing, never stored.
 */
bool pin_random(const struct card *card, struct secret *pin, struct error *error);

/*
 * The verbs activate and unblock, which differ only in the states they lead from and to: checks
 * the PIN, writes the intent, sets the PIN by the PUK, saves the credential's new state.
 */
bool pin_verb(struct operation *operation, enum lifecycle_verb verb, int64_t credential_id,
	const struct secret *pin, struct error *error);

#endif
