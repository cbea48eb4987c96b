/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/store-private.h"

bool store_counter_next(struct store *store, const char *name, int64_t *value, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"INSERT INTO counter (name, value) VALUES ($1, 1)"
		" ON CONFLICT (name) DO UPDATE SET value = counter.value + 1 RETURNING value",
		error);

	if (!statement)
		return false;
	bind_text(statement, name);
	return statement_run_int64(statement, value, error);
}

bool store_counter_get(struct store *store, const char *name, int64_t *value, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT coalesce(max(value), 0) FROM counter WHERE name = $1", error);

	if (!statement)
		return false;
	bind_text(statement, name);
	return statement_run_int64(statement, value, error);
}

bool store_value_get(
	struct store *store, const char *name, struct buffer *value, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(
		store->database, "SELECT value FROM named_value WHERE name = $1", error);

	if (!statement)
		return false;
	bind_text(statement, name);
	if (!statement_row(statement, &local)) {
		if (local.code == ERROR_NONE)
			error_set(&local, ERROR_NOT_FOUND, "the store has no value \"%s\"", name);
		return error_move(error, &local);
	}
	column_blob(statement, value);
	return true;
}

bool store_value_set(struct store *store, const char *name, const uint8_t *value, size_t length,
	struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"INSERT INTO named_value (name, value) VALUES ($1, $2)"
		" ON CONFLICT (name) DO UPDATE SET value = excluded.value",
		error);

	if (!statement)
		return false;
	bind_text(statement, name);
	bind_blob(statement, value, length);
	return statement_run(statement, error);
}

bool store_value_remove(struct store *store, const char *name, struct error *error)
{
	_cleanup_statement_ struct statement *statement =
		database_prepare(store->database, "DELETE FROM named_value WHERE name = $1", error);

	if (!statement)
		return false;
	bind_text(statement, name);
	return statement_run(statement, error);
}
