/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera type: by what cards are recognised. */
#include <string.h>

#include "cli/command.h"
#include "cli/document.h"
#include "cli/file.h"
#include "cli/output.h"
#include "cli/reader.h"
#include "common/alloc.h"

static const struct column columns[] = {
	{"name", "NAME", COLUMN_TEXT},
	{"title", "TITLE", COLUMN_TEXT},
	{"manufacturer", "MANUFACTURER", COLUMN_TEXT},
	{"driver", "DRIVER", COLUMN_TEXT},
	{"driver_available", "USABLE", COLUMN_TEXT},
	{"shipped", "SHIPPED", COLUMN_TEXT},
};

static const struct document_kind types = {
	.kind = "type",
	.interface = CLIENT_TYPE,
	.add = "AddType",
	.columns = columns,
	.column_count = ARRAY_SIZE(columns),
	.nothing_text = "There are no credential types.",
};

bool type_list(struct invocation *invocation, struct error *error)
{
	return document_list(&types, invocation, error);
}

bool type_show(struct invocation *invocation, struct error *error)
{
	return document_show(&types, invocation, error);
}

bool type_add(struct invocation *invocation, struct error *error)
{
	return document_add(&types, invocation, error);
}

bool type_remove(struct invocation *invocation, struct error *error)
{
	return document_remove(&types, invocation, error);
}

/* Writes the proposed document to the file of --output. */
static bool save_proposal(
	const struct invocation *invocation, const json_t *document, struct error *error)
{
	const char *path = invocation->values[OPTION_OUTPUT];
	_cleanup_free_ char *text = json_dumps(document, JSON_INDENT(2));
	_cleanup_buffer_ struct buffer content = BUFFER_INIT;

	buffer_append_string(&content, text);
	buffer_append_u8(&content, '\n');
	if (!file_write(path, &content, error))
		return false;
	output_text(invocation, "a type for cards like it is proposed in %s", path);
	return true;
}

/* Cards of the general type may get one of their own, too. */
static bool show(const struct invocation *invocation, const json_t *reader, const char *type,
	json_t *document, struct error *error)
{
	json_int_t number = json_integer_value(json_object_get(reader, "number"));

	if (invocation_has(invocation, OPTION_JSON)) {
		_cleanup_json_ json_t *record = json_pack("{s:I,s:s?,s:O}", "number", number,
			"type", type[0] ? type : NULL, "document", document);
		output_json(record);
	} else if (type[0]) {
		output_text(invocation, "the card in reader %lld is of the type %s",
			(long long)number, type);
	} else {
		output_text(invocation, "the card in reader %lld is of no known type",
			(long long)number);
	}
	if (invocation->values[OPTION_OUTPUT])
		return save_proposal(invocation, document, error);
	if (!invocation_has(invocation, OPTION_JSON) && (!type[0] || strcmp(type, "piv") == 0)) {
		output_text(invocation, "a type for cards like it could be:");
		output_json(document);
	}
	return true;
}

bool type_detect(struct invocation *invocation, struct error *error)
{
	_cleanup_json_ json_t *reader = NULL, *answer = NULL, *document = NULL;

	if (!reader_ask(invocation, "DetectType", &reader, &answer, &document, error))
		return false;
	const char *type = json_string_value(json_array_get(answer, 0));
	if (!type)
		return error_set(error, ERROR_FAILED, "tesserad's answer is not legible");
	return show(invocation, reader, type, document, error);
}
