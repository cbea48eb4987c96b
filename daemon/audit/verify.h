/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verifying the audit trail of a store. */
#ifndef TESSERA_AUDIT_VERIFY_H
#define TESSERA_AUDIT_VERIFY_H

#include "common/audit-verifier.h"
#include "store/store.h"

/*
 * Walks the whole trail with its checkpoints, which may be signed by any key of
 * theirs but the last one, whose key has to be `key` (SubjectPublicKeyInfo; NULL: any). The
 * verifier, not initialised, has what was found: its last_record is the number of good records.
 * *records: how many were written so far. ERROR_STORE_*.
 */
bool audit_verify(struct store *store, const struct buffer *key, struct audit_verifier *verifier,
	int64_t *records, struct error *error);

#endif
