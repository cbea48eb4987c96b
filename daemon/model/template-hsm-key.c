/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is different in a template for keys in HSM slots: they are in no reader and have no PIN. */
#include "common/macros.h"
#include "model/card-type.h"
#include "model/template-private.h"

static const struct {
	const char *parent, *member; /* parent NULL: at the top */
	const char *why;
} refused[] = {
	{NULL, "operator", "operators log in with cards"},
	{NULL, "pin-policy", "a key in an HSM slot has no PIN of its own"},
	{NULL, "issue", "a key in an HSM slot is enrolled by operators, and has no CHUID"},
	{NULL, "unblock", "a key in an HSM slot has no PIN that could be blocked"},
	{NULL, "self-service", "a key in an HSM slot has no PIN that could show whose it is"},
	{NULL, "rotate-at-contact", "a key in an HSM slot is under no master key"},
	{"lifecycle", "block-pin", "a key in an HSM slot has no PIN of its own"},
};

static const struct {
	const char *member, *why;
} refused_of_key[] = {
	{"slot", "a key in an HSM slot has the label that it is enrolled with"},
	{"pin", "a key in an HSM slot has no PIN of its own"},
	{"touch", "a key in an HSM slot asks for no touch"},
};

bool template_is_hsm_key(const struct template *template)
{
	return template_names_card_type(template, HSM_KEY_TYPE);
}

static bool check_types(
	const struct document_node *root, const struct template *template, struct error *error)
{
	struct document_node node;

	return template->card_type_count == 1 || !document_find(root, "card-types", &node) ||
	       document_fail(&node, error,
		       "a template for " HSM_KEY_TYPE " is for nothing else: it has no PIN policy");
}

static bool check_members(const struct document_node *root, struct error *error)
{
	struct document_node parent, node;

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		const char *name = refused[i].parent;
		if (name && !document_find(root, name, &parent))
			continue;
		if (document_find(name ? &parent : root, refused[i].member, &node))
			return document_fail(&node, error, "%s", refused[i].why);
	}
	return true;
}

static bool check_key(const struct document_node *root, struct error *error)
{
	struct document_node keys, node;
	size_t count;

	if (!document_member(root, "keys", &keys, error) ||
		!document_array(&keys, 1, 1, &count, error))
		return false;
	struct document_node key = document_at(&keys, 0);
	for (size_t i = 0; i < ARRAY_SIZE(refused_of_key); i++) {
		if (document_find(&key, refused_of_key[i].member, &node))
			return document_fail(&node, error, "%s", refused_of_key[i].why);
	}
	return document_member(&key, "certificate", &node, error);
}

bool template_check_hsm_key(
	const struct document_node *root, const struct template *template, struct error *error)
{
	return !template_is_hsm_key(template) ||
	       (check_types(root, template, error) && check_members(root, error) &&
		       check_key(root, error));
}
