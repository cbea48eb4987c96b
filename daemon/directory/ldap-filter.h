/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Search filters (RFC 4515). All filters are built here, and values come into one only escaped, so
 * that nothing that a person types is read as a filter.
 */
#ifndef TESSERA_DIRECTORY_LDAP_FILTER_H
#define TESSERA_DIRECTORY_LDAP_FILTER_H

#include "common/buffer.h"
#include "common/error.h"

#define LDAP_FILTER_MAX	      4096 /* bytes of one from a document */
#define LDAP_FILTER_DEPTH_MAX 16   /* filters inside each other */
#define LDAP_ATTRIBUTE_MAX    128  /* bytes of an attribute's name */

/* Whether a text is an attribute description (RFC 4512, 2.5): "mail", "2.5.4.3", "cn;lang-en". */
bool ldap_attribute_is_valid(const char *text);
/*
 * Whether a text is one whole filter: ERROR_INVALID_ARGUMENT with what is wrong. Values of an
 * extensible match are taken too.
 */
bool ldap_filter_check(const char *filter, struct error *error);

/* Appends a value as it stands in a filter (RFC 4515, 3): what has a meaning there, control
 * characters and bytes beyond ASCII are escaped. */
void ldap_filter_value(struct buffer *filter, const void *value, size_t length);
/* Appends (attribute=value). */
void ldap_filter_equal(
	struct buffer *filter, const char *attribute, const void *value, size_t length);
/* Appends (|(one=value)(other=value)...); count is at least 1. */
void ldap_filter_any(
	struct buffer *filter, const char *const attributes[], size_t count, const char *value);
/*
 * Appends what finds people as one types: each word of the text begins one of the attributes, or
 * the whole text does.
 */
void ldap_filter_typed(
	struct buffer *filter, const char *const attributes[], size_t count, const char *text);

#endif
