/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/role.h"

#include <string.h>

#include "common/macros.h"

static const struct {
	const char *name;
	const char *description;
} permissions[PERMISSION_COUNT] = {
	[PERMISSION_ANYONE] = {"anyone", "call this"},
	[PERMISSION_HOLDER] = {"holder", "use a card without its PIN"},
	[PERMISSION_VIEW_CARDS] = {"view-cards", "see managed cards and their holders"},
	[PERMISSION_REGISTER] = {"register", "take cards into ownership or give them up"},
	[PERMISSION_ISSUE] = {"issue", "issue cards"},
	[PERMISSION_ACTIVATE] = {"activate", "set the first PIN of issued cards"},
	[PERMISSION_UNBLOCK] = {"unblock", "unblock cards"},
	[PERMISSION_REISSUE] = {"reissue", "reissue, replace or update cards"},
	[PERMISSION_SUSPEND] = {"suspend", "suspend and resume cards"},
	[PERMISSION_REVOKE] = {"revoke", "revoke cards"},
	[PERMISSION_RETIRE] = {"retire", "retire cards"},
	[PERMISSION_BULK_REVOKE] = {"bulk-revoke", "revoke many cards at once"},
	[PERMISSION_VIEW_SETTINGS] = {"view-settings", "see templates and connections"},
	[PERMISSION_CHANGE_TEMPLATES] = {"change-templates", "change templates"},
	[PERMISSION_CHANGE_CONNECTIONS] = {"change-connections", "change connections"},
	[PERMISSION_CHANGE_TYPES] = {"change-types", "change credential types"},
	[PERMISSION_CHANGE_SLOTS] = {"change-slots", "change slots and who may use their keys"},
	[PERMISSION_READ_AUDIT] = {"read-audit", "read the audit trail"},
	[PERMISSION_CANCEL_JOBS] = {"cancel-jobs", "cancel jobs"},
	[PERMISSION_MANAGE_OPERATORS] = {"manage-operators", "manage operators and roles"},
	[PERMISSION_MANAGE_OWNERS] = {"manage-owners", "add or replace system owners"},
	[PERMISSION_ROTATE_KEYS] = {"rotate-keys", "rotate or move the master key"},
	[PERMISSION_EXPORT_KEYS] = {"export-keys", "back the master key up"},
	[PERMISSION_RECOVER_KEYS] = {"recover-keys", "recover archived keys"},
	[PERMISSION_CHANGE_LICENCE] = {"change-licence", "change the licence"},
};

#define BIT(permission) ((permission_set)1 << PERMISSION_##permission)
#define VIEW		(BIT(VIEW_CARDS) | BIT(VIEW_SETTINGS))
#define NORMAL                                                                                     \
	(VIEW | BIT(REGISTER) | BIT(ISSUE) | BIT(ACTIVATE) | BIT(UNBLOCK) | BIT(REISSUE) |         \
		BIT(SUSPEND) | BIT(CANCEL_JOBS))
#define ELEVATED (NORMAL | BIT(REVOKE) | BIT(RETIRE) | BIT(BULK_REVOKE) | BIT(READ_AUDIT))
#define ADMINISTRATOR                                                                              \
	(ELEVATED | BIT(CHANGE_TEMPLATES) | BIT(CHANGE_CONNECTIONS) | BIT(CHANGE_TYPES) |          \
		BIT(CHANGE_SLOTS) | BIT(MANAGE_OPERATORS) | BIT(ROTATE_KEYS) | BIT(EXPORT_KEYS) |  \
		BIT(CHANGE_LICENCE))

static const struct role roles[] = {
	{ROLE_SYSTEM_OWNER, "Owns the installation: all that an administrator may, and owners.",
		ADMINISTRATOR | BIT(MANAGE_OWNERS)},
	{"system-administrator", "Manages cards, settings, keys and operators.", ADMINISTRATOR},
	{"elevated", "Manages cards, revoking and retiring them too, and reads the audit trail.",
		ELEVATED},
	{"normal", "Issues, activates, unblocks, reissues and suspends cards.", NORMAL},
	{"restricted", "Unblocks cards and nothing else.", BIT(VIEW_CARDS) | BIT(UNBLOCK)},
	{"key-recovery", "Recovers archived keys and nothing else.",
		BIT(VIEW_CARDS) | BIT(RECOVER_KEYS)},
	{"auditor", "Reads everything with the audit trail, changes nothing.",
		VIEW | BIT(READ_AUDIT)},
	{ROLE_SELF, "A holder on the own card.", 0},
};

const char *permission_name(enum permission permission)
{
	return (size_t)permission < PERMISSION_COUNT ? permissions[permission].name : NULL;
}

const char *permission_description(enum permission permission)
{
	return (size_t)permission < PERMISSION_COUNT ? permissions[permission].description : NULL;
}

bool permission_only_reads(enum permission permission)
{
	return permission == PERMISSION_ANYONE || permission == PERMISSION_VIEW_CARDS ||
	       permission == PERMISSION_VIEW_SETTINGS || permission == PERMISSION_READ_AUDIT;
}

enum permission permission_from_name(const char *name)
{
	enum permission permission = 0;

	while (permission < PERMISSION_COUNT &&
		(!name || strcmp(permissions[permission].name, name) != 0))
		permission++;
	return permission;
}

const struct role *role_find(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(roles); i++) {
		if (strcmp(roles[i].name, name) == 0)
			return &roles[i];
	}
	return NULL;
}

const struct role *role_at(size_t index)
{
	return index < ARRAY_SIZE(roles) ? &roles[index] : NULL;
}
