/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera template edit: the document in an editor, saved only when it is valid. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/editor.h"
#include "cli/file.h"
#include "cli/object.h"
#include "cli/output.h"
#include "cli/template.h"
#include "common/alloc.h"

/* A name in a draft's path has nothing of a path in it; tesserad says what is wrong with it. */
static bool check_name(const char *name, struct error *error)
{
	return !strchr(name, '/') ||
	       error_set(error, ERROR_NOT_FOUND, "there is no template '%s'", name);
}

static bool is_same(const char *text, const json_t *before)
{
	_cleanup_json_ json_t *after = json_loads(text, 0, NULL);

	return after && json_equal(after, before);
}

static bool save(struct client *client, const char *name, const char *text, struct error *error)
{
	_cleanup_free_ char *path = object_path_of_name("template", name);
	_cleanup_json_ json_t *answer =
		CLIENT_CALL(client, path, CLIENT_TEMPLATE, "Update", error, CLIENT_STRING(text));

	return answer != NULL;
}

/* Whether the draft has been dealt with and may go. */
static bool edit(struct invocation *invocation, struct client *client, const json_t *before,
	const char *draft, struct error *error)
{
	const char *name = invocation->arguments[0];
	_cleanup_free_ char *text = editor_run(draft, error) ? file_read(draft, error) : NULL;

	if (!text)
		return false;
	bool same = is_same(text, before);
	if (!same && !save(client, name, text, error))
		return false;
	if (invocation_has(invocation, OPTION_JSON)) {
		_cleanup_json_ json_t *record =
			json_pack("{s:s, s:b}", "name", name, "changed", !same);
		output_json(record);
	}
	output_text(invocation, "template '%s' %s", name, same ? "not changed" : "updated");
	return true;
}

bool template_edit(struct invocation *invocation, struct error *error)
{
	const char *name = invocation->arguments[0];
	struct client *client =
		check_name(name, error) ? invocation_client(invocation, error) : NULL;
	_cleanup_json_ json_t *before = client ? template_document(client, name, error) : NULL;

	if (!before)
		return false;
	char *text = json_dumps(before, JSON_INDENT(2));
	_cleanup_free_ char *draft = editor_write_draft(name, text, error);
	free(text);
	if (!draft)
		return false;
	if (edit(invocation, client, before, draft, error)) {
		unlink(draft);
		return true;
	}
	fprintf(stderr,
		"tessera: the draft is kept in %s: correct it and run tessera template update\n",
		draft);
	return false;
}
