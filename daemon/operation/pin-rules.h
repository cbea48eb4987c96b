/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All the rules for a credential's PIN in one place: the card's own limits,
 * the policy of the template's version that it was issued with, and the PINs
 * it has had. Every door comes through here. The card is held by the caller.
 */
#ifndef TESSERA_OPERATION_PIN_RULES_H
#define TESSERA_OPERATION_PIN_RULES_H

#include "card/card.h"
#include "operation/services.h"

struct pin_rules {
	struct services *services;
	const struct credential *credential;
	const struct card *card;
	struct template *template; /* NULL for a card that was not issued by one */
	const struct pin_policy *policy;
	struct fields holder; /* with what is printed on the card: its serial */
};
#define PIN_RULES_INIT                                                                             \
	{                                                                                          \
		0                                                                                  \
	}
#define _cleanup_pin_rules_ _cleanup_(pin_rules_clear)
void pin_rules_clear(struct pin_rules *rules);

/* credential and card are borrowed. ERROR_NOT_FOUND for a template version that is gone. */
bool pin_rules_load(struct pin_rules *rules, struct services *services,
	const struct credential *credential, const struct card *card, struct error *error);

/*
 * Whether the PIN may be set; fills the record to be kept of it (pin_history_check).
 * ERROR_PIN_LENGTH and ERROR_PIN_POLICY, the message naming the rule that is broken.
 */
bool pin_rules_check(const struct pin_rules *rules, const struct secret *pin,
	struct pin_record *record, struct error *error);

/*
 * A random PIN that keeps the rules, of the shortest length they allow (pin-generate.c); each such
 * PIN is equally likely. Digits, unless the policy requires other characters. Fills the record.
 * ERROR_PIN_POLICY when the rules leave too few PINs to find one.
 */
bool pin_rules_generate(const struct pin_rules *rules, struct secret *pin,
	struct pin_record *record, struct error *error);

#endif
