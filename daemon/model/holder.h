/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A holder's fields: what a caller may give, and their JSON in the store. */
#ifndef TESSERA_MODEL_HOLDER_H
#define TESSERA_MODEL_HOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "common/fields.h"

/* Limits of what a caller may give (holder_check). Lengths in bytes. */
#define FIELDS_MAXIMUM	    64
#define FIELD_NAME_MAXIMUM  64
#define FIELD_VALUE_MAXIMUM 1024

/* Whether length bytes are a field's name: letters, digits, '-' and '_', a letter first. */
bool field_name_is_valid(const char *name, size_t length);
/* Whether a text is a Windows security identifier as it is written (MS-DTYP 2.4.2.1):
 * "S-1-5-21-..."
 */
bool holder_sid_is_valid(const char *text);
/*
 * Whether fields from a caller can be kept: the limits above, names as in
 * field_name_is_valid, values UTF-8 without control characters; those that have a form in a table
 * ("sid") have it.
 * ERROR_INVALID_ARGUMENT, its field the name.
 */
bool holder_check(const struct fields *fields, struct error *error);
/*
 * Whether two cards look like one person's: their holders have the same upn, sid, email, name or
 * id; ASCII letters are the same in upper and lower case.
 */
bool holder_is_same_person(const struct fields *one, const struct fields *other);
/* JSON object of strings, heap. A value that is not UTF-8 is left out. */
char *holder_to_json(const struct fields *fields);
/* Replaces the contents. ERROR_INVALID_ARGUMENT (with the path) if it is no object of strings. */
bool holder_from_json(struct fields *fields, const char *json, struct error *error);

#endif
