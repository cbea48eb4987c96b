/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A list of attributes with their values: what a token told of an object, or a program gave it. */
#ifndef TESSERA_PKCS11_VALUES_H
#define TESSERA_PKCS11_VALUES_H

#include "pkcs11/cryptoki.h"
#include "pkcs11/key.h"

/* The bytes are wiped: they may be a secret key. Zero is an empty list. */
struct values {
	struct remote_attribute *items;
	size_t count;
	struct buffer bytes;
};

/* Its data is NULL where the list has none of that type. */
struct view values_find(const struct values *values, CK_ATTRIBUTE_TYPE type);
/* False when it is missing, too. */
bool values_boolean(const struct values *values, CK_ATTRIBUTE_TYPE type);
/* False when it is missing or has another length. */
bool values_number(const struct values *values, CK_ATTRIBUTE_TYPE type, CK_ULONG *number);
/* Adds or replaces. False when out of memory. */
bool values_set(struct values *values, CK_ATTRIBUTE_TYPE type, const void *data, size_t length);
/* Takes what was told out of remote. */
void values_take(struct values *values, struct remote_key *remote);
bool values_equal(const struct values *one, const struct values *other);
/* False when out of memory. */
bool values_copy(struct values *to, const struct values *from);
void values_clear(struct values *values);

#endif
