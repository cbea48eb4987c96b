/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "common/alloc.h"
#include "store/store-private.h"

bool store_master_key_add(
	struct store *store, struct master_key_record *record, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"INSERT INTO master_key (version, key_check_value, made_at) VALUES ($1, $2, $3)",
		error);

	if (!statement)
		return false;
	record->made_at = store_now();
	bind_int64(statement, record->version);
	bind_blob(statement, record->key_check_value, sizeof(record->key_check_value));
	bind_int64(statement, record->made_at);
	return statement_run(statement, error);
}

static bool read_record(
	struct statement *statement, struct master_key_record *record, struct error *error)
{
	_cleanup_buffer_ struct buffer value = BUFFER_INIT;

	record->version = (uint32_t)column_int64(statement);
	column_blob(statement, &value);
	record->made_at = column_int64(statement);
	if (value.length != sizeof(record->key_check_value))
		return store_fail_damaged("master key", record->version, error);
	memcpy(record->key_check_value, value.data, value.length);
	return true;
}

bool store_master_key_list(
	struct store *store, struct master_key_record **records, size_t *count, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT version, key_check_value, made_at FROM master_key ORDER BY version", error);
	_cleanup_free_ struct master_key_record *read = NULL;
	size_t length = 0;

	if (!statement)
		return false;
	while (statement_row(statement, &local)) {
		read = xreallocarray(read, length + 1, sizeof(*read));
		if (!read_record(statement, &read[length++], error))
			return false;
	}
	if (local.code != ERROR_NONE)
		return error_move(error, &local);
	*records = steal_pointer(&read);
	*count = length;
	return true;
}

bool store_master_key_forget_all(struct store *store, struct error *error)
{
	_cleanup_statement_ struct statement *statement =
		database_prepare(store->database, "DELETE FROM master_key", error);

	return statement && statement_run(statement, error);
}

#define OF_VERSION                                                                                 \
	" FROM credential WHERE key_version = $1"                                                  \
	" AND state IN " MANAGED_STATES

bool store_master_key_count_cards(
	struct store *store, uint32_t version, int64_t *count, struct error *error)
{
	_cleanup_statement_ struct statement *statement =
		database_prepare(store->database, "SELECT count(*)" OF_VERSION, error);

	if (!statement)
		return false;
	bind_int64(statement, version);
	return statement_run_int64(statement, count, error);
}

bool store_master_key_list_cards(struct store *store, uint32_t version, int64_t after,
	unsigned limit, int64_t **ids, size_t *count, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(
		store->database, "SELECT id" OF_VERSION " AND id > $2 ORDER BY id LIMIT $3", error);

	if (!statement)
		return false;
	bind_int64(statement, version);
	bind_int64(statement, after);
	bind_int64(statement, limit);
	return store_read_ids(statement, ids, count, error);
}
