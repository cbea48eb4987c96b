/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera template clone, export, import: whole templates from one place to another. */
#include "cli/client.h"
#include "cli/command.h"
#include "cli/file.h"
#include "cli/object.h"
#include "cli/output.h"
#include "cli/template.h"
#include "common/alloc.h"

bool template_clone(struct invocation *invocation, struct error *error)
{
	const char *name = invocation->arguments[0], *fresh = invocation->arguments[1];
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *document = client ? template_document(client, name, error) : NULL;

	if (!document)
		return false;
	if (json_object_set_new(document, "name", json_string(fresh)) != 0)
		return error_set(error, ERROR_INVALID_ARGUMENT, "the name is not valid UTF-8 text");
	char *text = json_dumps(document, JSON_INDENT(2));
	_cleanup_json_ json_t *answer = CLIENT_CALL(
		client, CLIENT_ROOT, CLIENT_MANAGER, "AddTemplate", error, CLIENT_STRING(text));
	free(text);
	if (!answer)
		return false;
	if (invocation_has(invocation, OPTION_JSON)) {
		_cleanup_json_ json_t *record = json_pack("{s:s}", "name", fresh);
		output_json(record);
	}
	output_text(invocation, "template '%s' added, a copy of '%s'", fresh, name);
	return true;
}

/* The documents of one template, or of all. */
static json_t *collect(struct invocation *invocation, struct client *client, struct error *error)
{
	const char *name = invocation->argument_count ? invocation->arguments[0] : NULL;
	_cleanup_json_ json_t *documents = json_array();
	json_t *record;
	size_t index;

	if (name) {
		json_t *document = template_document(client, name, error);
		if (!document)
			return NULL;
		json_array_append_new(documents, document);
		return steal_pointer(&documents);
	}
	_cleanup_json_ json_t *records = object_list(client, CLIENT_TEMPLATE, error);
	if (!records)
		return NULL;
	json_array_foreach(records, index, record)
	{
		const char *text = json_string_value(json_object_get(record, "document"));
		json_array_append_new(documents, text ? json_loads(text, 0, NULL) : NULL);
	}
	return steal_pointer(&documents);
}

bool template_export(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	json_t *documents = client ? collect(invocation, client, error) : NULL;
	_cleanup_buffer_ struct buffer content = BUFFER_INIT;

	if (!documents)
		return false;
	_cleanup_json_ json_t *whole = json_pack("{s:o}", "templates", documents);
	char *text = json_dumps(whole, JSON_INDENT(2));
	buffer_append_string(&content, text);
	buffer_append_u8(&content, '\n');
	free(text);
	return output_content(invocation, &content, error);
}

bool template_import(struct invocation *invocation, struct error *error)
{
	_cleanup_free_ char *text = file_read(invocation->arguments[0], error);
	_cleanup_json_ json_t *options = json_object();
	struct client *client = text ? invocation_client(invocation, error) : NULL;

	if (invocation_has(invocation, OPTION_REPLACE))
		json_object_set_new(options, "replace", json_true());
	_cleanup_json_ json_t *answer =
		client ? CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER, "ImportTemplates", error,
				 CLIENT_STRING(text), CLIENT_OPTIONS(options))
		       : NULL;
	if (!answer)
		return false;
	size_t count = json_array_size(json_array_get(answer, 0));
	if (invocation_has(invocation, OPTION_JSON)) {
		_cleanup_json_ json_t *record = json_pack("{s:I}", "imported", (json_int_t)count);
		output_json(record);
	}
	output_text(invocation, "%zu templates imported", count);
	return true;
}
