/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A certificate on its way from a service, so that none is asked for twice: what is
 * asked is noted before, the request is sent once, and when its answer is lost the
 * service is asked what it has for this key. A pending one is awaited a while, and
 * collected later.
 */
#ifndef TESSERA_AUTHORITY_ATTEMPT_H
#define TESSERA_AUTHORITY_ATTEMPT_H

#include "authority/authority.h"
#include "authority/mapping.h"

/* What became of a request; with all but the first two there is an error. */
enum attempt_answer {
	ATTEMPT_ISSUED,	 /* the certificate was taken (attempt_take) */
	ATTEMPT_PENDING, /* "id" of what was asked is what to ask with later */
	ATTEMPT_REFUSED, /* it was not done, and will not be */
	ATTEMPT_AGAIN,	 /* the same, but what was missing is there now */
	ATTEMPT_LOST,	 /* it may have been done; with "id" it was, and cannot be used */
	ATTEMPT_BUSY,	 /* the same, and if it was not, it may be asked for once more */
};

struct attempt;
struct attempt_verbs {
	/* Sends the request once. */
	enum attempt_answer (*ask)(struct attempt *, struct error *);
	/* Looks through what the service has (attempt_take_found). NULL: it shows nobody what it
	 * has; what became of a lost answer is not known then: ERROR_NOT_SUPPORTED. */
	bool (*search)(struct attempt *, bool *found, struct error *);
	/* Asks once for a pending one. ERROR_AUTHORITY_REJECTED when there will be none. */
	bool (*pick_up)(struct attempt *, enum enroll_outcome *, struct error *);
};

struct attempt {
	const struct attempt_verbs *verbs;
	struct authority *authority;
	const struct authority_request *request; /* NULL while one is collected */
	const struct authority_profile *profile; /* NULL when it is not known any more */
	struct certificate *certificate;
	int64_t retry_seconds, pickup_seconds;
	/* {profile, seat, key, since, id}, kept in the certificate's `request`; key is the digest
	 * of the public key. */
	json_t *asked;
	const void *data; /* for the verbs */
};
void attempt_clear(struct attempt *attempt);
#define _cleanup_attempt_ _cleanup_(attempt_clear)

/* Asks for the certificate of the request; like `enroll` of an authority. */
bool attempt_enroll(struct attempt *attempt, const char *seat, enum enroll_outcome *outcome,
	struct error *error);
/* Like `collect` of an authority. */
bool attempt_collect(struct attempt *attempt, enum enroll_outcome *outcome, struct error *error);

/* --- for the verbs --- */

/* A text of what was asked; NULL: it has none of that name. */
const char *attempt_asked(const struct attempt *attempt, const char *name);
/*
 * Takes a certificate as an answer has it (issued_decode); serial: what the answer says of it, or
 * NULL. Refuses one for another key, and one that the profile's issuer has not signed.
 * ERROR_AUTHORITY_FAILED.
 */
bool attempt_take(
	struct attempt *attempt, const char *text, const char *serial, struct error *error);
/* Takes one of a list if it is for the key. False for one that is and cannot be taken. */
bool attempt_take_found(struct attempt *attempt, const char *text, const char *serial, bool *found);
/*
 * For `pick_up`, when the service has refused to answer: that is no denial of the request, which
 * may be granted still. The error is made one that lets it be asked for again. Returns false.
 */
bool attempt_not_denied(struct error *error);
/* How many days the certificate is to be valid; 0: as the profile says. mapping may be NULL. */
int64_t attempt_days(const struct attempt *attempt, const struct mapping *mapping);

#endif
