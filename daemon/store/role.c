/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "common/alloc.h"
#include "store/store-private.h"

bool store_role_add(struct store *store, const struct role_record *role, struct error *error)
{
	_cleanup_free_ char *permissions = permissions_text(role->permissions);
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"INSERT INTO role (name, description, permissions) VALUES ($1, $2, $3)", error);

	if (!statement)
		return false;
	bind_text(statement, role->name);
	bind_text(statement, role->description);
	bind_text(statement, permissions);
	if (statement_run(statement, error))
		return true;
	if (error && error->code == ERROR_EXISTS)
		error_set(error, ERROR_EXISTS, "there is a role \"%s\" already", role->name);
	return false;
}

/* --- reading --- */

/* A name that this version does not know gives nothing. */
static permission_set read_permissions(struct statement *statement)
{
	_cleanup_free_ char *text = column_text(statement);
	permission_set permissions = 0;
	char *rest = text;

	for (char *name; (name = strsep(&rest, " "));) {
		enum permission permission = permission_from_name(name);
		if (permission_is_assignable(permission))
			permissions |= permission_bit(permission);
	}
	return permissions;
}

static void read_role(struct statement *statement, struct role_record *role)
{
	role->name = column_text(statement);
	role->description = column_text(statement);
	role->permissions = read_permissions(statement);
}

bool store_role_get(
	struct store *store, const char *name, struct role_record *role, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT name, description, permissions FROM role WHERE name = $1", error);

	if (!statement)
		return false;
	bind_text(statement, name);
	if (!statement_row(statement, &local)) {
		if (local.code == ERROR_NONE)
			error_set(&local, ERROR_NOT_FOUND, "there is no role \"%.64s\"", name);
		return error_move(error, &local);
	}
	role_record_clear(role);
	read_role(statement, role);
	return true;
}

void roles_free(struct role_record *roles, size_t count)
{
	for (size_t i = 0; i < count; i++)
		role_record_clear(&roles[i]);
	free(roles);
}

bool store_role_list(
	struct store *store, struct role_record **roles, size_t *count, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT name, description, permissions FROM role ORDER BY name", error);

	*roles = NULL;
	*count = 0;
	if (!statement)
		return false;
	while (statement_row(statement, &local)) {
		*roles = xreallocarray(*roles, *count + 1, sizeof(**roles));
		(*roles)[*count] = (struct role_record)ROLE_RECORD_INIT;
		read_role(statement, &(*roles)[(*count)++]);
	}
	if (local.code == ERROR_NONE)
		return true;
	roles_free(*roles, *count);
	*roles = NULL;
	*count = 0;
	return error_move(error, &local);
}

/* --- who uses it --- */

static bool check_operators(struct store *store, const char *role, struct error *error)
{
	struct operator_record *operators = NULL;
	size_t count = 0;
	bool unused = store_operator_list(store, &operators, &count, error);

	for (size_t i = 0; unused && i < count; i++) {
		if (operator_has_role(&operators[i], role))
			unused = error_set(error, ERROR_IN_USE,
				"the operator %s has the role \"%s\"", operators[i].id, role);
	}
	operators_free(operators, count);
	return unused;
}

/* A version of a template. */
struct version {
	char *name;
	int64_t number;
};

/* Those that are the newest ones, and those that cards have. */
static bool list_versions(
	struct store *store, struct version **versions, size_t *count, struct error *error)
{
	_cleanup_error_ struct error local = ERROR_INIT;
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"SELECT name, version FROM template WHERE (removed = 0 AND version ="
		" (SELECT max(version) FROM template AS newest WHERE newest.name = template.name))"
		" OR EXISTS (SELECT 1 FROM credential WHERE template_name = template.name"
		" AND template_version = template.version"
		" AND state IN ('issued', 'active', 'inactive')) ORDER BY name, version",
		error);

	if (!statement)
		return false;
	while (statement_row(statement, &local)) {
		*versions = xreallocarray(*versions, *count + 1, sizeof(**versions));
		struct version *version = &(*versions)[(*count)++];
		version->name = column_text(statement);
		version->number = column_int64(statement);
	}
	return local.code == ERROR_NONE || error_move(error, &local);
}

static bool names_role(const struct template *template, const char *role)
{
	for (size_t i = 0; i < template->unblock.role_count; i++) {
		if (strcmp(template->unblock.roles[i], role) == 0)
			return true;
	}
	return false;
}

static bool check_version(
	struct store *store, const struct version *version, const char *role, struct error *error)
{
	struct template *template _cleanup_template_ =
		store_template_get(store, version->name, version->number, error);

	if (!template)
		return false;
	return !names_role(template, role) ||
	       error_set(error, ERROR_IN_USE,
		       "version %lld of the template \"%s\" lets the role \"%s\" unblock its cards",
		       (long long)version->number, version->name, role);
}

static bool check_templates(struct store *store, const char *role, struct error *error)
{
	struct version *versions = NULL;
	size_t count = 0;
	bool unused = list_versions(store, &versions, &count, error);

	for (size_t i = 0; unused && i < count; i++)
		unused = check_version(store, &versions[i], role, error);
	for (size_t i = 0; i < count; i++)
		free(versions[i].name);
	free(versions);
	return unused;
}

/* --- changes --- */

static bool update(struct store *store, const struct role_record *role, struct error *error)
{
	_cleanup_free_ char *permissions = permissions_text(role->permissions);
	_cleanup_statement_ struct statement *statement = database_prepare(store->database,
		"UPDATE role SET description = $1, permissions = $2 WHERE name = $3", error);

	if (!statement)
		return false;
	bind_text(statement, role->description);
	bind_text(statement, permissions);
	bind_text(statement, role->name);
	return statement_run(statement, error);
}

bool store_role_change(struct store *store, const struct role_record *role, struct error *error)
{
	_cleanup_role_record_ struct role_record present = ROLE_RECORD_INIT;
	bool unblocks = role->permissions & permission_bit(PERMISSION_UNBLOCK);

	if (!database_begin(store->database, error))
		return false;
	bool changed = store_role_get(store, role->name, &present, error) &&
		       (unblocks || check_templates(store, role->name, error)) &&
		       update(store, role, error);
	return database_end(store->database, changed, error);
}

static bool delete (struct store *store, const char *name, struct error *error)
{
	_cleanup_statement_ struct statement *statement =
		database_prepare(store->database, "DELETE FROM role WHERE name = $1", error);

	if (!statement)
		return false;
	bind_text(statement, name);
	return statement_run(statement, error);
}

bool store_role_remove(struct store *store, const char *name, struct error *error)
{
	_cleanup_role_record_ struct role_record present = ROLE_RECORD_INIT;

	if (!database_begin(store->database, error))
		return false;
	bool removed = store_role_get(store, name, &present, error) &&
		       check_operators(store, name, error) && check_templates(store, name, error) &&
		       delete (store, name, error);
	return database_end(store->database, removed, error);
}
