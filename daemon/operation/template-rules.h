/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the template that a card was issued by says about what may be done with
 * it later: in the version that the card has.
 */
#ifndef TESSERA_OPERATION_TEMPLATE_RULES_H
#define TESSERA_OPERATION_TEMPLATE_RULES_H

#include "operation/services.h"

/* The card's template; NULL without error for a card that was not issued by one. */
struct template *card_template(
	struct services *services, const struct credential *credential, struct error *error);

/* Whether the card may be unblocked this way at all. ERROR_NOT_SUPPORTED. */
bool template_rules_check_unblock(struct services *services, const struct credential *credential,
	bool is_offline, struct error *error);

/* Whether retiring revokes the card's certificates. */
bool template_rules_retire_revokes(struct services *services, const struct credential *credential);

/* Whether both cards are of the same person: the same fields, an id, upn or email among them. */
bool template_rules_same_holder(const struct fields *one, const struct fields *other);

#endif
