/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A small map of strings in the order in which they were added: a holder's
 * fields (name, email, upn, ...), a job's result.
 */
#ifndef TESSERA_COMMON_FIELDS_H
#define TESSERA_COMMON_FIELDS_H

#include <stddef.h>

#include "common/macros.h"

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

/* Adds a field or replaces its value. Copies both strings. */
void fields_set(struct fields *fields, const char *name, const char *value);
/* The value, owned by the map, or NULL. */
const char *fields_get(const struct fields *fields, const char *name);
void fields_copy(struct fields *to, const struct fields *from);
void fields_clear(struct fields *fields);

#endif
