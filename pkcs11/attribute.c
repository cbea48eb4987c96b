/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11/attribute.h"

#include <string.h>

#define CATEGORY_TOKEN_USER 1 /* CK_CERTIFICATE_CATEGORY_TOKEN_USER */

/* Which objects have an attribute. */
enum {
	CERT = 1 << 0,
	RSA_PUBLIC = 1 << 1,
	EC_PUBLIC = 1 << 2,
	RSA_PRIVATE = 1 << 3,
	EC_PRIVATE = 1 << 4,
	PUBLIC = RSA_PUBLIC | EC_PUBLIC,
	PRIVATE = RSA_PRIVATE | EC_PRIVATE,
	RSA = RSA_PUBLIC | RSA_PRIVATE,
	EC = EC_PUBLIC | EC_PRIVATE,
	KEYS = PUBLIC | PRIVATE,
	ALL = CERT | KEYS,
};

static void set_boolean(struct attribute_value *value, bool boolean)
{
	value->scratch.boolean = boolean ? CK_TRUE : CK_FALSE;
	value->data = &value->scratch.boolean;
	value->length = sizeof(value->scratch.boolean);
}

static void set_number(struct attribute_value *value, CK_ULONG number)
{
	value->scratch.number = number;
	value->data = &value->scratch.number;
	value->length = sizeof(value->scratch.number);
}

/* Getters: `argument` is the table's. */
static CK_RV get_boolean(
	const struct object *object, CK_ULONG argument, struct attribute_value *value)
{
	(void)object;
	set_boolean(value, argument);
	return CKR_OK;
}

static CK_RV get_number(
	const struct object *object, CK_ULONG argument, struct attribute_value *value)
{
	(void)object;
	set_number(value, argument);
	return CKR_OK;
}

static CK_RV get_empty(
	const struct object *object, CK_ULONG argument, struct attribute_value *value)
{
	(void)object;
	(void)argument;
	*value = (struct attribute_value){.data = "", .length = 0};
	return CKR_OK;
}

static CK_RV get_never(
	const struct object *object, CK_ULONG argument, struct attribute_value *value)
{
	(void)object;
	(void)argument;
	(void)value;
	return CKR_ATTRIBUTE_SENSITIVE;
}

static CK_RV set_bytes(struct attribute_value *value, const void *data, size_t length)
{
	value->data = length ? data : "";
	value->length = length;
	return CKR_OK;
}

/* argument: offset of a struct buffer in struct object. */
static CK_RV get_buffer(
	const struct object *object, CK_ULONG argument, struct attribute_value *value)
{
	const struct buffer *buffer = (const void *)((const char *)object + argument);

	return set_bytes(value, buffer->data, buffer->length);
}

/* argument: offset of a struct buffer in struct key. */
static CK_RV get_key_buffer(
	const struct object *object, CK_ULONG argument, struct attribute_value *value)
{
	const struct buffer *buffer = (const void *)((const char *)object->key + argument);

	return set_bytes(value, buffer->data, buffer->length);
}

/* argument: offset of a struct view in struct key. */
static CK_RV get_key_view(
	const struct object *object, CK_ULONG argument, struct attribute_value *value)
{
	const struct view *view = (const void *)((const char *)object->key + argument);

	return set_bytes(value, view->data, view->length);
}

static CK_RV get_class(
	const struct object *object, CK_ULONG argument, struct attribute_value *value)
{
	(void)argument;
	set_number(value, object->class);
	return CKR_OK;
}

static CK_RV get_private(
	const struct object *object, CK_ULONG argument, struct attribute_value *value)
{
	(void)argument;
	set_boolean(value, object->is_private);
	return CKR_OK;
}

static CK_RV get_key_type(
	const struct object *object, CK_ULONG argument, struct attribute_value *value)
{
	(void)argument;
	set_number(value, object->key_type);
	return CKR_OK;
}

static CK_RV get_bits(const struct object *object, CK_ULONG argument, struct attribute_value *value)
{
	(void)argument;
	set_number(value, object->key->bits);
	return CKR_OK;
}

static CK_RV get_always_authenticate(
	const struct object *object, CK_ULONG argument, struct attribute_value *value)
{
	(void)argument;
	set_boolean(value, object->key->flags & REMOTE_KEY_PIN_ALWAYS);
	return CKR_OK;
}

/* C_DeriveKey has no place for the PIN of a key that wants it for each use. */
static CK_RV get_derive(
	const struct object *object, CK_ULONG argument, struct attribute_value *value)
{
	(void)argument;
	set_boolean(value, !(object->key->flags & REMOTE_KEY_PIN_ALWAYS));
	return CKR_OK;
}

#define OBJECT(member) offsetof(struct object, member)
#define KEY(member)    offsetof(struct key, member)

static const struct attribute {
	CK_ATTRIBUTE_TYPE type;
	unsigned objects;
	CK_RV (*get)(const struct object *, CK_ULONG argument, struct attribute_value *);
	CK_ULONG argument;
} attributes[] = {
	{CKA_CLASS, ALL, get_class, 0},
	{CKA_TOKEN, ALL, get_boolean, true},
	{CKA_PRIVATE, ALL, get_private, 0},
	{CKA_MODIFIABLE, ALL, get_boolean, false},
	{CKA_COPYABLE, ALL, get_boolean, false},
	{CKA_DESTROYABLE, ALL, get_boolean, false},
	{CKA_LABEL, ALL, get_buffer, OBJECT(label)},
	{CKA_ID, CERT | KEYS, get_buffer, OBJECT(id)},

	{CKA_CERTIFICATE_TYPE, CERT, get_number, CKC_X_509},
	{CKA_CERTIFICATE_CATEGORY, CERT, get_number, CATEGORY_TOKEN_USER},
	{CKA_TRUSTED, CERT | PUBLIC, get_boolean, false},
	{CKA_SUBJECT, CERT | PUBLIC | PRIVATE, get_key_view, KEY(subject)},
	{CKA_ISSUER, CERT, get_key_view, KEY(issuer)},
	{CKA_SERIAL_NUMBER, CERT, get_key_view, KEY(serial)},
	{CKA_VALUE, CERT, get_key_buffer, KEY(certificate)},
	{CKA_PUBLIC_KEY_INFO, CERT | PUBLIC | PRIVATE, get_key_buffer, KEY(public_key)},
	{CKA_START_DATE, CERT | KEYS, get_empty, 0},
	{CKA_END_DATE, CERT | KEYS, get_empty, 0},

	{CKA_KEY_TYPE, KEYS, get_key_type, 0},
	{CKA_LOCAL, KEYS, get_boolean, true},
	{CKA_KEY_GEN_MECHANISM, KEYS, get_number, CK_UNAVAILABLE_INFORMATION},
	{CKA_DERIVE, EC_PRIVATE, get_derive, 0},
	{CKA_DERIVE, KEYS & ~EC_PRIVATE, get_boolean, false},
	{CKA_MODULUS, RSA, get_key_view, KEY(modulus)},
	{CKA_MODULUS_BITS, RSA, get_bits, 0},
	{CKA_PUBLIC_EXPONENT, RSA, get_key_view, KEY(exponent)},
	{CKA_EC_PARAMS, EC, get_key_view, KEY(parameters)},
	{CKA_EC_POINT, EC, get_key_buffer, KEY(wrapped_point)},

	{CKA_VERIFY, PUBLIC, get_boolean, true},
	{CKA_VERIFY_RECOVER, RSA_PUBLIC, get_boolean, true},
	{CKA_VERIFY_RECOVER, EC_PUBLIC, get_boolean, false},
	{CKA_ENCRYPT, RSA_PUBLIC, get_boolean, true},
	{CKA_ENCRYPT, EC_PUBLIC, get_boolean, false},
	{CKA_WRAP, PUBLIC, get_boolean, false},

	{CKA_SIGN, PRIVATE, get_boolean, true},
	{CKA_SIGN_RECOVER, RSA_PRIVATE, get_boolean, true},
	{CKA_SIGN_RECOVER, EC_PRIVATE, get_boolean, false},
	{CKA_DECRYPT, RSA_PRIVATE, get_boolean, true},
	{CKA_DECRYPT, EC_PRIVATE, get_boolean, false},
	{CKA_UNWRAP, PRIVATE, get_boolean, false},
	{CKA_WRAP_WITH_TRUSTED, PRIVATE, get_boolean, false},
	{CKA_SENSITIVE, PRIVATE, get_boolean, true},
	{CKA_ALWAYS_SENSITIVE, PRIVATE, get_boolean, true},
	{CKA_EXTRACTABLE, PRIVATE, get_boolean, false},
	{CKA_NEVER_EXTRACTABLE, PRIVATE, get_boolean, true},
	{CKA_ALWAYS_AUTHENTICATE, PRIVATE, get_always_authenticate, 0},
	{CKA_PRIVATE_EXPONENT, RSA_PRIVATE, get_never, 0},
	{CKA_PRIME_1, RSA_PRIVATE, get_never, 0},
	{CKA_PRIME_2, RSA_PRIVATE, get_never, 0},
	{CKA_EXPONENT_1, RSA_PRIVATE, get_never, 0},
	{CKA_EXPONENT_2, RSA_PRIVATE, get_never, 0},
	{CKA_COEFFICIENT, RSA_PRIVATE, get_never, 0},
	{CKA_VALUE, EC_PRIVATE, get_never, 0},
};

static unsigned object_kind(const struct object *object)
{
	bool rsa = object->key_type == CKK_RSA;

	switch (object->class) {
	case CKO_CERTIFICATE:
		return CERT;
	case CKO_PUBLIC_KEY:
		return rsa ? RSA_PUBLIC : EC_PUBLIC;
	case CKO_PRIVATE_KEY:
		return rsa ? RSA_PRIVATE : EC_PRIVATE;
	default:
		return 0;
	}
}

static const struct attribute *find_attribute(unsigned kind, CK_ATTRIBUTE_TYPE type)
{
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		if (attributes[i].type == type && attributes[i].objects & kind)
			return &attributes[i];
	}
	return NULL;
}

bool attribute_value_is_shown(const struct object *object)
{
	bool is_key = object->class == CKO_SECRET_KEY || object->class == CKO_PRIVATE_KEY;

	return !is_key || (!values_boolean(&object->values, CKA_SENSITIVE) &&
				  values_boolean(&object->values, CKA_EXTRACTABLE));
}

static bool follows_from_key(const struct attribute *attribute)
{
	return attribute->get == get_key_view || attribute->get == get_key_buffer ||
	       attribute->get == get_bits;
}

/* What a token has not told: that it never will, or what follows from the key. */
static CK_RV get_untold(
	const struct object *object, CK_ATTRIBUTE_TYPE type, struct attribute_value *value)
{
	const struct attribute *attribute = find_attribute(object_kind(object), type);

	if (object->class == CKO_SECRET_KEY && type == CKA_VALUE)
		return CKR_ATTRIBUTE_SENSITIVE;
	if (!attribute)
		return CKR_ATTRIBUTE_TYPE_INVALID;
	if (attribute->get == get_never)
		return CKR_ATTRIBUTE_SENSITIVE;
	if (!follows_from_key(attribute) || !object_key(object))
		return CKR_ATTRIBUTE_TYPE_INVALID;
	CK_RV rv = attribute->get(object, attribute->argument, value);
	return rv == CKR_OK && value->length == 0 ? CKR_ATTRIBUTE_TYPE_INVALID : rv;
}

static CK_RV get_listed(
	const struct object *object, CK_ATTRIBUTE_TYPE type, struct attribute_value *value)
{
	if (type == CKA_VALUE && !attribute_value_is_shown(object))
		return CKR_ATTRIBUTE_SENSITIVE;
	struct view told = values_find(&object->values, type);
	return told.data ? set_bytes(value, told.data, told.length)
			 : get_untold(object, type, value);
}

CK_RV attribute_get(
	const struct object *object, CK_ATTRIBUTE_TYPE type, struct attribute_value *value)
{
	if (!object->is_of_card)
		return get_listed(object, type, value);
	const struct attribute *attribute = find_attribute(object_kind(object), type);
	return attribute ? attribute->get(object, attribute->argument, value)
			 : CKR_ATTRIBUTE_TYPE_INVALID;
}

bool attributes_match(const struct object *object, const CK_ATTRIBUTE *wanted, CK_ULONG count)
{
	struct attribute_value value;

	for (CK_ULONG i = 0; i < count; i++) {
		if (attribute_get(object, wanted[i].type, &value) != CKR_OK ||
			value.length != wanted[i].ulValueLen)
			return false;
		if (value.length && memcmp(value.data, wanted[i].pValue, value.length) != 0)
			return false;
	}
	return true;
}

bool attribute_is_true(const struct object *object, CK_ATTRIBUTE_TYPE type)
{
	struct attribute_value value;

	return attribute_get(object, type, &value) == CKR_OK && value.length == sizeof(CK_BBOOL) &&
	       *(const CK_BBOOL *)value.data != CK_FALSE;
}

const CK_ATTRIBUTE *template_find(
	const CK_ATTRIBUTE *template, CK_ULONG count, CK_ATTRIBUTE_TYPE type)
{
	for (CK_ULONG i = 0; i < count; i++) {
		if (template[i].type == type && (template[i].pValue || !template[i].ulValueLen))
			return &template[i];
	}
	return NULL;
}

bool template_number(
	const CK_ATTRIBUTE *template, CK_ULONG count, CK_ATTRIBUTE_TYPE type, CK_ULONG *number)
{
	const CK_ATTRIBUTE *attribute = template_find(template, count, type);

	if (!attribute || attribute->ulValueLen != sizeof(*number))
		return false;
	memcpy(number, attribute->pValue, sizeof(*number));
	return true;
}

bool template_boolean(
	const CK_ATTRIBUTE *template, CK_ULONG count, CK_ATTRIBUTE_TYPE type, bool missing)
{
	const CK_ATTRIBUTE *attribute = template_find(template, count, type);

	if (!attribute || attribute->ulValueLen != sizeof(CK_BBOOL))
		return missing;
	return *(const CK_BBOOL *)attribute->pValue != CK_FALSE;
}
