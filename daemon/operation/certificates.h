/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes of all certificates of a credential at once, at the store and at their authorities. */
#ifndef TESSERA_OPERATION_CERTIFICATES_H
#define TESSERA_OPERATION_CERTIFICATES_H

#include "model/credential.h"
#include "operation/services.h"

/*
 * In two steps: these change the store, inside the caller's transaction, and
 * add what they changed to *changed; certificates_tell() is for after the
 * commit, as an authority may take its time. ERROR_STORE_*.
 */

/*
 * Revokes for good whatever is not revoked yet of the certificates up to the
 * one with id last (INT64_MAX: all).
 */
bool certificates_revoke(struct services *services, int64_t credential_id, int64_t last,
	const struct revocation_reason *reason, struct certificates *changed, struct error *error);
/* Those of one slot alone, up to the one with id last, are superseded. */
bool certificates_supersede(struct services *services, int64_t credential_id, key_slot slot,
	int64_t last, struct certificates *changed, struct error *error);
/* One that must not be used is revoked; a transaction of its own. */
bool certificates_discard(struct services *services, const struct certificate *certificate,
	struct certificates *changed, struct error *error);
/* Puts the valid ones on hold; each remembers what it was. */
bool certificates_hold(struct services *services, int64_t credential_id,
	struct certificates *changed, struct error *error);
/* Gives each its status from before the hold back. */
bool certificates_resume(struct services *services, int64_t credential_id,
	struct certificates *changed, struct error *error);

/* What came and must not be used is revoked from the beginning; for the caller to save and tell. */
void certificate_refuse(struct certificate *certificate);

/*
 * Tells the authorities what was changed. All are told, also after one has failed; the first
 * failure is returned, saying that the change itself stands. ERROR_AUTHORITY_*.
 */
bool certificates_tell(
	struct services *services, const struct certificates *changed, struct error *error);

/*
 * Publishes every authority's revocation list anew: at start and every hour, so that a change that
 * could not be told is seen all the same, and no list runs out. Failures are logged.
 */
void certificates_publish(struct services *services);
/* Starts a job that does so. ERROR_BUSY. */
bool certificates_start_publishing(struct services *services, struct error *error);

#endif
