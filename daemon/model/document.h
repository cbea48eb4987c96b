/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Strict reading of JSON documents (templates, connections): every complaint
 * names the place as a JSON Pointer (RFC 6901) in the error's field and the
 * allowed values in the message. Values are never quoted in a message: a
 * document may hold a secret.
 */
#ifndef TESSERA_MODEL_DOCUMENT_H
#define TESSERA_MODEL_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/error.h"
#include "common/macros.h"

#define DOCUMENT_SIZE_MAXIMUM  (64 * 1024) /* bytes */
#define DOCUMENT_NAME_MAXIMUM  64	   /* bytes, of document_name() */
#define DOCUMENT_DEPTH_MAXIMUM 16	   /* objects and arrays inside each other */

#define _cleanup_json_ _cleanup_(json_decrefp)

/* A value and its place. It is a view: the document and the parent must outlive it. */
struct document_node {
	json_t *value;
	const struct document_node *parent; /* NULL at the root */
	const char *member;		    /* its name if the parent is an object, or NULL */
	size_t index;			    /* its index if the parent is an array */
	enum error_code code;		    /* with which all complaints are made */
};

/*
 * Parses text; duplicate members, NUL characters, more than
 * DOCUMENT_SIZE_MAXIMUM bytes and more than DOCUMENT_DEPTH_MAXIMUM levels are
 * refused with `code`. The caller json_decref()s. NULL on failure.
 */
json_t *document_load(const char *text, enum error_code code, struct error *error);
/* The same with another limit than DOCUMENT_SIZE_MAXIMUM. */
json_t *document_load_long(
	const char *text, size_t maximum, enum error_code code, struct error *error);

struct document_node document_root(json_t *value, enum error_code code);
struct document_node document_child(
	const struct document_node *parent, const char *member, json_t *value);
/* The element of an array; index must be less than its size. */
struct document_node document_at(const struct document_node *array, size_t index);

/* Fills error with the node's pointer as field. Returns false. */
bool document_fail(const struct document_node *node, struct error *error, const char *format, ...)
	PRINTF_LIKE(3, 4);

/* The node must be an object with no member outside allowed[count]. */
bool document_check_members(const struct document_node *node, const char *const allowed[],
	size_t count, struct error *error);
/* An optional member: false if it is absent. */
bool document_find(
	const struct document_node *object, const char *member, struct document_node *found);
/* A required member. */
bool document_member(const struct document_node *object, const char *member,
	struct document_node *found, struct error *error);

/* The node must be a string of minimum to maximum bytes without control characters.
 * *value is owned by the document. */
bool document_string(const struct document_node *node, size_t minimum, size_t maximum,
	const char **value, struct error *error);
/* A string that is a name: 1 to 64 lower-case letters, digits and '-', not '-' first. */
bool document_name(const struct document_node *node, const char **value, struct error *error);
/* Whether a text is such a name. */
bool document_name_is_valid(const char *name);
bool document_integer(const struct document_node *node, int64_t minimum, int64_t maximum,
	int64_t *value, struct error *error);
bool document_boolean(const struct document_node *node, bool *value, struct error *error);
/* The node must be an array of minimum to maximum elements. */
bool document_boolean(const struct document_node *node, bool *value, struct error *error);
bool document_array(const struct document_node *node, size_t minimum, size_t maximum, size_t *count,
	struct error *error);
/*
 * The node must be one of the strings that name_at(0), name_at(1), ... give up
 * to NULL. *choice is its index.
 */
bool document_choice(const struct document_node *node, const char *(*name_at)(size_t index),
	size_t *choice, struct error *error);

#endif
