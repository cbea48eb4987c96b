/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * PKCS#11 as the module uses it: version 2.40 from p11-kit's header, and what
 * version 3.0 (OASIS, base specification and historical mechanisms) adds to it.
 */
#ifndef TESSERA_PKCS11_CRYPTOKI_H
#define TESSERA_PKCS11_CRYPTOKI_H

#include <p11-kit/pkcs11.h>

/* --- constants (3.0, appendix and 4.x) --- */

#ifndef CKA_UNIQUE_ID
#define CKA_UNIQUE_ID 0x4UL
#endif
#ifndef CKK_EC_EDWARDS
#define CKK_EC_EDWARDS 0x40UL
#endif
#ifndef CKK_EC_MONTGOMERY
#define CKK_EC_MONTGOMERY 0x41UL
#endif
#ifndef CKM_EC_EDWARDS_KEY_PAIR_GEN
#define CKM_EC_EDWARDS_KEY_PAIR_GEN 0x1055UL
#endif
#ifndef CKM_EC_MONTGOMERY_KEY_PAIR_GEN
#define CKM_EC_MONTGOMERY_KEY_PAIR_GEN 0x1056UL
#endif
#ifndef CKR_OPERATION_CANCEL_FAILED
#define CKR_OPERATION_CANCEL_FAILED 0x202UL
#endif
#ifndef CKR_TOKEN_RESOURCE_EXCEEDED
#define CKR_TOKEN_RESOURCE_EXCEEDED 0x201UL
#endif
#ifndef CKF_FIND_OBJECTS
#define CKF_FIND_OBJECTS 0x40UL
#endif
#ifndef CKF_INTERFACE_FORK_SAFE
#define CKF_INTERFACE_FORK_SAFE 0x1UL
#endif

/* --- interfaces (3.0, 3.6 and 5.4) --- */

typedef struct ck_interface {
	char *pInterfaceName;
	void *pFunctionList;
	CK_FLAGS flags;
} CK_INTERFACE;

#define CRYPTOKI_FUNCTION(name, ...)                                                               \
	typedef CK_RV (*CK_##name)(__VA_ARGS__);                                                   \
	CK_RV name(__VA_ARGS__)

CRYPTOKI_FUNCTION(C_GetInterfaceList, CK_INTERFACE *list, CK_ULONG *count);
CRYPTOKI_FUNCTION(C_GetInterface, CK_UTF8CHAR *name, CK_VERSION *version, CK_INTERFACE **interface,
	CK_FLAGS flags);
CRYPTOKI_FUNCTION(C_LoginUser, CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR *pin,
	CK_ULONG pin_len, CK_UTF8CHAR *name, CK_ULONG name_len);
CRYPTOKI_FUNCTION(C_SessionCancel, CK_SESSION_HANDLE session, CK_FLAGS flags);

/* Five for each of encrypt, decrypt, sign and verify: a key, then messages each with a parameter.
 */
CRYPTOKI_FUNCTION(C_MessageEncryptInit, CK_SESSION_HANDLE, CK_MECHANISM *, CK_OBJECT_HANDLE);
CRYPTOKI_FUNCTION(C_EncryptMessage, CK_SESSION_HANDLE, void *, CK_ULONG, CK_BYTE *, CK_ULONG,
	CK_BYTE *, CK_ULONG, CK_BYTE *, CK_ULONG *);
CRYPTOKI_FUNCTION(C_EncryptMessageBegin, CK_SESSION_HANDLE, void *, CK_ULONG, CK_BYTE *, CK_ULONG);
CRYPTOKI_FUNCTION(C_EncryptMessageNext, CK_SESSION_HANDLE, void *, CK_ULONG, CK_BYTE *, CK_ULONG,
	CK_BYTE *, CK_ULONG *, CK_FLAGS);
CRYPTOKI_FUNCTION(C_MessageEncryptFinal, CK_SESSION_HANDLE);
CRYPTOKI_FUNCTION(C_MessageDecryptInit, CK_SESSION_HANDLE, CK_MECHANISM *, CK_OBJECT_HANDLE);
CRYPTOKI_FUNCTION(C_DecryptMessage, CK_SESSION_HANDLE, void *, CK_ULONG, CK_BYTE *, CK_ULONG,
	CK_BYTE *, CK_ULONG, CK_BYTE *, CK_ULONG *);
CRYPTOKI_FUNCTION(C_DecryptMessageBegin, CK_SESSION_HANDLE, void *, CK_ULONG, CK_BYTE *, CK_ULONG);
CRYPTOKI_FUNCTION(C_DecryptMessageNext, CK_SESSION_HANDLE, void *, CK_ULONG, CK_BYTE *, CK_ULONG,
	CK_BYTE *, CK_ULONG *, CK_FLAGS);
CRYPTOKI_FUNCTION(C_MessageDecryptFinal, CK_SESSION_HANDLE);
CRYPTOKI_FUNCTION(C_MessageSignInit, CK_SESSION_HANDLE, CK_MECHANISM *, CK_OBJECT_HANDLE);
CRYPTOKI_FUNCTION(C_SignMessage, CK_SESSION_HANDLE, void *, CK_ULONG, CK_BYTE *, CK_ULONG,
	CK_BYTE *, CK_ULONG *);
CRYPTOKI_FUNCTION(C_SignMessageBegin, CK_SESSION_HANDLE, void *, CK_ULONG);
CRYPTOKI_FUNCTION(C_SignMessageNext, CK_SESSION_HANDLE, void *, CK_ULONG, CK_BYTE *, CK_ULONG,
	CK_BYTE *, CK_ULONG *);
CRYPTOKI_FUNCTION(C_MessageSignFinal, CK_SESSION_HANDLE);
CRYPTOKI_FUNCTION(C_MessageVerifyInit, CK_SESSION_HANDLE, CK_MECHANISM *, CK_OBJECT_HANDLE);
CRYPTOKI_FUNCTION(C_VerifyMessage, CK_SESSION_HANDLE, void *, CK_ULONG, CK_BYTE *, CK_ULONG,
	CK_BYTE *, CK_ULONG);
CRYPTOKI_FUNCTION(C_VerifyMessageBegin, CK_SESSION_HANDLE, void *, CK_ULONG);
CRYPTOKI_FUNCTION(C_VerifyMessageNext, CK_SESSION_HANDLE, void *, CK_ULONG, CK_BYTE *, CK_ULONG,
	CK_BYTE *, CK_ULONG);
CRYPTOKI_FUNCTION(C_MessageVerifyFinal, CK_SESSION_HANDLE);

/* The functions of both versions, in the lists' order, without C_GetInfo, which tells the version.
 */
#define CRYPTOKI_FUNCTIONS_AFTER_INFO(each)                                                                                   \
	each(C_GetFunctionList) each(C_GetSlotList) each(C_GetSlotInfo) each(C_GetTokenInfo) each(                            \
		C_GetMechanismList) each(C_GetMechanismInfo) each(C_InitToken) each(C_InitPIN)                                \
		each(C_SetPIN) each(C_OpenSession) each(C_CloseSession) each(C_CloseAllSessions) each(                        \
			C_GetSessionInfo) each(C_GetOperationState) each(C_SetOperationState) each(C_Login)                   \
			each(C_Logout) each(C_CreateObject) each(C_CopyObject) each(C_DestroyObject) each(                    \
				C_GetObjectSize) each(C_GetAttributeValue) each(C_SetAttributeValue) each(C_FindObjectsInit)  \
				each(C_FindObjects) each(C_FindObjectsFinal) each(C_EncryptInit) each(                        \
					C_Encrypt) each(C_EncryptUpdate) each(C_EncryptFinal) each(C_DecryptInit)             \
					each(C_Decrypt) each(C_DecryptUpdate) each(C_DecryptFinal) each(                      \
						C_DigestInit) each(C_Digest) each(C_DigestUpdate) each(C_DigestKey)           \
						each(C_DigestFinal) each(C_SignInit) each(C_Sign) each(                       \
							C_SignUpdate) each(C_SignFinal) each(C_SignRecoverInit)               \
							each(C_SignRecover) each(C_VerifyInit) each(C_Verify) each(           \
								C_VerifyUpdate) each(C_VerifyFinal) each(C_VerifyRecoverInit) \
								each(C_VerifyRecover) each(C_DigestEncryptUpdate) each(       \
									C_DecryptDigestUpdate) each(C_SignEncryptUpdate)      \
									each(C_DecryptVerifyUpdate) each(                     \
										C_GenerateKey) each(C_GenerateKeyPair)        \
										each(C_WrapKey) each(C_UnwrapKey) each(       \
											C_DeriveKey) each(C_SeedRandom)       \
											each(C_GenerateRandom) each(          \
												C_GetFunctionStatus)          \
												each(C_CancelFunction)        \
													each(C_WaitForSlotEvent)

/* Those that version 3.0 adds at the end. */
#define CRYPTOKI_FUNCTIONS_OF_3_0(each)                                                            \
	each(C_GetInterfaceList) each(C_GetInterface) each(C_LoginUser) each(                      \
		C_SessionCancel) each(C_MessageEncryptInit) each(C_EncryptMessage)                 \
		each(C_EncryptMessageBegin) each(C_EncryptMessageNext) each(                       \
			C_MessageEncryptFinal) each(C_MessageDecryptInit) each(C_DecryptMessage)   \
			each(C_DecryptMessageBegin) each(C_DecryptMessageNext) each(               \
				C_MessageDecryptFinal) each(C_MessageSignInit) each(C_SignMessage) \
				each(C_SignMessageBegin) each(C_SignMessageNext)                   \
					each(C_MessageSignFinal) each(C_MessageVerifyInit)         \
						each(C_VerifyMessage) each(C_VerifyMessageBegin)   \
							each(C_VerifyMessageNext)                  \
								each(C_MessageVerifyFinal)

#define CRYPTOKI_MEMBER(name) CK_##name name;

/* What the interface "PKCS 11" of version 3.0 points to: 2.40's list, then the rest. */
typedef struct ck_function_list_3_0 {
	CK_VERSION version;
	CK_C_Initialize C_Initialize;
	CK_C_Finalize C_Finalize;
	CK_C_GetInfo C_GetInfo;
	CRYPTOKI_FUNCTIONS_AFTER_INFO(CRYPTOKI_MEMBER)
	CRYPTOKI_FUNCTIONS_OF_3_0(CRYPTOKI_MEMBER)
} CK_FUNCTION_LIST_3_0;

#endif
