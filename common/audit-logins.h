/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a walk over the audit trail knows of logins, and its check of operators' signatures: the
 * card signed the session's key, the session's key signed the record.
 */
#ifndef TESSERA_COMMON_AUDIT_LOGINS_H
#define TESSERA_COMMON_AUDIT_LOGINS_H

#include <openssl/x509_vfy.h>

#include "common/audit-login.h"
#include "common/audit-record.h"

struct audit_login;

/* A certificate that logins were made with, and what was signed under them. */
struct audit_operator {
	char *name;	   /* "K7M2P" */
	char *card;	   /* serial */
	char *subject;	   /* of the certificate, RFC 2253 */
	char *fingerprint; /* SHA-256 of the certificate, hex */
	uint64_t logins, records;
};

struct audit_logins {
	const char *store_id; /* borrowed */
	/* Certificates have to come from one of these authorities; borrowed; NULL: from anyone. */
	X509_STORE *anchors;
	/* private */
	struct audit_login *items; /* by the number of their records */
	size_t count, room;
	/* for reports */
	struct audit_operator *operators;
	size_t operator_count;
	uint64_t signed_records;
};
void audit_logins_clear(struct audit_logins *logins);

/*
 * Takes note of a login's record once its proof is found good. NULL for good, otherwise what is
 * wrong, to follow "record 12 ": heap.
 */
char *audit_logins_add(struct audit_logins *logins, const struct audit_record *record);

/*
 * Whether the record tells of a change that a caller made, which needs an operator's login once
 * there is a system owner: not what the daemon does by itself, nor what a card's PIN is enough for.
 */
bool audit_record_needs_operator(const struct audit_record *record);

/*
 * Checks that each operator whom the record names, and nobody else, signed it in a login that is
 * known, and that since the first login nothing was changed without one. previous: the hash of the
 * record before. NULL for good; otherwise as above.
 */
char *audit_logins_check(struct audit_logins *logins, const struct audit_record *record,
	const uint8_t previous[AUDIT_HASH_BYTES]);

/* Whether the record is that of a login that succeeded and has its proof. */
bool audit_record_is_login(const struct audit_record *record);

#endif
