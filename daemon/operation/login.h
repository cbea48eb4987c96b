/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Logins of operators: a signature by the card's authentication key over a
 * fresh challenge (design, decision 10). A login belongs to the caller who made
 * it, known by a name that no other caller has, and ends with that caller, at
 * logout, after an idle time, and where asked when the card is removed. A
 * caller may log several operators in: any of them gives its permissions, and
 * all of them count for a quorum. Cards, operators and roles are looked up at
 * each use, so that what is suspended or taken away has no power from then on.
 * The card signs the public key of the login, too: what is done under the login is
 * signed with that key in the audit trail (audit/signer.h). So a login lasts a day at most.
 */
#ifndef TESSERA_OPERATION_LOGIN_H
#define TESSERA_OPERATION_LOGIN_H

#include "model/role.h"
#include "operation/services.h"

struct logins;

#define LOGIN_CHALLENGE_SECONDS 60
#define LOGIN_SECONDS_MAX	(24 * 60 * 60)
/* An operation that was begun in time may be recorded this much later. */
#define LOGIN_OPERATION_SECONDS (60 * 60)

struct logins *logins_new(struct services *services, unsigned idle_seconds);
void logins_free(struct logins *logins);

/*
 * A challenge for a card that may be anywhere: the bytes to be signed with its authentication key
 * (RSA: PKCS #1 v1.5 with SHA-256; EC: ECDSA with SHA-256 or, on P-384, SHA-384). It is good once,
 * for LOGIN_CHALLENGE_SECONDS. ERROR_NOT_FOUND for no such active card, ERROR_BUSY when the caller
 * has too many.
 */
bool login_begin(struct logins *logins, const char *caller, const char *serial,
	struct buffer *challenge, struct error *error);

/* Who logs in, and how. */
struct login_request {
	const char *caller;
	const struct audit_actor *actor; /* for the audit trail */
	/* of login_with_card() */
	unsigned reader;
	const struct secret *pin;
	bool end_on_removal; /* the login ends when the card leaves the reader */
};
/*
 * Logs in with the signature. Leaves one audit record, also when it fails. ERROR_ACCESS_DENIED when
 * the challenge is not open or the signature is wrong.
 */
bool login_finish(struct logins *logins, const struct login_request *request, const char *serial,
	const uint8_t *signature, size_t length, struct error *error);
/*
 * Proves the PIN to the card in a reader, has it sign, logs in, and opens the vault when the card
 * can. Leaves one audit record, also when it fails. ERROR_NO_CARD, ERROR_PIN_WRONG,
 * ERROR_PIN_BLOCKED, ERROR_WRONG_STATE.
 */
bool login_with_card(
	struct logins *logins, const struct login_request *request, struct error *error);

/* Ends all logins and challenges of a caller; none is no error. */
void logins_end(struct logins *logins, const char *caller);
/* Ends the logins that were to end with the removal of this card from the reader. */
void logins_card_removed(struct logins *logins, unsigned reader, const char *serial);

/*
 * Whether the caller may: ERROR_NOT_INITIALIZED before there is a system owner, ERROR_ACCESS_DENIED
 * saying what is missing, ERROR_QUORUM_MISSING when others have to log in besides. A success counts
 * as activity of the caller's first login; those that were added run out by themselves.
 */
bool logins_may(
	struct logins *logins, const char *caller, enum permission permission, struct error *error);
/*
 * Whether as many persons who may do this are logged in by the caller as its quorum needs; always
 * so where there is none. ERROR_QUORUM_MISSING.
 */
bool logins_check_quorum(
	struct logins *logins, const char *caller, enum permission permission, struct error *error);
/* What the caller's operators may together. */
permission_set logins_permissions(struct logins *logins, const char *caller);
/* How many cards of operators who may do this are logged in by the caller. */
unsigned logins_count(struct logins *logins, const char *caller, enum permission permission);
/* ERROR_ACCESS_DENIED when the card is that of an operator whom the caller has logged in. */
bool logins_check_other(
	struct logins *logins, const char *caller, int64_t credential_id, struct error *error);
/* The credentials whose cards the caller has logged in with; heap array. */
int64_t *logins_credentials(struct logins *logins, const char *caller, size_t *count);
/* Whether one of the caller's operators has one of the roles. */
bool logins_have_role(struct logins *logins, const char *caller, char *const *roles, size_t count);
/* The actor that a caller is, with its logins, whose keys it keeps until it is freed. actor: text.
 */
struct audit_actor *logins_actor(struct logins *logins, const char *caller, const char *actor);

/* One login, for people. */
struct login_view {
	char *operator_id; /* NULL for a holder who is no operator */
	char *serial;
	char *roles; /* names with spaces between them */
};
/* The caller's logins; heap array, free with login_views_free. */
struct login_view *logins_list(struct logins *logins, const char *caller, size_t *count);
void login_views_free(struct login_view *views, size_t count);

#endif
