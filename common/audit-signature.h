/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The operators' own signatures of a record: one for each operator that the record names, in that
 * order, made with the key of the operator's login (common/audit-login.h).
 */
#ifndef TESSERA_COMMON_AUDIT_SIGNATURE_H
#define TESSERA_COMMON_AUDIT_SIGNATURE_H

#include "common/audit-record.h"

#define AUDIT_SIGNATURE_BYTES 64 /* Ed25519 (RFC 8032, 5.1.6) */

struct audit_signature {
	int64_t login; /* number of the record of the login whose key signed */
	uint8_t bytes[AUDIT_SIGNATURE_BYTES];
};

/*
 * Appends what is signed: the text "tessera-audit-record-1", the store's id and the login's number,
 * as fields, then the hash that the record would have behind the one before it without signatures.
 */
void audit_signature_message(const struct audit_record *record,
	const uint8_t previous[AUDIT_HASH_BYTES], const char *store_id, int64_t login,
	struct buffer *message);

/* Appends one to a record's `signature`: login and bytes, as fields. */
void audit_signature_append(struct buffer *signatures, const struct audit_signature *signature);
/* The next one of a record's `signature`; false when it is damaged. */
bool audit_signature_read(struct reader *signatures, struct audit_signature *signature);

#endif
