/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* activate: the first PIN of an issued card. unblock: a new PIN on a card whose PIN is blocked or
 * forgotten. */
#include "operation/pin.h"
#include "operation/verbs.h"

bool operation_activate(
	struct operation *operation, int64_t credential_id, struct secret *pin, struct error *error)
{
	return pin_verb(operation, LIFECYCLE_ACTIVATE, credential_id, pin, error);
}

bool operation_unblock(
	struct operation *operation, int64_t credential_id, struct secret *pin, struct error *error)
{
	return pin_verb(operation, LIFECYCLE_UNBLOCK, credential_id, pin, error);
}
