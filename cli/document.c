/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/document.h"

#include <string.h>

#include "cli/client.h"
#include "cli/file.h"
#include "cli/object.h"
#include "cli/output.h"
#include "common/alloc.h"

/* With the document as JSON instead of as a string. */
static void unpack_document(json_t *record)
{
	const char *text = json_string_value(json_object_get(record, "document"));
	json_t *document = text ? json_loads(text, 0, NULL) : NULL;

	if (document)
		json_object_set_new(record, "document", document);
}

bool document_list(
	const struct document_kind *kind, struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *records =
		client ? object_list(client, kind->interface, error) : NULL;
	json_t *record;
	size_t index;

	if (!records)
		return false;
	json_array_foreach(records, index, record) unpack_document(record);
	output_records(invocation, records, kind->columns, kind->column_count, kind->nothing_text);
	return true;
}

/* Says the name in place of a path that means nothing to a person. */
static bool name_missing(const struct document_kind *kind, const char *name, struct error *error)
{
	if (error && error->code == ERROR_NOT_FOUND)
		error_set(error, ERROR_NOT_FOUND, "there is no %s '%s'", kind->kind, name);
	return false;
}

json_t *document_call(const struct document_kind *kind, struct invocation *invocation,
	const char *method, struct error *error)
{
	const char *name = invocation->arguments[0];
	struct client *client = invocation_client(invocation, error);
	_cleanup_free_ char *path = object_path_of_name(kind->kind, name);

	return client ? CLIENT_CALL_PLAIN(client, path, kind->interface, method, error) : NULL;
}

bool document_show(
	const struct document_kind *kind, struct invocation *invocation, struct error *error)
{
	const char *name = invocation->arguments[0];
	struct client *client = invocation_client(invocation, error);
	_cleanup_free_ char *path = object_path_of_name(kind->kind, name);
	_cleanup_json_ json_t *record =
		client ? object_get(client, path, kind->interface, error) : NULL;

	if (!record)
		return name_missing(kind, name, error);
	unpack_document(record);
	output_json(json_object_get(record, "document"));
	return true;
}

static void say(const struct invocation *invocation, const struct document_kind *kind,
	const char *name, const char *done)
{
	if (invocation_has(invocation, OPTION_JSON)) {
		_cleanup_json_ json_t *record = json_pack("{s:s}", "name", name);
		output_json(record);
	}
	output_text(invocation, "%s '%s' %s", kind->kind, name, done);
}

/* The document's own name, heap; NULL with error, as for all that is no JSON object. */
static char *document_name(const char *path, const char *text, struct error *error)
{
	json_error_t where;
	_cleanup_json_ json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, &where);
	const char *name = json_string_value(json_object_get(document, "name"));

	if (name)
		return xstrdup(name);
	if (document)
		error_set(error, ERROR_INVALID_ARGUMENT, "%s: the document has no \"name\"", path);
	else
		error_set(error, ERROR_INVALID_ARGUMENT, "%s, line %d, column %d: %s", path,
			where.line, where.column, where.text);
	return NULL;
}

/* Reads the file of the first argument; false with error. */
static bool load(const struct invocation *invocation, char **text, char **name, struct error *error)
{
	const char *path = invocation->arguments[0];

	*text = file_read(path, error);
	*name = *text ? document_name(path, *text, error) : NULL;
	return *name != NULL;
}

bool document_add(
	const struct document_kind *kind, struct invocation *invocation, struct error *error)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *name = NULL;

	if (!load(invocation, &text, &name, error))
		return false;
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *answer = client ? CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER,
							 kind->add, error, CLIENT_STRING(text))
					       : NULL;
	if (!answer)
		return false;
	say(invocation, kind, name, "added");
	return true;
}

bool document_update(
	const struct document_kind *kind, struct invocation *invocation, struct error *error)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *name = NULL;

	if (!load(invocation, &text, &name, error))
		return false;
	struct client *client = invocation_client(invocation, error);
	_cleanup_free_ char *path = object_path_of_name(kind->kind, name);
	_cleanup_json_ json_t *answer = client ? CLIENT_CALL(client, path, kind->interface,
							 "Update", error, CLIENT_STRING(text))
					       : NULL;
	if (!answer)
		return name_missing(kind, name, error);
	say(invocation, kind, name, "updated");
	return true;
}

bool document_remove(
	const struct document_kind *kind, struct invocation *invocation, struct error *error)
{
	const char *name = invocation->arguments[0];
	_cleanup_json_ json_t *answer = document_call(kind, invocation, "Remove", error);

	if (!answer)
		return name_missing(kind, name, error);
	say(invocation, kind, name, "removed");
	return true;
}
