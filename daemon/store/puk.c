/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/store-private.h"

static bool read_record(struct statement *statement, struct puk_record *record, struct error *error)
{
	struct puk_record read = {.generation = (uint32_t)column_int64(statement),
		.next_generation = (uint32_t)column_int64(statement),
		.old_first = column_int64(statement) != 0};
	_cleanup_free_ char *state = column_text(statement);

	read.state = puk_state_from_name(state);
	read.exposed_at = column_int64(statement);
	read.exposed_until = column_int64(statement);
	if (read.state == PUK_STATE_COUNT)
		return store_fail_damaged("puk", 0, error);
	*record = read;
	return true;
}

bool store_puk_get(
	struct store *store, const char *serial, struct puk_record *record, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT generation, next_generation, old_first, state, exposed_at, exposed_until"
		" FROM puk WHERE serial = $1",
		error);

	if (!statement)
		return false;
	bind_text(statement, serial);
	if (statement_row(statement, &local))
		return read_record(statement, record, error);
	if (local.code != ERROR_NONE)
		return error_move(error, &local);
	*record = (struct puk_record){.state = PUK_OURS};
	return true;
}

bool store_puk_set(struct store *store, const char *serial, const struct puk_record *record,
	struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"INSERT INTO puk (serial, generation, next_generation, old_first, state,"
		" exposed_at, exposed_until) VALUES ($1, $2, $3, $4, $5, $6, $7)"
		" ON CONFLICT (serial) DO UPDATE SET generation = excluded.generation,"
		" next_generation = excluded.next_generation, old_first = excluded.old_first,"
		" state = excluded.state, exposed_at = excluded.exposed_at,"
		" exposed_until = excluded.exposed_until",
		error);

	if (!statement)
		return false;
	bind_text(statement, serial);
	bind_int64(statement, record->generation);
	bind_int64(statement, record->next_generation);
	bind_int64(statement, record->old_first);
	bind_text(statement, puk_state_name(record->state));
	bind_int64(statement, record->exposed_at);
	bind_int64(statement, record->exposed_until);
	return statement_run(statement, error);
}

bool store_puk_list_exposed(struct store *store, int64_t after, unsigned limit, int64_t **ids,
	size_t *count, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT credential.id FROM puk JOIN credential ON credential.serial = puk.serial"
		" WHERE puk.state = 'exposed' AND credential.id > $1"
		" ORDER BY credential.id LIMIT $2",
		error);

	if (!statement)
		return false;
	bind_int64(statement, after);
	bind_int64(statement, limit);
	return store_read_ids(statement, ids, count, error);
}
