/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The machine's users and groups. */
#ifndef TESSERA_CORE_USER_H
#define TESSERA_CORE_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* By a name, or by a number in decimal digits, which nobody need have. False: there is none. */
bool user_find(const char *text, uid_t *uid);
bool group_find(const char *text, gid_t *gid);
/* The name that a number has; NULL for none. Heap. */
char *user_name(uid_t uid);
char *group_name(gid_t gid);
/* All groups that the user database has the user in; heap array, empty for a user it lacks. */
gid_t *user_groups(uid_t uid, size_t *count);

#endif
