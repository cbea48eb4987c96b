/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Quorums: how many persons must have logged in over one connection for an operation. */
#ifndef TESSERA_OPERATION_QUORUM_H
#define TESSERA_OPERATION_QUORUM_H

#include "model/role.h"
#include "operation/services.h"

struct quorum_view {
	enum permission permission;
	unsigned count; /* how many it needs; 1: no quorum */
	unsigned able;	/* how many could log in now */
};
/* All that can have one; heap array. */
bool quorums_list(
	struct services *services, struct quorum_view **views, size_t *count, struct error *error);

/*
 * Sets how many an operation needs. It takes as many logins of the caller as the quorum has needed
 * until now, whatever its new number. ERROR_INVALID_ARGUMENT for an operation that has none, or for
 * more operators than there are who may do it; ERROR_ACCESS_DENIED, ERROR_QUORUM_MISSING.
 */
bool quorum_set(struct services *services, const char *caller, const char *operation,
	unsigned count, struct error *error);

#endif
