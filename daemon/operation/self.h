/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who somebody has proved to be without a card: a user of the system whom polkit has let, a person
 * of a directory, or whoever has a one-time code. It belongs to the caller (as logins do), known by
 * a name that no other caller has, and ends with it, when it is forgotten, and after SELF_SECONDS.
 * What it is good for is asked of operation/self-rights.h at each use.
 *
 * Whatever is wrong, the answer is the same words after the same time: nobody learns whether there
 * is such a person, card or code, or that it is locked. Who may read the audit trail learns it.
 */
#ifndef TESSERA_OPERATION_SELF_H
#define TESSERA_OPERATION_SELF_H

#include "operation/services.h"

#define SELF_SECONDS	    (10 * 60)
#define AUDIT_SELF_PROOF    "self-authenticate"
#define SELF_IDENTITIES_MAX 256

struct selves;
struct selves *selves_new(struct services *services);
/* NULL is allowed. */
void selves_free(struct selves *selves);

struct self_request {
	const char *caller;
	uid_t uid;
	const struct audit_actor *actor; /* for the audit trail */
};

struct self_identity {
	char *caller;
	enum self_way way;
	char *label; /* for the audit trail: "code K7M2" */
	/* As struct credential's user_id, or of a person CONNECTION:ID; NULL for a code that is for
	 * none. */
	char *id;
	char *connection; /* of a person of a directory, whom it knows by: */
	char *person_id;
	struct fields fields; /* the person's */
	char *selector;	      /* of a code, with what it is for: */
	int64_t code;
	enum self_service purpose;
	int64_t credential_id;
	char *template_name;
	int64_t until; /* seconds, monotonic */
};
void self_identity_clear(struct self_identity *identity);

/*
 * The caller has a code. ERROR_ACCESS_DENIED for whatever is wrong; ERROR_BUSY after too many
 * tries. These three leave one audit record each, also when they fail.
 */
bool self_prove_code(struct selves *selves, const struct self_request *request,
	const struct secret *code, struct error *error);
/*
 * The caller is a person of a directory, which is asked: login name or UPN, and password.
 * connection: one that a template names for that (/self-service/directory), or NULL where only one
 * is. ERROR_INVALID_ARGUMENT, ERROR_NETWORK_FAILED when the directory cannot be asked.
 */
bool self_prove_password(struct selves *selves, const struct self_request *request,
	const char *connection, const char *login, const struct secret *password,
	struct error *error);
/* What lock-outs of a person of a directory are counted for ("directory"); heap. */
char *self_lock_name(const char *connection, const char *login);
/* The caller is the user of its process, and polkit has let them, or says in *refusal why not. */
bool self_prove_system_user(struct selves *selves, const struct self_request *request,
	const struct error *refusal, struct error *error);

/* Ends all that a caller has proved; none is no error. */
void selves_end(struct selves *selves, const char *caller);

/* What the caller has proved and is good still, codes last; heap array. */
struct self_identity *selves_of(struct selves *selves, const char *caller, size_t *count);
void self_identities_free(struct self_identity *identities, size_t count);

/* Ends a lock-out, by what it was counted for (self_limits_subject). *was_locked: whether there was
 * any failure. */
bool selves_lift(struct selves *selves, const char *kind, const char *name, bool *was_locked,
	struct error *error);

/*
 * What may wait, for polkit or a directory, does so for one user once at a time, and for few at all
 * on threads that serve others, too. ERROR_BUSY.
 */
bool selves_ask_begin(struct selves *selves, uid_t uid, bool on_shared_thread, struct error *error);
void selves_ask_end(struct selves *selves, uid_t uid);

#endif
