/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11/told.h"

#include <string.h>

struct view object_told(const struct object *object, CK_ATTRIBUTE_TYPE type)
{
	for (size_t i = 0; i < object->told_count; i++) {
		const struct remote_attribute *attribute = &object->told[i];
		if (attribute->type != type)
			continue;
		return (struct view){attribute->length
					     ? object->told_values.data + attribute->offset
					     : (const uint8_t *)"",
			attribute->length};
	}
	return (struct view){0};
}

static bool told_boolean(const struct object *object, CK_ATTRIBUTE_TYPE type)
{
	struct view value = object_told(object, type);

	return value.length == sizeof(CK_BBOOL) && value.data[0] != CK_FALSE;
}

static bool told_number(const struct object *object, CK_ATTRIBUTE_TYPE type, CK_ULONG *number)
{
	struct view value = object_told(object, type);

	if (value.length != sizeof(*number))
		return false;
	memcpy(number, value.data, sizeof(*number));
	return true;
}

static bool same_bytes(struct view one, struct view other)
{
	return one.length == other.length &&
	       (one.length == 0 || memcmp(one.data, other.data, one.length) == 0);
}

/* --- objects --- */

static bool is_same(const struct object *one, const struct object *other)
{
	return one->session == 0 && one->told && one->number == other->number &&
	       one->told_count == other->told_count &&
	       memcmp(one->told, other->told, one->told_count * sizeof(*one->told)) == 0 &&
	       same_bytes((struct view){one->told_values.data, one->told_values.length},
		       (struct view){other->told_values.data, other->told_values.length});
}

/* It mostly stands at the same place as before. */
static CK_OBJECT_HANDLE old_handle(
	const struct objects *old, const struct object *object, size_t hint)
{
	for (size_t i = 0; i < old->count; i++) {
		const struct object *other = old->items[(hint + i) % old->count];
		if (is_same(other, object))
			return other->handle;
	}
	return 0;
}

static void append_view(struct buffer *buffer, struct view view)
{
	buffer_append(buffer, view.data, view.length);
}

CK_RV told_add(struct objects *fresh, const struct objects *old, struct remote_key *remote)
{
	_cleanup_object_ struct object *object = object_new(CK_UNAVAILABLE_INFORMATION);

	if (!object)
		return CKR_HOST_MEMORY;
	object->number = remote->reference;
	object->key_flags = remote->flags & REMOTE_KEY_PIN_ALWAYS;
	object->told = steal_pointer(&remote->attributes);
	object->told_count = remote->attribute_count;
	remote->attribute_count = 0;
	buffer_move(&object->told_values, &remote->values);
	if (!told_number(object, CKA_CLASS, &object->class))
		return CKR_OK; /* nobody could make anything of it */
	object->key_type = CK_UNAVAILABLE_INFORMATION;
	told_number(object, CKA_KEY_TYPE, &object->key_type);
	object->is_private = told_boolean(object, CKA_PRIVATE);
	append_view(&object->id, object_told(object, CKA_ID));
	append_view(&object->label, object_told(object, CKA_LABEL));
	if (object->id.failed || object->label.failed)
		return CKR_HOST_MEMORY;
	object->handle = old_handle(old, object, fresh->count);
	return objects_add(fresh, steal_pointer(&object));
}

/* --- keys --- */

/* SubjectPublicKeyInfo from the object's own attributes; empty where they do not suffice. */
static void build_own(const struct object *object, struct buffer *public_key)
{
	struct view modulus = object_told(object, CKA_MODULUS);
	struct view exponent = object_told(object, CKA_PUBLIC_EXPONENT);
	struct view parameters = object_told(object, CKA_EC_PARAMS);
	struct view point = object_told(object, CKA_EC_POINT);

	if (object->key_type == CKK_RSA && modulus.length && exponent.length)
		key_build_rsa(public_key, modulus, exponent);
	else if (object->key_type == CKK_EC && parameters.length && point.length)
		key_build_ec(public_key, parameters, point);
}

/* That of the public key, or of the certificate, which has the same CKA_ID or CKA_LABEL. */
static void build_of_other(const struct objects *objects, const struct object *object,
	CK_ATTRIBUTE_TYPE type, struct buffer *public_key)
{
	struct view same = object_told(object, type);

	for (size_t i = 0; same.length && i < objects->count && !public_key->length; i++) {
		const struct object *other = objects->items[i];
		if (!same_bytes(object_told(other, type), same))
			continue;
		if (other->class == CKO_PUBLIC_KEY && other->key_type == object->key_type)
			build_own(other, public_key);
		else if (other->class == CKO_CERTIFICATE)
			append_view(public_key, key_of_certificate(object_told(other, CKA_VALUE)));
	}
}

static CK_RV make_key(const struct objects *objects, struct object *object)
{
	struct remote_key parts = {.reference = object->number, .flags = REMOTE_KEY_MECHANISMS};
	CK_RV rv = CKR_OK;

	build_own(object, &parts.public_key);
	if (!parts.public_key.length)
		build_of_other(objects, object, CKA_ID, &parts.public_key);
	if (!parts.public_key.length)
		build_of_other(objects, object, CKA_LABEL, &parts.public_key);
	parts.flags |= object->key_flags;
	if (parts.public_key.failed)
		rv = CKR_HOST_MEMORY;
	else if (parts.public_key.length)
		object->key = key_new(&parts, &rv);
	/* Its attributes may say another type than its certificate. */
	if (object->key && object->key->type != object->key_type)
		key_unref(steal_pointer(&object->key));
	remote_key_clear(&parts);
	return rv == CKR_DEVICE_ERROR ? CKR_OK : rv;
}

CK_RV told_complete(struct objects *objects)
{
	CK_RV rv = CKR_OK;

	for (size_t i = 0; i < objects->count && rv == CKR_OK; i++) {
		struct object *object = objects->items[i];
		if (object->told && !object->key &&
			(object->class == CKO_PRIVATE_KEY || object->class == CKO_PUBLIC_KEY))
			rv = make_key(objects, object);
	}
	return rv;
}
