/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11/schema.h"

#include <stdlib.h>
#include <string.h>

#include "pkcs11/attribute.h"
#include "pkcs11/told.h"

#define VALUE_MAXIMUM 65536 /* bytes of what a program may keep in one attribute */
#define DATE_LENGTH   8

/* Which objects have an attribute. */
enum {
	DATA = 1 << 0,
	CERT = 1 << 1,
	RSA_PUBLIC = 1 << 2,
	EC_PUBLIC = 1 << 3,
	SECRET = 1 << 4,
	PUBLIC = RSA_PUBLIC | EC_PUBLIC,
	KEYS = PUBLIC | SECRET,
	ALL = DATA | CERT | KEYS,
};

enum form { BOOLEAN, NUMBER, BYTES, DATE };

/* What may be done to it. */
enum {
	NEEDED = 1 << 0,    /* must be in the template of a new object */
	GIVEN = 1 << 1,	    /* may be there */
	CHANGED = 1 << 2,   /* may be changed later, and in a copy */
	COPIED = 1 << 3,    /* may be changed in a copy */
	ONLY_TRUE = 1 << 4, /* the change may only be from false to true */
	ONLY_FALSE = 1 << 5,
	ABSENT = 1 << 6,     /* there is none when it was not given */
	FALSE_ONLY = 1 << 7, /* may be given, but only as false */
};
#define FREE   (GIVEN | CHANGED)
#define MUST   (GIVEN | NEEDED)
#define LASTS  GIVEN
#define COPY   (GIVEN | COPIED)
#define OPTION (GIVEN | ABSENT)

static const struct rule {
	CK_ATTRIBUTE_TYPE type;
	unsigned kinds;
	enum form form;
	unsigned may;
	CK_ULONG missing; /* value of a boolean or number that was not given; bytes are none */
} rules[] = {
	{CKA_CLASS, ALL, NUMBER, MUST, 0},
	{CKA_TOKEN, ALL, BOOLEAN, COPY, false},
	{CKA_PRIVATE, ALL, BOOLEAN, COPY, false},
	{CKA_MODIFIABLE, ALL, BOOLEAN, COPY, true},
	{CKA_COPYABLE, ALL, BOOLEAN, FREE | ONLY_FALSE, true},
	{CKA_DESTROYABLE, ALL, BOOLEAN, COPY, true},
	{CKA_LABEL, ALL, BYTES, FREE, 0},

	{CKA_APPLICATION, DATA, BYTES, FREE, 0},
	{CKA_OBJECT_ID, DATA, BYTES, FREE, 0},
	{CKA_VALUE, DATA, BYTES, FREE, 0},

	{CKA_CERTIFICATE_TYPE, CERT, NUMBER, MUST, 0},
	{CKA_CERTIFICATE_CATEGORY, CERT, NUMBER, LASTS, 0},
	{CKA_JAVA_MIDP_SECURITY_DOMAIN, CERT, NUMBER, LASTS, 0},
	{CKA_NAME_HASH_ALGORITHM, CERT, NUMBER, OPTION, 0},
	{CKA_SUBJECT, CERT, BYTES, MUST, 0},
	{CKA_ISSUER, CERT, BYTES, FREE, 0},
	{CKA_SERIAL_NUMBER, CERT, BYTES, FREE, 0},
	{CKA_VALUE, CERT, BYTES, MUST, 0},
	{CKA_URL, CERT, BYTES, LASTS, 0},
	{CKA_HASH_OF_SUBJECT_PUBLIC_KEY, CERT, BYTES, LASTS, 0},
	{CKA_HASH_OF_ISSUER_PUBLIC_KEY, CERT, BYTES, LASTS, 0},
	{CKA_CHECK_VALUE, CERT | SECRET, BYTES, OPTION, 0},
	{CKA_TRUSTED, CERT | KEYS, BOOLEAN, GIVEN | FALSE_ONLY, false},
	{CKA_PUBLIC_KEY_INFO, CERT | PUBLIC, BYTES, OPTION, 0},

	{CKA_KEY_TYPE, KEYS, NUMBER, MUST, 0},
	{CKA_ID, CERT | KEYS, BYTES, FREE, 0},
	{CKA_START_DATE, CERT | KEYS, DATE, FREE, 0},
	{CKA_END_DATE, CERT | KEYS, DATE, FREE, 0},
	{CKA_DERIVE, KEYS, BOOLEAN, FREE, false},
	{CKA_LOCAL, KEYS, BOOLEAN, 0, false},
	{CKA_KEY_GEN_MECHANISM, KEYS, NUMBER, 0, CK_UNAVAILABLE_INFORMATION},
	{CKA_ALLOWED_MECHANISMS, KEYS, BYTES, OPTION, 0},
	{CKA_SUBJECT, PUBLIC, BYTES, FREE, 0},
	{CKA_ENCRYPT, RSA_PUBLIC, BOOLEAN, FREE, true},
	{CKA_ENCRYPT, EC_PUBLIC | SECRET, BOOLEAN, FREE, false},
	{CKA_VERIFY, PUBLIC, BOOLEAN, FREE, true},
	{CKA_VERIFY, SECRET, BOOLEAN, FREE, false},
	{CKA_VERIFY_RECOVER, RSA_PUBLIC, BOOLEAN, FREE, true},
	{CKA_VERIFY_RECOVER, EC_PUBLIC, BOOLEAN, FREE, false},
	{CKA_WRAP, KEYS, BOOLEAN, FREE, false},
	{CKA_MODULUS, RSA_PUBLIC, BYTES, MUST, 0},
	{CKA_PUBLIC_EXPONENT, RSA_PUBLIC, BYTES, MUST, 0},
	{CKA_MODULUS_BITS, RSA_PUBLIC, NUMBER, OPTION, 0},
	{CKA_EC_PARAMS, EC_PUBLIC, BYTES, MUST, 0},
	{CKA_EC_POINT, EC_PUBLIC, BYTES, MUST, 0},

	{CKA_DECRYPT, SECRET, BOOLEAN, FREE, false},
	{CKA_SIGN, SECRET, BOOLEAN, FREE, false},
	{CKA_UNWRAP, SECRET, BOOLEAN, FREE, false},
	{CKA_SENSITIVE, SECRET, BOOLEAN, FREE | ONLY_TRUE, false},
	{CKA_EXTRACTABLE, SECRET, BOOLEAN, FREE | ONLY_FALSE, true},
	{CKA_WRAP_WITH_TRUSTED, SECRET, BOOLEAN, FREE | ONLY_TRUE, false},
	{CKA_ALWAYS_SENSITIVE, SECRET, BOOLEAN, 0, false},
	{CKA_NEVER_EXTRACTABLE, SECRET, BOOLEAN, 0, false},
	{CKA_VALUE, SECRET, BYTES, MUST, 0},
	{CKA_VALUE_LEN, SECRET, NUMBER, ABSENT, 0},
};

/* 0 for what is not kept here. */
static unsigned kind_of(CK_OBJECT_CLASS class, CK_KEY_TYPE type)
{
	switch (class) {
	case CKO_DATA:
		return DATA;
	case CKO_CERTIFICATE:
		return CERT;
	case CKO_SECRET_KEY:
		return SECRET;
	case CKO_PUBLIC_KEY:
		return type == CKK_RSA ? RSA_PUBLIC
		       : type == CKK_EC || type == CKK_EC_EDWARDS || type == CKK_EC_MONTGOMERY
			       ? EC_PUBLIC
			       : 0;
	default:
		return 0;
	}
}

bool schema_has_class(CK_OBJECT_CLASS class)
{
	return kind_of(class, CKK_RSA) != 0;
}

static const struct rule *find_rule(unsigned kind, CK_ATTRIBUTE_TYPE type)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		if (rules[i].type == type && rules[i].kinds & kind)
			return &rules[i];
	}
	return NULL;
}

static bool is_well_formed(const struct rule *rule, const CK_ATTRIBUTE *attribute)
{
	static const size_t lengths[] = {
		[BOOLEAN] = sizeof(CK_BBOOL), [NUMBER] = sizeof(CK_ULONG), [DATE] = DATE_LENGTH};

	if (attribute->ulValueLen > VALUE_MAXIMUM || (attribute->ulValueLen && !attribute->pValue))
		return false;
	if (rule->form == BYTES || (rule->form == DATE && !attribute->ulValueLen))
		return true;
	return attribute->ulValueLen == lengths[rule->form];
}

static bool says_true(const CK_ATTRIBUTE *attribute)
{
	return *(const CK_BBOOL *)attribute->pValue != CK_FALSE;
}

/* Whether a new object may have the attribute as it is given. */
static CK_RV check_given(const struct rule *rule, enum schema_use use, const CK_ATTRIBUTE *given)
{
	if (use == SCHEMA_DERIVE && rule->type == CKA_VALUE_LEN)
		return CKR_OK;
	if (use == SCHEMA_DERIVE && rule->type == CKA_VALUE)
		return CKR_TEMPLATE_INCONSISTENT;
	if (!(rule->may & GIVEN))
		return CKR_ATTRIBUTE_READ_ONLY;
	return rule->may & FALSE_ONLY && says_true(given) ? CKR_ATTRIBUTE_READ_ONLY : CKR_OK;
}

static bool is_same(const struct object *object, const CK_ATTRIBUTE *given)
{
	struct view now = values_find(&object->values, given->type);

	return now.data && now.length == given->ulValueLen &&
	       (!now.length || memcmp(now.data, given->pValue, now.length) == 0);
}

/* The same for one that has it already. */
static CK_RV check_changed(const struct object *object, const struct rule *rule,
	enum schema_use use, const CK_ATTRIBUTE *given)
{
	unsigned needed = use == SCHEMA_COPY ? CHANGED | COPIED : CHANGED;

	if (use == SCHEMA_COPY && is_same(object, given))
		return CKR_OK;
	if (!(rule->may & needed))
		return CKR_ATTRIBUTE_READ_ONLY;
	if ((rule->may & ONLY_TRUE && !says_true(given)) ||
		(rule->may & ONLY_FALSE && says_true(given)))
		return is_same(object, given) ? CKR_OK : CKR_ATTRIBUTE_READ_ONLY;
	/* A copy of what only a logged in user sees is not for others. */
	if (given->type == CKA_PRIVATE && object->is_private && !says_true(given))
		return CKR_TEMPLATE_INCONSISTENT;
	return CKR_OK;
}

static CK_RV check_one(
	const struct object *object, unsigned kind, enum schema_use use, const CK_ATTRIBUTE *given)
{
	const struct rule *rule = find_rule(kind, given->type);

	if (!rule)
		return CKR_ATTRIBUTE_TYPE_INVALID;
	if (!is_well_formed(rule, given))
		return CKR_ATTRIBUTE_VALUE_INVALID;
	return use == SCHEMA_CREATE || use == SCHEMA_DERIVE
		       ? check_given(rule, use, given)
		       : check_changed(object, rule, use, given);
}

/* The same attribute twice is only allowed with the same value. */
static bool contradicts(const CK_ATTRIBUTE *template, CK_ULONG index)
{
	const CK_ATTRIBUTE *one = &template[index];

	for (CK_ULONG i = 0; i < index; i++) {
		const CK_ATTRIBUTE *other = &template[i];
		if (other->type == one->type &&
			(other->ulValueLen != one->ulValueLen ||
				(one->ulValueLen &&
					memcmp(one->pValue, other->pValue, one->ulValueLen) != 0)))
			return true;
	}
	return false;
}

static CK_RV check_all(const struct object *object, unsigned kind, enum schema_use use,
	const CK_ATTRIBUTE *template, CK_ULONG count)
{
	for (CK_ULONG i = 0; i < count; i++) {
		CK_RV rv = check_one(object, kind, use, &template[i]);
		if (rv != CKR_OK)
			return rv;
		if (contradicts(template, i))
			return CKR_TEMPLATE_INCONSISTENT;
	}
	return CKR_OK;
}

static bool set_missing(struct values *values, const struct rule *rule)
{
	CK_BBOOL boolean = rule->missing ? CK_TRUE : CK_FALSE;
	CK_ULONG number = rule->missing;

	if (rule->form == BOOLEAN)
		return values_set(values, rule->type, &boolean, sizeof(boolean));
	if (rule->form == NUMBER)
		return values_set(values, rule->type, &number, sizeof(number));
	return values_set(values, rule->type, NULL, 0);
}

static CK_RV complete(struct object *object, unsigned kind, enum schema_use use)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		const struct rule *rule = &rules[i];
		if (!(rule->kinds & kind) || values_find(&object->values, rule->type).data)
			continue;
		if (rule->may & NEEDED && !(use == SCHEMA_DERIVE && rule->type == CKA_VALUE))
			return CKR_TEMPLATE_INCOMPLETE;
		if (!(rule->may & (ABSENT | NEEDED)) && !set_missing(&object->values, rule))
			return CKR_HOST_MEMORY;
	}
	return CKR_OK;
}

/* Class and type that C_DeriveKey's template may leave out. */
static CK_RV assume(struct object *object)
{
	static const CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	static const CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	bool has_class = values_find(&object->values, CKA_CLASS).data;
	bool has_type = values_find(&object->values, CKA_KEY_TYPE).data;

	return (has_class || values_set(&object->values, CKA_CLASS, &class, sizeof(class))) &&
			       (has_type || values_set(&object->values, CKA_KEY_TYPE, &type,
						    sizeof(type)))
		       ? CKR_OK
		       : CKR_HOST_MEMORY;
}

/* What follows from the others, once all are there. */
static CK_RV conclude(struct object *object, enum schema_use use)
{
	struct view value = values_find(&object->values, CKA_VALUE);

	CK_CERTIFICATE_TYPE type;

	told_read(object);
	if (object->class == CKO_CERTIFICATE &&
		values_number(&object->values, CKA_CERTIFICATE_TYPE, &type) && type != CKC_X_509)
		return CKR_ATTRIBUTE_VALUE_INVALID;
	if (object->class == CKO_SECRET_KEY && use == SCHEMA_CREATE)
		return schema_set_value(object, value.data, value.length);
	if (object->class != CKO_PUBLIC_KEY)
		return CKR_OK;
	static const struct objects none;
	key_unref(object->key);
	object->key = told_key(&none, object);
	if (!object->key)
		return CKR_ATTRIBUTE_VALUE_INVALID;
	bool done = object->key_type != CKK_RSA ||
		    values_set(&object->values, CKA_MODULUS_BITS, &object->key->bits,
			    sizeof(object->key->bits));
	return done ? CKR_OK : CKR_HOST_MEMORY;
}

CK_RV schema_set_value(struct object *object, const void *value, size_t length)
{
	CK_ULONG number = length;
	bool of_aes = object->key_type != CKK_AES || length == 16 || length == 24 || length == 32;

	if (!length || !of_aes)
		return CKR_ATTRIBUTE_VALUE_INVALID;
	return values_set(&object->values, CKA_VALUE, value, length) &&
			       values_set(&object->values, CKA_VALUE_LEN, &number, sizeof(number))
		       ? CKR_OK
		       : CKR_HOST_MEMORY;
}

static CK_RV put(struct object *object, const CK_ATTRIBUTE *template, CK_ULONG count)
{
	for (CK_ULONG i = 0; i < count; i++) {
		if (!values_set(&object->values, template[i].type, template[i].pValue,
			    template[i].ulValueLen))
			return CKR_HOST_MEMORY;
	}
	return CKR_OK;
}

CK_RV schema_apply(
	struct object *object, enum schema_use use, const CK_ATTRIBUTE *template, CK_ULONG count)
{
	bool is_new = use == SCHEMA_CREATE || use == SCHEMA_DERIVE;
	CK_KEY_TYPE type = object->key_type;

	if (is_new)
		template_number(template, count, CKA_KEY_TYPE, &type);
	unsigned kind = kind_of(object->class, type);
	if (!kind)
		return type == CK_UNAVAILABLE_INFORMATION ? CKR_TEMPLATE_INCOMPLETE
							  : CKR_ATTRIBUTE_VALUE_INVALID;
	CK_RV rv = check_all(object, kind, use, template, count);
	if (rv == CKR_OK)
		rv = put(object, template, count);
	if (rv == CKR_OK && use == SCHEMA_DERIVE)
		rv = assume(object);
	if (rv == CKR_OK && is_new)
		rv = complete(object, kind, use);
	if (rv == CKR_OK)
		rv = conclude(object, use);
	return rv;
}

/* Whether a value is the one that is taken when there is none. */
static bool is_missing_value(const struct rule *rule, struct view value)
{
	CK_ULONG number = 0;

	if (rule->form == BOOLEAN)
		number = value.data[0] != CK_FALSE;
	else if (rule->form == NUMBER)
		memcpy(&number, value.data, sizeof(number));
	return rule->form == BOOLEAN || rule->form == NUMBER ? number == rule->missing
							     : value.length == 0;
}

CK_ATTRIBUTE *schema_template(const struct object *object, CK_ULONG *count)
{
	unsigned kind = kind_of(object->class, object->key_type);
	CK_ATTRIBUTE *template = calloc(object->values.count + 1, sizeof(*template));

	*count = 0;
	for (size_t i = 0; template && i < object->values.count; i++) {
		CK_ATTRIBUTE_TYPE type = object->values.items[i].type;
		const struct rule *rule = find_rule(kind, type);
		struct view value = values_find(&object->values, type);
		if (!rule || !(rule->may & GIVEN) || type == CKA_MODULUS_BITS ||
			(!(rule->may & NEEDED) && is_missing_value(rule, value)))
			continue;
		template[(*count)++] =
			(CK_ATTRIBUTE){type, (void *)(uintptr_t)value.data, value.length};
	}
	return template;
}
