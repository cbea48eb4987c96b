/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "common/alloc.h"
#include "store/store-private.h"

#define COLUMNS "credential_id, id, roles, active, sealed, created_at, last_login_at"

static void bind_operator(struct statement *statement, const struct operator_record *record)
{
	_cleanup_free_ char *roles = operator_roles_text(record);

	bind_int64(statement, record->credential_id);
	bind_text(statement, record->id);
	bind_text(statement, roles);
	bind_int64(statement, record->active);
	bind_blob(statement, record->sealed.data, record->sealed.length);
	bind_int64(statement, record->created_at);
	bind_int64(statement, record->last_login_at);
}

bool store_operator_save(struct store *store, struct operator_record *record, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"INSERT INTO operator (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7)"
		" ON CONFLICT (credential_id) DO UPDATE SET id = excluded.id,"
		" roles = excluded.roles, active = excluded.active, sealed = excluded.sealed,"
		" last_login_at = excluded.last_login_at",
		error);

	if (!statement)
		return false;
	if (record->created_at == 0)
		record->created_at = store_now();
	bind_operator(statement, record);
	return statement_run(statement, error);
}

static void read_roles(struct statement *statement, struct operator_record *record)
{
	_cleanup_free_ char *text = column_text(statement);
	char *rest = text;
	char *names[OPERATOR_ROLES_MAX];
	size_t count = 0;

	for (char *name; count < OPERATOR_ROLES_MAX && (name = strsep(&rest, " "));) {
		if (name[0])
			names[count++] = name;
	}
	operator_set_roles(record, names, count);
}

static void read_operator(struct statement *statement, struct operator_record *record)
{
	record->credential_id = column_int64(statement);
	record->id = column_text(statement);
	read_roles(statement, record);
	record->active = column_int64(statement) != 0;
	column_blob(statement, &record->sealed);
	record->created_at = column_int64(statement);
	record->last_login_at = column_int64(statement);
}

bool store_operator_get(struct store *store, int64_t credential_id, struct operator_record *record,
	struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT " COLUMNS " FROM operator WHERE credential_id = $1", error);

	if (!statement)
		return false;
	bind_int64(statement, credential_id);
	if (!statement_row(statement, &local)) {
		if (local.code == ERROR_NONE)
			error_set(&local, ERROR_NOT_FOUND, "the card is no operator's");
		return error_move(error, &local);
	}
	operator_clear(record);
	read_operator(statement, record);
	return true;
}

void operators_free(struct operator_record *operators, size_t count)
{
	for (size_t i = 0; i < count; i++)
		operator_clear(&operators[i]);
	free(operators);
}

bool store_operator_list(
	struct store *store, struct operator_record **operators, size_t *count, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(
		store->database, "SELECT " COLUMNS " FROM operator ORDER BY credential_id", error);

	*operators = NULL;
	*count = 0;
	if (!statement)
		return false;
	while (statement_row(statement, &local)) {
		*operators = xreallocarray(*operators, *count + 1, sizeof(**operators));
		(*operators)[*count] = (struct operator_record)OPERATOR_INIT;
		read_operator(statement, &(*operators)[(*count)++]);
	}
	if (local.code == ERROR_NONE)
		return true;
	operators_free(*operators, *count);
	*operators = NULL;
	*count = 0;
	return error_move(error, &local);
}

bool store_operator_remove(struct store *store, int64_t credential_id, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(
		store->database, "DELETE FROM operator WHERE credential_id = $1", error);

	if (!statement)
		return false;
	bind_int64(statement, credential_id);
	return statement_run(statement, error);
}
