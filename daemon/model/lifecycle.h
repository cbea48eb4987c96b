/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The lifecycle of a credential as one table: states, verbs, and which verb is
 * allowed in which state (design, decision 6).
 *
 *    unregistered    registered    retired
 *          |             |            |
 *          +----issue----+------------+
 *                        v
 *                     issued <-------------reissue---------+
 *                        |  ^ \                            |
 *                activate|  |  +-------revoke-------+      |
 *                        v  | reissue               v      |
 *       change-pin +-> active ---------revoke---> revoked -+
 *       unblock, use +---+ |  ^                     ^
 *                   suspend|  |resume               |
 *                          v  |                     |
 *                        inactive ------revoke------+
 *
 *    registered, issued, active, inactive, revoked ---retire---> retired
 *
 * An issued card has its keys and certificates and a blocked PIN; reissue gives
 * it new ones and blocks the PIN again, so the holder activates it once more.
 * A suspended card is resumed before anything else is done with it, or revoked
 * or retired.
 */
#ifndef TESSERA_MODEL_LIFECYCLE_H
#define TESSERA_MODEL_LIFECYCLE_H

#include "common/error.h"

enum lifecycle_state {
	LIFECYCLE_UNREGISTERED, /* factory secrets; not ours */
	LIFECYCLE_REGISTERED,	/* our secrets, nothing issued */
	LIFECYCLE_ISSUED,	/* keys and certificates on it, PIN blocked */
	LIFECYCLE_ACTIVE,
	LIFECYCLE_INACTIVE, /* suspended: certificates on hold */
	LIFECYCLE_REVOKED,
	LIFECYCLE_RETIRED,
	LIFECYCLE_STATE_COUNT
};

enum lifecycle_verb {
	LIFECYCLE_ISSUE,
	LIFECYCLE_ACTIVATE,
	LIFECYCLE_CHANGE_PIN,
	LIFECYCLE_UNBLOCK,
	LIFECYCLE_REISSUE,
	LIFECYCLE_SUSPEND,
	LIFECYCLE_RESUME,
	LIFECYCLE_REVOKE,
	LIFECYCLE_RETIRE,
	LIFECYCLE_UPDATE, /* to the newest version of its template */
	LIFECYCLE_USE,	  /* use of a key through the provider */
	LIFECYCLE_VERB_COUNT
};

const char *lifecycle_state_name(enum lifecycle_state state); /* "active"; NULL for none */
/* LIFECYCLE_STATE_COUNT for an unknown name. */
enum lifecycle_state lifecycle_state_from_name(const char *name);
/* Whether the card holds our secrets: what a licence counts. */
bool lifecycle_is_managed(enum lifecycle_state state);
const char *lifecycle_verb_name(enum lifecycle_verb verb); /* "change-pin" */

/*
 * Whether verb is allowed in state. On success *next (if next is not NULL) is the state after it.
 * ERROR_WRONG_STATE names the state and the verbs that are allowed in it.
 */
bool lifecycle_check(enum lifecycle_state state, enum lifecycle_verb verb,
	enum lifecycle_state *next, struct error *error);

#endif
