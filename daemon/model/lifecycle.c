/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/lifecycle.h"

#include <string.h>

#include "common/alloc.h"

static const char *const states[LIFECYCLE_STATE_COUNT] = {
	[LIFECYCLE_UNREGISTERED] = "unregistered",
	[LIFECYCLE_REGISTERED] = "registered",
	[LIFECYCLE_ISSUED] = "issued",
	[LIFECYCLE_ACTIVE] = "active",
	[LIFECYCLE_INACTIVE] = "inactive",
	[LIFECYCLE_REVOKED] = "revoked",
	[LIFECYCLE_RETIRED] = "retired",
};

#define IN(state) (1u << LIFECYCLE_##state)
#define SAME	  LIFECYCLE_STATE_COUNT

/* The table: where each verb is allowed, and what comes after it. */
static const struct {
	const char *name;
	unsigned from;
	enum lifecycle_state to;
} verbs[LIFECYCLE_VERB_COUNT] = {
	[LIFECYCLE_ISSUE] = {"issue", IN(UNREGISTERED) | IN(REGISTERED) | IN(RETIRED),
		LIFECYCLE_ISSUED},
	[LIFECYCLE_ACTIVATE] = {"activate", IN(ISSUED), LIFECYCLE_ACTIVE},
	[LIFECYCLE_CHANGE_PIN] = {"change-pin", IN(ACTIVE), SAME},
	[LIFECYCLE_UNBLOCK] = {"unblock", IN(ACTIVE), SAME},
	[LIFECYCLE_REISSUE] = {"reissue", IN(ISSUED) | IN(ACTIVE) | IN(REVOKED), LIFECYCLE_ISSUED},
	[LIFECYCLE_SUSPEND] = {"suspend", IN(ACTIVE), LIFECYCLE_INACTIVE},
	[LIFECYCLE_RESUME] = {"resume", IN(INACTIVE), LIFECYCLE_ACTIVE},
	[LIFECYCLE_REVOKE] = {"revoke", IN(ISSUED) | IN(ACTIVE) | IN(INACTIVE), LIFECYCLE_REVOKED},
	[LIFECYCLE_RETIRE] = {"retire",
		IN(REGISTERED) | IN(ISSUED) | IN(ACTIVE) | IN(INACTIVE) | IN(REVOKED),
		LIFECYCLE_RETIRED},
	[LIFECYCLE_UPDATE] = {"update", IN(ISSUED) | IN(ACTIVE), SAME},
	[LIFECYCLE_USE] = {"use", IN(ACTIVE), SAME},
};

const char *lifecycle_state_name(enum lifecycle_state state)
{
	return (size_t)state < LIFECYCLE_STATE_COUNT ? states[state] : NULL;
}

enum lifecycle_state lifecycle_state_from_name(const char *name)
{
	enum lifecycle_state state = 0;

	while (state < LIFECYCLE_STATE_COUNT && (!name || strcmp(states[state], name) != 0))
		state++;
	return state;
}

bool lifecycle_is_managed(enum lifecycle_state state)
{
	return state > LIFECYCLE_UNREGISTERED && state < LIFECYCLE_RETIRED;
}

const char *lifecycle_verb_name(enum lifecycle_verb verb)
{
	return (size_t)verb < LIFECYCLE_VERB_COUNT ? verbs[verb].name : NULL;
}

/* "issue, retire"; heap. */
static char *allowed_verbs(enum lifecycle_state state)
{
	char *list = NULL;

	for (size_t i = 0; i < LIFECYCLE_VERB_COUNT; i++) {
		if (!(verbs[i].from & 1u << state))
			continue;
		char *longer =
			list ? xasprintf("%s, %s", list, verbs[i].name) : xstrdup(verbs[i].name);
		free(list);
		list = longer;
	}
	return list;
}

bool lifecycle_check(enum lifecycle_state state, enum lifecycle_verb verb,
	enum lifecycle_state *next, struct error *error)
{
	if ((size_t)state >= LIFECYCLE_STATE_COUNT || (size_t)verb >= LIFECYCLE_VERB_COUNT)
		return error_set(error, ERROR_FAILED, "there is no such lifecycle state or verb");
	if (!(verbs[verb].from & 1u << state)) {
		_cleanup_free_ char *allowed = allowed_verbs(state);
		return error_set(error, ERROR_WRONG_STATE,
			"the card is %s, where \"%s\" is not allowed; allowed: %s", states[state],
			verbs[verb].name, allowed);
	}
	if (next)
		*next = verbs[verb].to == SAME ? state : verbs[verb].to;
	return true;
}
