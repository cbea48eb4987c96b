/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The C_ functions on objects (PKCS#11 2.40, 5.7), without searching. */
#include <string.h>

#include "pkcs11/attribute.h"
#include "pkcs11/session.h"

#define VALUE_MAXIMUM 65536 /* bytes of what a program may keep in one session object */

static CK_RV enter_object(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE wanted, struct slot **slot,
	struct object **object)
{
	struct session *session;
	CK_RV rv = session_enter(handle, &session, slot);

	if (rv != CKR_OK)
		return rv;
	*object = objects_find(&(*slot)->objects, wanted);
	if (!*object || ((*object)->is_private && !slot_is_open(*slot)))
		return CKR_OBJECT_HANDLE_INVALID;
	return CKR_OK;
}

/* One attribute of C_GetAttributeValue, with the length that tells what went wrong. */
static CK_RV fetch_attribute(const struct object *object, CK_ATTRIBUTE *attribute)
{
	struct attribute_value value;
	CK_RV rv = attribute_get(object, attribute->type, &value);

	if (rv == CKR_OK && attribute->pValue && attribute->ulValueLen < value.length)
		rv = CKR_BUFFER_TOO_SMALL;
	if (rv == CKR_OK && attribute->pValue && value.length)
		memcpy(attribute->pValue, value.data, value.length);
	attribute->ulValueLen = rv == CKR_OK ? value.length : CK_UNAVAILABLE_INFORMATION;
	return rv;
}

static CK_RV get_attributes(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE wanted,
	CK_ATTRIBUTE_PTR template, CK_ULONG count)
{
	struct slot *slot;
	struct object *object;
	CK_RV rv = enter_object(handle, wanted, &slot, &object);

	if (rv != CKR_OK)
		return rv;
	if (count && !template)
		return CKR_ARGUMENTS_BAD;
	for (CK_ULONG i = 0; i < count; i++) {
		CK_RV one = fetch_attribute(object, &template[i]);
		if (one != CKR_OK)
			rv = one;
	}
	return rv;
}

static CK_RV object_size(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE wanted, CK_ULONG_PTR size)
{
	struct slot *slot;
	struct object *object;
	CK_RV rv = enter_object(handle, wanted, &slot, &object);

	if (rv != CKR_OK)
		return rv;
	if (!size)
		return CKR_ARGUMENTS_BAD;
	*size = object->label.length + object->id.length + object->value.length;
	if (object->key)
		*size += object->class == CKO_CERTIFICATE ? object->key->certificate.length
							  : object->key->public_key.length;
	return CKR_OK;
}

static CK_RV copy_bytes(
	const CK_ATTRIBUTE *template, CK_ULONG count, CK_ATTRIBUTE_TYPE type, struct buffer *to)
{
	const CK_ATTRIBUTE *attribute = template_find(template, count, type);

	if (!attribute)
		return CKR_OK;
	if (attribute->ulValueLen > VALUE_MAXIMUM)
		return CKR_ATTRIBUTE_VALUE_INVALID;
	buffer_clear(to);
	buffer_append(to, attribute->pValue, attribute->ulValueLen);
	return to->failed ? CKR_HOST_MEMORY : CKR_OK;
}

static struct view template_view(
	const CK_ATTRIBUTE *template, CK_ULONG count, CK_ATTRIBUTE_TYPE type)
{
	const CK_ATTRIBUTE *attribute = template_find(template, count, type);

	if (!attribute || attribute->ulValueLen > VALUE_MAXIMUM)
		return (struct view){0};
	return (struct view){attribute->pValue, attribute->ulValueLen};
}

/* A public key to verify or encrypt with. */
static CK_RV fill_public_key(struct object *object, const CK_ATTRIBUTE *template, CK_ULONG count)
{
	struct remote_key parts = {0};
	CK_KEY_TYPE type = CK_UNAVAILABLE_INFORMATION;
	CK_RV rv = CKR_OK;

	template_number(template, count, CKA_KEY_TYPE, &type);
	if (type == CKK_RSA)
		key_build_rsa(&parts.public_key, template_view(template, count, CKA_MODULUS),
			template_view(template, count, CKA_PUBLIC_EXPONENT));
	else if (type == CKK_EC)
		key_build_ec(&parts.public_key, template_view(template, count, CKA_EC_PARAMS),
			template_view(template, count, CKA_EC_POINT));
	else
		return CKR_TEMPLATE_INCOMPLETE;
	if (parts.public_key.failed)
		rv = CKR_HOST_MEMORY;
	else
		object->key = key_new(&parts, &rv);
	buffer_clear(&parts.public_key);
	return rv == CKR_DEVICE_ERROR ? CKR_ATTRIBUTE_VALUE_INVALID : rv;
}

static CK_RV fill_value(struct object *object, const CK_ATTRIBUTE *template, CK_ULONG count)
{
	const CK_ATTRIBUTE *value = template_find(template, count, CKA_VALUE);

	object->key_type = CKK_GENERIC_SECRET;
	template_number(template, count, CKA_KEY_TYPE, &object->key_type);
	object->sensitive = object->class == CKO_SECRET_KEY &&
			    template_boolean(template, count, CKA_SENSITIVE, false);
	object->extractable = object->class == CKO_DATA ||
			      template_boolean(template, count, CKA_EXTRACTABLE, true);
	if (!value)
		return object->class == CKO_DATA ? CKR_OK : CKR_TEMPLATE_INCOMPLETE;
	if (value->ulValueLen > VALUE_MAXIMUM)
		return CKR_ATTRIBUTE_VALUE_INVALID;
	return secret_set(&object->value, value->pValue, value->ulValueLen) ? CKR_OK
									    : CKR_HOST_MEMORY;
}

static CK_RV fill_object(struct object *object, const CK_ATTRIBUTE *template, CK_ULONG count)
{
	CK_RV rv = object->class == CKO_PUBLIC_KEY ? fill_public_key(object, template, count)
						   : fill_value(object, template, count);

	if (rv == CKR_OK)
		rv = copy_bytes(template, count, CKA_ID, &object->id);
	if (rv == CKR_OK)
		rv = copy_bytes(template, count, CKA_LABEL, &object->label);
	if (rv == CKR_OK)
		rv = copy_bytes(template, count, CKA_APPLICATION, &object->application);
	object->is_private = template_boolean(template, count, CKA_PRIVATE, false);
	return rv;
}

/* Keys come onto a card by issuing it, so that programs make session objects only. */
static CK_RV create_object(CK_SESSION_HANDLE handle, CK_ATTRIBUTE_PTR template, CK_ULONG count,
	CK_OBJECT_HANDLE_PTR created)
{
	_cleanup_object_ struct object *object = NULL;
	struct session *session;
	struct slot *slot;
	CK_OBJECT_CLASS class;
	CK_RV rv = session_enter(handle, &session, &slot);

	if (rv != CKR_OK)
		return rv;
	if (!created || !template || !count)
		return CKR_ARGUMENTS_BAD;
	if (!template_number(template, count, CKA_CLASS, &class))
		return CKR_TEMPLATE_INCOMPLETE;
	if (template_boolean(template, count, CKA_TOKEN, false))
		return CKR_TOKEN_WRITE_PROTECTED;
	if (class != CKO_PUBLIC_KEY && class != CKO_SECRET_KEY && class != CKO_DATA)
		return CKR_ATTRIBUTE_VALUE_INVALID;
	object = object_new(class);
	if (!object)
		return CKR_HOST_MEMORY;
	object->session = handle;
	rv = fill_object(object, template, count);
	if (rv == CKR_OK && object->is_private && !slot_is_open(slot))
		rv = CKR_USER_NOT_LOGGED_IN;
	if (rv != CKR_OK)
		return rv;
	rv = objects_add(&slot->objects, object_ref(object));
	if (rv == CKR_OK)
		*created = object->handle;
	return rv;
}

static CK_RV destroy_object(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE wanted)
{
	struct slot *slot;
	struct object *object;
	CK_RV rv = enter_object(handle, wanted, &slot, &object);

	if (rv != CKR_OK)
		return rv;
	if (!object->session)
		return CKR_TOKEN_WRITE_PROTECTED;
	objects_remove(&slot->objects, object);
	return CKR_OK;
}

static CK_RV set_attributes(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE wanted,
	CK_ATTRIBUTE_PTR template, CK_ULONG count)
{
	struct slot *slot;
	struct object *object;
	CK_RV rv = enter_object(handle, wanted, &slot, &object);

	if (rv != CKR_OK)
		return rv;
	if (count && !template)
		return CKR_ARGUMENTS_BAD;
	if (!object->session)
		return CKR_TOKEN_WRITE_PROTECTED;
	for (CK_ULONG i = 0; i < count; i++) {
		if (template[i].type != CKA_ID && template[i].type != CKA_LABEL)
			return CKR_ATTRIBUTE_READ_ONLY;
	}
	rv = copy_bytes(template, count, CKA_ID, &object->id);
	return rv == CKR_OK ? copy_bytes(template, count, CKA_LABEL, &object->label) : rv;
}

CK_RV C_GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
	CK_ATTRIBUTE_PTR template, CK_ULONG count)
{
	return MODULE_LOCKED(get_attributes(session, object, template, count));
}

CK_RV C_SetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
	CK_ATTRIBUTE_PTR template, CK_ULONG count)
{
	return MODULE_LOCKED(set_attributes(session, object, template, count));
}

CK_RV C_CreateObject(CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR template, CK_ULONG count,
	CK_OBJECT_HANDLE_PTR object)
{
	return MODULE_LOCKED(create_object(session, template, count, object));
}

CK_RV C_DestroyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
	return MODULE_LOCKED(destroy_object(session, object));
}

CK_RV C_GetObjectSize(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ULONG_PTR size)
{
	return MODULE_LOCKED(object_size(session, object, size));
}
