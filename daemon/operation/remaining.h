/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether enough operators are left after a change: an administrator, and those of each quorum. */
#ifndef TESSERA_OPERATION_REMAINING_H
#define TESSERA_OPERATION_REMAINING_H

#include "model/role.h"
#include "operation/services.h"

/* How things would be; all zero: as they are. */
struct supposition {
	int64_t credential_id;	    /* the operator's card that would have ... */
	permission_set permissions; /* ... these permissions, none for no operator any more */
	bool suspended;		    /* it would only be suspended */
	const char *role;	    /* this custom role would have ... */
	permission_set role_has;    /* ... these permissions */
};

/*
 * Whether the last one who may manage operators stays, and as many as each quorum needs. What was
 * not so before need not be so after it. A card that is suspended counts for quorums: it can be
 * resumed. ERROR_IN_USE.
 */
bool remaining_check(
	struct services *services, const struct supposition *supposition, struct error *error);

/* How many persons could log in now who may do this. */
bool remaining_persons(struct services *services, enum permission permission, unsigned *count,
	struct error *error);

/* How many persons these cards are of (holder_is_same_person). */
bool remaining_count_persons(struct services *services, const int64_t *credential_ids, size_t count,
	unsigned *persons, struct error *error);

#endif
