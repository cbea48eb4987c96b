/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Recovery of what was interrupted (design, decision 5): for each intent on
 * disk, find out from the card whether the change happened, and finish or undo.
 */
#ifndef TESSERA_OPERATION_RECOVER_H
#define TESSERA_OPERATION_RECOVER_H

#include "card/card.h"
#include "operation/services.h"

/*
 * Recovers a card that is held by the caller; nothing to do is success. After
 * success the card is one of: factory, registered with our secrets, or as it
 * was before the interrupted operation. An intent that cannot be settled stays.
 * ERROR_CARD_FOREIGN when the card holds neither the old nor the new secret.
 */
bool recover_card(struct services *services, struct card *card, struct error *error);

#endif
