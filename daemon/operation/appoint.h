/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who may hand out which permissions: nobody gives, by a role, a card or its PIN, more than the own
 * operators have. An administrator stands above all permissions but those of owners, and so may
 * appoint who recovers keys without doing it. All are asked besides PERMISSION_MANAGE_OPERATORS.
 */
#ifndef TESSERA_OPERATION_APPOINT_H
#define TESSERA_OPERATION_APPOINT_H

#include "model/role.h"
#include "operation/services.h"

/* A custom role gets no permission that the caller's operators do not have. ERROR_ACCESS_DENIED. */
bool appoint_check_define(struct services *services, const char *caller, permission_set permissions,
	struct error *error);
/*
 * Whoever gets permissions that take a quorum could be one of it from then on, so that giving them
 * takes the same quorum. ERROR_QUORUM_MISSING.
 */
bool appoint_check_gain(
	struct services *services, const char *caller, permission_set gained, struct error *error);
/*
 * Whether the caller may give a card these roles (none: take all from it), or the PIN of a card
 * that has them: both what it has now and what it gets has to be the caller's to give. For a new
 * card credential_id is 0. ERROR_ACCESS_DENIED, ERROR_QUORUM_MISSING.
 */
bool appoint_check_roles(struct services *services, const char *caller, int64_t credential_id,
	char *const *roles, size_t count, struct error *error);
bool appoint_check_pin(struct services *services, const char *caller,
	const struct operator_record *record, struct error *error);
/* ERROR_ACCESS_DENIED when one of the caller's operators has the role. */
bool appoint_check_others(
	struct services *services, const char *caller, const char *role, struct error *error);

#endif
