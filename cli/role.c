/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera role: what operators may do, in shipped and custom roles. */
#include <string.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/names.h"
#include "cli/output.h"
#include "common/alloc.h"

static const struct column list_columns[] = {
	{"name", "ROLE", COLUMN_TEXT},
	{"shipped", "SHIPPED", COLUMN_TEXT},
	{"description", "WHAT IT IS FOR", COLUMN_TEXT},
	{"permissions", "PERMISSIONS", COLUMN_TEXT},
};

static const struct column show_columns[] = {
	{"name", "Role", COLUMN_TEXT},
	{"shipped", "Shipped", COLUMN_TEXT},
	{"description", "What it is for", COLUMN_TEXT},
};

static const struct column permission_columns[] = {
	{"name", "PERMISSION", COLUMN_TEXT},
	{"description", "LETS ONE", COLUMN_TEXT},
	{"assignable", "IN CUSTOM ROLES", COLUMN_TEXT},
};

static json_t *fetch_roles(struct client *client, struct error *error)
{
	_cleanup_json_ json_t *answer =
		CLIENT_CALL_PLAIN(client, CLIENT_ROOT, CLIENT_MANAGER, "ListRoles", error);
	json_t *records = answer ? json_array() : NULL;
	const json_t *item;
	size_t index;

	json_array_foreach(json_array_get(answer, 0), index, item)
	{
		_cleanup_free_ char *permissions = names_join(json_array_get(item, 2), " ");
		json_array_append_new(
			records, json_pack("{s:O,s:O,s:s,s:O}", "name", json_array_get(item, 0),
					 "description", json_array_get(item, 1), "permissions",
					 permissions, "shipped", json_array_get(item, 3)));
	}
	return records;
}

bool role_list(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *records = client ? fetch_roles(client, error) : NULL;

	if (!records)
		return false;
	output_records(
		invocation, records, list_columns, ARRAY_SIZE(list_columns), "There are no roles.");
	return true;
}

/* The role that the first argument names; the caller's. */
static json_t *find_role(
	const struct invocation *invocation, struct client *client, struct error *error)
{
	const char *wanted = invocation->arguments[0];
	_cleanup_json_ json_t *records = fetch_roles(client, error);
	json_t *record;
	size_t index;

	if (!records)
		return NULL;
	json_array_foreach(records, index, record)
	{
		if (strcmp(json_string_value(json_object_get(record, "name")), wanted) == 0)
			return json_incref(record);
	}
	error_set(error, ERROR_NOT_FOUND,
		"there is no role \"%s\"; tessera role list shows those there are", wanted);
	return NULL;
}

/* All permissions, or those that are among the names with spaces between them. */
static json_t *fetch_permissions(struct client *client, const char *among, struct error *error)
{
	_cleanup_json_ json_t *answer =
		CLIENT_CALL_PLAIN(client, CLIENT_ROOT, CLIENT_MANAGER, "ListPermissions", error);
	_cleanup_free_ char *wanted = among ? xasprintf(" %s ", among) : NULL;
	json_t *records = answer ? json_array() : NULL;
	const json_t *item;
	size_t index;

	json_array_foreach(json_array_get(answer, 0), index, item)
	{
		const json_t *name = json_array_get(item, 0);
		_cleanup_free_ char *word = xasprintf(" %s ", json_string_value(name));
		if (wanted && !strstr(wanted, word))
			continue;
		json_array_append_new(records,
			json_pack("{s:O,s:O,s:O}", "name", name, "description",
				json_array_get(item, 1), "assignable", json_array_get(item, 2)));
	}
	return records;
}

bool role_permissions(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *records = client ? fetch_permissions(client, NULL, error) : NULL;

	if (!records)
		return false;
	output_records(invocation, records, permission_columns, ARRAY_SIZE(permission_columns),
		"There are no permissions.");
	return true;
}

bool role_show(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *role = client ? find_role(invocation, client, error) : NULL;
	const char *names = json_string_value(json_object_get(role, "permissions"));
	_cleanup_json_ json_t *permissions = role ? fetch_permissions(client, names, error) : NULL;

	if (!permissions)
		return false;
	output_record(invocation, role, show_columns, ARRAY_SIZE(show_columns));
	if (!invocation_has(invocation, OPTION_JSON))
		output_records(invocation, permissions, permission_columns,
			ARRAY_SIZE(permission_columns) - 1, "It permits nothing.");
	return true;
}

/* --- custom roles --- */

static bool save(struct invocation *invocation, struct client *client, const char *method,
	const char *description, const json_t *permissions, struct error *error)
{
	const char *name = invocation->arguments[0];
	_cleanup_json_ json_t *answer =
		CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER, method, error, CLIENT_STRING(name),
			CLIENT_STRING(description), CLIENT_STRINGS(permissions));

	return answer != NULL;
}

bool role_add(struct invocation *invocation, struct error *error)
{
	const char *description = invocation->values[OPTION_DESCRIPTION];
	_cleanup_json_ json_t *permissions = names_split(invocation->values[OPTION_PERMISSIONS]);

	if (json_array_size(permissions) == 0)
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"'role add' needs --permissions; tessera role permissions lists them");
	struct client *client = invocation_client(invocation, error);
	if (!client || !save(invocation, client, "AddRole", description ? description : "",
			       permissions, error))
		return false;
	output_text(invocation, "the role %s was added", invocation->arguments[0]);
	return true;
}

/* "issue unblock" as an array. */
static json_t *split_at_spaces(const char *text)
{
	_cleanup_free_ char *copy = xstrdup(text);

	for (char *space; (space = strchr(copy, ' '));)
		*space = ',';
	return names_split(copy);
}

/* What is not given stays as it is. */
bool role_change(struct invocation *invocation, struct error *error)
{
	const char *description = invocation->values[OPTION_DESCRIPTION];
	const char *names = invocation->values[OPTION_PERMISSIONS];

	if (!description && !names)
		return error_set(error, ERROR_INVALID_ARGUMENT,
			"'role change' needs --permissions or --description");
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *role = client ? find_role(invocation, client, error) : NULL;
	if (!role)
		return false;
	if (!description)
		description = json_string_value(json_object_get(role, "description"));
	_cleanup_json_ json_t *permissions =
		names ? names_split(names)
		      : split_at_spaces(json_string_value(json_object_get(role, "permissions")));
	if (!save(invocation, client, "ChangeRole", description, permissions, error))
		return false;
	output_text(invocation, "the role %s was changed", invocation->arguments[0]);
	return true;
}

bool role_remove(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	const char *name = invocation->arguments[0];
	_cleanup_json_ json_t *answer = client ? CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER,
							 "RemoveRole", error, CLIENT_STRING(name))
					       : NULL;

	if (answer)
		output_text(invocation, "the role %s was removed", name);
	return answer != NULL;
}
