/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Walks the audit trail record by record and says what is wrong with it first:
 * which record was changed, is missing or stands elsewhere, which
 * operator's signature and which checkpoint does not fit. The same walk for the daemon's store and
 * for an export.
 */
#ifndef TESSERA_COMMON_AUDIT_VERIFIER_H
#define TESSERA_COMMON_AUDIT_VERIFIER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/audit-checkpoint.h"
#include "common/audit-logins.h"
#include "common/audit-record.h"

enum audit_problem {
	AUDIT_WHOLE,
	AUDIT_CHANGED,	 /* a record does not follow from the one before it */
	AUDIT_MISSING,	 /* a record is not there */
	AUDIT_MOVED,	 /* a record stands behind one that was written later, or twice */
	AUDIT_TRUNCATED, /* the end is not there */
	AUDIT_SIGNATURE, /* an operator's signature, or the proof of a login, is missing or wrong */
	AUDIT_CHECKPOINT, /* a checkpoint is missing, not genuine, or of another trail or key */
};

struct audit_verifier {
	/* set by audit_verifier_init */
	const char *store_id;	      /* borrowed */
	const struct buffer *trusted; /* public keys, DER; borrowed; NULL: any key will do */
	size_t trusted_count;
	struct audit_logins logins; /* its `anchors` may be set */
	/* where the walk is */
	int64_t first;	     /* the record that the walk began behind */
	int64_t last_record; /* the last good one */
	uint8_t last_hash[AUDIT_HASH_BYTES];
	int64_t last_checkpoint; /* the last good one, or 0 before the first */
	int64_t covered;	 /* the record that the last good checkpoint covers, or 0 */
	int64_t covered_time_us; /* when that was signed */
	struct buffer key;	 /* the public key of the last good checkpoint */
	/* what was found first */
	enum audit_problem problem;
	int64_t bad; /* number of the record or checkpoint that it is about */
	char *text;  /* a sentence, heap, or NULL while all is whole */
};
#define _cleanup_audit_verifier_ _cleanup_(audit_verifier_clear)

/* after, hash: the record that the walk begins behind, 0 and NULL for the trail's beginning. */
void audit_verifier_init(
	struct audit_verifier *verifier, const char *store_id, int64_t after, const uint8_t *hash);
void audit_verifier_clear(struct audit_verifier *verifier);

/*
 * The record of a login from before the walk's beginning, that records in it are signed under. Its
 * proof is checked, not its place in the trail. Before the records concerned.
 */
void audit_verifier_earlier_login(
	struct audit_verifier *verifier, const struct audit_record *record);
/* The next record, as it stands there. Its hash is computed anew in place. */
void audit_verifier_record(struct audit_verifier *verifier, struct audit_record *record);
/* A checkpoint; those come directly behind the record that they cover. */
void audit_verifier_checkpoint(
	struct audit_verifier *verifier, const struct audit_checkpoint *checkpoint);
/* The end: last is the number of the last record that there should be. */
void audit_verifier_end(struct audit_verifier *verifier, int64_t last);

/* "changed", "missing", "moved", "truncated", "signature", "checkpoint", "whole" */
const char *audit_problem_name(enum audit_problem problem);

#endif
