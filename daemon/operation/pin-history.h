/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which PINs a card has had, and how old the present one is. The store keeps
 * no PIN but a MAC of it by a key that never leaves the token, so that a stolen
 * store does not help to guess PINs:
 *
 *   tag = AES-CMAC(key "tessera pin history", serial || 0x00 || salt || PIN)
 *
 * Only templates with history or maximum-age-days need it; others keep nothing.
 */
#ifndef TESSERA_OPERATION_PIN_HISTORY_H
#define TESSERA_OPERATION_PIN_HISTORY_H

#include "model/pin-policy.h"
#include "operation/services.h"

/* How many records the policy wants: also for an age alone the present PIN, which is not to be
 * "changed" to itself. */
unsigned pin_history_length(const struct pin_policy *policy);

/*
 * Whether the PIN is none of the last ones; a pending one, which the card may have now, does not
 * count. Fills the record to be kept of it, which is not saved yet. ERROR_PIN_POLICY,
 * ERROR_TOKEN_FAILED, and while the master key is locked ERROR_LOCKED for a policy with a history.
 */
bool pin_history_check(struct services *services, const struct credential *credential,
	const struct pin_policy *policy, const struct secret *pin, struct pin_record *record,
	struct error *error);

/* Whether the credential's PIN cannot be changed now, because the master key is locked and its
 * policy has a history. False with error when that is not known. */
bool pin_history_waits_for_token(
	struct services *services, const struct credential *credential, struct error *error);

/* When the credential's PIN has to be changed, seconds since 1970; 0: never, or it has none. */
bool pin_history_expiry(struct services *services, const struct credential *credential,
	int64_t *expires_at, struct error *error);

#endif
