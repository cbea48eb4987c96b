/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Functions that a managed card does not offer to programs: it gets its keys, certificates and
 * first PIN by being issued (org.tessera1.Manager).
 */
#include "pkcs11/module.h"

#define UNSUPPORTED(name, ...)                                                                     \
	CK_RV name(__VA_ARGS__)                                                                    \
	{                                                                                          \
		return MODULE_LOCKED(CKR_FUNCTION_NOT_SUPPORTED);                                  \
	}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"

UNSUPPORTED(C_InitToken, CK_SLOT_ID slot, CK_BYTE_PTR pin, CK_ULONG pin_len, CK_BYTE_PTR label)
UNSUPPORTED(C_GetOperationState, CK_SESSION_HANDLE session, CK_BYTE_PTR state, CK_ULONG_PTR length)
UNSUPPORTED(C_SetOperationState, CK_SESSION_HANDLE session, CK_BYTE_PTR state, CK_ULONG length,
	CK_OBJECT_HANDLE encryption_key, CK_OBJECT_HANDLE authentication_key)
UNSUPPORTED(C_CopyObject, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
	CK_ATTRIBUTE_PTR template, CK_ULONG count, CK_OBJECT_HANDLE_PTR copy)
UNSUPPORTED(C_DigestKey, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
UNSUPPORTED(C_SignRecoverInit, CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
	CK_OBJECT_HANDLE key)
UNSUPPORTED(C_SignRecover, CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG data_len,
	CK_BYTE_PTR signature, CK_ULONG_PTR signature_len)
UNSUPPORTED(C_VerifyRecoverInit, CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
	CK_OBJECT_HANDLE key)
UNSUPPORTED(C_VerifyRecover, CK_SESSION_HANDLE session, CK_BYTE_PTR signature,
	CK_ULONG signature_len, CK_BYTE_PTR data, CK_ULONG_PTR data_len)
UNSUPPORTED(C_DigestEncryptUpdate, CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG part_len,
	CK_BYTE_PTR out, CK_ULONG_PTR out_len)
UNSUPPORTED(C_DecryptDigestUpdate, CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG part_len,
	CK_BYTE_PTR out, CK_ULONG_PTR out_len)
UNSUPPORTED(C_SignEncryptUpdate, CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG part_len,
	CK_BYTE_PTR out, CK_ULONG_PTR out_len)
UNSUPPORTED(C_DecryptVerifyUpdate, CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG part_len,
	CK_BYTE_PTR out, CK_ULONG_PTR out_len)
UNSUPPORTED(C_GenerateKey, CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
	CK_ATTRIBUTE_PTR template, CK_ULONG count, CK_OBJECT_HANDLE_PTR key)
UNSUPPORTED(C_GenerateKeyPair, CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
	CK_ATTRIBUTE_PTR public_template, CK_ULONG public_count, CK_ATTRIBUTE_PTR private_template,
	CK_ULONG private_count, CK_OBJECT_HANDLE_PTR public_key, CK_OBJECT_HANDLE_PTR private_key)
UNSUPPORTED(C_WrapKey, CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
	CK_OBJECT_HANDLE wrapping_key, CK_OBJECT_HANDLE key, CK_BYTE_PTR wrapped,
	CK_ULONG_PTR wrapped_len)
UNSUPPORTED(C_UnwrapKey, CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
	CK_OBJECT_HANDLE unwrapping_key, CK_BYTE_PTR wrapped, CK_ULONG wrapped_len,
	CK_ATTRIBUTE_PTR template, CK_ULONG count, CK_OBJECT_HANDLE_PTR key)

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
