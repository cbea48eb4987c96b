/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the logins share. */
#ifndef TESSERA_OPERATION_LOGIN_PRIVATE_H
#define TESSERA_OPERATION_LOGIN_PRIVATE_H

#include <openssl/x509.h>
#include <pthread.h>

#include "audit/actor.h"
#include "model/credential.h"
#include "operation/login.h"

struct login_entry {
	uint64_t number; /* no other login ever has it */
	char *caller;
	char *serial;
	int64_t credential_id;
	int64_t used_at; /* seconds, monotonic */
	int64_t from_us; /* by the clock, which its key's time is about, too */
	unsigned reader; /* that the card was in */
	bool end_on_removal;
	/* Signs what is done; NULL until the login is recorded: it counts for nothing before. */
	struct audit_signer *signer;
};

/* A login on its way: what the card is to sign, and the key that the challenge names. */
struct login_attempt {
	struct audit_signer *signer;
	struct audit_proof proof; /* certificate and signature are set by the card's answer */
	int64_t from_us;
};
void login_attempt_clear(struct login_attempt *attempt);
#define _cleanup_login_attempt_ _cleanup_(login_attempt_clear)
/* Makes the key and the challenge. ERROR_FAILED. */
bool login_attempt_begin(struct logins *logins, const char *serial, struct login_attempt *attempt,
	struct error *error);

/* An open challenge. */
struct login_challenge {
	char *caller;
	char *serial;
	int64_t made_at; /* seconds, monotonic */
	struct login_attempt attempt;
};
void login_challenge_clear(struct login_challenge *challenge);

struct logins {
	struct services *services;
	unsigned idle_seconds;
	pthread_mutex_t lock; /* guards the five below; nothing else is locked under it */
	struct login_entry *entries;
	size_t count;
	uint64_t last_number;
	struct login_challenge *challenges;
	size_t challenge_count;
};

/* Seconds that only go forward. */
int64_t login_now(void);

/* Who logs in: the active credential of a card and what proves it. */
struct login_identity {
	struct credential *credential;
	X509 *authentication; /* its valid certificates of these slots */
	X509 *key_management; /* or NULL */
};
void login_identity_clear(struct login_identity *identity);
#define _cleanup_login_identity_ _cleanup_(login_identity_clear)
/* ERROR_NOT_FOUND, ERROR_WRONG_STATE: without a valid authentication certificate nobody can log in.
 */
bool login_identity_load(struct logins *logins, const char *serial, struct login_identity *identity,
	struct error *error);

/*
 * Takes the card's answer to the attempt's challenge. ERROR_ACCESS_DENIED when its signature is not
 * that of the certificate.
 */
bool login_attempt_prove(struct login_attempt *attempt, X509 *certificate, const uint8_t *signature,
	size_t length, struct error *error);

/*
 * The proof was good: adds the login, notes it at the operator and in the audit trail; takes the
 * attempt's key. ERROR_BUSY when there are too many, ERROR_STORE_* when it cannot be recorded.
 */
bool login_add(struct logins *logins, const struct login_request *request,
	const struct credential *credential, struct login_attempt *attempt, struct error *error);
/* Writes the audit record of a failed login; moves the failure to *error. Returns false. */
bool login_fail(struct logins *logins, const struct audit_actor *actor, const char *serial,
	struct error *failure, struct error *error);

#endif
