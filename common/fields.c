/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/fields.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

static struct field *find(const struct fields *fields, const char *name)
{
	for (size_t i = 0; i < fields->count; i++) {
		if (strcmp(fields->items[i].name, name) == 0)
			return &fields->items[i];
	}
	return NULL;
}

void fields_set(struct fields *fields, const char *name, const char *value)
{
	struct field *field = find(fields, name);
	char *copy = xstrdup(value);

	if (field) {
		free(field->value);
		field->value = copy;
		return;
	}
	char *name_copy = xstrdup(name);
	fields->items = xreallocarray(fields->items, fields->count + 1, sizeof(*fields->items));
	fields->items[fields->count++] = (struct field){.name = name_copy, .value = copy};
}

const char *fields_get(const struct fields *fields, const char *name)
{
	const struct field *field = find(fields, name);

	return field ? field->value : NULL;
}

void fields_copy(struct fields *to, const struct fields *from)
{
	struct fields copy = FIELDS_INIT;

	for (size_t i = 0; i < from->count; i++)
		fields_set(&copy, from->items[i].name, from->items[i].value);
	fields_clear(to);
	*to = copy;
}

void fields_clear(struct fields *fields)
{
	for (size_t i = 0; i < fields->count; i++) {
		free(fields->items[i].name);
		free(fields->items[i].value);
	}
	free(fields->items);
	*fields = (struct fields)FIELDS_INIT;
}
