/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is asked of a card on another machine (docs/security.md, "Readers of other machines"):
 * whoever offers a reader could offer a program that says what a card says, or look at what is sent
 * to a real one. Of a card here all of these are true at once.
 */
#ifndef TESSERA_OPERATION_REMOTE_CARD_H
#define TESSERA_OPERATION_REMOTE_CARD_H

#include "card/card.h"
#include "operation/services.h"

/*
 * The card is let in as it is reached: encrypted, or in the clear where the configuration lets it
 * (remote-encryption) and nothing is known of the card that speaks against it. ERROR_ACCESS_DENIED.
 * What a card can is remembered, so that nobody on the way can hide it later; a reader here says it
 * anew. The card is not held.
 */
bool remote_card_check_way(const struct services *services, struct card *card, struct error *error);
/*
 * New secrets of the card would pass its machine in the clear: ERROR_ACCESS_DENIED unless the
 * configuration (remote-ownership) lets them.
 */
bool remote_card_check_secrets(
	const struct services *services, const struct card *card, struct error *error);
/*
 * The card proves that it knows the management key of this version, before it is sent a PUK or PIN,
 * or counts as blank. ERROR_CARD_FOREIGN when it does not, ERROR_LOCKED. The card is held.
 */
bool remote_card_prove(
	struct services *services, struct card *card, uint32_t version, struct error *error);
/*
 * The PUK is about to be sent: if it is in the clear, it is changed at the card's next contact
 * here, as one that was shown. Not that of an operator's card, whose code is on paper and would be
 * good no longer.
 */
bool remote_card_expose_puk(
	struct services *services, const struct card *card, struct error *error);
/*
 * What was interrupted is recovered if the card has proved to be ours, and no verb has claimed it
 * but (is_claimed) the caller's. Errors as those of recover_card(), and ERROR_BUSY. The card is
 * held.
 */
bool remote_card_recover(
	struct services *services, struct card *card, bool is_claimed, struct error *error);

#endif
