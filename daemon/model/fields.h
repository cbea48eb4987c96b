/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A small map of strings in the order in which they were added: a holder's
 * fields (name, email, upn, ...), a job's result.
 */
#ifndef TESSERA_MODEL_FIELDS_H
#define TESSERA_MODEL_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

struct field {
	char *name;
	char *value;
};

struct fields {
	struct field *items;
	size_t count;
};

#define FIELDS_INIT                                                                                \
	{                                                                                          \
		0                                                                                  \
	}
#define _cleanup_fields_ _cleanup_(fields_clear)

/* Limits of what a caller may give (fields_check). Lengths in bytes. */
#define FIELDS_MAXIMUM	    64
#define FIELD_NAME_MAXIMUM  64
#define FIELD_VALUE_MAXIMUM 1024

/* Adds a field or replaces its value. Copies both strings. */
void fields_set(struct fields *fields, const char *name, const char *value);
/* The value, owned by the map, or NULL. */
const char *fields_get(const struct fields *fields, const char *name);
void fields_copy(struct fields *to, const struct fields *from);
void fields_clear(struct fields *fields);
/* Whether length bytes are a field's name: letters, digits, '-' and '_', a letter first. */
bool field_name_is_valid(const char *name, size_t length);
/*
 * Whether fields from a caller can be kept: the limits above, names as in
 * field_name_is_valid, values UTF-8 without control characters.
 * ERROR_INVALID_ARGUMENT, its field the name.
 */
bool fields_check(const struct fields *fields, struct error *error);
/* JSON object of strings, heap. A value that is not UTF-8 is left out. */
char *fields_to_json(const struct fields *fields);
/* Replaces the contents. ERROR_INVALID_ARGUMENT (with the path) if it is no object of strings. */
bool fields_from_json(struct fields *fields, const char *json, struct error *error);

#endif
