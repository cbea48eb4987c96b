/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The audit trail: one record per operation, login, denial and change of the
 * configuration, as a hash chain (common/audit-record.h) with checkpoints that
 * are signed in the token (audit/checkpoint.h), so that a changed, missing or
 * moved record shows.
 */
#ifndef TESSERA_AUDIT_AUDIT_H
#define TESSERA_AUDIT_AUDIT_H

#include "audit/actor.h"
#include "core/rate-limit.h"
#include "store/store.h"

/* What a record tells; the texts are borrowed. What is not known is NULL or 0. */
struct audit_entry {
	const struct audit_actor *actor; /* never NULL */
	const char *operation;		 /* "issue"; never NULL */
	const char *card;		 /* serial */
	unsigned job;
	const struct error *result; /* what it ended with; code ERROR_NONE: success */
	const char *detail;	    /* a sentence; the result's message is put behind it */
	/* Of a login that succeeded: its operator, and what proves it in place of a signature. */
	const char *operator_name;
	const struct audit_proof *proof;
	int64_t *id; /* set to the record's number, when it was written */
};

/*
 * Writes a record, signed by all operators whom the actor has logged in. Texts are cut at 1024
 * bytes, operation and card at 128. Also logs it, and sends it to the journal where that is asked
 * for, even when the store fails. ERROR_STORE_*.
 */
bool audit_write_entry(struct store *store, const struct audit_entry *entry, struct error *error);

/* The same for what is no login. */
bool audit_write(struct store *store, const struct audit_actor *actor, const char *operation,
	const char *card, unsigned job, const struct error *result, const char *detail,
	struct error *error);

/*
 * Writes a record of what anyone can make fail at will: at most 30 a minute per limit, so that
 * nobody fills the disk with them. Answers true for one that is left out.
 */
bool audit_write_refusal(struct store *store, struct rate_limit *limit,
	const struct audit_actor *actor, const char *operation, const char *card, unsigned job,
	const struct error *result, const char *detail, struct error *error);

/* Whether records are sent to the journal or syslog, too, from now on. Off at first. */
void audit_set_syslog(bool enabled);

#endif
