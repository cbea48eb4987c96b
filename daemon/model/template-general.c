/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The top of a template: its name, whose cards it is for and of which types. */
#include <string.h>

#include "common/alloc.h"
#include "common/macros.h"
#include "model/operator.h"
#include "model/template-private.h"

#define COMMENT_MAXIMUM 1024 /* bytes */

static bool add_card_type(
	const struct document_node *node, struct template *template, struct error *error)
{
	const char *name;

	if (!document_name(node, &name, error))
		return false;
	if (template_names_card_type(template, name))
		return document_fail(node, error, "the card type \"%s\" comes twice", name);
	template->card_types[template->card_type_count++] = xstrdup(name);
	return true;
}

/* One name, as /card-type, or several. */
static bool read_card_types(
	const struct document_node *root, struct template *template, struct error *error)
{
	struct document_node one, several;
	size_t count = 1;
	bool is_list = document_find(root, "card-types", &several);

	if (is_list && document_find(root, "card-type", &one))
		return document_fail(&one, error, "there is /card-types already");
	if (is_list && !document_array(&several, 1, TEMPLATE_CARD_TYPES_MAX, &count, error))
		return false;
	template->card_types = xcalloc(count, sizeof(*template->card_types));
	if (!is_list)
		return document_member(root, "card-type", &one, error) &&
		       add_card_type(&one, template, error);
	for (size_t i = 0; i < count; i++) {
		struct document_node node = document_at(&several, i);
		if (!add_card_type(&node, template, error))
			return false;
	}
	return true;
}

TEMPLATE_NAME_AT(operator_kind_at, "operator", "system-owner")

static bool read_operator(
	const struct document_node *root, struct template *template, struct error *error)
{
	static const char *const members[] = {"kind", "id-length"};
	struct document_node node, member;
	size_t kind;

	if (!document_find(root, "operator", &node))
		return true;
	template->id_length = OPERATOR_ID_DEFAULT;
	if (!document_check_members(&node, members, ARRAY_SIZE(members), error) ||
		!document_member(&node, "kind", &member, error) ||
		!document_choice(&member, operator_kind_at, &kind, error) ||
		!template_read_number(&node, "id-length", OPERATOR_ID_MINIMUM, OPERATOR_ID_MAXIMUM,
			&template->id_length, error))
		return false;
	template->operator_kind = kind == 0 ? OPERATOR_ORDINARY : OPERATOR_OWNER;
	return true;
}

static bool read_comment(
	const struct document_node *root, struct template *template, struct error *error)
{
	struct document_node node;
	const char *text;

	if (!document_find(root, "comment", &node))
		return true;
	if (!document_string(&node, 0, COMMENT_MAXIMUM, &text, error))
		return false;
	template->comment = xstrdup(text);
	return true;
}

bool template_read_general(
	const struct document_node *root, struct template *template, struct error *error)
{
	static const char *const members[] = {"name", "card-type", "card-types", "comment",
		"enabled", "operator", "issue", "keys", "pin-policy", "unblock", "self-service",
		"lifecycle", "renewal", "reminders", "rotate-at-contact"};
	struct document_node node;
	const char *text;

	template->enabled = true;
	if (!document_check_members(root, members, ARRAY_SIZE(members), error) ||
		!document_member(root, "name", &node, error) || !document_name(&node, &text, error))
		return false;
	template->name = xstrdup(text);
	return read_card_types(root, template, error) && read_comment(root, template, error) &&
	       template_read_bool(root, "enabled", &template->enabled, error) &&
	       template_read_bool(root, "rotate-at-contact", &template->rotate_at_contact, error) &&
	       read_operator(root, template, error);
}

bool template_names_card_type(const struct template *template, const char *name)
{
	for (size_t i = 0; i < template->card_type_count; i++) {
		if (strcmp(template->card_types[i], name) == 0)
			return true;
	}
	return false;
}

char *template_card_types_text(const struct template *template)
{
	char *text = xstrdup(template->card_types[0]);

	for (size_t i = 1; i < template->card_type_count; i++) {
		char *longer = xasprintf("%s, %s", text, template->card_types[i]);
		free(text);
		text = longer;
	}
	return text;
}
