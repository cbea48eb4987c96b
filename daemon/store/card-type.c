/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "common/alloc.h"
#include "store/store-private.h"

bool store_card_type_add(
	struct store *store, const char *name, const char *document, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(
		store->database, "INSERT INTO card_type (name, document) VALUES ($1, $2)", error);

	if (!statement)
		return false;
	bind_text(statement, name);
	bind_text(statement, document);
	return statement_run(statement, error);
}

bool store_card_type_list(struct store *store, char ***names, size_t *count, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(
		store->database, "SELECT name FROM card_type ORDER BY name", error);

	return statement && store_read_names(statement, names, count, error);
}

char *store_card_type_get(struct store *store, const char *name, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(
		store->database, "SELECT document FROM card_type WHERE name = $1", error);

	if (!statement)
		return NULL;
	bind_text(statement, name);
	if (statement_row(statement, &local))
		return column_text(statement);
	if (local.code == ERROR_NONE)
		error_set(&local, ERROR_NOT_FOUND, "there is no credential type \"%s\"", name);
	error_move(error, &local);
	return NULL;
}

static bool check_templates(struct store *store, const char *type, struct error *error)
{
	char **names;
	size_t count;
	bool unused = true;

	if (!store_template_list(store, &names, &count, error))
		return false;
	for (size_t i = 0; unused && i < count; i++) {
		_cleanup_template_ struct template *template =
			store_template_get(store, names[i], 0, error);
		unused = template && (!template_names_card_type(template, type) ||
					     error_set(error, ERROR_IN_USE,
						     "the template \"%s\" is for cards of the type "
						     "\"%s\"",
						     names[i], type));
	}
	store_names_free(names, count);
	return unused;
}

/* Their factory secrets are needed when they are retired. */
static bool check_credentials(struct store *store, const char *type, struct error *error)
{
	int64_t count;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT count(*) FROM credential WHERE card_type = $1 AND state <> 'retired'",
		error);

	if (!statement)
		return false;
	bind_text(statement, type);
	if (!statement_run_int64(statement, &count, error))
		return false;
	return count == 0 ||
	       error_set(error, ERROR_IN_USE, "%lld managed cards are of the type \"%s\"",
		       (long long)count, type);
}

static bool delete (struct store *store, const char *name, struct error *error)
{
	_cleanup_statement_ struct statement *statement =
		database_prepare(store->database, "DELETE FROM card_type WHERE name = $1", error);

	if (!statement)
		return false;
	bind_text(statement, name);
	return statement_run(statement, error);
}

bool store_card_type_remove(struct store *store, const char *name, struct error *error)
{
	if (!database_begin(store->database, error))
		return false;
	_cleanup_free_ char *document = store_card_type_get(store, name, error);
	bool removed = document && check_templates(store, name, error) &&
		       check_credentials(store, name, error) && delete (store, name, error);
	return database_end(store->database, removed, error);
}
