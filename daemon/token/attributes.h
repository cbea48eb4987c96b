/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attributes of an object that a program wants made or changed, as bytes: for each its type (CKA_*)
 * and its value's length, of 32 bits each, most significant byte first, and the value. Numbers and
 * booleans in values are what PKCS#11 has on this machine. They come from programs: nothing in them
 * is trusted.
 */
#ifndef TESSERA_TOKEN_ATTRIBUTES_H
#define TESSERA_TOKEN_ATTRIBUTES_H

#include <p11-kit/pkcs11.h>

#include "common/buffer.h"
#include "common/error.h"

/* CKA_LABEL, CKA_TOKEN and so on that the headers of version 2.40 do not have. */
#define ATTRIBUTE_CERTIFICATE_CATEGORY 0x87UL
#define ATTRIBUTE_PUBLIC_KEY_INFO      0x129UL
#define ATTRIBUTE_COPYABLE	       0x171UL
#define ATTRIBUTE_DESTROYABLE	       0x172UL

void attributes_append(struct buffer *template, uint32_t type, const void *value, size_t length);

/*
 * Whether a token may be given it: SoftHSM2 trusts the sizes of what it gets. At most 128
 * attributes, each once, with the size that its type has, and no arrays of attributes; no sizes of
 * keys that would keep the token busy for hours. ERROR_TOKEN_REFUSED, ERROR_INVALID_ARGUMENT.
 */
bool attributes_check(struct reader template, struct error *error);

/* False when there is none of the type. */
bool attributes_find(
	struct reader template, CK_ATTRIBUTE_TYPE type, const uint8_t **value, size_t *length);
/* Of one that has been checked. */
bool attributes_flag(struct reader template, CK_ATTRIBUTE_TYPE type, bool otherwise);
CK_ULONG attributes_number(struct reader template, CK_ATTRIBUTE_TYPE type, CK_ULONG otherwise);
/* A label as rules see it, up to its first zero byte; heap. NULL when there is none. */
char *attributes_label(struct reader template);
char *label_of_bytes(const uint8_t *value, size_t length);

/* What a PKCS#11 module takes. */
struct attribute_list {
	CK_ATTRIBUTE *items;
	CK_ULONG count;
	struct buffer values; /* of the items; wiped */
};
void attributes_decode(struct reader template, struct attribute_list *attributes);
void attribute_list_clear(struct attribute_list *attributes);
#define _cleanup_attributes_ _cleanup_(attribute_list_clear)

#endif
