/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes of all certificates of a credential at once, at the store and at their authorities. */
#ifndef TESSERA_OPERATION_CERTIFICATES_H
#define TESSERA_OPERATION_CERTIFICATES_H

#include "model/credential.h"
#include "operation/services.h"

/* All run inside the caller's store transaction. Errors: ERROR_AUTHORITY_*, ERROR_STORE_*. */

/*
 * Revokes for good whatever is not revoked yet of the certificates up to the
 * one with id last (INT64_MAX: all).
 */
bool certificates_revoke(struct services *services, int64_t credential_id, int64_t last,
	const struct revocation_reason *reason, struct error *error);
/* Puts the valid ones on hold; each remembers what it was. */
bool certificates_hold(struct services *services, int64_t credential_id, struct error *error);
/* Gives each its status from before the hold back. */
bool certificates_resume(struct services *services, int64_t credential_id, struct error *error);

#endif
