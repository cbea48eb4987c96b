/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/audit-verifier.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

static const char *const problem_names[] = {
	[AUDIT_WHOLE] = "whole",
	[AUDIT_CHANGED] = "changed",
	[AUDIT_MISSING] = "missing",
	[AUDIT_MOVED] = "moved",
	[AUDIT_TRUNCATED] = "truncated",
	[AUDIT_SIGNATURE] = "signature",
	[AUDIT_CHECKPOINT] = "checkpoint",
};

const char *audit_problem_name(enum audit_problem problem)
{
	return problem_names[problem];
}

void audit_verifier_init(
	struct audit_verifier *verifier, const char *store_id, int64_t after, const uint8_t *hash)
{
	*verifier =
		(struct audit_verifier){.store_id = store_id, .first = after, .last_record = after};
	verifier->logins.store_id = store_id;
	if (hash)
		memcpy(verifier->last_hash, hash, AUDIT_HASH_BYTES);
}

void audit_verifier_clear(struct audit_verifier *verifier)
{
	audit_logins_clear(&verifier->logins);
	buffer_clear(&verifier->key);
	free(verifier->text);
	*verifier = (struct audit_verifier){0};
}

static void PRINTF_LIKE(4, 5) found(struct audit_verifier *verifier, enum audit_problem problem,
	int64_t bad, const char *format, ...)
{
	va_list arguments;

	free(steal_pointer(&verifier->text));
	verifier->problem = problem;
	verifier->bad = bad;
	va_start(arguments, format);
	verifier->text = xvasprintf(format, arguments);
	va_end(arguments);
}

/* A record that was thought missing turns up later: that is another thing to know. */
static void look_for_missing(struct audit_verifier *verifier, const struct audit_record *record)
{
	if (verifier->problem == AUDIT_MISSING && record->id == verifier->bad)
		found(verifier, AUDIT_MOVED, record->id,
			"record %" PRId64 " does not stand behind record %" PRId64
			" but further on: records were put into another order",
			record->id, verifier->last_record);
}

static void note_gap(struct audit_verifier *verifier, int64_t expected, int64_t id)
{
	if (id == expected + 1)
		found(verifier, AUDIT_MISSING, expected, "record %" PRId64 " is missing", expected);
	else if (id > expected)
		found(verifier, AUDIT_MISSING, expected,
			"records %" PRId64 " to %" PRId64 " are missing", expected, id - 1);
	else
		found(verifier, AUDIT_MOVED, id,
			"record %" PRId64 " stands behind record %" PRId64
			": it was moved or repeated",
			id, verifier->last_record);
}

static void take_flaw(struct audit_verifier *verifier, int64_t record, char *flaw)
{
	_cleanup_free_ char *owned = flaw;

	if (owned)
		found(verifier, AUDIT_SIGNATURE, record, "record %" PRId64 " %s", record, owned);
}

static void check_signatures(struct audit_verifier *verifier, const struct audit_record *record)
{
	take_flaw(verifier, record->id,
		audit_record_is_login(record)
			? audit_logins_add(&verifier->logins, record)
			: audit_logins_check(&verifier->logins, record, verifier->last_hash));
}

void audit_verifier_earlier_login(
	struct audit_verifier *verifier, const struct audit_record *record)
{
	if (verifier->problem != AUDIT_WHOLE)
		return;
	if (record->id > verifier->first || !audit_record_is_login(record))
		found(verifier, AUDIT_SIGNATURE, record->id,
			"record %" PRId64 " is no earlier login", record->id);
	else
		take_flaw(verifier, record->id, audit_logins_add(&verifier->logins, record));
}

void audit_verifier_record(struct audit_verifier *verifier, struct audit_record *record)
{
	uint8_t written[AUDIT_HASH_BYTES];
	int64_t expected = verifier->last_record + 1;

	if (verifier->problem != AUDIT_WHOLE) {
		look_for_missing(verifier, record);
		return;
	}
	if (record->id != expected) {
		note_gap(verifier, expected, record->id);
		return;
	}
	memcpy(written, record->hash, sizeof(written));
	audit_record_chain(record, verifier->last_hash);
	if (memcmp(record->hash, written, sizeof(written)) != 0) {
		found(verifier, AUDIT_CHANGED, expected,
			"record %" PRId64 " was changed: it does not follow from the one before it",
			expected);
		return;
	}
	check_signatures(verifier, record);
	if (verifier->problem != AUDIT_WHOLE)
		return;
	memcpy(verifier->last_hash, written, sizeof(written));
	verifier->last_record = expected;
}

static bool is_trusted(const struct audit_verifier *verifier, const struct buffer *key)
{
	for (size_t i = 0; i < verifier->trusted_count; i++) {
		const struct buffer *trusted = &verifier->trusted[i];
		if (trusted->length == key->length &&
			memcmp(trusted->data, key->data, key->length) == 0)
			return true;
	}
	return !verifier->trusted;
}

/* What is wrong with a checkpoint that stands where the walk is; NULL for nothing. */
static const char *checkpoint_flaw(
	const struct audit_verifier *verifier, const struct audit_checkpoint *checkpoint)
{
	if (verifier->last_checkpoint && checkpoint->id != verifier->last_checkpoint + 1)
		return "does not follow the one before it: one was removed or moved";
	if (!audit_checkpoint_is_genuine(checkpoint, verifier->store_id))
		return "is not genuine: its signature does not fit";
	if (!is_trusted(verifier, &checkpoint->public_key))
		return "was signed by another key than the one to be trusted";
	if (checkpoint->record_id != verifier->last_record)
		return "does not stand behind the record that it covers";
	if (memcmp(checkpoint->hash, verifier->last_hash, AUDIT_HASH_BYTES) != 0)
		return "covers other records: those up to it were written anew after it was signed";
	return NULL;
}

void audit_verifier_checkpoint(
	struct audit_verifier *verifier, const struct audit_checkpoint *checkpoint)
{
	if (verifier->problem != AUDIT_WHOLE)
		return;
	const char *flaw = checkpoint_flaw(verifier, checkpoint);
	if (flaw) {
		found(verifier, AUDIT_CHECKPOINT, checkpoint->id,
			"checkpoint %" PRId64 " (of record %" PRId64 ") %s", checkpoint->id,
			checkpoint->record_id, flaw);
		return;
	}
	verifier->last_checkpoint = checkpoint->id;
	verifier->covered = checkpoint->record_id;
	verifier->covered_time_us = checkpoint->time_us;
	buffer_truncate(&verifier->key, 0);
	buffer_append(&verifier->key, checkpoint->public_key.data, checkpoint->public_key.length);
}

void audit_verifier_end(struct audit_verifier *verifier, int64_t last)
{
	if (verifier->problem == AUDIT_WHOLE && verifier->last_record < last)
		found(verifier, AUDIT_TRUNCATED, verifier->last_record + 1,
			"the end is missing: the last record is %" PRId64 ", not %" PRId64,
			verifier->last_record, last);
}
