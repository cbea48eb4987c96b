/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keys in slots that are credentials: the verbs that make, renew and end them, and what they share.
 * Before anything is changed in the token, what is to be done is in the store (model/hsm-key.h).
 */
#ifndef TESSERA_OPERATION_SLOT_KEYS_H
#define TESSERA_OPERATION_SLOT_KEYS_H

#include "operation/enroll.h"
#include "operation/session.h"
#include "operation/slots.h"
#include "token/hsm-pair.h"

/* A slot whose token is logged in, for a verb. */
struct slot_access {
	struct slot *slot;
	struct hsm *hsm;
	bool logged_in; /* with the caller's PIN */
};
#define SLOT_ACCESS_INIT                                                                           \
	{                                                                                          \
		0                                                                                  \
	}
#define _cleanup_slot_access_ _cleanup_(slot_access_close)

/*
 * Opens a slot for a verb and tidies its keys. pin: unset or NULL where the daemon has it, and it
 * is not looked at there. ERROR_NOT_FOUND, ERROR_TOKEN_FAILED, ERROR_PIN_REQUIRED, ERROR_PIN_WRONG,
 * ERROR_PIN_BLOCKED.
 */
bool slot_access_open(struct slot_access *access, struct services *services, const char *name,
	const struct secret *pin, struct error *error);
/* Programs see what was changed. */
void slot_access_close(struct slot_access *access);

/*
 * Finishes, or undoes, what was interrupted with keys of the slot, if its token is logged in (with
 * the PIN that is kept, or a caller's) and no verb is at them. What cannot be done now stays for
 * the next time, and is logged.
 */
void slot_keys_tidy(struct slot *slot, bool logged_in);

/* --- certificates (slot-certify.c) --- */

/* What a key's certificate is asked for by: found out before anything is changed. */
struct slot_key_plan {
	struct template *template;
	struct enroll_names names;
	struct certificates before;
};
void slot_key_plan_clear(struct slot_key_plan *plan);
/* The newest version of a template, for the credential's holder. ERROR_NOT_FOUND,
 * ERROR_NOT_SUPPORTED, ERROR_WRONG_STATE, ERROR_INVALID_ARGUMENT, ERROR_AUTHORITY_FAILED. */
bool slot_key_plan_make(struct services *services, const char *template_name,
	const struct credential *credential, struct slot_key_plan *plan, struct error *error);
/* A certificate of the key's that was pending has come, or will not come. */
void slot_key_arrived(struct services *services, int64_t credential_id);
/* The key of a label that is a credential and not retired. ERROR_NOT_FOUND. */
bool slot_key_find(struct services *services, const char *slot, const char *label,
	struct hsm_key *key, struct error *error);
/* A CKA_ID for a new key. */
bool slot_key_random_id(struct buffer *id, struct error *error);
/* Puts on disk what is to be done, before the token is asked. */
bool slot_key_begin(struct services *services, struct hsm_key *key, struct credential *credential,
	struct error *error);
/*
 * Makes the key that the step is about, if it has a label for a new one; gets its certificate and
 * settles it, unless that is pending. A failure is to be taken back.
 */
bool slot_key_certify(struct operation *operation, struct hsm *hsm, struct hsm_key *key,
	struct credential *credential, const struct slot_key_plan *plan, const char *new_label,
	struct error *error);
/* The job's result fields. */
void slot_key_tell_result(struct session *session);
/* After a failure: what is there by now is taken back. */
void slot_key_take_back(struct services *services, struct hsm *hsm, int64_t credential_id);

/* --- steps that verbs and tidying share (slot-key-steps.c) --- */

/*
 * Puts a new certificate that the store has in its place: beside the key in the token, the key in
 * its place where it is a new one, the older certificates superseded and gone from the token. What
 * only removes may fail: it is logged, and done by the next tidying.
 */
bool slot_key_settle(struct services *services, struct hsm *hsm, struct hsm_key *key,
	struct credential *credential, const struct certificate *certificate, struct error *error);
/*
 * Takes back what a failed enrollment or renewal has made: its certificate is revoked, its key
 * destroyed; an enrolled credential is forgotten, or retired when it had a certificate.
 * *forgotten (may be NULL) says so.
 */
bool slot_key_undo(struct services *services, struct hsm *hsm, struct hsm_key *key,
	struct credential *credential, bool *forgotten, struct error *error);
/* Ends a key in the token (HSM NULL: it stays there) and the credential, whose certificates were
 * seen to. */
bool slot_key_end(struct services *services, struct hsm *hsm, struct hsm_key *key,
	struct credential *credential, struct error *error);

/* --- what administrators see (slot-key-list.c) --- */

/* A key in the token, as far as it shows without a login. */
struct slot_key_entry {
	struct buffer id; /* CKA_ID */
	char *label;
	char *algorithm;	    /* "ec-p256"; "other" */
	char *subject;		    /* of the certificate beside it; NULL: there is none */
	int64_t not_after;	    /* of that certificate; 0 */
	int64_t credential_id;	    /* 0: it is not managed */
	enum lifecycle_state state; /* of the credential; LIFECYCLE_STATE_COUNT */
};
/* By label; for slot_key_list_free(). ERROR_TOKEN_FAILED. */
bool slot_key_list(struct services *services, struct slot *slot, struct slot_key_entry **entries,
	size_t *count, struct error *error);
void slot_key_list_free(struct slot_key_entry *entries, size_t count);

/* --- what programs may do (slot-key-table.c) --- */

/* Reads from the store which keys of the slot are managed. */
bool slot_keys_load(struct slot *slot, struct error *error);
/* The credential has changed, or is forgotten. */
void slot_keys_changed(struct slots *slots, int64_t credential_id);
/* Whether programs may use a key: that of a credential only while it is active.
 * ERROR_WRONG_STATE. */
bool slot_keys_check_use(struct slot *slot, const struct hsm_object *object, struct error *error);
/*
 * Whether programs may destroy or change an object: of a credential's key and certificate nothing,
 * as Tessera sees to them; a key that was retired may be destroyed. ERROR_ACCESS_DENIED.
 */
bool slot_keys_check_change(
	struct slot *slot, const struct hsm_object *object, bool destroys, struct error *error);
/* Whether an object of programs may have the CKA_ID: not that of such a key. ERROR_ACCESS_DENIED.
 */
bool slot_keys_check_id(struct slot *slot, const struct reader *id, struct error *error);
/* The credential that a key with the CKA_ID is of; 0 for none. */
int64_t slot_keys_credential(struct slot *slot, const struct reader *id);

/* --- verbs --- */

struct slot_enrollment {
	const char *slot, *label, *template_name;
	const struct fields *holder;
	int64_t expires_at;	  /* the credential's end date; 0: none */
	bool existing_key;	  /* the token has the key; else one is made */
	const struct secret *pin; /* as of slot_access_open() */
};
/*
 * Makes a key in a slot by the newest version of a template for HSM keys, or takes one that is
 * there, and gets it a certificate, which is written beside it. Active at once. Result fields:
 * "serial", "credential-id". ERROR_NOT_FOUND (slot, template, key), ERROR_EXISTS (label),
 * ERROR_INVALID_ARGUMENT (holder field, label), ERROR_NOT_SUPPORTED (template), ERROR_AUTHORITY_*.
 */
bool operation_slot_enroll(
	struct operation *operation, const struct slot_enrollment *request, struct error *error);

struct slot_renewal {
	const char *slot, *label;
	bool new_key; /* another key takes its place, and is destroyed */
	const struct secret *pin;
};
/*
 * Another certificate by the newest version of the key's template. The older one is superseded once
 * the new one is in the token. Result fields: "serial", "credential-id".
 */
bool operation_slot_renew(
	struct operation *operation, const struct slot_renewal *request, struct error *error);

struct slot_retirement {
	const char *reason; /* or NULL */
	bool keep_key;	    /* key and certificate stay in the token */
	const struct secret *pin;
};
/* Revokes the certificates as the template says, and destroys key and certificate in the token. */
bool operation_slot_retire(struct operation *operation, int64_t credential_id,
	const struct slot_retirement *request, struct error *error);

#endif
