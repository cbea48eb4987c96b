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

struct role {
	const char *name;	 /* "elevated" */
	const char *description; /* a sentence */
	permission_set permissions;
};

/* The name of the system owner's role, which is given by initialisation only. */
#define ROLE_SYSTEM_OWNER "system-owner"
/* The role of a holder who has logged in with an own card that is no operator's. */
#define ROLE_SELF "self"

/* A shipped role; NULL for an unknown name. */
const struct role *role_find(const char *name);
/* The shipped roles one after the other; NULL past the end. */
const struct role *role_at(size_t index);

#endif
