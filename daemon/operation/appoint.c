/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/appoint.h"

#include "common/alloc.h"
#include "operation/login.h"
#include "operation/operators.h"
#include "operation/roles.h"

static bool refuse(permission_set missing, struct error *error)
{
	_cleanup_free_ char *names = permissions_text(missing);

	return error_set(error, ERROR_ACCESS_DENIED,
		"nobody gives others what the own roles do not permit: %s", names);
}

bool appoint_check_define(struct services *services, const char *caller, permission_set permissions,
	struct error *error)
{
	permission_set missing = permissions & ~logins_permissions(services->logins, caller);

	return !missing || refuse(missing, error);
}

bool appoint_check_gain(
	struct services *services, const char *caller, permission_set gained, struct error *error)
{
	for (enum permission i = 0; i < PERMISSION_COUNT; i++) {
		if (gained & permission_bit(i) &&
			!logins_check_quorum(services->logins, caller, i, error))
			return error_prefix(error, "whoever gets %s may take part in its quorum",
				permission_name(i));
	}
	return true;
}

/* Whether they are the caller's to give. */
static bool check_given(struct services *services, const char *caller, permission_set permissions,
	struct error *error)
{
	permission_set own = logins_permissions(services->logins, caller);
	permission_set administrator = role_find(ROLE_ADMINISTRATOR)->permissions;
	permission_set missing = permissions & ~own;

	if ((own & administrator) == administrator)
		missing &= permission_bit(PERMISSION_MANAGE_OWNERS);
	return !missing || refuse(missing, error);
}

bool appoint_check_roles(struct services *services, const char *caller, int64_t credential_id,
	char *const *roles, size_t count, struct error *error)
{
	struct operator_record record _cleanup_operator_ = OPERATOR_INIT;
	permission_set present = 0;

	if (count > OPERATOR_ROLES_MAX)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "roles",
			"an operator has at most %d roles", OPERATOR_ROLES_MAX);
	permission_set next = roles_permissions_of(services, roles, count);
	/* A system owner's is refused by who changes it, which says so better. */
	if (credential_id && store_operator_get(services->store, credential_id, &record, NULL) &&
		!operator_has_role(&record, ROLE_SYSTEM_OWNER))
		present = roles_permissions_of(services, record.roles, record.role_count);
	next &= ~permission_bit(PERMISSION_MANAGE_OWNERS);
	return check_given(services, caller, present | next, error) &&
	       appoint_check_gain(services, caller, next & (record.active ? ~present : ~0U), error);
}

bool appoint_check_pin(struct services *services, const char *caller,
	const struct operator_record *record, struct error *error)
{
	permission_set permissions =
		roles_permissions_of(services, record->roles, record->role_count);

	return check_given(services, caller, permissions, error) &&
	       appoint_check_gain(services, caller, permissions, error);
}

bool appoint_check_others(
	struct services *services, const char *caller, const char *role, struct error *error)
{
	char *roles[] = {(char *)role};

	return !logins_have_role(services->logins, caller, roles, 1) ||
	       error_set(error, ERROR_ACCESS_DENIED,
		       "nobody changes a role that the own card has: another operator must");
}
