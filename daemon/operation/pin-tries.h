/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How many wrong tries block the PIN and the PUK, where the card can be told
 * (YubiKey). Its command puts both back to the factory's values, so that PUK
 * and PIN are set after it, in this order, inside the intent of
 * personalise.h. The card is held by the caller.
 */
#ifndef TESSERA_OPERATION_PIN_TRIES_H
#define TESSERA_OPERATION_PIN_TRIES_H

#include "card/card.h"
#include "operation/services.h"

/* Whether the card can keep the template's PIN policy. ERROR_NOT_SUPPORTED, field: the path. */
bool pin_tries_check(const struct card *card, const struct template *template, struct error *error);

/*
 * Sets what the template asks for, if it does: the card's management key is authenticated and its
 * PIN is `pin`, before and afterwards.
 */
bool pin_tries_set(struct services *services, struct card *card, uint32_t key_version,
	const struct template *template, const struct secret *pin, struct error *error);

/* After an interruption the PUK is that of the credential's key version again; the PIN may be any.
 */
bool pin_tries_recover(struct services *services, struct card *card,
	const struct credential *credential, struct error *error);

#endif
