/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/roles.h"

#include <string.h>

#include "common/alloc.h"
#include "operation/appoint.h"
#include "operation/remaining.h"

bool roles_permissions(struct services *services, const char *name, permission_set *permissions,
	struct error *error)
{
	struct role_record custom _cleanup_role_record_ = ROLE_RECORD_INIT;
	const struct role *shipped = role_find(name);

	if (!shipped && !store_role_get(services->store, name, &custom, error))
		return false;
	*permissions = shipped ? shipped->permissions : custom.permissions;
	return true;
}

permission_set roles_permissions_of(struct services *services, char *const *names, size_t count)
{
	permission_set all = 0;

	for (size_t i = 0; i < count; i++) {
		permission_set permissions = 0;
		if (roles_permissions(services, names[i], &permissions, NULL))
			all |= permissions;
	}
	return all;
}

/* --- changes of custom roles --- */

static bool refuse_shipped(const char *name, struct error *error)
{
	return !role_find(name) || error_set_field(error, ERROR_ACCESS_DENIED, "name",
					   "\"%s\" is a shipped role, which stays as it is", name);
}

bool roles_add(struct services *services, const char *caller, const struct role_record *role,
	struct error *error)
{
	return role_record_check(role, error) &&
	       appoint_check_define(services, caller, role->permissions, error) &&
	       store_role_add(services->store, role, error);
}

/* Whoever has the role gains what the change adds to it. */
static bool check_change(struct services *services, const char *caller,
	const struct role_record *present, const struct role_record *role, struct error *error)
{
	const struct supposition changed = {.role = role->name, .role_has = role->permissions};

	return role_record_check(role, error) &&
	       appoint_check_others(services, caller, role->name, error) &&
	       appoint_check_define(services, caller, role->permissions, error) &&
	       appoint_check_gain(
		       services, caller, role->permissions & ~present->permissions, error) &&
	       remaining_check(services, &changed, error);
}

bool roles_change(struct services *services, const char *caller, const struct role_record *role,
	struct error *error)
{
	struct role_record present _cleanup_role_record_ = ROLE_RECORD_INIT;

	if (!refuse_shipped(role->name, error) || !store_begin(services->store, error))
		return false;
	struct store *transaction _cleanup_(store_rollbackp) = services->store;
	return store_role_get(transaction, role->name, &present, error) &&
	       check_change(services, caller, &present, role, error) &&
	       store_role_change(transaction, role, error) && store_commit(transaction, error);
}

bool roles_remove(
	struct services *services, const char *caller, const char *name, struct error *error)
{
	return refuse_shipped(name, error) && appoint_check_others(services, caller, name, error) &&
	       store_role_remove(services->store, name, error);
}

bool roles_check_template(
	struct services *services, const struct template *template, struct error *error)
{
	for (size_t i = 0; i < template->unblock.role_count; i++) {
		const char *name = template->unblock.roles[i];
		_cleanup_free_ char *path = xasprintf("/unblock/roles/%zu", i);
		permission_set permissions = 0;
		if (!roles_permissions(services, name, &permissions, NULL))
			return error_set_field(error, ERROR_INVALID_TEMPLATE, path,
				"there is no role \"%s\"", name);
		if (!(permissions & permission_bit(PERMISSION_UNBLOCK)))
			return error_set_field(error, ERROR_INVALID_TEMPLATE, path,
				"the role \"%s\" may not unblock cards", name);
	}
	return true;
}
