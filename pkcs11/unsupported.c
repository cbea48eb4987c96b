/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Functions that no token here offers: two operations in one call (their token flag,
 * CKF_DUAL_CRYPTO_OPERATIONS, is not set), saved operations, and those of before threads.
 */
#include "pkcs11/session.h"

#define UNSUPPORTED(name, ...)                                                                     \
	CK_RV name(__VA_ARGS__)                                                                    \
	{                                                                                          \
		return MODULE_LOCKED(CKR_FUNCTION_NOT_SUPPORTED);                                  \
	}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"

UNSUPPORTED(C_DigestEncryptUpdate, CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG part_len,
	CK_BYTE_PTR out, CK_ULONG_PTR out_len)
UNSUPPORTED(C_DecryptDigestUpdate, CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG part_len,
	CK_BYTE_PTR out, CK_ULONG_PTR out_len)
UNSUPPORTED(C_SignEncryptUpdate, CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG part_len,
	CK_BYTE_PTR out, CK_ULONG_PTR out_len)
UNSUPPORTED(C_DecryptVerifyUpdate, CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG part_len,
	CK_BYTE_PTR out, CK_ULONG_PTR out_len)

/* An operation's state would be that of OpenSSL's digest, which cannot be taken out of it. */
static CK_RV get_state(CK_SESSION_HANDLE handle, const CK_ULONG *length)
{
	struct session *session;
	CK_RV rv = session_enter(handle, &session, NULL);

	if (rv != CKR_OK)
		return rv;
	if (!length)
		return CKR_ARGUMENTS_BAD;
	for (size_t i = 0; i < OPERATION_KIND_COUNT; i++) {
		if (session->operations[i].active)
			return CKR_STATE_UNSAVEABLE;
	}
	return CKR_OPERATION_NOT_INITIALIZED;
}

static CK_RV set_state(CK_SESSION_HANDLE handle, const CK_BYTE *state)
{
	struct session *session;
	CK_RV rv = session_enter(handle, &session, NULL);

	if (rv != CKR_OK)
		return rv;
	return state ? CKR_SAVED_STATE_INVALID : CKR_ARGUMENTS_BAD;
}

CK_RV C_GetOperationState(CK_SESSION_HANDLE session, CK_BYTE_PTR state, CK_ULONG_PTR length)
{
	return MODULE_LOCKED(get_state(session, length));
}

CK_RV C_SetOperationState(CK_SESSION_HANDLE session, CK_BYTE_PTR state, CK_ULONG length,
	CK_OBJECT_HANDLE encryption_key, CK_OBJECT_HANDLE authentication_key)
{
	return MODULE_LOCKED(set_state(session, state));
}

/* Legacy: no function runs in parallel (PKCS#11 2.40, 5.15). */
CK_RV C_GetFunctionStatus(CK_SESSION_HANDLE session)
{
	return MODULE_LOCKED(CKR_FUNCTION_NOT_PARALLEL);
}

CK_RV C_CancelFunction(CK_SESSION_HANDLE session)
{
	return MODULE_LOCKED(CKR_FUNCTION_NOT_PARALLEL);
}

#pragma GCC diagnostic pop
