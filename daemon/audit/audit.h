/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The audit trail: one record per operation, login failure and denial, as a
 * hash chain: hash = SHA-256(previous hash || the record's fields, each with
 * its length), so that a changed, missing or moved record shows.
 */
#ifndef TESSERA_AUDIT_AUDIT_H
#define TESSERA_AUDIT_AUDIT_H

#include "core/rate-limit.h"
#include "store/store.h"

/*
 * Writes a record; `result` is what the operation ended with (NULL or code
 * ERROR_NONE: success); its message goes into the detail. actor, operation as
 * in struct audit_record; card, detail may be NULL. Texts are cut at 1024 bytes,
 * operation and card at 128. Also logs it, even when the store fails.
 * ERROR_STORE_*.
 */
bool audit_write(struct store *store, const char *actor, const char *operation, const char *card,
	unsigned job, const struct error *result, const char *detail, struct error *error);

/*
 * Writes a record of what anyone can make fail at will: at most 30 a minute per limit, so that
 * nobody fills the disk with them. Answers true for one that is left out.
 */
bool audit_write_refusal(struct store *store, struct rate_limit *limit, const char *actor,
	const char *operation, const char *card, unsigned job, const struct error *result,
	const char *detail, struct error *error);

/*
 * Walks the whole chain. *records is the number of records written so far;
 * *first_bad the id of the first that does not fit or is missing, or 0. A
 * chain that was computed anew from some record on, with the counter, does not
 * show here.
 */
bool audit_verify(struct store *store, int64_t *records, int64_t *first_bad, struct error *error);

#endif
