/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "directory/mapping.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/alloc.h"
#include "model/holder.h"

/* --- the document --- */

static void field_clear(struct mapped_field *field)
{
	free(field->field);
	for (size_t i = 0; i < field->count; i++)
		free(field->attributes[i]);
	*field = (struct mapped_field){0};
}

void field_mapping_clear(struct field_mapping *mapping)
{
	for (size_t i = 0; i < mapping->count; i++)
		field_clear(&mapping->items[i]);
	free(mapping->items);
	*mapping = (struct field_mapping){0};
}

static struct mapped_field *find(const struct field_mapping *mapping, const char *field)
{
	for (size_t i = 0; i < mapping->count; i++) {
		if (strcmp(mapping->items[i].field, field) == 0)
			return &mapping->items[i];
	}
	return NULL;
}

const struct mapped_field *field_mapping_find(
	const struct field_mapping *mapping, const char *field)
{
	return find(mapping, field);
}

/* With no attributes yet. */
static struct mapped_field *add(struct field_mapping *mapping, const char *field)
{
	struct mapped_field *there = find(mapping, field);

	if (there) {
		field_clear(there);
	} else {
		mapping->items =
			xreallocarray(mapping->items, mapping->count + 1, sizeof(*mapping->items));
		there = &mapping->items[mapping->count++];
		*there = (struct mapped_field){0};
	}
	there->field = xstrdup(field);
	return there;
}

static void take_away(struct field_mapping *mapping, const char *field)
{
	struct mapped_field *there = find(mapping, field);

	if (!there)
		return;
	field_clear(there);
	mapping->count--;
	memmove(there, there + 1,
		(size_t)(mapping->items + mapping->count - there) * sizeof(*there));
}

static void set_defaults(const struct mapping_default *defaults, struct field_mapping *mapping)
{
	for (; defaults->field; defaults++) {
		struct mapped_field *field = add(mapping, defaults->field);
		for (size_t i = 0; defaults->attributes[i]; i++)
			field->attributes[field->count++] = xstrdup(defaults->attributes[i]);
	}
}

static bool read_attribute(const struct document_node *node, bool (*is_attribute)(const char *),
	const char *form, struct mapped_field *field, struct error *error)
{
	const char *name;

	if (!document_string(node, 1, FIELD_NAME_MAXIMUM * 2, &name, error))
		return false;
	if (!is_attribute(name))
		return document_fail(node, error, "%s is expected", form);
	field->attributes[field->count++] = xstrdup(name);
	return true;
}

static bool read_field(const struct document_node *node, bool (*is_attribute)(const char *),
	const char *form, struct field_mapping *mapping, struct error *error)
{
	size_t count;

	if (!field_name_is_valid(node->member, strlen(node->member)))
		return document_fail(node, error,
			"a holder's field has letters, digits, '-' and '_', a letter first");
	if (json_is_null(node->value)) {
		take_away(mapping, node->member);
		return true;
	}
	struct mapped_field *field = add(mapping, node->member);
	if (mapping->count > MAPPING_FIELDS_MAX)
		return document_fail(
			node, error, "at most %d fields are filled", MAPPING_FIELDS_MAX);
	if (!json_is_array(node->value))
		return read_attribute(node, is_attribute, form, field, error);
	if (!document_array(node, 1, MAPPING_ATTRIBUTES_MAX, &count, error))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct document_node each = document_at(node, i);
		if (!read_attribute(&each, is_attribute, form, field, error))
			return false;
	}
	return true;
}

bool field_mapping_read(const struct document_node *root, const struct mapping_default *defaults,
	bool (*is_attribute)(const char *name), const char *form, struct field_mapping *mapping,
	struct error *error)
{
	struct document_node fields;
	const char *name;
	json_t *value;

	set_defaults(defaults, mapping);
	if (!document_find(root, "fields", &fields))
		return true;
	if (!json_is_object(fields.value))
		return document_fail(&fields, error, "an object is expected");
	json_object_foreach(fields.value, name, value)
	{
		struct document_node node = document_child(&fields, name, value);
		if (!read_field(&node, is_attribute, form, mapping, error))
			return false;
	}
	return true;
}

/* --- people --- */

void person_note(struct directory_person *person, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	_cleanup_free_ char *note = xvasprintf(format, arguments);
	va_end(arguments);
	char *longer = xasprintf(
		"%s%s%s", person->reason ? person->reason : "", person->reason ? "; " : "", note);
	free(person->reason);
	person->reason = longer;
}

bool person_set_field(
	struct directory_person *person, const char *field, const void *value, size_t length)
{
	_cleanup_fields_ struct fields one = FIELDS_INIT;
	_cleanup_free_ char *text = NULL;

	if (length == 0)
		return false;
	if (length > FIELD_VALUE_MAXIMUM) {
		person_note(person, "%s is left out: it has %zu bytes, and %d are the most", field,
			length, FIELD_VALUE_MAXIMUM);
		return false;
	}
	text = xasprintf("%.*s", (int)length, (const char *)value);
	fields_set(&one, field, text);
	if (strlen(text) != length || !holder_check(&one, NULL)) {
		person_note(person, "%s is left out: it is no text that a holder can have", field);
		return false;
	}
	fields_set(&person->fields, field, text);
	return true;
}
