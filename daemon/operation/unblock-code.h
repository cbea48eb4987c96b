/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Unblock codes: the PUK of a card, written down for people, with two check
 * digits (common/check-digits.h). An owner or operator is given the own one; for
 * a card that is far away it is shown to whoever helps its holder, and then the
 * PUK is changed at the card's next contact.
 */
#ifndef TESSERA_OPERATION_UNBLOCK_CODE_H
#define TESSERA_OPERATION_UNBLOCK_CODE_H

#include "card/card.h"
#include "model/credential.h"
#include "operation/services.h"

/* How long a code is good that is shown for a card far away. */
#define UNBLOCK_CODE_SECONDS ((int64_t)24 * 3600)

/* The present code of a card, which nobody is told by this. ERROR_LOCKED. */
bool unblock_code_make(struct services *services, const struct credential *credential,
	struct secret *code, struct error *error);

/*
 * The PUK in a code: eight digits, or ten of which the last two fit; spaces and hyphens do not
 * count. ERROR_INVALID_ARGUMENT with the field "code", before a try of the card is spent.
 */
bool unblock_code_read(const struct secret *code, struct secret *puk, struct error *error);

/*
 * Shows the code of an active card that need not be here: from then on it is exposed.
 * Result field "expires-at". ERROR_LOCKED, ERROR_WRONG_STATE, ERROR_CARD_FOREIGN, and ERROR_BUSY
 * when too many were shown within a minute.
 */
bool operation_offline_unblock(struct operation *operation, int64_t credential_id,
	struct secret *code, struct error *error);

/*
 * Sets a new PIN with the code; needs no master key. Afterwards the PUK is changed if the code was
 * one that expires. ERROR_PIN_WRONG (of the code), ERROR_PUK_BLOCKED, ERROR_INVALID_ARGUMENT,
 * ERROR_PIN_POLICY, ERROR_PIN_LENGTH, ERROR_CODE_EXPIRED when no code is good.
 */
bool operation_unblock_with_code(struct operation *operation, int64_t credential_id,
	const struct secret *code, struct secret *pin, struct error *error);

/* Whether the code is right, without setting anything; a wrong one costs a try. Errors as above. */
bool operation_check_code(struct operation *operation, int64_t credential_id,
	const struct secret *code, struct error *error);

/*
 * Changes the card over (operation/changeover.h). *code: its new unblock code if it is an owner's
 * or operator's, else unset.
 */
bool operation_rotate(struct operation *operation, int64_t credential_id, struct secret *code,
	struct error *error);

#endif
