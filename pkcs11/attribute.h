/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The attributes of objects: told, or from the one table of what a card's keys have. */
#ifndef TESSERA_PKCS11_ATTRIBUTE_H
#define TESSERA_PKCS11_ATTRIBUTE_H

#include "pkcs11/object.h"

/* A value: a view into the object, or into scratch. */
struct attribute_value {
	const void *data;
	size_t length;
	union {
		CK_BBOOL boolean;
		CK_ULONG number;
	} scratch;
};

/*
 * Looks an attribute up. CKR_ATTRIBUTE_TYPE_INVALID when the object has none of that type,
 * CKR_ATTRIBUTE_SENSITIVE when it may not be told.
 */
CK_RV attribute_get(
	const struct object *object, CK_ATTRIBUTE_TYPE type, struct attribute_value *value);
/* False for the CKA_VALUE of a key that is sensitive or not extractable. */
bool attribute_value_is_shown(const struct object *object);
/* Whether all attributes of a search template fit. */
bool attributes_match(const struct object *object, const CK_ATTRIBUTE *attributes, CK_ULONG count);
/* A CK_BBOOL of the object; false for one that it does not have. */
bool attribute_is_true(const struct object *object, CK_ATTRIBUTE_TYPE type);

/* A template's attribute of that type, or NULL. */
const CK_ATTRIBUTE *template_find(
	const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_ATTRIBUTE_TYPE type);
/* Reads a CK_ULONG or CK_BBOOL of a template. False when missing or of another length. */
bool template_number(
	const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_ATTRIBUTE_TYPE type, CK_ULONG *number);
bool template_boolean(
	const CK_ATTRIBUTE *attributes, CK_ULONG count, CK_ATTRIBUTE_TYPE type, bool missing);

#endif
