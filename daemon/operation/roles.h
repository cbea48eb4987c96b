/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Roles by name, shipped and custom ones, and changes of custom ones. They are looked up at each
 * use, so that what a change takes away is gone at once.
 */
#ifndef TESSERA_OPERATION_ROLES_H
#define TESSERA_OPERATION_ROLES_H

#include "model/role.h"
#include "operation/services.h"

/* What a role permits. ERROR_NOT_FOUND. */
bool roles_permissions(struct services *services, const char *name, permission_set *permissions,
	struct error *error);
/* What several permit together; a role that is not there permits nothing. */
permission_set roles_permissions_of(struct services *services, char *const *names, size_t count);

/*
 * Custom roles, for who is logged in as the caller and may manage operators. Nobody puts into a
 * role what the own operators may not do together, nor changes or removes a role that one of them
 * has. ERROR_INVALID_ARGUMENT, ERROR_EXISTS, ERROR_NOT_FOUND, ERROR_ACCESS_DENIED; ERROR_IN_USE for
 * a role that is in use, or when too few operators would be left (operation/remaining.h).
 */
bool roles_add(struct services *services, const char *caller, const struct role_record *role,
	struct error *error);
bool roles_change(struct services *services, const char *caller, const struct role_record *role,
	struct error *error);
bool roles_remove(
	struct services *services, const char *caller, const char *name, struct error *error);

/* Whether the roles that a template lets unblock are there and may. ERROR_INVALID_TEMPLATE. */
bool roles_check_template(
	struct services *services, const struct template *template, struct error *error);

#endif
