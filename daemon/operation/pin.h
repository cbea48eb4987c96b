/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PIN work that several verbs share. The card is held by the caller. */
#ifndef TESSERA_OPERATION_PIN_H
#define TESSERA_OPERATION_PIN_H

#include "card/card.h"
#include "operation/pin-rules.h"
#include "operation/session.h"

/* The step of the intent around a PIN that is set. */
#define INTENT_PIN "pin"

/* A PIN that is about to be set on a session's card. */
struct pin_change {
	struct session *session;
	const struct secret *present; /* the PIN that the holder gives as the old one; or NULL */
	struct pin_rules rules;
	struct pin_record record;
	struct intent intent;
};
#define PIN_CHANGE_INIT                                                                            \
	{                                                                                          \
		0                                                                                  \
	}
#define _cleanup_pin_change_ _cleanup_(pin_change_clear)
void pin_change_clear(struct pin_change *change);

/*
 * Loads the rules and judges the PIN by them; one that is unset is made by them and given back
 * (pin-rules.h). Then the intent and the record of the PIN are on disk: the card may be told.
 */
bool pin_change_begin(struct pin_change *change, struct session *session, enum lifecycle_verb verb,
	struct secret *pin, struct error *error);
/* The card has the PIN: saves the credential in its next state, and ends the intent. */
bool pin_change_settle(struct pin_change *change, struct error *error);
/* The card has refused: nothing has changed, and the intent ends. */
bool pin_change_drop(struct pin_change *change, struct error *error);

/*
 * A PIN that was about to be set is set or not; both are whole states, and its record stays
 * pending. Only a first PIN, which nobody may know, is taken back: the card waits for its
 * activation again.
 */
bool pin_recover(struct services *services, struct card *card, const struct intent *intent,
	struct credential *credential, struct error *error);

/* Sets the PIN by the card's derived PUK, whatever the PIN was. ERROR_PUK_BLOCKED. */
bool pin_set_by_puk(struct services *services, struct card *card, uint32_t key_version,
	const struct secret *pin, struct error *error);

/* A random PIN of the longest length the card takes, digits: for the time of issuing, never stored.
 */
bool pin_random(const struct card *card, struct secret *pin, struct error *error);

/*
 * The verbs activate and unblock, which differ only in the states they lead from and to: checks
 * (or makes, when it is unset) the PIN, writes the intent, sets the PIN by the PUK, saves the
 * credential's new state.
 */
bool pin_verb(struct operation *operation, enum lifecycle_verb verb, int64_t credential_id,
	struct secret *pin, struct error *error);

#endif
