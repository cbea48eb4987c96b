/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* C_FindObjects* (PKCS#11 2.40, 5.7): no round trip once the objects are known. */
#include <stdlib.h>
#include <string.h>

#include "pkcs11/attribute.h"
#include "pkcs11/session.h"

static bool template_valid(const CK_ATTRIBUTE *template, CK_ULONG count)
{
	if (count && !template)
		return false;
	for (CK_ULONG i = 0; i < count; i++) {
		if (template[i].ulValueLen && !template[i].pValue)
			return false;
	}
	return true;
}

static CK_RV search(
	struct session *session, struct slot *slot, const CK_ATTRIBUTE *template, CK_ULONG count)
{
	struct objects *objects = &slot->objects;
	CK_OBJECT_HANDLE *found = calloc(objects->count + 1, sizeof(*found));

	if (!found)
		return CKR_HOST_MEMORY;
	session->found = found;
	session->found_count = session->found_told = 0;
	session->finding = true;
	for (size_t i = 0; i < objects->count; i++) {
		struct object *object = objects->items[i];
		if ((!object->is_private || slot_is_open(slot)) &&
			attributes_match(object, template, count))
			found[session->found_count++] = object->handle;
	}
	return CKR_OK;
}

static CK_RV find_init(CK_SESSION_HANDLE handle, CK_ATTRIBUTE_PTR template, CK_ULONG count)
{
	struct session *session;
	struct slot *slot;
	CK_RV rv = session_enter(handle, &session, &slot);

	if (rv != CKR_OK)
		return rv;
	if (!template_valid(template, count))
		return CKR_ARGUMENTS_BAD;
	if (session->finding)
		return CKR_OPERATION_ACTIVE;
	rv = objects_load(session->slot_id, true);
	if (rv != CKR_OK)
		return rv;
	session = session_find(handle);
	if (!session)
		return CKR_SESSION_HANDLE_INVALID;
	if (session->finding)
		return CKR_OPERATION_ACTIVE;
	return search(session, slot_find(session->slot_id), template, count);
}

static CK_RV find_next(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE_PTR objects, CK_ULONG maximum,
	CK_ULONG_PTR count)
{
	struct session *session;
	CK_RV rv = session_enter(handle, &session, NULL);

	if (rv != CKR_OK)
		return rv;
	if (!count || (!objects && maximum))
		return CKR_ARGUMENTS_BAD;
	if (!session->finding)
		return CKR_OPERATION_NOT_INITIALIZED;
	size_t left = session->found_count - session->found_told;
	*count = left < maximum ? left : maximum;
	if (*count)
		memcpy(objects, session->found + session->found_told, *count * sizeof(*objects));
	session->found_told += *count;
	return CKR_OK;
}

static CK_RV find_final(CK_SESSION_HANDLE handle)
{
	struct session *session;
	CK_RV rv = session_enter(handle, &session, NULL);

	if (rv != CKR_OK)
		return rv;
	if (!session->finding)
		return CKR_OPERATION_NOT_INITIALIZED;
	session_end_search(session);
	return CKR_OK;
}

CK_RV C_FindObjectsInit(CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR template, CK_ULONG count)
{
	return MODULE_LOCKED(find_init(session, template, count));
}

CK_RV C_FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE_PTR objects, CK_ULONG maximum,
	CK_ULONG_PTR count)
{
	return MODULE_LOCKED(find_next(session, objects, maximum, count));
}

CK_RV C_FindObjectsFinal(CK_SESSION_HANDLE session)
{
	return MODULE_LOCKED(find_final(session));
}
