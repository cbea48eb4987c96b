/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/role.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "model/document.h"

static const struct {
	const char *name;
	const char *description;
	bool may_have_quorum;
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
	[PERMISSION_BULK_REVOKE] = {"bulk-revoke", "revoke many cards at once", true},
	[PERMISSION_VIEW_SETTINGS] = {"view-settings", "see templates and connections"},
	[PERMISSION_CHANGE_TEMPLATES] = {"change-templates", "change templates"},
	[PERMISSION_CHANGE_CONNECTIONS] = {"change-connections", "change connections"},
	[PERMISSION_CHANGE_TYPES] = {"change-types", "change credential types"},
	[PERMISSION_CHANGE_SLOTS] = {"change-slots", "change slots and who may use their keys"},
	[PERMISSION_READ_AUDIT] = {"read-audit", "read the audit trail"},
	[PERMISSION_CANCEL_JOBS] = {"cancel-jobs", "cancel jobs"},
	[PERMISSION_MANAGE_OPERATORS] = {"manage-operators", "manage operators and roles"},
	[PERMISSION_MANAGE_OWNERS] = {"manage-owners", "add or replace system owners", true},
	[PERMISSION_ROTATE_KEYS] = {"rotate-keys", "rotate or move the master key", true},
	[PERMISSION_EXPORT_KEYS] = {"export-keys", "back the master key up", true},
	[PERMISSION_RECOVER_KEYS] = {"recover-keys", "recover archived keys", true},
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
	{ROLE_ADMINISTRATOR, "Manages cards, settings, keys and operators.", ADMINISTRATOR},
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

bool permission_is_assignable(enum permission permission)
{
	return permission > PERMISSION_HOLDER && permission < PERMISSION_COUNT &&
	       permission != PERMISSION_MANAGE_OWNERS;
}

bool permission_may_have_quorum(enum permission permission)
{
	return (size_t)permission < PERMISSION_COUNT && permissions[permission].may_have_quorum;
}

char *permissions_text(permission_set set)
{
	char *text = xstrdup("");

	for (enum permission i = 0; i < PERMISSION_COUNT; i++) {
		if (!(set & permission_bit(i)))
			continue;
		char *longer = xasprintf("%s%s%s", text, text[0] ? " " : "", permissions[i].name);
		free(text);
		text = longer;
	}
	return text;
}

bool permissions_from_names(
	char *const *names, size_t count, permission_set *set, struct error *error)
{
	permission_set read = 0;

	for (size_t i = 0; i < count; i++) {
		enum permission permission = permission_from_name(names[i]);
		if (permission == PERMISSION_COUNT)
			return error_set_field(error, ERROR_INVALID_ARGUMENT, "permissions",
				"there is no permission \"%.64s\"", names[i]);
		if (!permission_is_assignable(permission))
			return error_set_field(error, ERROR_INVALID_ARGUMENT, "permissions",
				"no custom role can have the permission %s", names[i]);
		read |= permission_bit(permission);
	}
	if (!read)
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "permissions",
			"a role has at least one permission");
	*set = read;
	return true;
}

void role_record_clear(struct role_record *record)
{
	free(record->name);
	free(record->description);
	*record = (struct role_record)ROLE_RECORD_INIT;
}

bool role_record_check(const struct role_record *record, struct error *error)
{
	if (!document_name_is_valid(record->name))
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "name",
			"a role's name is 1 to %d lower-case letters, digits and '-', not '-' "
			"first",
			DOCUMENT_NAME_MAXIMUM);
	if (role_find(record->name))
		return error_set_field(error, ERROR_EXISTS, "name",
			"\"%s\" is a shipped role, which stays as it is", record->name);
	for (const char *c = record->description; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7F)
			return error_set_field(error, ERROR_INVALID_ARGUMENT, "description",
				"it is one line without control characters");
	}
	return strlen(record->description) <= ROLE_DESCRIPTION_MAXIMUM ||
	       error_set_field(error, ERROR_INVALID_ARGUMENT, "description",
		       "it is longer than %d bytes", ROLE_DESCRIPTION_MAXIMUM);
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
