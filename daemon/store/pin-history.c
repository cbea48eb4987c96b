/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "common/alloc.h"
#include "store/store-private.h"

static bool insert(struct store *store, int64_t credential_id, const struct pin_record *record,
	struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"INSERT INTO pin_history (id, credential_id, salt, tag, pending, set_at)"
		" VALUES ($1, $2, $3, $4, $5, $6)",
		error);

	if (!statement)
		return false;
	bind_int64(statement, record->id);
	bind_int64(statement, credential_id);
	bind_blob(statement, record->salt, sizeof(record->salt));
	bind_blob(statement, record->tag, sizeof(record->tag));
	bind_int64(statement, record->pending);
	bind_int64(statement, record->set_at);
	return statement_run(statement, error);
}

bool store_pin_add(
	struct store *store, int64_t credential_id, struct pin_record *record, struct error *error)
{
	struct pin_record fresh = *record;

	fresh.pending = true;
	fresh.set_at = store_now();
	if (!database_begin(store->database, error))
		return false;
	bool added = store_counter_next(store, "pin-history", &fresh.id, error) &&
		     insert(store, credential_id, &fresh, error);
	if (!database_end(store->database, added, error))
		return false;
	*record = fresh;
	return true;
}

/* The pending ones before it may have been set, so that they count as used, too. */
static bool end_pending(struct store *store, int64_t credential_id, int64_t id, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"UPDATE pin_history SET pending = 0, set_at = $1"
		" WHERE credential_id = $2 AND id <= $3 AND pending = 1",
		error);

	if (!statement)
		return false;
	bind_int64(statement, store_now());
	bind_int64(statement, credential_id);
	bind_int64(statement, id);
	return statement_run(statement, error);
}

static bool prune(struct store *store, int64_t credential_id, unsigned keep, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"DELETE FROM pin_history WHERE credential_id = $1 AND id NOT IN"
		" (SELECT id FROM pin_history WHERE credential_id = $2 ORDER BY id DESC LIMIT $3)",
		error);

	if (!statement)
		return false;
	bind_int64(statement, credential_id);
	bind_int64(statement, credential_id);
	bind_int64(statement, keep);
	return statement_run(statement, error);
}

bool store_pin_confirm(
	struct store *store, int64_t credential_id, int64_t id, unsigned keep, struct error *error)
{
	if (!database_begin(store->database, error))
		return false;
	bool done = end_pending(store, credential_id, id, error) &&
		    prune(store, credential_id, keep, error);
	return database_end(store->database, done, error);
}

bool store_pin_forget(struct store *store, int64_t credential_id, int64_t id, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"DELETE FROM pin_history WHERE credential_id = $1 AND id = $2", error);

	if (!statement)
		return false;
	bind_int64(statement, credential_id);
	bind_int64(statement, id);
	return statement_run(statement, error);
}

bool store_pin_forget_pending(struct store *store, int64_t credential_id, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"DELETE FROM pin_history WHERE credential_id = $1 AND pending = 1", error);

	if (!statement)
		return false;
	bind_int64(statement, credential_id);
	return statement_run(statement, error);
}

bool store_pin_forget_all(struct store *store, int64_t credential_id, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(
		store->database, "DELETE FROM pin_history WHERE credential_id = $1", error);

	if (!statement)
		return false;
	bind_int64(statement, credential_id);
	return statement_run(statement, error);
}

static bool read_blob(struct statement *statement, uint8_t value[16])
{
	_cleanup_buffer_ struct buffer blob = BUFFER_INIT;

	column_blob(statement, &blob);
	if (blob.length != 16)
		return false;
	memcpy(value, blob.data, blob.length);
	return true;
}

static bool read_record(struct statement *statement, struct pin_record *record, struct error *error)
{
	*record = (struct pin_record){.id = column_int64(statement)};
	bool whole = read_blob(statement, record->salt);
	whole = read_blob(statement, record->tag) && whole;
	record->pending = column_int64(statement) != 0;
	record->set_at = column_int64(statement);
	return whole || store_fail_damaged("pin_history", record->id, error);
}

bool store_pin_list(struct store *store, int64_t credential_id, struct pin_record **records,
	size_t *count, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT id, salt, tag, pending, set_at FROM pin_history"
		" WHERE credential_id = $1 ORDER BY id DESC",
		error);
	_cleanup_free_ struct pin_record *read = xnew(struct pin_record);
	size_t length = 0;

	if (!statement)
		return false;
	bind_int64(statement, credential_id);
	while (statement_row(statement, &local)) {
		read = xreallocarray(read, length + 1, sizeof(*read));
		if (!read_record(statement, &read[length++], &local))
			break;
	}
	if (local.code != ERROR_NONE)
		return error_move(error, &local);
	*records = steal_pointer(&read);
	*count = length;
	return true;
}

bool store_pin_set_at(
	struct store *store, int64_t credential_id, int64_t *set_at, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT coalesce(max(set_at), 0) FROM pin_history"
		" WHERE credential_id = $1 AND pending = 0",
		error);

	if (!statement)
		return false;
	bind_int64(statement, credential_id);
	return statement_run_int64(statement, set_at, error);
}
