/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11/told.h"

#include <string.h>

#include "pkcs11/slot.h"

static bool same_bytes(struct view one, struct view other)
{
	return one.length == other.length &&
	       (one.length == 0 || memcmp(one.data, other.data, one.length) == 0);
}

/* --- objects --- */

bool told_read(struct object *object)
{
	if (!values_number(&object->values, CKA_CLASS, &object->class))
		return false;
	object->key_type = CK_UNAVAILABLE_INFORMATION;
	values_number(&object->values, CKA_KEY_TYPE, &object->key_type);
	object->is_private = values_boolean(&object->values, CKA_PRIVATE);
	return true;
}

/* It mostly stands at the same place as before. */
static const struct object *find_old(const struct objects *old, uint32_t number, size_t hint)
{
	for (size_t i = 0; i < old->count; i++) {
		const struct object *other = old->items[(hint + i) % old->count];
		if (other->number == number)
			return other;
	}
	return NULL;
}

static struct object *told_new(CK_SLOT_ID slot_id, struct remote_key *remote)
{
	struct object *object = object_new(CK_UNAVAILABLE_INFORMATION, slot_id);

	if (!object)
		return NULL;
	object->number = remote->reference;
	values_take(&object->values, remote);
	object->pin_always = remote->flags & REMOTE_KEY_PIN_ALWAYS ||
			     values_boolean(&object->values, CKA_ALWAYS_AUTHENTICATE);
	return object;
}

CK_RV told_add(struct objects *fresh, const struct objects *old, CK_SLOT_ID slot_id,
	struct remote_key *remote)
{
	const struct object *before = find_old(old, remote->reference, fresh->count);
	bool of_session = remote->reference & SESSION_NUMBERS;

	if (of_session && !before)
		return CKR_OK;
	_cleanup_object_ struct object *object = told_new(slot_id, remote);
	if (!object)
		return CKR_HOST_MEMORY;
	if (!told_read(object))
		return CKR_OK; /* nobody could make anything of it */
	if (before && (of_session || values_equal(&before->values, &object->values)))
		object->handle = before->handle;
	if (of_session)
		object->session = before->session;
	return objects_add(fresh, steal_pointer(&object));
}

CK_RV told_put(struct objects *objects, CK_SLOT_ID slot_id, CK_SESSION_HANDLE session,
	struct remote_key *remote, CK_OBJECT_HANDLE *handle)
{
	struct object *before = objects_find_number(objects, remote->reference);
	_cleanup_object_ struct object *object = told_new(slot_id, remote);

	if (!object)
		return CKR_HOST_MEMORY;
	if (!told_read(object))
		return CKR_DEVICE_ERROR;
	object->session = session;
	if (before) {
		object->handle = before->handle;
		object->session = before->session;
		objects_remove(objects, before);
	}
	CK_RV rv = objects_add(objects, object_ref(object));
	if (rv == CKR_OK && handle)
		*handle = object->handle;
	return rv;
}

/* --- keys --- */

/* SubjectPublicKeyInfo from the object's own attributes; empty where they do not suffice. */
static void build_own(const struct object *object, struct buffer *public_key)
{
	struct view modulus = values_find(&object->values, CKA_MODULUS);
	struct view exponent = values_find(&object->values, CKA_PUBLIC_EXPONENT);
	struct view parameters = values_find(&object->values, CKA_EC_PARAMS);
	struct view point = values_find(&object->values, CKA_EC_POINT);

	if (object->key_type == CKK_RSA && modulus.length && exponent.length)
		key_build_rsa(public_key, modulus, exponent);
	else if (object->key_type == CKK_EC && parameters.length && point.length)
		key_build_ec(public_key, parameters, point);
	else if (parameters.length && point.length)
		key_build_edwards(public_key, parameters, point);
}

/* That of the public key, or of the certificate, which has the same CKA_ID or CKA_LABEL. */
static void build_of_other(const struct objects *objects, const struct object *object,
	CK_ATTRIBUTE_TYPE type, struct buffer *public_key)
{
	struct view same = values_find(&object->values, type);

	for (size_t i = 0; same.length && i < objects->count && !public_key->length; i++) {
		const struct object *other = objects->items[i];
		if (!same_bytes(values_find(&other->values, type), same))
			continue;
		if (other->class == CKO_PUBLIC_KEY && other->key_type == object->key_type)
			build_own(other, public_key);
		else if (other->class == CKO_CERTIFICATE) {
			struct view of_it =
				key_of_certificate(values_find(&other->values, CKA_VALUE));
			buffer_append(public_key, of_it.data, of_it.length);
		}
	}
}

static struct key *make_key(const struct objects *objects, const struct object *object)
{
	struct remote_key parts = {.reference = object->number};
	struct key *key = NULL;
	CK_RV rv = CKR_OK;

	build_own(object, &parts.public_key);
	if (!parts.public_key.length)
		build_of_other(objects, object, CKA_ID, &parts.public_key);
	if (!parts.public_key.length)
		build_of_other(objects, object, CKA_LABEL, &parts.public_key);
	if (parts.public_key.length && !parts.public_key.failed)
		key = key_new(&parts, &rv);
	else if (object->key_type != CKK_RSA)
		key = key_new_of_curve(values_find(&object->values, CKA_EC_PARAMS), &rv);
	remote_key_clear(&parts);
	return key;
}

struct key *told_key(const struct objects *objects, const struct object *object)
{
	bool has_key = object->class == CKO_PRIVATE_KEY || object->class == CKO_PUBLIC_KEY;
	struct key *key = has_key ? make_key(objects, object) : NULL;

	/*
	 * Its attributes may say another type than its certificate. Tokens older than PKCS#11 3.0
	 * have one type for all curves of RFC 8410.
	 */
	if (key && key->type != object->key_type &&
		!(key->type == CKK_EC_MONTGOMERY && object->key_type == CKK_EC_EDWARDS))
		key_unref(steal_pointer(&key));
	return key;
}

struct key *object_key(const struct object *object)
{
	const struct slot *slot = slot_find(object->slot_id);

	if (object->key || object->is_of_card || !slot ||
		object->key_looked == slot->objects.additions + 1)
		return object->key;
	/* What is remembered changes nothing that can be seen. */
	struct object *memory = (struct object *)(uintptr_t)object;
	memory->key = told_key(&slot->objects, object);
	memory->key_looked = slot->objects.additions + 1;
	return object->key;
}
