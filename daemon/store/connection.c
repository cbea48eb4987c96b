/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "common/alloc.h"
#include "store/store-private.h"

void connection_clear(struct connection *connection)
{
	free(connection->name);
	free(connection->kind);
	free(connection->document);
	*connection = (struct connection)CONNECTION_INIT;
}

bool store_connection_save(
	struct store *store, const struct connection *connection, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"INSERT INTO connection (name, kind, document) VALUES ($1, $2, $3)"
		" ON CONFLICT (name) DO UPDATE SET kind = excluded.kind,"
		" document = excluded.document",
		error);

	if (!statement)
		return false;
	bind_text(statement, connection->name);
	bind_text(statement, connection->kind);
	bind_text(statement, connection->document);
	return statement_run(statement, error);
}

static bool fail_not_found(const char *name, struct error *error)
{
	return error_set(error, ERROR_NOT_FOUND, "there is no connection \"%s\"", name);
}

bool store_connection_get(
	struct store *store, const char *name, struct connection *connection, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT name, kind, document FROM connection WHERE name = $1", error);

	if (!statement)
		return false;
	bind_text(statement, name);
	if (!statement_row(statement, &local)) {
		if (local.code == ERROR_NONE)
			fail_not_found(name, &local);
		return error_move(error, &local);
	}
	connection_clear(connection);
	connection->name = column_text(statement);
	connection->kind = column_text(statement);
	connection->document = column_text(statement);
	return true;
}

bool store_connection_list(struct store *store, char ***names, size_t *count, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(
		store->database, "SELECT name FROM connection ORDER BY name", error);

	return statement && store_read_names(statement, names, count, error);
}

static bool template_names_connection(const struct template *template, const char *name)
{
	for (size_t i = 0; i < template->key_count; i++) {
		const char *authority = template->keys[i].authority;
		if (authority && strcmp(authority, name) == 0)
			return true;
	}
	/* That of the holders, where they come from one. */
	const char *directory = template->self_service.directory;
	return directory && strcmp(directory, name) == 0;
}

static bool check_templates(struct store *store, const char *name, struct error *error)
{
	char **names;
	size_t count;
	bool free_to_go = true;

	if (!store_template_list(store, &names, &count, error))
		return false;
	for (size_t i = 0; free_to_go && i < count; i++) {
		_cleanup_template_ struct template *template =
			store_template_get(store, names[i], 0, error);
		if (!template)
			free_to_go = false;
		else if (template_names_connection(template, name))
			free_to_go = error_set(error, ERROR_IN_USE,
				"the template \"%s\" uses the connection \"%s\"", names[i], name);
	}
	store_names_free(names, count);
	return free_to_go;
}

/* A pending certificate counts too: it has no end of validity yet. */
static bool check_certificates(struct store *store, const char *name, struct error *error)
{
	int64_t count;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT count(*) FROM certificate WHERE authority = $1"
		" AND (status = 'pending' OR (status <> 'revoked' AND not_after > $2)"
		" OR id IN (SELECT certificate_id FROM task))",
		error);

	if (!statement)
		return false;
	bind_text(statement, name);
	bind_int64(statement, store_now());
	if (!statement_run_int64(statement, &count, error))
		return false;
	return count == 0 || error_set(error, ERROR_IN_USE,
				     "%lld certificates of the connection \"%s\" are neither "
				     "expired nor revoked, "
				     "or have a task",
				     (long long)count, name);
}

static bool delete (struct store *store, const char *name, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(
		store->database, "DELETE FROM connection WHERE name = $1 RETURNING name", error);

	if (!statement)
		return false;
	bind_text(statement, name);
	if (statement_row(statement, &local))
		return statement_run(statement, error);
	return local.code == ERROR_NONE ? fail_not_found(name, error) : error_move(error, &local);
}

bool store_connection_remove(struct store *store, const char *name, struct error *error)
{
	if (!database_begin(store->database, error))
		return false;
	bool removed = check_templates(store, name, error) &&
		       check_certificates(store, name, error) &&
		       store_person_check_unused(store, name, error) && delete (store, name, error);
	return database_end(store->database, removed, error);
}
