/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/document.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/alloc.h"
#include "common/buffer.h"

static char *buffer_to_string(struct buffer *buffer)
{
	buffer_append_u8(buffer, 0);
	char *text = xstrdup(buffer->failed ? "" : (const char *)buffer->data);
	buffer_clear(buffer);
	return text;
}

/* Counted before parsing: the parser and its destructor recurse. */
static bool is_too_deep(const char *text)
{
	unsigned depth = 0;
	bool in_string = false;

	for (; *text; text++) {
		if (in_string && *text == '\\' && text[1])
			text++;
		else if (*text == '"')
			in_string = !in_string;
		else if (!in_string && (*text == '{' || *text == '['))
			depth++;
		else if (!in_string && (*text == '}' || *text == ']') && depth > 0)
			depth--;
		if (depth > DOCUMENT_DEPTH_MAXIMUM)
			return true;
	}
	return false;
}

json_t *document_load(const char *text, enum error_code code, struct error *error)
{
	return document_load_long(text, DOCUMENT_SIZE_MAXIMUM, code, error);
}

json_t *document_load_long(
	const char *text, size_t maximum, enum error_code code, struct error *error)
{
	json_error_t failure;

	if (strnlen(text, maximum + 1) > maximum) {
		error_set_field(error, code, "", "the document is larger than %zu bytes", maximum);
		return NULL;
	}
	if (is_too_deep(text)) {
		error_set_field(error, code, "", "the document is nested deeper than %d levels",
			DOCUMENT_DEPTH_MAXIMUM);
		return NULL;
	}
	json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, &failure);
	if (!document) {
		/* What follows "near" is a piece of the document. */
		char *near = strstr(failure.text, " near ");
		if (near)
			*near = '\0';
		error_set_field(error, code, "", "line %d, column %d: %s", failure.line,
			failure.column, failure.text);
	}
	return document;
}

struct document_node document_root(json_t *value, enum error_code code)
{
	return (struct document_node){.value = value, .code = code};
}

struct document_node document_child(
	const struct document_node *parent, const char *member, json_t *value)
{
	return (struct document_node){
		.value = value, .parent = parent, .member = member, .code = parent->code};
}

struct document_node document_at(const struct document_node *array, size_t index)
{
	return (struct document_node){.value = json_array_get(array->value, index),
		.parent = array,
		.index = index,
		.code = array->code};
}

/* RFC 6901 section 3: '~' is written "~0" and '/' "~1". */
static void append_pointer(struct buffer *pointer, const struct document_node *node)
{
	char index[24];

	if (!node->parent)
		return;
	append_pointer(pointer, node->parent);
	buffer_append_u8(pointer, '/');
	if (!node->member) {
		snprintf(index, sizeof(index), "%zu", node->index);
		buffer_append_string(pointer, index);
		return;
	}
	for (const char *c = node->member; *c; c++) {
		if (*c == '~' || *c == '/')
			buffer_append_string(pointer, *c == '~' ? "~0" : "~1");
		else
			buffer_append_u8(pointer, (uint8_t)*c);
	}
}

bool document_fail(const struct document_node *node, struct error *error, const char *format, ...)
{
	struct buffer buffer = BUFFER_INIT;
	va_list arguments;

	va_start(arguments, format);
	_cleanup_free_ char *message = xvasprintf(format, arguments);
	va_end(arguments);
	append_pointer(&buffer, node);
	_cleanup_free_ char *pointer = buffer_to_string(&buffer);
	return error_set_field(error, node->code, pointer, "%s", message);
}

static char *joined(const char *const names[], size_t count)
{
	struct buffer buffer = BUFFER_INIT;

	for (size_t i = 0; i < count; i++) {
		buffer_append_string(&buffer, i ? ", " : "");
		buffer_append_string(&buffer, names[i]);
	}
	return buffer_to_string(&buffer);
}

static bool is_one_of(const char *name, const char *const names[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

bool document_check_members(const struct document_node *node, const char *const allowed[],
	size_t count, struct error *error)
{
	_cleanup_free_ char *list = joined(allowed, count);
	const char *name;
	json_t *value;

	if (!json_is_object(node->value))
		return document_fail(
			node, error, "an object is expected with the members %s", list);
	json_object_foreach(node->value, name, value)
	{
		struct document_node member = document_child(node, name, value);
		if (!is_one_of(name, allowed, count))
			return document_fail(
				&member, error, "unknown member; allowed are %s", list);
	}
	return true;
}

bool document_find(
	const struct document_node *object, const char *member, struct document_node *found)
{
	json_t *value = json_object_get(object->value, member);

	if (value)
		*found = document_child(object, member, value);
	return value != NULL;
}

bool document_member(const struct document_node *object, const char *member,
	struct document_node *found, struct error *error)
{
	struct document_node missing = document_child(object, member, NULL);

	if (document_find(object, member, found))
		return true;
	return document_fail(&missing, error, "the member is missing");
}

bool document_string(const struct document_node *node, size_t minimum, size_t maximum,
	const char **value, struct error *error)
{
	const char *text = json_string_value(node->value);

	if (!text)
		return document_fail(node, error, "a string is expected");
	if (strlen(text) < minimum || strlen(text) > maximum)
		return document_fail(
			node, error, "the length must be %zu to %zu bytes", minimum, maximum);
	for (const char *c = text; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7F)
			return document_fail(node, error, "control characters are not allowed");
	}
	*value = text;
	return true;
}

bool document_name_is_valid(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	size_t length = strspn(name, allowed);

	return length > 0 && length <= DOCUMENT_NAME_MAXIMUM && !name[length] && name[0] != '-';
}

bool document_name(const struct document_node *node, const char **value, struct error *error)
{
	const char *text;

	if (!document_string(node, 1, DOCUMENT_NAME_MAXIMUM, &text, error))
		return false;
	if (!document_name_is_valid(text))
		return document_fail(node, error,
			"a name is 1 to %d lower-case letters, digits and '-', not '-' first",
			DOCUMENT_NAME_MAXIMUM);
	*value = text;
	return true;
}

bool document_integer(const struct document_node *node, int64_t minimum, int64_t maximum,
	int64_t *value, struct error *error)
{
	json_int_t number = json_integer_value(node->value);

	if (!json_is_integer(node->value) || number < minimum || number > maximum)
		return document_fail(node, error, "a whole number from %lld to %lld is expected",
			(long long)minimum, (long long)maximum);
	*value = number;
	return true;
}

bool document_boolean(const struct document_node *node, bool *value, struct error *error)
{
	if (!json_is_boolean(node->value))
		return document_fail(node, error, "it must be true or false");
	*value = json_is_true(node->value);
	return true;
}

bool document_array(const struct document_node *node, size_t minimum, size_t maximum, size_t *count,
	struct error *error)
{
	size_t size = json_array_size(node->value);

	if (!json_is_array(node->value) || size < minimum || size > maximum)
		return document_fail(node, error, "an array of %zu to %zu elements is expected",
			minimum, maximum);
	*count = size;
	return true;
}

bool document_choice(const struct document_node *node, const char *(*name_at)(size_t index),
	size_t *choice, struct error *error)
{
	struct buffer buffer = BUFFER_INIT;
	const char *text = json_string_value(node->value);
	const char *name;

	for (size_t i = 0; (name = name_at(i)); i++) {
		if (text && strcmp(text, name) == 0) {
			*choice = i;
			buffer_clear(&buffer);
			return true;
		}
		buffer_append_string(&buffer, i ? ", " : "");
		buffer_append_string(&buffer, name);
	}
	_cleanup_free_ char *list = buffer_to_string(&buffer);
	return document_fail(node, error, "allowed are %s", list);
}
