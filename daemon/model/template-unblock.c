/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* /unblock of a template: who may unblock issued cards, and how. */
#include <string.h>

#include "common/alloc.h"
#include "common/macros.h"
#include "model/operator.h"
#include "model/role.h"
#include "model/template-private.h"

void template_unblock_clear(struct template_unblock *unblock)
{
	for (size_t i = 0; i < unblock->role_count; i++)
		free(unblock->roles[i]);
	free(unblock->roles);
}

/*
 * A role without the right to unblock would have no effect. One that is not shipped may be a custom
 * one: the store knows (roles_check_template).
 */
static bool add_role(
	const struct document_node *node, struct template_unblock *unblock, struct error *error)
{
	const char *name;

	if (!document_name(node, &name, error))
		return false;
	const struct role *role = role_find(name);
	if (role && !(role->permissions & permission_bit(PERMISSION_UNBLOCK)))
		return document_fail(node, error, "the role \"%s\" may not unblock cards", name);
	unblock->roles[unblock->role_count++] = xstrdup(name);
	return true;
}

static bool read_roles(
	const struct document_node *object, struct template_unblock *unblock, struct error *error)
{
	struct document_node node;
	size_t count;

	if (!document_find(object, "roles", &node))
		return true;
	if (!document_array(&node, 1, OPERATOR_ROLES_MAX, &count, error))
		return false;
	unblock->roles = xcalloc(count, sizeof(*unblock->roles));
	for (size_t i = 0; i < count; i++) {
		struct document_node role = document_at(&node, i);
		if (!add_role(&role, unblock, error))
			return false;
	}
	return true;
}

bool template_read_unblock(
	const struct document_node *root, struct template *template, struct error *error)
{
	static const char *const members[] = {"online", "offline", "roles"};
	struct template_unblock *unblock = &template->unblock;
	struct document_node node;

	unblock->online = true;
	unblock->offline = true;
	if (!document_find(root, "unblock", &node))
		return true;
	return document_check_members(&node, members, ARRAY_SIZE(members), error) &&
	       template_read_bool(&node, "online", &unblock->online, error) &&
	       template_read_bool(&node, "offline", &unblock->offline, error) &&
	       read_roles(&node, unblock, error);
}
