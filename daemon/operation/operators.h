/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operators and system owners: who they are, what they may, and changes of both. */
#ifndef TESSERA_OPERATION_OPERATORS_H
#define TESSERA_OPERATION_OPERATORS_H

#include <openssl/x509.h>

#include "model/operator.h"
#include "model/role.h"
#include "operation/services.h"

/* Whether there has ever been a system owner: before, nothing but initialisation is possible. */
bool operators_initialised(struct services *services);

/*
 * What the holder of a card may when logged in: the permissions of all roles of an active operator
 * whose card is active; otherwise none.
 */
permission_set operators_permissions(struct services *services, int64_t credential_id);

/* Notes the time of a login; "K7M2P (auditor normal)" for the audit trail, or NULL for a holder who
 * is no operator. Heap. */
char *operators_note_login(struct services *services, int64_t credential_id);

/* What an operator is to be. */
struct operator_change {
	char *const *roles;
	size_t role_count;
	bool active;
	bool custodian; /* the card may unlock the master key */
};
/*
 * Makes an issued card an operator's, or changes its operator. ERROR_NOT_SUPPORTED when the card's
 * template is not for operators, ERROR_INVALID_ARGUMENT for an unknown role or none, or the system
 * owner's, ERROR_ACCESS_DENIED for a change of a system owner, ERROR_IN_USE when too
 * few operators would be left (operation/remaining.h), ERROR_LOCKED when a new custodian's card
 * cannot be sealed to.
 */
bool operators_set(struct services *services, int64_t credential_id,
	const struct operator_change *change, struct error *error);
/* Whether the roles can be given. ERROR_INVALID_ARGUMENT; NULL is no roles. */
bool operators_check_roles(
	struct services *services, const struct operator_change *change, struct error *error);
/* Saves a whole record, sealing to the card where it is to be a custodian's. ERROR_LOCKED. */
bool operators_make(struct services *services, struct operator_record *record, bool custodian,
	struct error *error);
/*
 * The operator of the old card, if it is one's, gets another card, which has its certificates; the
 * old one is no operator's any more. Within a transaction. ERROR_LOCKED.
 */
bool operators_move(struct services *services, int64_t old_credential_id, int64_t new_credential_id,
	struct error *error);
/* Whether a card of that template could do what this one does. ERROR_NOT_SUPPORTED for a
 * custodian's without a key-management key. */
bool operators_check_template(struct services *services, int64_t credential_id,
	const struct template *template, struct error *error);
/* The card is no operator's any more. Errors as operators_set. */
bool operators_remove(struct services *services, int64_t credential_id, struct error *error);
/*
 * Whether the card may be given up, for good or suspended, as far as operators go: not the last
 * active system owner's, nor when too few operators would be left (operation/remaining.h).
 * ERROR_IN_USE.
 */
bool operators_check_dispensable(
	struct services *services, int64_t credential_id, bool for_good, struct error *error);

/*
 * The certificate, not revoked, that secrets are sealed to for a card; NULL with
 * ERROR_NOT_SUPPORTED. The caller frees it.
 */
X509 *operators_seal_certificate(
	struct services *services, int64_t credential_id, struct error *error);
/*
 * A custodian's card has other keys now: the vault's PIN is sealed to it again, in place of what
 * was sealed before. Within a transaction. Nothing for any other card. ERROR_LOCKED,
 * ERROR_NOT_SUPPORTED.
 */
bool operators_reseal(struct services *services, int64_t credential_id, struct error *error);
/* Seals the vault's PIN again to all cards that it is sealed to and that have a certificate still.
 */
bool operators_seal_anew(struct services *services, struct error *error);

#endif
