/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera template: what is to be on a card. */
#include "cli/template.h"

#include <string.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/document.h"
#include "cli/object.h"
#include "cli/output.h"
#include "common/alloc.h"

static const struct column columns[] = {
	{"name", "NAME", COLUMN_TEXT},
	{"version", "VERSION", COLUMN_TEXT},
	{"card_types", "CARD TYPES", COLUMN_TEXT},
	{"enabled", "ENABLED", COLUMN_TEXT},
	{"locked_by", "LOCKED BY", COLUMN_TEXT},
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

static bool change_lock(
	struct invocation *invocation, const char *method, const char *done, struct error *error)
{
	const char *name = invocation->arguments[0];
	_cleanup_json_ json_t *answer = document_call(&templates, invocation, method, error);

	if (!answer)
		return template_missing(name, error);
	if (invocation_has(invocation, OPTION_JSON)) {
		_cleanup_json_ json_t *record = json_pack("{s:s}", "name", name);
		output_json(record);
	}
	output_text(invocation, "template '%s' %s", name, done);
	return true;
}

bool template_lock(struct invocation *invocation, struct error *error)
{
	return change_lock(invocation, "Lock", "locked", error);
}

bool template_unlock(struct invocation *invocation, struct error *error)
{
	return change_lock(invocation, "Unlock", "unlocked", error);
}

/* --- what the other files share --- */

bool template_missing(const char *name, struct error *error)
{
	if (error && error->code == ERROR_NOT_FOUND)
		error_set(error, ERROR_NOT_FOUND, "there is no template '%s'", name);
	return false;
}

json_t *template_document(struct client *client, const char *name, struct error *error)
{
	_cleanup_free_ char *path = object_path_of_name("template", name);
	_cleanup_json_ json_t *record = object_get(client, path, CLIENT_TEMPLATE, error);
	const char *text = json_string_value(json_object_get(record, "document"));
	json_t *document = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;

	if (!record)
		template_missing(name, error);
	else if (!document)
		error_set(error, ERROR_FAILED, "tesserad's answer is not legible");
	return document;
}

/* *issue (the caller's) stays NULL for a template that cannot be seen. */
static bool get_issue(struct client *client, const char *name, json_t **issue, struct error *error)
{
	struct error failure _cleanup_error_ = ERROR_INIT;
	_cleanup_json_ json_t *document = template_document(client, name, &failure);

	*issue = json_incref(json_object_get(document, "issue"));
	return document || failure.code == ERROR_NOT_FOUND || failure.code == ERROR_ACCESS_DENIED ||
	       error_move(error, &failure);
}

bool template_sets_first_pin(
	struct client *client, const char *name, bool *sets, struct error *error)
{
	_cleanup_json_ json_t *issue = NULL;

	if (!get_issue(client, name, &issue, error))
		return false;
	if (issue)
		*sets = json_is_true(json_object_get(issue, "auto-initiate"));
	return true;
}

bool template_is_of_directory(
	struct client *client, const char *name, bool *is_of_directory, struct error *error)
{
	_cleanup_json_ json_t *issue = NULL;

	if (!get_issue(client, name, &issue, error))
		return false;
	const char *from =
		json_string_value(json_object_get(json_object_get(issue, "holder"), "from"));
	if (from)
		*is_of_directory = strcmp(from, "directory") == 0;
	return true;
}
