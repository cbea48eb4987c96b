/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The verbs: one blocking function each, one file each (operation/issue.c, ...).
 * Each checks the lifecycle, does its work, writes its audit record (also when
 * it fails) and refreshes the contact. Errors common to all: ERROR_WRONG_STATE,
 * ERROR_NO_CARD, ERROR_BUSY, ERROR_CANCELLED, ERROR_CARD_*, ERROR_STORE_*,
 * ERROR_TOKEN_FAILED; others as said.
 */
#ifndef TESSERA_OPERATION_VERBS_H
#define TESSERA_OPERATION_VERBS_H

#include <sys/types.h>

#include "common/secret.h"
#include "operation/operators.h"
#include "operation/services.h"

struct self_person;

/* What a card is issued with besides; NULL is the same as all zero. */
struct issue_terms {
	int64_t expires_at; /* its end date; certificates do not go beyond it; 0: none */
	int64_t replaces;   /* id of the credential that is revoked when this one is issued; 0: none
			     */
	/* who asks, for templates whose cards people issue to themselves; NULL: nobody who could be
	 * the holder */
	const struct self_person *self;
	bool only_to_user;   /* who asks may issue by no other template */
	const char *user_id; /* of a card that is replaced: who issued it (struct credential) */
	/* Whose of the template's directory it is to be, by login name (or UPN) or by id; NULL. */
	const char *person, *person_id;
	/* The same, found already; NULL: nobody of a directory, or to be looked up. */
	const struct person_link *link;
};

/*
 * Issues the card in a reader by the newest version of a template. Result fields: "serial",
 * "credential-id". ERROR_NOT_FOUND (reader, template), ERROR_INVALID_ARGUMENT (holder field),
 * ERROR_CARD_FOREIGN, ERROR_AUTHORITY_*. A template for operators needs `change` with their roles
 * (errors as operators_set), which others must be without; a system owner's needs NULL. By a
 * template whose cards users issue (/issue/by) the holder is terms->self, and no fields are
 * taken: ERROR_EXISTS for a second card, ERROR_ACCESS_DENIED for any other template with
 * only_to_user.
 */
bool operation_issue(struct operation *operation, unsigned reader, const char *template_name,
	const struct fields *holder, const struct operator_change *change,
	const struct issue_terms *terms, struct error *error);
/*
 * The same, and activates the card where the template has auto-initiate: pin is set, or unset for
 * one that is made and given back; NULL, ERROR_INVALID_ARGUMENT for such a template. Two audit
 * records. A card that could not be activated stays issued. ERROR_PIN_LENGTH, ERROR_PIN_POLICY.
 */
bool operation_issue_and_initiate(struct operation *operation, unsigned reader,
	const char *template_name, const struct fields *holder,
	const struct operator_change *change, const struct issue_terms *terms, struct secret *pin,
	struct error *error);
/*
 * Takes the card in a reader into ownership without issuing it: secrets of the master key, PIN
 * blocked. Result fields and errors as issue.
 */
bool operation_register(struct operation *operation, unsigned reader, struct error *error);
/* Sets the first PIN. One that is unset is made by the template's rules and given back.
 * ERROR_PIN_LENGTH, ERROR_PIN_POLICY. */
bool operation_activate(struct operation *operation, int64_t credential_id, struct secret *pin,
	struct error *error);
/* ERROR_PIN_WRONG, ERROR_PIN_BLOCKED, ERROR_PIN_LENGTH, ERROR_PIN_POLICY. */
bool operation_change_pin(struct operation *operation, int64_t credential_id,
	const struct secret *old_pin, struct secret *new_pin, struct error *error);
/* pin as for operation_activate. ERROR_PIN_LENGTH, ERROR_PIN_POLICY, ERROR_PUK_BLOCKED. */
bool operation_unblock(struct operation *operation, int64_t credential_id, struct secret *pin,
	struct error *error);
/*
 * template_name NULL: the present one; holder empty: the present fields, or as the directory has
 * them now that the card's person is of, unless keep_fields. Errors as issue.
 */
bool operation_reissue(struct operation *operation, int64_t credential_id,
	const char *template_name, const struct fields *holder, bool keep_fields,
	struct error *error);
/*
 * Brings the card to the newest version of its template. The card has to be there only for what is
 * written to it. What needs new keys is ERROR_NOT_SUPPORTED, or with may_reissue a reissue. Result
 * field "change": "nothing" or the effect (model/template-change.h). The holder's fields come to
 * what the directory has that the card's person is of, unless keep_fields.
 */
bool operation_update(struct operation *operation, int64_t credential_id, bool may_reissue,
	bool keep_fields, struct error *error);
/* Certificates that end later, the PIN stays (operation/card-renew.h). */
struct card_renewal;
bool operation_renew(struct operation *operation, int64_t credential_id,
	const struct card_renewal *request, struct error *error);
/* The card need not be there for these three. */
bool operation_suspend(struct operation *operation, int64_t credential_id, const char *reason,
	struct error *error);
bool operation_resume(struct operation *operation, int64_t credential_id, struct error *error);
/* reason: RFC 5280 name, or NULL. ERROR_INVALID_ARGUMENT. */
bool operation_revoke(struct operation *operation, int64_t credential_id, const char *reason,
	struct error *error);
/* The reason's name in the table; NULL with ERROR_INVALID_ARGUMENT for one that none may give. */
const char *operation_check_reason(const char *reason, struct error *error);
/*
 * The same without telling the authorities: what they are to be told of (certificates_tell) is
 * added to *untold. reason: as operation_check_reason gave it.
 */
bool operation_revoke_untold(struct operation *operation, int64_t credential_id, const char *reason,
	struct certificates *untold, struct error *error);

#define REVOKE_MANY_MAXIMUM 1000 /* cards at a time */
/*
 * Revokes cards one after the other, each as by itself: with its transaction and its audit record.
 * One that is revoked already is left as it is, so that the same can be asked for again after an
 * interruption. The authorities are told at the end. Result fields: for each card its serial with
 * "revoked", "already revoked" or "failed: " and why. ERROR_FAILED when any card failed.
 */
bool operation_revoke_many(struct operation *operation, const int64_t *credential_ids, size_t count,
	const char *reason, struct error *error);
/*
 * The card was "lost", "stolen", "damaged" or "compromised", and need not be there: the lifecycle's
 * table says whether it is suspended or revoked, and why. ERROR_INVALID_ARGUMENT.
 */
bool operation_report(
	struct operation *operation, int64_t credential_id, const char *kind, struct error *error);
/*
 * Issues the card in a reader in place of another one: same holder (of a directory with the fields
 * as they are there now, unless keep_fields), newest version of the same template, an operator's
 * roles; the old one is revoked when that is done. pin, result fields and errors as
 * operation_issue_and_initiate.
 */
bool operation_replace(struct operation *operation, int64_t credential_id, unsigned reader,
	int64_t expires_at, bool keep_fields, struct secret *pin, struct error *error);
/* The end date of the card has come; the card need not be there. */
bool operation_expire(struct operation *operation, int64_t credential_id, struct error *error);
/* Gives a registered card its factory secrets back, and forgets the holder of a retired one. */
bool operation_unregister(struct operation *operation, int64_t credential_id, struct error *error);
bool operation_retire(struct operation *operation, int64_t credential_id, const char *reason,
	struct error *error);

#endif
