/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Blanking a card: keys and data gone, factory secrets back. The card is held by the caller. */
#ifndef TESSERA_OPERATION_BLANK_H
#define TESSERA_OPERATION_BLANK_H

#include "card/card.h"
#include "operation/services.h"

/* The step of the intent around blanking. */
#define INTENT_BLANK "blank"

/* Saves the credential in the state after the verb (retire, unregister) together with the intent,
 * then blanks the card. */
bool blank_card(struct operation *operation, struct card *card, struct credential *credential,
	enum lifecycle_verb verb, struct error *error);
/* Finishes an interrupted blank_card. */
bool blank_recover(struct services *services, struct card *card, const struct intent *intent,
	struct credential *credential, struct error *error);

#endif
