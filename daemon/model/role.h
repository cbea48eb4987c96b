/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Roles and permissions as data. A permission is what one or several D-Bus
 * methods need; a role is a set of permissions. The shipped roles are one table;
 * custom roles are sets of the same permissions.
 */
#ifndef TESSERA_MODEL_ROLE_H
#define TESSERA_MODEL_ROLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/macros.h"

/*
 * The first two are those of dbus/interface.h: they need no login. A method's
 * table entry names its permission; role.c says what each lets one do.
 */
enum permission {
	PERMISSION_ANYONE,
	PERMISSION_HOLDER, /* whoever knows the PIN: the card checks that */
	PERMISSION_VIEW_CARDS,
	PERMISSION_REGISTER,
	PERMISSION_ISSUE,
	PERMISSION_ACTIVATE,
	PERMISSION_UNBLOCK,
	PERMISSION_REISSUE,
	PERMISSION_SUSPEND,
	PERMISSION_REVOKE,
	PERMISSION_RETIRE,
	PERMISSION_BULK_REVOKE,
	PERMISSION_VIEW_SETTINGS,
	PERMISSION_CHANGE_TEMPLATES,
	PERMISSION_CHANGE_CONNECTIONS,
	PERMISSION_CHANGE_TYPES,
	PERMISSION_CHANGE_SLOTS,
	PERMISSION_READ_AUDIT,
	PERMISSION_CANCEL_JOBS,
	PERMISSION_MANAGE_OPERATORS,
	PERMISSION_MANAGE_OWNERS,
	PERMISSION_ROTATE_KEYS,
	PERMISSION_EXPORT_KEYS,
	PERMISSION_RECOVER_KEYS,
	PERMISSION_CHANGE_LICENCE,
	PERMISSION_COUNT
};

/* A bit (permission_bit) for each permission. */
typedef uint32_t permission_set;

static inline permission_set permission_bit(enum permission permission)
{
	return (permission_set)1 << permission;
}

/* "issue"; NULL for none. */
const char *permission_name(enum permission permission);
/* What it lets one do, to follow "you may not": "issue cards". */
const char *permission_description(enum permission permission);
/* Whether it lets one look, but change nothing. */
bool permission_only_reads(enum permission permission);
/* PERMISSION_COUNT for an unknown name. */
enum permission permission_from_name(const char *name);
/* Whether it can be had by a custom role: not what needs no login, nor what makes owners. */
bool permission_is_assignable(enum permission permission);
/* Whether several operators can be asked to log in for it. */
bool permission_may_have_quorum(enum permission permission);

/* "issue unblock": the names with spaces between them; heap. */
char *permissions_text(permission_set permissions);
/* The set of the names; each must be one that a custom role can have. ERROR_INVALID_ARGUMENT. */
bool permissions_from_names(
	char *const *names, size_t count, permission_set *permissions, struct error *error);

struct role {
	const char *name;	 /* "elevated" */
	const char *description; /* a sentence */
	permission_set permissions;
};

/* A custom role. */
struct role_record {
	char *name;
	char *description; /* "" for none */
	permission_set permissions;
};
#define ROLE_RECORD_INIT                                                                           \
	{                                                                                          \
		0                                                                                  \
	}
#define _cleanup_role_record_ _cleanup_(role_record_clear)
void role_record_clear(struct role_record *record);
#define ROLE_DESCRIPTION_MAXIMUM 200 /* bytes */
/*
 * Whether a custom role can be so: a name as other names that no shipped role has, a description
 * of one line. ERROR_INVALID_ARGUMENT, ERROR_EXISTS.
 */
bool role_record_check(const struct role_record *record, struct error *error);

/* The name of the system owner's role, which is given by initialisation only. */
#define ROLE_SYSTEM_OWNER  "system-owner"
#define ROLE_ADMINISTRATOR "system-administrator"
/* The role of a holder who has logged in with an own card that is no operator's. */
#define ROLE_SELF "self"

/* A shipped role; NULL for an unknown name. */
const struct role *role_find(const char *name);
/* The shipped roles one after the other; NULL past the end. */
const struct role *role_at(size_t index);

#endif
