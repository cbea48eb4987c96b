/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera template: what is to be on a card. */
#include "cli/client.h"
#include "cli/command.h"
#include "cli/document.h"

static const struct column columns[] = {
	{"name", "NAME", COLUMN_TEXT},
	{"version", "VERSION", COLUMN_TEXT},
	{"card_type", "CARD TYPE", COLUMN_TEXT},
	{"required_fields", "NEEDS", COLUMN_TEXT},
	{"comment", "COMMENT", COLUMN_TEXT},
};

static const struct document_kind templates = {
	.kind = "template",
	.interface = CLIENT_TEMPLATE,
	.add = "AddTemplate",
	.columns = columns,
	.column_count = ARRAY_SIZE(columns),
	.nothing_text = "There are no templates.",
};

bool template_list(struct invocation *invocation, struct error *error)
{
	return document_list(&templates, invocation, error);
}

bool template_show(struct invocation *invocation, struct error *error)
{
	return document_show(&templates, invocation, error);
}

bool template_add(struct invocation *invocation, struct error *error)
{
	return document_add(&templates, invocation, error);
}

bool template_update(struct invocation *invocation, struct error *error)
{
	return document_update(&templates, invocation, error);
}

bool template_remove(struct invocation *invocation, struct error *error)
{
	return document_remove(&templates, invocation, error);
}
