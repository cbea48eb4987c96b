/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which attributes of a directory fill which fields of a holder: "fields" in the connection's
 * document, {"email": "mail", "name": ["displayName", "cn"], "title": null}, on top of what the
 * kind of directory does without it. The first attribute that a person has counts.
 */
#ifndef TESSERA_DIRECTORY_MAPPING_H
#define TESSERA_DIRECTORY_MAPPING_H

#include "directory/directory.h"
#include "model/document.h"

#define MAPPING_FIELDS_MAX     32
#define MAPPING_ATTRIBUTES_MAX 4 /* of one field */

struct mapped_field {
	char *field; /* "email" */
	char *attributes[MAPPING_ATTRIBUTES_MAX];
	size_t count; /* at least 1 */
};

struct field_mapping {
	struct mapped_field *items;
	size_t count;
};

/* A field without "fields": up to MAPPING_ATTRIBUTES_MAX attributes, NULL behind the last. */
struct mapping_default {
	const char *field;
	const char *attributes[MAPPING_ATTRIBUTES_MAX + 1];
};

/*
 * Fills *mapping with the defaults, up to the one without a field, and then with "fields" of the
 * document, where null takes a field away. is_attribute says which names attributes can have; form
 * describes them ("the name of an attribute"). ERROR_INVALID_CONNECTION. On failure the caller
 * clears, too.
 */
bool field_mapping_read(const struct document_node *root, const struct mapping_default *defaults,
	bool (*is_attribute)(const char *name), const char *form, struct field_mapping *mapping,
	struct error *error);
void field_mapping_clear(struct field_mapping *mapping);
/* NULL: nothing fills that field. */
const struct mapped_field *field_mapping_find(
	const struct field_mapping *mapping, const char *field);

/*
 * Sets a person's field when the value is one that a holder may have; otherwise it is left out, and
 * the person's reason says so. value need not end with NUL. True when it was set.
 */
bool person_set_field(
	struct directory_person *person, const char *field, const void *value, size_t length);
/* Adds a sentence to the person's reason. */
void person_note(struct directory_person *person, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
