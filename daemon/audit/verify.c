/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "audit/verify.h"

#include <string.h>

#include "common/alloc.h"

#define PAGE 256 /* records read at once */

/* The checkpoints of a page of records. */
struct page {
	struct audit_record *records;
	size_t record_count;
	struct audit_checkpoint *checkpoints;
	size_t checkpoint_count;
};

static void page_clear(struct page *page)
{
	audit_records_free(page->records, page->record_count);
	audit_checkpoints_free(page->checkpoints, page->checkpoint_count);
}

static void walk_page(struct audit_verifier *verifier, struct page *page)
{
	size_t next = 0;

	for (size_t i = 0; i < page->record_count; i++) {
		int64_t id = page->records[i].id;
		audit_verifier_record(verifier, &page->records[i]);
		for (; next < page->checkpoint_count && page->checkpoints[next].record_id <= id;
			next++)
			audit_verifier_checkpoint(verifier, &page->checkpoints[next]);
	}
}

/* Checks the records behind *after, which moves on; 0 at the end. */
static bool verify_page(
	struct store *store, struct audit_verifier *verifier, int64_t *after, struct error *error)
{
	struct page page _cleanup_(page_clear) = {0};
	const struct audit_filter all = {.after = *after, .limit = PAGE};
	int64_t next;

	if (!store_audit_list(store, &all, &page.records, &page.record_count, &next, error) ||
		!store_checkpoint_list(
			store, *after, PAGE, &page.checkpoints, &page.checkpoint_count, error))
		return false;
	walk_page(verifier, &page);
	*after = next;
	return true;
}

static void check_key(struct audit_verifier *verifier, const struct buffer *key)
{
	if (verifier->problem != AUDIT_WHOLE || !key || verifier->last_checkpoint == 0 ||
		(verifier->key.length == key->length &&
			memcmp(verifier->key.data, key->data, key->length) == 0))
		return;
	verifier->problem = AUDIT_CHECKPOINT;
	verifier->bad = verifier->last_checkpoint;
	verifier->text = xasprintf("checkpoint %lld was not signed by the token's key",
		(long long)verifier->last_checkpoint);
}

bool audit_verify(struct store *store, const struct buffer *key, struct audit_verifier *verifier,
	int64_t *records, struct error *error)
{
	struct audit_checkpoint signature _cleanup_audit_checkpoint_ = AUDIT_CHECKPOINT_INIT;
	int64_t after = 0, last;

	audit_verifier_init(verifier, store_id(store), 0, NULL);
	/* Before the walk: records that are written meanwhile are walked too, and do no harm. */
	if (!store_audit_last(store, &last, error) ||
		!store_checkpoint_last(store, &signature, error))
		return false;
	do {
		if (!verify_page(store, verifier, &after, error))
			return false;
	} while (after != 0);
	/* The counter may have been changed with the records; the signature was not. */
	audit_verifier_end(verifier, signature.record_id > last ? signature.record_id : last);
	check_key(verifier, key);
	*records = verifier->last_record > last ? verifier->last_record : last;
	return true;
}
