/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The key of an operator's login, which signs the records of what is done under it. It is made when
 * the login begins, lives in locked memory, and is wiped with its last holder: the login, or an
 * operation that was begun under it and still runs.
 */
#ifndef TESSERA_AUDIT_SIGNER_H
#define TESSERA_AUDIT_SIGNER_H

#include "common/audit-login.h"
#include "common/audit-record.h"
#include "common/error.h"

struct audit_signer;

/* A fresh Ed25519 key. ERROR_FAILED. */
struct audit_signer *audit_signer_new(struct error *error);
struct audit_signer *audit_signer_ref(struct audit_signer *signer);
/* NULL is allowed. */
void audit_signer_unref(struct audit_signer *signer);
DEFINE_CLEANUP(struct audit_signer *, audit_signer_unref);
#define _cleanup_audit_signer_ _cleanup_(audit_signer_unrefp)

/* AUDIT_SESSION_KEY_BYTES */
const uint8_t *audit_signer_key(const struct audit_signer *signer);

/*
 * Says whose it is, once, before anything is signed: the operator's name (copied) and the number of
 * the login's record.
 */
void audit_signer_set_login(struct audit_signer *signer, const char *name, int64_t record);
/* "K7M2P"; NULL before that. */
const char *audit_signer_name(const struct audit_signer *signer);

/* Appends the signature of the record behind the one before it. ERROR_FAILED. */
bool audit_signer_sign(const struct audit_signer *signer, struct audit_record *record,
	const uint8_t previous[AUDIT_HASH_BYTES], const char *store_id, struct error *error);

#endif
