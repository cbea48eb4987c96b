/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/self-service.h"
#include "store/store-private.h"

bool store_lock_out_get(
	struct store *store, const char *subject, struct lock_out *lock_out, struct error *error)
{
	_cleanup_error_ struct error failure = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT failures, last_at, until FROM lock_out WHERE subject = $1", error);

	*lock_out = (struct lock_out){0};
	if (!statement)
		return false;
	bind_text(statement, subject);
	if (statement_row(statement, &failure)) {
		lock_out->failures = (unsigned)column_int64(statement);
		lock_out->last_at = column_int64(statement);
		lock_out->until = column_int64(statement);
	}
	return failure.code == ERROR_NONE || error_move(error, &failure);
}

bool store_lock_out_set(struct store *store, const char *subject, const struct lock_out *lock_out,
	struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"INSERT INTO lock_out (subject, failures, last_at, until) VALUES ($1, $2, $3, $4)"
		" ON CONFLICT (subject) DO UPDATE SET failures = excluded.failures,"
		" last_at = excluded.last_at, until = excluded.until",
		error);

	if (!statement)
		return false;
	bind_text(statement, subject);
	bind_int64(statement, lock_out->failures);
	bind_int64(statement, lock_out->last_at);
	bind_int64(statement, lock_out->until);
	return statement_run(statement, error);
}

bool store_lock_out_remove(
	struct store *store, const char *subject, bool *was_there, struct error *error)
{
	_cleanup_error_ struct error failure = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"DELETE FROM lock_out WHERE subject = $1 RETURNING failures", error);

	if (!statement)
		return false;
	bind_text(statement, subject);
	bool found = statement_row(statement, &failure);
	if (failure.code != ERROR_NONE || (found && !statement_run(statement, &failure)))
		return error_move(error, &failure);
	if (was_there)
		*was_there = found;
	return true;
}

bool store_lock_out_purge(struct store *store, int64_t before, int64_t now, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(
		store->database, "DELETE FROM lock_out WHERE last_at < $1 AND until < $2", error);

	if (!statement)
		return false;
	bind_int64(statement, before);
	bind_int64(statement, now);
	return statement_run(statement, error);
}
