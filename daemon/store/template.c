/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "common/alloc.h"
#include "store/store-private.h"

static bool insert(
	struct store *store, const struct template *template, int64_t version, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"INSERT INTO template (name, version, document, saved_at) VALUES ($1, $2, $3, $4)",
		error);

	if (!statement)
		return false;
	bind_text(statement, template->name);
	bind_int64(statement, version);
	bind_text(statement, template->document);
	bind_int64(statement, store_now());
	return statement_run(statement, error);
}

bool store_template_save(struct store *store, struct template *template, struct error *error)
{
	_cleanup_free_ char *counter = xasprintf("template/%s", template->name);
	int64_t version = 0;

	if (!database_begin(store->database, error))
		return false;
	bool saved = store_counter_next(store, counter, &version, error) &&
		     insert(store, template, version, error);
	if (!database_end(store->database, saved, error))
		return error_prefix(error, "template %s", template->name);
	template->version = version;
	return true;
}

/* The row of a statement with its parameters bound. */
static struct template *read_template(
	struct statement *statement, const char *name, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;

	if (!statement_row(statement, &local)) {
		if (local.code == ERROR_NONE)
			error_set(&local, ERROR_NOT_FOUND, "there is no template \"%s\"", name);
		error_move(error, &local);
		return NULL;
	}
	int64_t version = column_int64(statement);
	_cleanup_free_ char *document = column_text(statement);
	struct template *template = template_parse(document ? document : "", error);
	if (template)
		template->version = version;
	else
		error_prefix(error, "stored template %s", name);
	return template;
}

struct template *store_template_get(
	struct store *store, const char *name, int64_t version, struct error *error)
{
	static const char newest[] =
		"SELECT version, document FROM template WHERE name = $1 AND removed = 0"
		" ORDER BY version DESC LIMIT 1";
	static const char one[] =
		"SELECT version, document FROM template WHERE name = $1 AND version = $2";
	_cleanup_statement_ struct statement *statement =
		database_prepare(store->database, version ? one : newest, error);

	if (!statement)
		return NULL;
	bind_text(statement, name);
	if (version)
		bind_int64(statement, version);
	return read_template(statement, name, error);
}

bool store_template_list(struct store *store, char ***names, size_t *count, struct error *error)
{
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT DISTINCT name FROM template WHERE removed = 0 ORDER BY name", error);

	return statement && store_read_names(statement, names, count, error);
}

bool store_template_remove(struct store *store, const char *name, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	int64_t removed;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"UPDATE template SET removed = 1 WHERE name = $1 AND removed = 0 RETURNING version",
		error);

	if (!statement)
		return false;
	bind_text(statement, name);
	if (statement_run_int64(statement, &removed, &local))
		return true;
	if (local.code == ERROR_NOT_FOUND)
		error_set(&local, ERROR_NOT_FOUND, "there is no template \"%s\"", name);
	return error_move(error, &local);
}

bool store_template_versions(struct store *store, const char *name,
	struct template_version **versions, size_t *count, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT version, saved_at, removed, (SELECT count(*) FROM credential"
		" WHERE template_name = template.name AND template_version = template.version"
		" AND state IN ('issued', 'active', 'inactive'))"
		" FROM template WHERE name = $1 ORDER BY version",
		error);
	_cleanup_free_ struct template_version *read = NULL;
	size_t length = 0;

	if (!statement)
		return false;
	bind_text(statement, name);
	while (statement_row(statement, &local)) {
		read = xreallocarray(read, length + 1, sizeof(*read));
		struct template_version *version = &read[length++];
		version->version = column_int64(statement);
		version->saved_at = column_int64(statement);
		version->removed = column_int64(statement) != 0;
		version->cards = column_int64(statement);
	}
	if (local.code == ERROR_NONE && length == 0)
		error_set(&local, ERROR_NOT_FOUND, "there is no template \"%s\"", name);
	if (local.code != ERROR_NONE)
		return error_move(error, &local);
	*versions = steal_pointer(&read);
	*count = length;
	return true;
}

bool store_template_cards(struct store *store, const char *name, int64_t version, int64_t after,
	unsigned limit, int64_t **ids, size_t *count, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT id FROM credential WHERE template_name = $1 AND template_version = $2"
		" AND id > $3 AND state IN ('issued', 'active', 'inactive') ORDER BY id LIMIT $4",
		error);
	_cleanup_free_ int64_t *read = xnew(int64_t);
	size_t length = 0;

	if (!statement)
		return false;
	bind_text(statement, name);
	bind_int64(statement, version);
	bind_int64(statement, after);
	bind_int64(statement, limit);
	while (statement_row(statement, &local)) {
		read = xreallocarray(read, length + 1, sizeof(*read));
		read[length++] = column_int64(statement);
	}
	if (local.code != ERROR_NONE)
		return error_move(error, &local);
	*ids = steal_pointer(&read);
	*count = length;
	return true;
}

static bool recall_age(struct store *store, const char *name, int64_t version, unsigned *days)
{
	pthread_mutex_lock(&store->age_lock);
	bool found = store->age_template && store->age_version == version &&
		     strcmp(store->age_template, name) == 0;
	if (found)
		*days = store->age_days;
	pthread_mutex_unlock(&store->age_lock);
	return found;
}

static void remember_age(struct store *store, const struct template *template)
{
	pthread_mutex_lock(&store->age_lock);
	free(store->age_template);
	store->age_template = xstrdup(template->name);
	store->age_version = template->version;
	store->age_days = template->pin_policy.maximum_age_days;
	pthread_mutex_unlock(&store->age_lock);
}

bool store_template_pin_age(
	struct store *store, const char *name, int64_t version, unsigned *days, struct error *error)
{
	if (recall_age(store, name, version, days))
		return true;
	_cleanup_template_ struct template *template =
		store_template_get(store, name, version, error);
	if (!template)
		return false;
	*days = template->pin_policy.maximum_age_days;
	/* A transaction that is rolled back may give the same version to another document. */
	if (!database_in_transaction(store->database))
		remember_age(store, template);
	return true;
}
