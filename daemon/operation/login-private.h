/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the logins share. */
#ifndef TESSERA_OPERATION_LOGIN_PRIVATE_H
#define TESSERA_OPERATION_LOGIN_PRIVATE_H

#include <openssl/x509.h>
#include <pthread.h>

#include "model/credential.h"
#include "operation/login.h"

#define LOGIN_NONCE_LENGTH 32

struct login_entry {
	char *caller;
	char *serial;
	int64_t credential_id;
	int64_t used_at; /* seconds, monotonic */
	bool end_on_removal;
};

/* An open challenge. */
struct login_challenge {
	char *caller;
	char *serial;
	int64_t made_at; /* seconds, monotonic */
	uint8_t nonce[LOGIN_NONCE_LENGTH];
};

struct logins {
	struct services *services;
	unsigned idle_seconds;
	pthread_mutex_t lock; /* guards the four below; nothing else is locked under it */
	struct login_entry *entries;
	size_t count;
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

/* "Tessera login", store id, serial, nonce: with a zero byte after each of the first three. */
void login_challenge_build(struct logins *logins, const char *serial,
	const uint8_t nonce[LOGIN_NONCE_LENGTH], struct buffer *challenge);
/* The digest that the key's kind signs with. */
const EVP_MD *login_digest(const EVP_PKEY *key);
bool login_verify(X509 *certificate, const struct buffer *challenge, const uint8_t *signature,
	size_t length, struct error *error);

/* The proof was good: adds the login, notes it at the operator and in the audit trail. */
bool login_add(struct logins *logins, const char *caller, const char *actor,
	const struct credential *credential, bool end_on_removal, struct error *error);
/* Writes the audit record of a failed login; moves the failure to *error. Returns false. */
bool login_fail(struct logins *logins, const char *actor, const char *serial, struct error *failure,
	struct error *error);

#endif
