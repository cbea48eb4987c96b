/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cards that were reported lost, stolen, damaged or compromised: what their next contact does. */
#ifndef TESSERA_OPERATION_REPORT_H
#define TESSERA_OPERATION_REPORT_H

#include "card/card.h"
#include "operation/services.h"

/* The step of the intent to block the PIN of a card that is not there. */
#define INTENT_BLOCK_PIN "block-pin"

/* Blocks the PIN at the contact: an intent's recovery (operation/recover.h). */
bool report_recover(struct services *services, struct card *card, const struct intent *intent,
	struct credential *credential, struct error *error);
/* Writes to the audit trail that a card that was reported has turned up. credential may be NULL. */
void report_note_contact(
	struct services *services, const struct credential *credential, const char *reader_name);

#endif
