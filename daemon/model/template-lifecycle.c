/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* /lifecycle of a template: what verbs do to its cards. */
#include "common/macros.h"
#include "model/template-private.h"

TEMPLATE_NAME_AT(on_retire_at, "revoke", "keep")

bool template_read_lifecycle(
	const struct document_node *root, struct template *template, struct error *error)
{
	static const char *const members[] = {"block-pin", "on-retire"};
	struct template_lifecycle *lifecycle = &template->lifecycle;
	struct document_node node;
	size_t on_retire = RETIRE_REVOKES;

	lifecycle->block_pin = true;
	if (!document_find(root, "lifecycle", &node))
		return true;
	if (!document_check_members(&node, members, ARRAY_SIZE(members), error) ||
		!template_read_bool(&node, "block-pin", &lifecycle->block_pin, error) ||
		!template_read_choice(&node, "on-retire", on_retire_at, &on_retire, error))
		return false;
	lifecycle->on_retire = (enum retire_certificates)on_retire;
	return true;
}
