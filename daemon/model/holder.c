/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/holder.h"

#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "common/alloc.h"
#include "model/document.h"

#define SID_MAXIMUM 184 /* bytes: 15 sub-authorities */

bool field_name_is_valid(const char *name, size_t length)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char rest[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

	if (length == 0 || length > FIELD_NAME_MAXIMUM || !strchr(first, name[0]))
		return false;
	for (size_t i = 0; i < length; i++) {
		if (name[i] == '\0' || !strchr(rest, name[i]))
			return false;
	}
	return true;
}

static bool value_is_text(const char *value)
{
	for (const char *c = value; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7F)
			return false;
	}
	json_t *string = json_string(value); /* NULL if it is not UTF-8 */
	json_decref(string);
	return string != NULL;
}

/* At least an authority and one number behind it, each of at most 15 digits. */
bool holder_sid_is_valid(const char *text)
{
	static const char digits[] = "0123456789";
	size_t count = 0;

	if (strncasecmp(text, "S-1", 3) != 0 || strlen(text) > SID_MAXIMUM)
		return false;
	for (text += 3; *text == '-'; count++) {
		size_t length = strspn(++text, digits);
		if (length == 0 || length > 15)
			return false;
		text += length;
	}
	return *text == '\0' && count >= 2;
}

/* Fields whose values programs rely on have a form. */
static const struct field_form {
	const char *name;
	bool (*is_valid)(const char *value);
	const char *form;
} forms[] = {
	{"sid", holder_sid_is_valid,
		"a Windows SID like S-1-5-21-1004336348-1177238915-682003330-512"},
};

static bool check_form(const struct field *field, struct error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (strcmp(forms[i].name, field->name) == 0 && field->value[0] &&
			!forms[i].is_valid(field->value))
			return error_set_field(error, ERROR_INVALID_ARGUMENT, field->name,
				"the field \"%s\" must be %s", field->name, forms[i].form);
	}
	return true;
}

bool holder_check(const struct fields *fields, struct error *error)
{
	if (fields->count > FIELDS_MAXIMUM)
		return error_set(error, ERROR_INVALID_ARGUMENT, "more than %d fields are given",
			FIELDS_MAXIMUM);
	for (size_t i = 0; i < fields->count; i++) {
		const struct field *field = &fields->items[i];
		if (!field_name_is_valid(field->name, strlen(field->name)))
			return error_set_field(error, ERROR_INVALID_ARGUMENT, field->name,
				"a field's name is 1 to %d letters, digits, '-' and '_', a letter "
				"first",
				FIELD_NAME_MAXIMUM);
		if (strlen(field->value) > FIELD_VALUE_MAXIMUM || !value_is_text(field->value))
			return error_set_field(error, ERROR_INVALID_ARGUMENT, field->name,
				"the field \"%s\" must be text of at most %d bytes without "
				"control characters",
				field->name, FIELD_VALUE_MAXIMUM);
		if (!check_form(field, error))
			return false;
	}
	return true;
}

bool holder_is_same_person(const struct fields *one, const struct fields *other)
{
	static const char *const names[] = {"upn", "sid", "email", "name", "id"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = fields_get(one, names[i]);
		const char *same = fields_get(other, names[i]);
		if (value && same && value[0] && strcasecmp(value, same) == 0)
			return true;
	}
	return false;
}

char *holder_to_json(const struct fields *fields)
{
	json_t *object = json_object();

	for (size_t i = 0; i < fields->count; i++)
		json_object_set_new(
			object, fields->items[i].name, json_string(fields->items[i].value));
	char *dumped = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	char *text = xstrdup(dumped ? dumped : "{}");
	free(dumped);
	return text;
}

bool holder_from_json(struct fields *fields, const char *json, struct error *error)
{
	_cleanup_fields_ struct fields read = FIELDS_INIT;
	_cleanup_json_ json_t *document = document_load(json, ERROR_INVALID_ARGUMENT, error);
	const char *name;
	json_t *value;

	if (!document)
		return false;
	struct document_node root = document_root(document, ERROR_INVALID_ARGUMENT);
	if (!json_is_object(document))
		return document_fail(&root, error, "an object of strings is expected");
	json_object_foreach(document, name, value)
	{
		struct document_node node = document_child(&root, name, value);
		if (!json_is_string(value))
			return document_fail(&node, error, "a string is expected");
		fields_set(&read, name, json_string_value(value));
	}
	fields_clear(fields);
	*fields = read;
	read = (struct fields)FIELDS_INIT;
	return true;
}
