/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "common/alloc.h"
#include "store/store-private.h"

#define COLUMNS "id, record_id, hash, time_us, public_key, signature"

bool store_checkpoint_add(
	struct store *store, const struct audit_checkpoint *checkpoint, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"INSERT INTO audit_checkpoint (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6)",
		error);

	if (!statement)
		return false;
	bind_int64(statement, checkpoint->id);
	bind_int64(statement, checkpoint->record_id);
	bind_blob(statement, checkpoint->hash, sizeof(checkpoint->hash));
	bind_int64(statement, checkpoint->time_us);
	bind_blob(statement, checkpoint->public_key.data, checkpoint->public_key.length);
	bind_blob(statement, checkpoint->signature.data, checkpoint->signature.length);
	return statement_run(statement, error);
}

/* A damaged hash is left zero, for the verifier to find. */
static void read_checkpoint(struct statement *statement, struct audit_checkpoint *checkpoint)
{
	_cleanup_buffer_ struct buffer hash = BUFFER_INIT;

	*checkpoint = (struct audit_checkpoint)AUDIT_CHECKPOINT_INIT;
	checkpoint->id = column_int64(statement);
	checkpoint->record_id = column_int64(statement);
	column_blob(statement, &hash);
	if (hash.length == sizeof(checkpoint->hash))
		memcpy(checkpoint->hash, hash.data, hash.length);
	checkpoint->time_us = column_int64(statement);
	column_blob(statement, &checkpoint->public_key);
	column_blob(statement, &checkpoint->signature);
}

bool store_checkpoint_last(
	struct store *store, struct audit_checkpoint *checkpoint, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT " COLUMNS " FROM audit_checkpoint ORDER BY id DESC LIMIT 1", error);

	if (!statement)
		return false;
	*checkpoint = (struct audit_checkpoint)AUDIT_CHECKPOINT_INIT;
	if (statement_row(statement, &local))
		read_checkpoint(statement, checkpoint);
	return local.code == ERROR_NONE || error_move(error, &local);
}

bool store_checkpoint_list(struct store *store, int64_t after, unsigned limit,
	struct audit_checkpoint **checkpoints, size_t *count, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT " COLUMNS
		" FROM audit_checkpoint WHERE record_id > $1 ORDER BY record_id LIMIT $2",
		error);
	size_t length = 0;

	if (!statement)
		return false;
	bind_int64(statement, after);
	bind_int64(statement, limit);
	struct audit_checkpoint *read = xnew(struct audit_checkpoint);
	while (statement_row(statement, &local)) {
		read = xreallocarray(read, length + 1, sizeof(*read));
		read_checkpoint(statement, &read[length++]);
	}
	if (local.code != ERROR_NONE) {
		audit_checkpoints_free(read, length);
		return error_move(error, &local);
	}
	*checkpoints = read;
	*count = length;
	return true;
}
