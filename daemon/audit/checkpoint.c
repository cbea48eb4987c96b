/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "audit/checkpoint.h"

#include <string.h>

#include "audit/audit.h"
#include "common/alloc.h"
#include "core/signing-key.h"

#define DUE_RECORDS 1000
#define DUE_US	    (15 * 60 * INT64_C(1000000))

/* A new key is a change that the trail itself tells, with the fingerprint of the key. */
static bool record_new_key(struct store *store, struct token *token, struct error *error)
{
	_cleanup_buffer_ struct buffer der = BUFFER_INIT;

	if (!audit_checkpoint_key(token, &der, error))
		return false;
	_cleanup_free_ char *hex = audit_key_fingerprint(&der);
	_cleanup_free_ char *detail = xasprintf("SHA-256 of the public key: %s", hex);
	return audit_write(store, &audit_daemon, "make-audit-key", NULL, 0, NULL, detail, error);
}

static EVP_PKEY *open_key(struct store *store, struct token *token, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	bool found;

	if (!token) {
		error_set(error, ERROR_TOKEN_FAILED, "the token is not open");
		return NULL;
	}
	if (!token_has_key(token, AUDIT_KEY_LABEL, &found, error))
		return NULL;
	if (!found) {
		/* Another thread may have made it meanwhile. */
		bool made =
			token_generate_pair(token, AUDIT_KEY_LABEL, KEY_ALGORITHM_EC_P256, &local);
		if (!made && local.code != ERROR_EXISTS) {
			error_move(error, &local);
			return NULL;
		}
		if (made && !record_new_key(store, token, error))
			return NULL;
	}
	return token_signing_key(token, AUDIT_KEY_LABEL, error);
}

bool audit_checkpoint_key(struct token *token, struct buffer *der, struct error *error)
{
	bool found = false;

	if (!token)
		return true;
	if (!token_has_key(token, AUDIT_KEY_LABEL, &found, error))
		return false;
	if (!found)
		return true;
	EVP_PKEY *key _cleanup_(EVP_PKEY_freep) = token_signing_key(token, AUDIT_KEY_LABEL, error);
	return key && audit_key_to_der(key, der, error);
}

/* Signs the head of the trail as the checkpoint behind *last, which it takes the place of. */
static bool write_next(
	struct store *store, EVP_PKEY *key, struct audit_checkpoint *last, struct error *error)
{
	struct audit_checkpoint next _cleanup_audit_checkpoint_ = {
		.id = last->id + 1, .time_us = audit_now_us()};

	if (!store_audit_head(store, &next.record_id, next.hash, error))
		return false;
	if (next.record_id == last->record_id)
		return true;
	if (!audit_checkpoint_sign(&next, store_id(store), key, error) ||
		!store_checkpoint_add(store, &next, error))
		return false;
	struct audit_checkpoint written = next;
	next = *last;
	*last = written;
	return true;
}

bool audit_checkpoint_write(struct store *store, struct token *token,
	struct audit_checkpoint *checkpoint, struct error *error)
{
	struct audit_checkpoint last _cleanup_audit_checkpoint_ = AUDIT_CHECKPOINT_INIT;
	_cleanup_error_ struct error failure = ERROR_INIT;
	EVP_PKEY *key _cleanup_(EVP_PKEY_freep) = open_key(store, token, error);

	if (!key || !store_checkpoint_last(store, &last, error))
		return false;
	if (!write_next(store, key, &last, &failure)) {
		/* Two at once: the other's is as good. */
		if (failure.code != ERROR_EXISTS)
			return error_move(error, &failure);
		audit_checkpoint_clear(&last);
		if (!store_checkpoint_last(store, &last, error))
			return false;
	}
	if (checkpoint) {
		*checkpoint = last;
		last = (struct audit_checkpoint)AUDIT_CHECKPOINT_INIT;
	}
	return true;
}

bool audit_checkpoint_write_due(struct store *store, struct token *token, struct error *error)
{
	struct audit_checkpoint last _cleanup_audit_checkpoint_ = AUDIT_CHECKPOINT_INIT;
	int64_t records;

	if (!token)
		return true;
	if (!store_checkpoint_last(store, &last, error) ||
		!store_audit_last(store, &records, error))
		return false;
	int64_t fresh = records - last.record_id;
	bool is_old = audit_now_us() - last.time_us >= DUE_US || audit_now_us() < last.time_us;
	if (fresh < DUE_RECORDS && !(fresh > 0 && is_old))
		return true;
	return audit_checkpoint_write(store, token, NULL, error);
}
