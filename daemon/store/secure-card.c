/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/store-private.h"

bool store_secure_card_find(
	struct store *store, const char *serial, bool *found, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(
		store->database, "SELECT serial FROM secure_card WHERE serial = $1", error);

	if (!statement)
		return false;
	bind_text(statement, serial);
	*found = statement_row(statement, &local);
	return local.code == ERROR_NONE || error_move(error, &local);
}

static bool run(struct store *store, const char *text, const char *serial, struct error *error)
{
	_cleanup_statement_ struct statement *statement =
		database_prepare(store->database, text, error);

	if (!statement)
		return false;
	bind_text(statement, serial);
	return statement_run(statement, error);
}

bool store_secure_card_add(struct store *store, const char *serial, struct error *error)
{
	return run(store,
		"INSERT INTO secure_card (serial) VALUES ($1) ON CONFLICT (serial) DO NOTHING",
		serial, error);
}

bool store_secure_card_remove(struct store *store, const char *serial, struct error *error)
{
	return run(store, "DELETE FROM secure_card WHERE serial = $1", serial, error);
}
