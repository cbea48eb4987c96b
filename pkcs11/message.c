/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What version 3.0 adds to sessions: C_LoginUser and C_SessionCancel (5.6), and operations on
 * messages (5.9, 5.11, 5.14, 5.16), which no token here does.
 */
#include "pkcs11/session.h"

/* Tokens here have one user, who has no name. */
CK_RV C_LoginUser(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR *pin, CK_ULONG pin_len,
	CK_UTF8CHAR *name, CK_ULONG name_len)
{
	(void)name;
	return name_len ? MODULE_LOCKED(CKR_USER_TYPE_INVALID)
			: C_Login(session, user, pin, pin_len);
}

static const struct {
	CK_FLAGS flag;
	enum operation_kind kind;
} cancellable[] = {
	{CKF_ENCRYPT, OPERATION_ENCRYPT},
	{CKF_DECRYPT, OPERATION_DECRYPT},
	{CKF_DIGEST, OPERATION_DIGEST},
	{CKF_SIGN, OPERATION_SIGN},
	{CKF_SIGN_RECOVER, OPERATION_SIGN_RECOVER},
	{CKF_VERIFY, OPERATION_VERIFY},
	{CKF_VERIFY_RECOVER, OPERATION_VERIFY_RECOVER},
};

static CK_RV cancel(CK_SESSION_HANDLE handle, CK_FLAGS flags)
{
	struct session *session;
	CK_RV rv = session_enter(handle, &session, NULL);

	if (rv != CKR_OK)
		return rv;
	for (size_t i = 0; i < ARRAY_SIZE(cancellable); i++) {
		struct operation *operation = &session->operations[cancellable[i].kind];
		if (!(flags & cancellable[i].flag) || !operation->active)
			continue;
		if (operation->calling)
			rv = CKR_OPERATION_CANCEL_FAILED;
		else
			operation_clear(operation);
	}
	if (flags & CKF_FIND_OBJECTS)
		session_end_search(session);
	return rv;
}

CK_RV C_SessionCancel(CK_SESSION_HANDLE session, CK_FLAGS flags)
{
	return MODULE_LOCKED(cancel(session, flags));
}

#define UNSUPPORTED(name, ...)                                                                     \
	CK_RV name(__VA_ARGS__)                                                                    \
	{                                                                                          \
		return MODULE_LOCKED(CKR_FUNCTION_NOT_SUPPORTED);                                  \
	}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"

#define INIT(name)  UNSUPPORTED(name, CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE k)
#define FINAL(name) UNSUPPORTED(name, CK_SESSION_HANDLE s)

INIT(C_MessageEncryptInit)
UNSUPPORTED(C_EncryptMessage, CK_SESSION_HANDLE s, void *p, CK_ULONG p_len, CK_BYTE *aad,
	CK_ULONG aad_len, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len)
UNSUPPORTED(C_EncryptMessageBegin, CK_SESSION_HANDLE s, void *p, CK_ULONG p_len, CK_BYTE *aad,
	CK_ULONG aad_len)
UNSUPPORTED(C_EncryptMessageNext, CK_SESSION_HANDLE s, void *p, CK_ULONG p_len, CK_BYTE *in,
	CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len, CK_FLAGS flags)
FINAL(C_MessageEncryptFinal)
INIT(C_MessageDecryptInit)
UNSUPPORTED(C_DecryptMessage, CK_SESSION_HANDLE s, void *p, CK_ULONG p_len, CK_BYTE *aad,
	CK_ULONG aad_len, CK_BYTE *in, CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len)
UNSUPPORTED(C_DecryptMessageBegin, CK_SESSION_HANDLE s, void *p, CK_ULONG p_len, CK_BYTE *aad,
	CK_ULONG aad_len)
UNSUPPORTED(C_DecryptMessageNext, CK_SESSION_HANDLE s, void *p, CK_ULONG p_len, CK_BYTE *in,
	CK_ULONG in_len, CK_BYTE *out, CK_ULONG *out_len, CK_FLAGS flags)
FINAL(C_MessageDecryptFinal)
INIT(C_MessageSignInit)
UNSUPPORTED(C_SignMessage, CK_SESSION_HANDLE s, void *p, CK_ULONG p_len, CK_BYTE *data,
	CK_ULONG data_len, CK_BYTE *signature, CK_ULONG *signature_len)
UNSUPPORTED(C_SignMessageBegin, CK_SESSION_HANDLE s, void *p, CK_ULONG p_len)
UNSUPPORTED(C_SignMessageNext, CK_SESSION_HANDLE s, void *p, CK_ULONG p_len, CK_BYTE *data,
	CK_ULONG data_len, CK_BYTE *signature, CK_ULONG *signature_len)
FINAL(C_MessageSignFinal)
INIT(C_MessageVerifyInit)
UNSUPPORTED(C_VerifyMessage, CK_SESSION_HANDLE s, void *p, CK_ULONG p_len, CK_BYTE *data,
	CK_ULONG data_len, CK_BYTE *signature, CK_ULONG signature_len)
UNSUPPORTED(C_VerifyMessageBegin, CK_SESSION_HANDLE s, void *p, CK_ULONG p_len)
UNSUPPORTED(C_VerifyMessageNext, CK_SESSION_HANDLE s, void *p, CK_ULONG p_len, CK_BYTE *data,
	CK_ULONG data_len, CK_BYTE *signature, CK_ULONG signature_len)
FINAL(C_MessageVerifyFinal)

#pragma GCC diagnostic pop
