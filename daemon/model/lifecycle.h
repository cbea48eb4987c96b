/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The lifecycle of a credential as one table: states, verbs, and which verb is
 * allowed in which state (design, decision 6).
 *
 * The picture is in docs/lifecycle.md. In short:
 *
 *    unregistered -register-> registered -issue-> issued -activate-> active
 *    active -suspend-> inactive -resume-> active, or issued if it was no more than that
 *    issued, active, inactive -revoke-> revoked, -expire-> expired
 *    registered to expired -retire-> retired
 *    registered, retired -unregister-> unregistered
 *
 * An issued card has its keys and certificates and a blocked PIN; reissue gives
 * it new ones and blocks the PIN again, so the holder activates it once more.
 * A suspended card is resumed before anything else is done with it, or revoked,
 * replaced or retired. Keys in HSM slots have no PIN: enroll makes them active at once, from
 * unregistered or retired, and renew leaves them so. A card with an end date is expired from then
 * on, whether the verb that says so has run yet or not (model/credential.h).
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
	LIFECYCLE_EXPIRED, /* its end date has passed */
	LIFECYCLE_RETIRED,
	LIFECYCLE_STATE_COUNT
};

enum lifecycle_verb {
	LIFECYCLE_REGISTER,
	LIFECYCLE_ISSUE,
	LIFECYCLE_ACTIVATE,
	LIFECYCLE_CHANGE_PIN,
	LIFECYCLE_UNBLOCK,
	LIFECYCLE_REISSUE,
	LIFECYCLE_SUSPEND,
	LIFECYCLE_RESUME,
	LIFECYCLE_REVOKE,
	LIFECYCLE_REPORT_LOST,
	LIFECYCLE_REPORT_STOLEN,
	LIFECYCLE_REPORT_DAMAGED,
	LIFECYCLE_REPORT_COMPROMISED,
	LIFECYCLE_REPLACE, /* of the old card, when its new one is issued */
	LIFECYCLE_EXPIRE,
	LIFECYCLE_RETIRE,
	LIFECYCLE_UNREGISTER,
	LIFECYCLE_UPDATE,	   /* to the newest version of its template */
	LIFECYCLE_USE,		   /* use of a key through the provider */
	LIFECYCLE_ROTATE,	   /* management key and PUK of another version or generation */
	LIFECYCLE_OFFLINE_UNBLOCK, /* the PUK is shown as an unblock code */
	LIFECYCLE_ENROLL,	   /* of a key in an HSM slot: it gets a holder and a certificate */
	LIFECYCLE_RENEW,	   /* other certificates; of a card with the same PIN */
	LIFECYCLE_VERB_COUNT
};

/* What becomes of the credential's certificates. */
enum certificates_effect {
	CERTIFICATES_KEPT,
	CERTIFICATES_ENROLLED, /* new ones; the older ones are revoked */
	CERTIFICATES_HELD,     /* each remembers what it was */
	CERTIFICATES_RESUMED,
	CERTIFICATES_REVOKED,
};

/* What becomes of the PIN; for a card that need not be there, at its next contact. */
enum pin_effect {
	PIN_EFFECT_NONE,
	PIN_EFFECT_SET,
	PIN_EFFECT_BLOCKED,
	PIN_EFFECT_FACTORY,
};

#define LIFECYCLE_FOR_OTHERS 1U	 /* nobody does it to the own card */
#define LIFECYCLE_GIVES_UP   2U	 /* the holder's card is worth nothing after it */
#define LIFECYCLE_BY_ITSELF  4U	 /* nobody asks for it */
#define LIFECYCLE_GOES_BACK  8U	 /* a card that was only issued before is issued again */
#define LIFECYCLE_FOR_KEYS   16U /* for keys in HSM slots, too */
#define LIFECYCLE_NO_CARDS   32U /* for these alone */

struct lifecycle_rule {
	const char *name; /* "change-pin" */
	unsigned flags;
	enum certificates_effect certificates;
	const char
		*reason; /* RFC 5280 section 5.3.1, of that effect; NULL: none, or the caller's */
	enum pin_effect pin;
	unsigned from;		 /* a bit for each state */
	enum lifecycle_state to; /* LIFECYCLE_STATE_COUNT: the same */
};

/* NULL for none. */
const struct lifecycle_rule *lifecycle_rule(enum lifecycle_verb verb);

/* "lost", "stolen", "damaged", "compromised"; LIFECYCLE_VERB_COUNT for an unknown name. */
enum lifecycle_verb lifecycle_report_from_name(const char *name);
/* The same back; NULL for a verb that is no report. */
const char *lifecycle_report_name(enum lifecycle_verb verb);
/* Why certificates are revoked once a card that was reported so has been replaced; NULL for another
 * text than a report's name. */
const char *lifecycle_report_final_reason(const char *name);

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
/* The same for a key in an HSM slot. ERROR_NOT_SUPPORTED for a verb that is for cards alone. */
bool lifecycle_check_key(enum lifecycle_state state, enum lifecycle_verb verb,
	enum lifecycle_state *next, struct error *error);

#endif
