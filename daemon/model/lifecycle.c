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
	[LIFECYCLE_EXPIRED] = "expired",
	[LIFECYCLE_RETIRED] = "retired",
};

#define IN(state) (1u << LIFECYCLE_##state)
#define SAME	  LIFECYCLE_STATE_COUNT

#define KEYS	LIFECYCLE_FOR_KEYS
#define BACK	(LIFECYCLE_FOR_OTHERS | LIFECYCLE_GOES_BACK | KEYS)
#define REPLACE (LIFECYCLE_FOR_OTHERS | LIFECYCLE_GIVES_UP)
#define GIVE_UP (REPLACE | KEYS)

/* The table: where each verb is allowed, what it does, and what comes after it. */
static const struct lifecycle_rule verbs[LIFECYCLE_VERB_COUNT] = {
	[LIFECYCLE_REGISTER] = {"register", 0, CERTIFICATES_KEPT, NULL, PIN_EFFECT_BLOCKED,
		IN(UNREGISTERED) | IN(RETIRED), LIFECYCLE_REGISTERED},
	[LIFECYCLE_ISSUE] = {"issue", 0, CERTIFICATES_ENROLLED, "superseded", PIN_EFFECT_BLOCKED,
		IN(UNREGISTERED) | IN(REGISTERED) | IN(RETIRED), LIFECYCLE_ISSUED},
	[LIFECYCLE_ACTIVATE] = {"activate", 0, CERTIFICATES_KEPT, NULL, PIN_EFFECT_SET, IN(ISSUED),
		LIFECYCLE_ACTIVE},
	[LIFECYCLE_CHANGE_PIN] = {"change-pin", 0, CERTIFICATES_KEPT, NULL, PIN_EFFECT_SET,
		IN(ACTIVE), SAME},
	[LIFECYCLE_UNBLOCK] = {"unblock", 0, CERTIFICATES_KEPT, NULL, PIN_EFFECT_SET, IN(ACTIVE),
		SAME},
	[LIFECYCLE_REISSUE] = {"reissue", 0, CERTIFICATES_ENROLLED, "superseded",
		PIN_EFFECT_BLOCKED, IN(ISSUED) | IN(ACTIVE) | IN(REVOKED), LIFECYCLE_ISSUED},
	[LIFECYCLE_SUSPEND] = {"suspend", GIVE_UP, CERTIFICATES_HELD, "certificateHold",
		PIN_EFFECT_NONE, IN(ISSUED) | IN(ACTIVE), LIFECYCLE_INACTIVE},
	[LIFECYCLE_RESUME] = {"resume", BACK, CERTIFICATES_RESUMED, NULL, PIN_EFFECT_NONE,
		IN(INACTIVE), LIFECYCLE_ACTIVE},
	[LIFECYCLE_REVOKE] = {"revoke", GIVE_UP, CERTIFICATES_REVOKED, NULL, PIN_EFFECT_NONE,
		IN(ISSUED) | IN(ACTIVE) | IN(INACTIVE) | IN(EXPIRED), LIFECYCLE_REVOKED},
	[LIFECYCLE_REPORT_LOST] = {"report-lost", GIVE_UP, CERTIFICATES_HELD, "certificateHold",
		PIN_EFFECT_NONE, IN(ISSUED) | IN(ACTIVE) | IN(INACTIVE), LIFECYCLE_INACTIVE},
	[LIFECYCLE_REPORT_STOLEN] = {"report-stolen", GIVE_UP, CERTIFICATES_REVOKED,
		"keyCompromise", PIN_EFFECT_BLOCKED,
		IN(ISSUED) | IN(ACTIVE) | IN(INACTIVE) | IN(EXPIRED), LIFECYCLE_REVOKED},
	[LIFECYCLE_REPORT_DAMAGED] = {"report-damaged", GIVE_UP, CERTIFICATES_REVOKED,
		"cessationOfOperation", PIN_EFFECT_NONE,
		IN(ISSUED) | IN(ACTIVE) | IN(INACTIVE) | IN(EXPIRED), LIFECYCLE_REVOKED},
	[LIFECYCLE_REPORT_COMPROMISED] = {"report-compromised", GIVE_UP, CERTIFICATES_REVOKED,
		"keyCompromise", PIN_EFFECT_BLOCKED,
		IN(ISSUED) | IN(ACTIVE) | IN(INACTIVE) | IN(EXPIRED), LIFECYCLE_REVOKED},
	[LIFECYCLE_REPLACE] = {"replace", REPLACE, CERTIFICATES_REVOKED, "superseded",
		PIN_EFFECT_NONE, IN(ISSUED) | IN(ACTIVE) | IN(INACTIVE) | IN(REVOKED) | IN(EXPIRED),
		LIFECYCLE_REVOKED},
	[LIFECYCLE_EXPIRE] = {"expire", LIFECYCLE_BY_ITSELF | KEYS, CERTIFICATES_REVOKED,
		"cessationOfOperation", PIN_EFFECT_NONE,
		IN(ISSUED) | IN(ACTIVE) | IN(INACTIVE) | IN(EXPIRED), LIFECYCLE_EXPIRED},
	[LIFECYCLE_RETIRE] = {"retire", GIVE_UP, CERTIFICATES_REVOKED, "cessationOfOperation",
		PIN_EFFECT_FACTORY,
		IN(REGISTERED) | IN(ISSUED) | IN(ACTIVE) | IN(INACTIVE) | IN(REVOKED) | IN(EXPIRED),
		LIFECYCLE_RETIRED},
	[LIFECYCLE_UNREGISTER] = {"unregister", GIVE_UP, CERTIFICATES_KEPT, NULL,
		PIN_EFFECT_FACTORY, IN(REGISTERED) | IN(RETIRED), LIFECYCLE_UNREGISTERED},
	[LIFECYCLE_UPDATE] = {"update", KEYS, CERTIFICATES_KEPT, NULL, PIN_EFFECT_NONE,
		IN(ISSUED) | IN(ACTIVE), SAME},
	[LIFECYCLE_USE] = {"use", KEYS, CERTIFICATES_KEPT, NULL, PIN_EFFECT_NONE, IN(ACTIVE), SAME},
	[LIFECYCLE_ROTATE] = {"rotate", 0, CERTIFICATES_KEPT, NULL, PIN_EFFECT_NONE,
		IN(REGISTERED) | IN(ISSUED) | IN(ACTIVE) | IN(INACTIVE) | IN(REVOKED) | IN(EXPIRED),
		SAME},
	[LIFECYCLE_OFFLINE_UNBLOCK] = {"offline-unblock", 0, CERTIFICATES_KEPT, NULL,
		PIN_EFFECT_NONE, IN(ACTIVE), SAME},
	[LIFECYCLE_ENROLL] = {"enroll", KEYS | LIFECYCLE_NO_CARDS, CERTIFICATES_ENROLLED,
		"superseded", PIN_EFFECT_NONE, IN(UNREGISTERED) | IN(RETIRED), LIFECYCLE_ACTIVE},
	[LIFECYCLE_RENEW] = {"renew", KEYS, CERTIFICATES_ENROLLED, "superseded", PIN_EFFECT_NONE,
		IN(ACTIVE), SAME},
};

static const struct {
	const char *name;
	enum lifecycle_verb verb;
	const char *final_reason;
} reports[] = {
	{"lost", LIFECYCLE_REPORT_LOST, "keyCompromise"},
	{"stolen", LIFECYCLE_REPORT_STOLEN, "keyCompromise"},
	{"damaged", LIFECYCLE_REPORT_DAMAGED, "cessationOfOperation"},
	{"compromised", LIFECYCLE_REPORT_COMPROMISED, "keyCompromise"},
};

const struct lifecycle_rule *lifecycle_rule(enum lifecycle_verb verb)
{
	return (size_t)verb < LIFECYCLE_VERB_COUNT ? &verbs[verb] : NULL;
}

enum lifecycle_verb lifecycle_report_from_name(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(reports); i++) {
		if (strcmp(reports[i].name, name) == 0)
			return reports[i].verb;
	}
	return LIFECYCLE_VERB_COUNT;
}

const char *lifecycle_report_name(enum lifecycle_verb verb)
{
	for (size_t i = 0; i < ARRAY_SIZE(reports); i++) {
		if (reports[i].verb == verb)
			return reports[i].name;
	}
	return NULL;
}

const char *lifecycle_report_final_reason(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(reports); i++) {
		if (strcmp(reports[i].name, name) == 0)
			return reports[i].final_reason;
	}
	return NULL;
}

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

/* Whether it is for cards, or for keys in HSM slots. */
static bool is_for(const struct lifecycle_rule *rule, bool keys)
{
	return keys ? rule->flags & LIFECYCLE_FOR_KEYS : !(rule->flags & LIFECYCLE_NO_CARDS);
}

/* "issue, retire"; heap. */
static char *allowed_verbs(enum lifecycle_state state, bool keys)
{
	char *list = NULL;

	for (size_t i = 0; i < LIFECYCLE_VERB_COUNT; i++) {
		/* To use the card is what holders do, and no command. */
		if (!(verbs[i].from & 1u << state) || verbs[i].flags & LIFECYCLE_BY_ITSELF ||
			i == LIFECYCLE_USE || !is_for(&verbs[i], keys))
			continue;
		char *longer =
			list ? xasprintf("%s, %s", list, verbs[i].name) : xstrdup(verbs[i].name);
		free(list);
		list = longer;
	}
	return list;
}

static bool check(enum lifecycle_state state, enum lifecycle_verb verb, bool keys,
	enum lifecycle_state *next, struct error *error)
{
	if ((size_t)state >= LIFECYCLE_STATE_COUNT || (size_t)verb >= LIFECYCLE_VERB_COUNT)
		return error_set(error, ERROR_FAILED, "there is no such lifecycle state or verb");
	if (!(verbs[verb].from & 1u << state) || !is_for(&verbs[verb], keys)) {
		_cleanup_free_ char *allowed = allowed_verbs(state, keys);
		return error_set(error, ERROR_WRONG_STATE,
			"the %s is %s, where \"%s\" is not allowed; allowed: %s",
			keys ? "key" : "card", states[state], verbs[verb].name, allowed);
	}
	if (next)
		*next = verbs[verb].to == SAME ? state : verbs[verb].to;
	return true;
}

bool lifecycle_check(enum lifecycle_state state, enum lifecycle_verb verb,
	enum lifecycle_state *next, struct error *error)
{
	return check(state, verb, false, next, error);
}

bool lifecycle_check_key(enum lifecycle_state state, enum lifecycle_verb verb,
	enum lifecycle_state *next, struct error *error)
{
	if ((size_t)verb < LIFECYCLE_VERB_COUNT && !is_for(&verbs[verb], true))
		return error_set(error, ERROR_NOT_SUPPORTED,
			"a key in an HSM slot is in no reader and has no PIN: \"%s\" is for cards",
			verbs[verb].name);
	return check(state, verb, true, next, error);
}
