/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions (PKCS#11 2.40, 5.6). All under the module lock. */
#ifndef TESSERA_PKCS11_SESSION_H
#define TESSERA_PKCS11_SESSION_H

#include "pkcs11/module.h"
#include "pkcs11/operation.h"
#include "pkcs11/slot.h"

struct session {
	CK_SESSION_HANDLE handle;
	CK_SLOT_ID slot_id;
	CK_FLAGS flags;
	struct operation operations[OPERATION_KIND_COUNT];

	/* C_FindObjects: the handles that are left to tell. */
	bool finding;
	CK_OBJECT_HANDLE *found;
	size_t found_count, found_told;
};

/*
 * Brings the slots, and the objects that are known, up to date, then finds the session and (if not
 * NULL) its slot. CKR_SESSION_HANDLE_INVALID also when its card went. To be called first in a C_
 * function: the lock may be given up meanwhile.
 */
CK_RV session_enter(CK_SESSION_HANDLE handle, struct session **session, struct slot **slot);
/* Only finds it: after a call to the daemon. NULL when it is gone. */
struct session *session_find(CK_SESSION_HANDLE handle);

/* A key for an operation: CKR_KEY_HANDLE_INVALID, CKR_USER_NOT_LOGGED_IN. */
CK_RV session_find_key(
	const struct session *session, CK_OBJECT_HANDLE handle, struct object **object);
/* Ends C_FindObjects, if it is under way. */
void session_end_search(struct session *session);

/* Whether a session of the slot is read-only: the security officer has none such beside him. */
bool sessions_has_read_only(CK_SLOT_ID slot_id);
void sessions_close_of_slot(CK_SLOT_ID slot_id);
void sessions_free(void);
/* A login is over: what needs it ends, and handles of private objects mean nothing any more. */
void sessions_forget_login(CK_SLOT_ID slot_id);

#endif
