/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The C_ functions on objects (PKCS#11 2.40, 5.7), without searching.
 *
 * Keys come onto a card by issuing it, so that on cards programs make session objects only, and
 * this process keeps them. On other tokens the daemon makes token objects, and keys that are
 * secret; public keys, certificates and data of a session need no token and stay here.
 */
#include <string.h>

#include "pkcs11/attribute.h"
#include "pkcs11/change.h"
#include "pkcs11/schema.h"
#include "pkcs11/told.h"

static CK_RV enter_object(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE wanted,
	struct session **session, struct object **object)
{
	struct slot *slot;
	CK_RV rv = session_enter(handle, session, &slot);

	if (rv != CKR_OK)
		return rv;
	*object = objects_find(&slot->objects, wanted);
	if (!*object || ((*object)->is_private && !slot_is_open(slot)))
		return CKR_OBJECT_HANDLE_INVALID;
	return CKR_OK;
}

/* --- reading --- */

/* One attribute of C_GetAttributeValue, with the length that tells what went wrong. */
static CK_RV fetch_attribute(
	const struct object *object, const struct buffer *secret, CK_ATTRIBUTE *attribute)
{
	struct attribute_value value = {.data = secret->data, .length = secret->length};
	CK_RV rv = attribute->type == CKA_VALUE && secret->length
			   ? CKR_OK
			   : attribute_get(object, attribute->type, &value);

	if (rv == CKR_OK && attribute->pValue && attribute->ulValueLen < value.length)
		rv = CKR_BUFFER_TOO_SMALL;
	if (rv == CKR_OK && attribute->pValue && value.length)
		memcpy(attribute->pValue, value.data, value.length);
	attribute->ulValueLen = rv == CKR_OK ? value.length : CK_UNAVAILABLE_INFORMATION;
	return rv;
}

static bool asks_for(const CK_ATTRIBUTE *template, CK_ULONG count, CK_ATTRIBUTE_TYPE type)
{
	for (CK_ULONG i = 0; i < count; i++) {
		if (template[i].type == type)
			return true;
	}
	return false;
}

static CK_RV get_attributes(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE wanted,
	CK_ATTRIBUTE_PTR template, CK_ULONG count)
{
	_cleanup_buffer_ struct buffer secret = BUFFER_INIT_WIPE;
	struct session *session;
	struct object *found;
	CK_RV rv = enter_object(handle, wanted, &session, &found);

	if (rv != CKR_OK)
		return rv;
	if (count && !template)
		return CKR_ARGUMENTS_BAD;
	_cleanup_object_ struct object *object = object_ref(found);
	if (object->class == CKO_SECRET_KEY && object->number && attribute_value_is_shown(object) &&
		asks_for(template, count, CKA_VALUE)) {
		rv = change_fetch_secret(session, object, &secret);
		if (rv != CKR_OK)
			return rv;
	}
	for (CK_ULONG i = 0; i < count; i++) {
		CK_RV one = fetch_attribute(object, &secret, &template[i]);
		if (one != CKR_OK)
			rv = one;
	}
	return rv;
}

static CK_RV object_size(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE wanted, CK_ULONG_PTR size)
{
	struct session *session;
	struct object *object;
	CK_RV rv = enter_object(handle, wanted, &session, &object);

	if (rv != CKR_OK)
		return rv;
	if (!size)
		return CKR_ARGUMENTS_BAD;
	*size = object->label.length + object->id.length + object->values.bytes.length;
	if (object->is_of_card)
		*size += object->class == CKO_CERTIFICATE ? object->key->certificate.length
							  : object->key->public_key.length;
	return CKR_OK;
}

/* --- making --- */

/* Keeps a session object here. */
static CK_RV keep(
	const struct session *session, struct object *object, CK_OBJECT_HANDLE_PTR created)
{
	struct slot *slot = slot_find(session->slot_id);

	object->session = session->handle;
	if (object->is_private && !slot_is_open(slot))
		return CKR_USER_NOT_LOGGED_IN;
	CK_RV rv = objects_add(&slot->objects, object_ref(object));
	if (rv == CKR_OK)
		*created = object->handle;
	return rv;
}

/* Whether an object of that class and kind lives in this process. */
static bool is_kept_here(const struct session *session, CK_OBJECT_CLASS class, bool of_token)
{
	const struct slot *slot = slot_find(session->slot_id);
	bool is_secret = class == CKO_SECRET_KEY || class == CKO_PRIVATE_KEY;

	return !of_token &&
	       (!(slot->token.flags & TOKEN_FIXED) || (!is_secret && schema_has_class(class)));
}

/* Some tokens take AES keys of any length. */
static CK_RV check_value(CK_OBJECT_CLASS class, const CK_ATTRIBUTE *template, CK_ULONG count)
{
	const CK_ATTRIBUTE *value = template_find(template, count, CKA_VALUE);
	CK_KEY_TYPE type = CK_UNAVAILABLE_INFORMATION;

	template_number(template, count, CKA_KEY_TYPE, &type);
	if (class != CKO_SECRET_KEY || type != CKK_AES || !value)
		return CKR_OK;
	return value->ulValueLen == 16 || value->ulValueLen == 24 || value->ulValueLen == 32
		       ? CKR_OK
		       : CKR_ATTRIBUTE_VALUE_INVALID;
}

static CK_RV create_object(CK_SESSION_HANDLE handle, CK_ATTRIBUTE_PTR template, CK_ULONG count,
	CK_OBJECT_HANDLE_PTR created)
{
	struct session *session;
	CK_OBJECT_CLASS class;
	CK_RV rv = session_enter(handle, &session, NULL);

	if (rv != CKR_OK)
		return rv;
	if (!created)
		return CKR_ARGUMENTS_BAD;
	rv = change_check_template(template, count);
	if (rv != CKR_OK)
		return rv;
	if (!template_number(template, count, CKA_CLASS, &class))
		return template_find(template, count, CKA_CLASS) ? CKR_ATTRIBUTE_VALUE_INVALID
								 : CKR_TEMPLATE_INCOMPLETE;
	rv = change_check_session(session, template, count);
	if (rv == CKR_OK)
		rv = check_value(class, template, count);
	if (rv != CKR_OK)
		return rv;
	if (!is_kept_here(session, class, template_boolean(template, count, CKA_TOKEN, false))) {
		struct remote_change change = {
			.kind = REMOTE_CREATE, .templates = {{template, count}}};
		return change_make(session, &change, CKR_CONTEXT_OBJECT, created);
	}
	if (!schema_has_class(class))
		return CKR_ATTRIBUTE_VALUE_INVALID;
	_cleanup_object_ struct object *object = object_new(class, session->slot_id);
	if (!object)
		return CKR_HOST_MEMORY;
	rv = schema_apply(object, SCHEMA_CREATE, template, count);
	return rv == CKR_OK ? keep(session, object, created) : rv;
}

static CK_RV copy_here(const struct session *session, const struct object *object,
	const CK_ATTRIBUTE *template, CK_ULONG count, CK_OBJECT_HANDLE_PTR created)
{
	_cleanup_object_ struct object *copy = object_new(object->class, session->slot_id);

	if (!copy || !values_copy(&copy->values, &object->values))
		return CKR_HOST_MEMORY;
	copy->key = key_ref(object->key);
	told_read(copy);
	CK_RV rv = schema_apply(copy, SCHEMA_COPY, template, count);
	if (rv != CKR_OK)
		return rv;
	if (!values_boolean(&copy->values, CKA_TOKEN))
		return keep(session, copy, created);
	/* The session's object becomes one of the token. */
	_cleanup_free_ CK_ATTRIBUTE *all = schema_template(copy, &count);
	if (!all)
		return CKR_HOST_MEMORY;
	struct remote_change change = {.kind = REMOTE_CREATE, .templates = {{all, count}}};
	return change_make(session, &change, CKR_CONTEXT_OBJECT, created);
}

static CK_RV copy_object(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE wanted,
	CK_ATTRIBUTE_PTR template, CK_ULONG count, CK_OBJECT_HANDLE_PTR created)
{
	struct session *session;
	struct object *object;
	CK_RV rv = enter_object(handle, wanted, &session, &object);

	if (rv != CKR_OK)
		return rv;
	if (!created)
		return CKR_ARGUMENTS_BAD;
	rv = change_check_template(template, count);
	if (rv == CKR_OK)
		rv = change_check_session(session, template, count);
	if (rv != CKR_OK)
		return rv;
	struct attribute_value copyable;
	if (attribute_get(object, CKA_COPYABLE, &copyable) == CKR_OK &&
		!attribute_is_true(object, CKA_COPYABLE))
		return CKR_ACTION_PROHIBITED;
	if (!object->number)
		return copy_here(session, object, template, count, created);
	/* A copy is what the object is, unless the template says otherwise. */
	if (!object->session && !(session->flags & CKF_RW_SESSION) &&
		template_boolean(template, count, CKA_TOKEN, true))
		return CKR_SESSION_READ_ONLY;
	struct remote_change change = {
		.kind = REMOTE_COPY, .object = object->number, .templates = {{template, count}}};
	return change_make(session, &change, CKR_CONTEXT_OBJECT, created);
}

/* --- changing --- */

/* A token's object may only be changed in a read/write session, and a card's never. */
static CK_RV check_change(
	const struct session *session, const struct object *object, CK_ATTRIBUTE_TYPE permission)
{
	struct attribute_value value;

	if (!object->session && !(session->flags & CKF_RW_SESSION))
		return CKR_SESSION_READ_ONLY;
	if (object->is_of_card)
		return CKR_TOKEN_WRITE_PROTECTED;
	return attribute_get(object, permission, &value) == CKR_OK &&
			       !attribute_is_true(object, permission)
		       ? CKR_ACTION_PROHIBITED
		       : CKR_OK;
}

static CK_RV destroy_object(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE wanted)
{
	struct session *session;
	struct object *object;
	CK_RV rv = enter_object(handle, wanted, &session, &object);

	if (rv == CKR_OK)
		rv = check_change(session, object, CKA_DESTROYABLE);
	if (rv != CKR_OK)
		return rv;
	if (object->number) {
		struct remote_change change = {.kind = REMOTE_DESTROY, .object = object->number};
		return change_make(session, &change, CKR_CONTEXT_DESTROY, NULL);
	}
	struct slot *slot = slot_find(session->slot_id);
	if (object->copy)
		remote_destroy_quietly(module.remote, slot->token.number, object->copy);
	objects_remove(&slot->objects, object);
	return CKR_OK;
}

static CK_RV set_attributes(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE wanted,
	CK_ATTRIBUTE_PTR template, CK_ULONG count)
{
	struct session *session;
	struct object *object;
	CK_RV rv = enter_object(handle, wanted, &session, &object);

	if (rv == CKR_OK)
		rv = change_check_template(template, count);
	if (rv == CKR_OK)
		rv = check_change(session, object, CKA_MODIFIABLE);
	if (rv != CKR_OK)
		return rv;
	if (!object->number)
		return schema_apply(object, SCHEMA_CHANGE, template, count);
	struct remote_change change = {
		.kind = REMOTE_SET, .object = object->number, .templates = {{template, count}}};
	return change_make(session, &change, CKR_CONTEXT_OBJECT, NULL);
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

CK_RV C_CopyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR template,
	CK_ULONG count, CK_OBJECT_HANDLE_PTR copy)
{
	return MODULE_LOCKED(copy_object(session, object, template, count, copy));
}

CK_RV C_DestroyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
	return MODULE_LOCKED(destroy_object(session, object));
}

CK_RV C_GetObjectSize(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ULONG_PTR size)
{
	return MODULE_LOCKED(object_size(session, object, size));
}
