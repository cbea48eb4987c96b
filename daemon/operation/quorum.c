/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/quorum.h"

#include "common/alloc.h"
#include "operation/login.h"
#include "operation/remaining.h"

static bool look(struct services *services, enum permission permission, struct quorum_view *view,
	struct error *error)
{
	view->permission = permission;
	return store_quorum_get(services->store, permission, &view->count, error) &&
	       remaining_persons(services, permission, &view->able, error);
}

bool quorums_list(
	struct services *services, struct quorum_view **views, size_t *count, struct error *error)
{
	_cleanup_free_ struct quorum_view *found = xcalloc(PERMISSION_COUNT, sizeof(*found));
	size_t length = 0;

	for (enum permission i = 0; i < PERMISSION_COUNT; i++) {
		if (permission_may_have_quorum(i) && !look(services, i, &found[length++], error))
			return false;
	}
	*views = steal_pointer(&found);
	*count = length;
	return true;
}

static bool find(const char *name, enum permission *permission, struct error *error)
{
	permission_set allowed = 0;

	*permission = permission_from_name(name);
	if (permission_may_have_quorum(*permission))
		return true;
	for (enum permission i = 0; i < PERMISSION_COUNT; i++)
		allowed |= permission_may_have_quorum(i) ? permission_bit(i) : 0;
	_cleanup_free_ char *names = permissions_text(allowed);
	return error_set_field(error, ERROR_INVALID_ARGUMENT, "operation",
		"there is no quorum for \"%.64s\"; there are quorums for: %s", name, names);
}

bool quorum_set(struct services *services, const char *caller, const char *operation,
	unsigned count, struct error *error)
{
	struct quorum_view present;
	enum permission permission;

	if (!find(operation, &permission, error) ||
		!logins_may(services->logins, caller, permission, error) ||
		!look(services, permission, &present, error))
		return false;
	if (count < 1 || count > present.able)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "count",
			"it must be 1 to %u, as many persons as could log in now who may %s",
			present.able, permission_description(permission));
	return store_quorum_set(services->store, permission, count, error);
}
