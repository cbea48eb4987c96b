/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The changeover of a card: its management key and PUK become those of the
 * master key's current version, and a PUK that somebody was shown becomes one
 * of the next generation. The card is held by the caller.
 */
#ifndef TESSERA_OPERATION_CHANGEOVER_H
#define TESSERA_OPERATION_CHANGEOVER_H

#include "card/card.h"
#include "operation/services.h"

/* The step of the intent around a changeover. */
#define INTENT_CHANGEOVER "changeover"

/*
 * Changes a card over that is our own, whether that is due or not: with nothing newer to change to
 * only the PUK changes, to its next generation. *credential is saved. A PUK that another program
 * has set is noted as foreign; the rest is done all the same. ERROR_LOCKED, ERROR_CARD_FOREIGN.
 */
bool changeover(struct operation *operation, struct card *card, struct credential *credential,
	struct error *error);

/*
 * At a contact: changes the card over if that is due, writes the audit record, and logs a failure
 * that has left the card as it was. False only when an intent is left that could not be settled.
 */
bool changeover_at_contact(struct services *services, struct card *card, struct error *error);
/* The same for all cards that are in readers and under no other operation. */
void changeover_all_present(struct services *services);

/*
 * Settles an interrupted changeover: the management key is the new one or the old one, the PUK is.
 * With the old management key nothing had happened yet and the intent goes; otherwise it is
 * finished.
 */
bool changeover_recover(struct services *services, struct card *card, const struct intent *intent,
	struct credential *credential, struct error *error);

#endif
