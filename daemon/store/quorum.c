/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/store-private.h"

bool store_quorum_get(
	struct store *store, enum permission permission, unsigned *count, struct error *error)
{
	int64_t operators;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT coalesce(max(operators), 1) FROM quorum WHERE permission = $1", error);

	if (!statement)
		return false;
	bind_text(statement, permission_name(permission));
	if (!statement_run_int64(statement, &operators, error))
		return false;
	*count = (unsigned)operators;
	return true;
}

bool store_quorum_set(
	struct store *store, enum permission permission, unsigned count, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"INSERT INTO quorum (permission, operators) VALUES ($1, $2)"
		" ON CONFLICT (permission) DO UPDATE SET operators = excluded.operators",
		error);

	if (!statement)
		return false;
	bind_text(statement, permission_name(permission));
	bind_int64(statement, count);
	return statement_run(statement, error);
}
