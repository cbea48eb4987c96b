/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/attributes.h"

#include <string.h>

#include "common/alloc.h"

#define ATTRIBUTES_MAX 128
#define ALIGNMENT      sizeof(CK_ULONG)
/* RSA keys above take minutes, in which no other key of SoftHSM2 can be used. */
#define MODULUS_BITS_MAX   8192
#define NUMBER_BYTES_MAX   2048 /* of a component of a key: 16,384 bits */
#define SECRET_BYTES_MAX   (16 * 1024)
#define DATE_BYTES	   8
#define SHORTEST_ATTRIBUTE 8 /* bytes, in our form */

#define JAVA_MIDP_SECURITY_DOMAIN 0x88UL /* CKA_, not in the headers */

/* The sizes that values have; all others have any. */
enum form { FORM_NUMBER, FORM_FLAG, FORM_DATE, FORM_NUMBERS, FORM_BIG_NUMBER, FORM_REFUSED };

static const struct {
	CK_ATTRIBUTE_TYPE type;
	enum form form;
	CK_ULONG most; /* of a number; 0: any */
} forms[] = {
	{CKA_CLASS, FORM_NUMBER, 0},
	{CKA_TOKEN, FORM_FLAG, 0},
	{CKA_PRIVATE, FORM_FLAG, 0},
	{CKA_MODIFIABLE, FORM_FLAG, 0},
	{ATTRIBUTE_COPYABLE, FORM_FLAG, 0},
	{ATTRIBUTE_DESTROYABLE, FORM_FLAG, 0},
	{CKA_CERTIFICATE_TYPE, FORM_NUMBER, 0},
	{ATTRIBUTE_CERTIFICATE_CATEGORY, FORM_NUMBER, 0},
	{JAVA_MIDP_SECURITY_DOMAIN, FORM_NUMBER, 0},
	{CKA_NAME_HASH_ALGORITHM, FORM_NUMBER, 0},
	{CKA_TRUSTED, FORM_FLAG, 0},
	{CKA_KEY_TYPE, FORM_NUMBER, 0},
	{CKA_START_DATE, FORM_DATE, 0},
	{CKA_END_DATE, FORM_DATE, 0},
	{CKA_LOCAL, FORM_FLAG, 0},
	{CKA_KEY_GEN_MECHANISM, FORM_NUMBER, 0},
	{CKA_ALLOWED_MECHANISMS, FORM_NUMBERS, 0},
	{CKA_DERIVE, FORM_FLAG, 0},
	{CKA_SIGN, FORM_FLAG, 0},
	{CKA_SIGN_RECOVER, FORM_FLAG, 0},
	{CKA_VERIFY, FORM_FLAG, 0},
	{CKA_VERIFY_RECOVER, FORM_FLAG, 0},
	{CKA_ENCRYPT, FORM_FLAG, 0},
	{CKA_DECRYPT, FORM_FLAG, 0},
	{CKA_WRAP, FORM_FLAG, 0},
	{CKA_UNWRAP, FORM_FLAG, 0},
	{CKA_WRAP_WITH_TRUSTED, FORM_FLAG, 0},
	{CKA_SENSITIVE, FORM_FLAG, 0},
	{CKA_ALWAYS_SENSITIVE, FORM_FLAG, 0},
	{CKA_EXTRACTABLE, FORM_FLAG, 0},
	{CKA_NEVER_EXTRACTABLE, FORM_FLAG, 0},
	{CKA_ALWAYS_AUTHENTICATE, FORM_FLAG, 0},
	{CKA_SECONDARY_AUTH, FORM_FLAG, 0},
	{CKA_AUTH_PIN_FLAGS, FORM_NUMBER, 0},
	{CKA_MODULUS_BITS, FORM_NUMBER, MODULUS_BITS_MAX},
	{CKA_PRIME_BITS, FORM_NUMBER, MODULUS_BITS_MAX},
	{CKA_SUB_PRIME_BITS, FORM_NUMBER, MODULUS_BITS_MAX},
	{CKA_VALUE_BITS, FORM_NUMBER, MODULUS_BITS_MAX},
	{CKA_VALUE_LEN, FORM_NUMBER, SECRET_BYTES_MAX},
	{CKA_HW_FEATURE_TYPE, FORM_NUMBER, 0},
	{CKA_RESET_ON_INIT, FORM_FLAG, 0},
	{CKA_HAS_RESET, FORM_FLAG, 0},
	{CKA_MECHANISM_TYPE, FORM_NUMBER, 0},
	{CKA_MODULUS, FORM_BIG_NUMBER, 0},
	{CKA_PUBLIC_EXPONENT, FORM_BIG_NUMBER, 0},
	{CKA_PRIVATE_EXPONENT, FORM_BIG_NUMBER, 0},
	{CKA_PRIME_1, FORM_BIG_NUMBER, 0},
	{CKA_PRIME_2, FORM_BIG_NUMBER, 0},
	{CKA_EXPONENT_1, FORM_BIG_NUMBER, 0},
	{CKA_EXPONENT_2, FORM_BIG_NUMBER, 0},
	{CKA_COEFFICIENT, FORM_BIG_NUMBER, 0},
	{CKA_PRIME, FORM_BIG_NUMBER, 0},
	{CKA_SUBPRIME, FORM_BIG_NUMBER, 0},
	{CKA_BASE, FORM_BIG_NUMBER, 0},
	{CKA_EC_PARAMS, FORM_BIG_NUMBER, 0},
	{CKA_EC_POINT, FORM_BIG_NUMBER, 0},
	{CKA_WRAP_TEMPLATE, FORM_REFUSED, 0},
	{CKA_UNWRAP_TEMPLATE, FORM_REFUSED, 0},
	{CKA_DERIVE_TEMPLATE, FORM_REFUSED, 0},
};

/* The next attribute; false at the end, and for what is cut off (template->failed). */
static bool next(
	struct reader *template, CK_ATTRIBUTE_TYPE *type, const uint8_t **value, size_t *length)
{
	if (template->failed || reader_left(template) == 0)
		return false;
	*type = reader_u32(template);
	*length = reader_u32(template);
	*value = reader_bytes(template, *length);
	return !template->failed;
}

void attributes_append(struct buffer *template, uint32_t type, const void *value, size_t length)
{
	buffer_append_u32(template, type);
	buffer_append_u32(template, (uint32_t)length);
	buffer_append(template, value, length);
}

static bool refuse(CK_ATTRIBUTE_TYPE type, CK_RV ckr, const char *why, struct error *error)
{
	return error_set_refused(error, ckr, "attribute 0x%lX %s", type, why);
}

static bool check_number(CK_ATTRIBUTE_TYPE type, const uint8_t *value, size_t length, CK_ULONG most,
	struct error *error)
{
	CK_ULONG number;

	if (length != sizeof(number))
		return refuse(
			type, CKR_ATTRIBUTE_VALUE_INVALID, "has not the size of a number", error);
	memcpy(&number, value, sizeof(number));
	return most == 0 || number <= most ||
	       refuse(type, CKR_KEY_SIZE_RANGE, "is too large", error);
}

static bool check_form(size_t form, CK_ATTRIBUTE_TYPE type, const uint8_t *value, size_t length,
	struct error *error)
{
	bool fits = false;

	switch (forms[form].form) {
	case FORM_NUMBER:
		return check_number(type, value, length, forms[form].most, error);
	case FORM_FLAG:
		fits = length == sizeof(CK_BBOOL) && value[0] <= CK_TRUE;
		break;
	case FORM_DATE:
		fits = length == 0 || length == DATE_BYTES;
		break;
	case FORM_NUMBERS:
		fits = length % sizeof(CK_ULONG) == 0;
		break;
	case FORM_BIG_NUMBER:
		fits = length <= NUMBER_BYTES_MAX;
		break;
	default:
		return refuse(type, CKR_ATTRIBUTE_TYPE_INVALID, "is not supported", error);
	}
	return fits || refuse(type, CKR_ATTRIBUTE_VALUE_INVALID, "has a wrong size", error);
}

static bool check_value(
	CK_ATTRIBUTE_TYPE type, const uint8_t *value, size_t length, struct error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (forms[i].type == type)
			return check_form(i, type, value, length, error);
	}
	return !(type & CKF_ARRAY_ATTRIBUTE) ||
	       refuse(type, CKR_ATTRIBUTE_TYPE_INVALID, "is not supported", error);
}

bool attributes_check(struct reader template, struct error *error)
{
	CK_ATTRIBUTE_TYPE seen[ATTRIBUTES_MAX];
	CK_ATTRIBUTE_TYPE type;
	const uint8_t *value;
	size_t length, count = 0;

	while (next(&template, &type, &value, &length)) {
		if (count == ATTRIBUTES_MAX)
			return error_set_field(error, ERROR_INVALID_ARGUMENT, "attributes",
				"there are more than %d", ATTRIBUTES_MAX);
		for (size_t i = 0; i < count; i++) {
			if (seen[i] == type)
				return refuse(
					type, CKR_TEMPLATE_INCONSISTENT, "is given twice", error);
		}
		seen[count++] = type;
		if (!check_value(type, value, length, error))
			return false;
	}
	return !template.failed ||
	       error_set_field(error, ERROR_INVALID_ARGUMENT, "attributes", "they are cut off");
}

bool attributes_find(
	struct reader template, CK_ATTRIBUTE_TYPE type, const uint8_t **value, size_t *length)
{
	CK_ATTRIBUTE_TYPE present;

	while (next(&template, &present, value, length)) {
		if (present == type)
			return true;
	}
	return false;
}

bool attributes_flag(struct reader template, CK_ATTRIBUTE_TYPE type, bool otherwise)
{
	const uint8_t *value;
	size_t length;

	if (!attributes_find(template, type, &value, &length) || length != sizeof(CK_BBOOL))
		return otherwise;
	return *value != CK_FALSE;
}

CK_ULONG attributes_number(struct reader template, CK_ATTRIBUTE_TYPE type, CK_ULONG otherwise)
{
	const uint8_t *value;
	size_t length;

	if (attributes_find(template, type, &value, &length) && length == sizeof(otherwise))
		memcpy(&otherwise, value, sizeof(otherwise));
	return otherwise;
}

char *label_of_bytes(const uint8_t *value, size_t length)
{
	return xasprintf("%.*s", (int)length, length > 0 ? (const char *)value : "");
}

char *attributes_label(struct reader template)
{
	const uint8_t *value;
	size_t length;

	return attributes_find(template, CKA_LABEL, &value, &length) ? label_of_bytes(value, length)
								     : NULL;
}

/* Each value lies where a number may be read from. */
void attributes_decode(struct reader template, struct attribute_list *attributes)
{
	size_t most = reader_left(&template) / SHORTEST_ATTRIBUTE, offset = 0;
	CK_ATTRIBUTE_TYPE type;
	const uint8_t *value;
	size_t length;

	*attributes = (struct attribute_list){.values = BUFFER_INIT_WIPE};
	attributes->items = xcalloc(most + 1, sizeof(*attributes->items));
	buffer_fill(&attributes->values, 0, reader_left(&template) + (most + 1) * ALIGNMENT);
	if (attributes->values.failed)
		abort();
	while (next(&template, &type, &value, &length)) {
		CK_ATTRIBUTE *item = &attributes->items[attributes->count++];
		uint8_t *place = attributes->values.data + offset;
		if (length > 0)
			memcpy(place, value, length);
		*item = (CK_ATTRIBUTE){type, place, length};
		offset += (length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	}
}

void attribute_list_clear(struct attribute_list *attributes)
{
	free(attributes->items);
	buffer_clear(&attributes->values);
	*attributes = (struct attribute_list){0};
}
