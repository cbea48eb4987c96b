/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Users of the system who issue cards to themselves: who they are, and which cards are theirs. */
#ifndef TESSERA_OPERATION_SYSTEM_USER_H
#define TESSERA_OPERATION_SYSTEM_USER_H

#include <sys/types.h>

#include "operation/services.h"

/* As it is kept with the user's cards; heap. */
char *system_user_id(uid_t uid);

/*
 * The holder's fields that the user database gives (HOLDER_USER...): login name, user id, and the
 * full name of the comment field, or the login name where that has none. ERROR_NOT_FOUND for a user
 * whom the database has not, ERROR_INVALID_ARGUMENT for a name that no certificate could have.
 */
bool system_user_holder(uid_t uid, struct fields *holder, struct error *error);

/* Whether the user (system_user_id, or as struct credential's user_id) has no card of the template
 * yet that was neither retired nor replaced. ERROR_EXISTS. */
bool system_user_check_first(
	struct services *services, const char *id, const char *template_name, struct error *error);

/* Whether the user has issued the card to themselves; a user id that has passed to another login
 * name since has not. */
bool system_user_has_issued(uid_t uid, const struct credential *credential);

#endif
