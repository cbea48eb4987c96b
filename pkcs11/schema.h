/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which attributes the objects have that a program makes in its sessions and this process keeps
 * (PKCS#11 2.40, 4): data, X.509 certificates, public keys and secret keys.
 */
#ifndef TESSERA_PKCS11_SCHEMA_H
#define TESSERA_PKCS11_SCHEMA_H

#include "pkcs11/object.h"

enum schema_use {
	SCHEMA_CREATE,
	SCHEMA_DERIVE, /* a secret key whose value comes later: CKA_VALUE_LEN may be wanted */
	SCHEMA_COPY,   /* the object has its attributes; the template changes some */
	SCHEMA_CHANGE,
};

/*
 * Puts a template's attributes into the object, whose class is set, and when it is new the values
 * of those that are missing. CKR_ATTRIBUTE_TYPE_INVALID, _VALUE_INVALID, _READ_ONLY,
 * CKR_TEMPLATE_INCOMPLETE, _INCONSISTENT, CKR_HOST_MEMORY; the object is then of no use, but for
 * SCHEMA_CHANGE, which leaves it as it was.
 */
CK_RV schema_apply(
	struct object *object, enum schema_use use, const CK_ATTRIBUTE *template, CK_ULONG count);
/* Gives a secret key its value, and what follows from it. */
CK_RV schema_set_value(struct object *object, const void *value, size_t length);
/*
 * The attributes that make the same object elsewhere: those that may be given and are not what they
 * are without it. Heap, with views into the object; NULL when out of memory.
 */
CK_ATTRIBUTE *schema_template(const struct object *object, CK_ULONG *count);
/* Whether this process keeps session objects of the class at all. */
bool schema_has_class(CK_OBJECT_CLASS class);

#endif
