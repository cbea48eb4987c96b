/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Renewal of a card's certificates, for the same keys or for new ones. The PIN stays as it is, and
 * no certificate is revoked before the one that takes its place is on the card.
 *
 * PIV has one place for a key: a new one takes it at once, so that an interruption between key and
 * certificate leaves that slot to be renewed again. With the same key the old certificate works
 * until the new one is on the card.
 */
#ifndef TESSERA_OPERATION_CARD_RENEW_H
#define TESSERA_OPERATION_CARD_RENEW_H

#include "card/card.h"
#include "operation/services.h"

/* The step of the intent for one slot: new_version is the slot, old_version the last certificate
 * of before. */
#define INTENT_RENEW "renew"

struct card_renewal {
	key_slot slot; /* KEY_SLOT_NONE: all that have a good certificate by the card's template */
	bool new_key;  /* with no slot: but for key management, whose key opens what is old */
	const struct secret *pin; /* the present one; unset: only keys that want none */
};

/*
 * Renews on a card that is held, whose credential is active: names and profile are those of the
 * card's version of its template. What is interrupted is settled by card_renew_recover(). Result
 * fields: "certificate-SLOT" with the serial number, or "pending-SLOT". ERROR_NOT_FOUND when there
 * is nothing to renew, ERROR_PIN_REQUIRED, ERROR_PIN_WRONG, ERROR_PIN_BLOCKED,
 * ERROR_NOT_SUPPORTED (new keys of an operator's card), ERROR_AUTHORITY_*.
 */
bool card_renew(struct operation *operation, struct card *card, struct credential *credential,
	const struct card_renewal *request, struct error *error);

/* The new certificate of a slot is put on the card, if there is one, and takes the old one's place;
 * else the old one is on the card. Part of recover_card(). */
bool card_renew_recover(struct services *services, struct card *card, const struct intent *intent,
	struct credential *credential, struct error *error);

#endif
