/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11/session.h"

#include <stdlib.h>
#include <string.h>

#include "pkcs11/remote.h"

static int compare_handle(const void *key, const void *element)
{
	CK_SESSION_HANDLE wanted = *(const CK_SESSION_HANDLE *)key;
	CK_SESSION_HANDLE handle = (*(struct session *const *)element)->handle;

	return wanted < handle ? -1 : wanted > handle;
}

static struct session **find_place(CK_SESSION_HANDLE handle)
{
	if (!module.session_count)
		return NULL;
	return bsearch(&handle, module.sessions, module.session_count, sizeof(*module.sessions),
		compare_handle);
}

struct session *session_find(CK_SESSION_HANDLE handle)
{
	struct session **place = find_place(handle);

	return place ? *place : NULL;
}

/* Handles that a program holds must not stand for other keys after the card was issued again. */
static CK_RV refresh_objects(const struct session *session)
{
	const struct slot *slot = slot_find(session->slot_id);

	if (slot->objects.loaded || !slot->objects.count)
		return CKR_OK;
	CK_RV rv = objects_load(session->slot_id, false);
	return rv == CKR_CRYPTOKI_NOT_INITIALIZED ? rv : CKR_OK;
}

CK_RV session_enter(CK_SESSION_HANDLE handle, struct session **session, struct slot **slot)
{
	CK_RV rv = slots_update();

	if (rv != CKR_OK)
		return rv;
	*session = session_find(handle);
	if (!*session)
		return CKR_SESSION_HANDLE_INVALID;
	rv = refresh_objects(*session);
	if (rv != CKR_OK)
		return rv;
	*session = session_find(handle);
	if (!*session)
		return CKR_SESSION_HANDLE_INVALID;
	if (slot)
		*slot = slot_find((*session)->slot_id);
	return CKR_OK;
}

CK_RV session_find_key(
	const struct session *session, CK_OBJECT_HANDLE handle, struct object **object)
{
	struct slot *slot = slot_find(session->slot_id);

	*object = objects_find(&slot->objects, handle);
	if (!*object)
		return CKR_KEY_HANDLE_INVALID;
	return (*object)->is_private && !slot_is_open(slot) ? CKR_USER_NOT_LOGGED_IN : CKR_OK;
}

void session_end_search(struct session *session)
{
	free(steal_pointer(&session->found));
	session->finding = false;
}

static void session_free(struct session *session)
{
	for (size_t i = 0; i < OPERATION_KIND_COUNT; i++)
		operation_clear(&session->operations[i]);
	free(session->found);
	free(session);
}

static void remove_place(struct session **place)
{
	size_t index = (size_t)(place - module.sessions);

	session_free(*place);
	memmove(place, place + 1, (--module.session_count - index) * sizeof(*place));
}

bool sessions_has_read_only(CK_SLOT_ID slot_id)
{
	for (size_t i = 0; i < module.session_count; i++) {
		if (module.sessions[i]->slot_id == slot_id &&
			!(module.sessions[i]->flags & CKF_RW_SESSION))
			return true;
	}
	return false;
}

void sessions_close_of_slot(CK_SLOT_ID slot_id)
{
	for (size_t i = module.session_count; i-- > 0;) {
		if (module.sessions[i]->slot_id == slot_id)
			remove_place(&module.sessions[i]);
	}
}

void sessions_free(void)
{
	for (size_t i = 0; i < module.session_count; i++)
		session_free(module.sessions[i]);
	free(module.sessions);
	module.sessions = NULL;
	module.session_count = 0;
}

void sessions_forget_login(CK_SLOT_ID slot_id)
{
	for (size_t i = 0; i < module.session_count; i++) {
		struct session *session = module.sessions[i];
		if (session->slot_id != slot_id)
			continue;
		for (size_t kind = 0; kind < OPERATION_KIND_COUNT; kind++) {
			if (operation_needs_login(&session->operations[kind]))
				operation_clear(&session->operations[kind]);
		}
	}
	struct slot *slot = slot_find(slot_id);
	if (slot)
		objects_forget_private(&slot->objects);
}

static CK_ULONG count_sessions(CK_SLOT_ID slot_id)
{
	CK_ULONG count = 0;

	for (size_t i = 0; i < module.session_count; i++)
		count += module.sessions[i]->slot_id == slot_id;
	return count;
}

/* With its last session an application is logged out (PKCS#11 2.40, C_CloseSession). */
static void logout_without_sessions(CK_SLOT_ID slot_id)
{
	struct slot *slot = slot_find(slot_id);

	if (!slot || count_sessions(slot_id) > 0)
		return;
	secret_clear(&slot->unblock_code);
	if (!slot->logged_in)
		return;
	slot->logged_in = false;
	sessions_forget_login(slot_id);
	remote_logout_quietly(module.remote, slot->token.number);
}

static CK_RV add_session(struct session *session)
{
	struct session **sessions =
		reallocarray(module.sessions, module.session_count + 1, sizeof(*sessions));

	if (!sessions)
		return CKR_HOST_MEMORY;
	session->handle = ++module.last_session;
	module.sessions = sessions;
	module.sessions[module.session_count++] = session;
	return CKR_OK;
}

static CK_RV open_session(CK_SLOT_ID slot_id, CK_FLAGS flags, CK_SESSION_HANDLE_PTR handle)
{
	CK_RV rv = slots_update();

	if (rv != CKR_OK)
		return rv;
	if (!handle)
		return CKR_ARGUMENTS_BAD;
	if (!(flags & CKF_SERIAL_SESSION))
		return CKR_SESSION_PARALLEL_NOT_SUPPORTED;
	struct slot *slot = slot_find(slot_id);
	if (!slot)
		return CKR_SLOT_ID_INVALID;
	if (!slot_has_token(slot))
		return CKR_TOKEN_NOT_PRESENT;
	if (!(flags & CKF_RW_SESSION) && slot_has_officer(slot))
		return CKR_SESSION_READ_WRITE_SO_EXISTS;
	_cleanup_free_ struct session *session = calloc(1, sizeof(*session));
	if (!session)
		return CKR_HOST_MEMORY;
	session->slot_id = slot_id;
	session->flags = flags & (CKF_SERIAL_SESSION | CKF_RW_SESSION);
	rv = add_session(session);
	if (rv == CKR_OK)
		*handle = steal_pointer(&session)->handle;
	return rv;
}

static CK_RV close_session(CK_SESSION_HANDLE handle)
{
	struct session **place = find_place(handle);

	if (!place)
		return CKR_SESSION_HANDLE_INVALID;
	CK_SLOT_ID slot_id = (*place)->slot_id;
	struct slot *slot = slot_find(slot_id);
	if (slot)
		objects_remove_of_session(&slot->objects, handle);
	remove_place(place);
	logout_without_sessions(slot_id);
	return CKR_OK;
}

static CK_RV close_all_sessions(CK_SLOT_ID slot_id)
{
	struct slot *slot = slot_find(slot_id);

	if (!slot)
		return CKR_SLOT_ID_INVALID;
	for (size_t i = module.session_count; i-- > 0;) {
		if (module.sessions[i]->slot_id == slot_id)
			close_session(module.sessions[i]->handle);
	}
	return CKR_OK;
}

static CK_RV session_info(CK_SESSION_HANDLE handle, CK_SESSION_INFO_PTR info)
{
	struct session *session;
	struct slot *slot;
	CK_RV rv = session_enter(handle, &session, &slot);

	if (rv != CKR_OK)
		return rv;
	if (!info)
		return CKR_ARGUMENTS_BAD;
	bool writable = session->flags & CKF_RW_SESSION;
	*info = (CK_SESSION_INFO){.slotID = session->slot_id, .flags = session->flags};
	if (slot_has_officer(slot))
		info->state = CKS_RW_SO_FUNCTIONS;
	else if (slot->logged_in)
		info->state = writable ? CKS_RW_USER_FUNCTIONS : CKS_RO_USER_FUNCTIONS;
	else
		info->state = writable ? CKS_RW_PUBLIC_SESSION : CKS_RO_PUBLIC_SESSION;
	return CKR_OK;
}

/* There is nothing to notify about: no call goes back into the program. */
CK_RV C_OpenSession(CK_SLOT_ID slot_id, CK_FLAGS flags, void *application, CK_NOTIFY notify,
	CK_SESSION_HANDLE_PTR session)
{
	(void)application;
	(void)notify;
	return MODULE_LOCKED(open_session(slot_id, flags, session));
}

CK_RV C_CloseSession(CK_SESSION_HANDLE session)
{
	return MODULE_LOCKED(close_session(session));
}

CK_RV C_CloseAllSessions(CK_SLOT_ID slot_id)
{
	return MODULE_LOCKED(close_all_sessions(slot_id));
}

CK_RV C_GetSessionInfo(CK_SESSION_HANDLE session, CK_SESSION_INFO_PTR info)
{
	return MODULE_LOCKED(session_info(session, info));
}
