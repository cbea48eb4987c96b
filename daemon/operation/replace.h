/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cards that take the place of others. */
#ifndef TESSERA_OPERATION_REPLACE_H
#define TESSERA_OPERATION_REPLACE_H

#include "model/credential.h"
#include "operation/services.h"

/*
 * Inside the transaction that saves a credential as issued: the card that it replaces is revoked
 * and linked to it; its certificates are added to *changed (operation/certificates.h). Does nothing
 * for a card that replaces none, or has done so before.
 */
bool replace_settle(struct services *services, const struct credential *credential,
	struct certificates *changed, struct error *error);

#endif
