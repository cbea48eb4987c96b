/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* C_Initialize, C_Finalize, C_GetInfo, C_GetFunctionList (PKCS#11 2.40, 5.4). */
#include <stdio.h>
#include <string.h>

#include "pkcs11/module.h"

/*
 * The module locks with the system's mutexes. A program that insists on its own (callbacks without
 * CKF_OS_LOCKING_OK) cannot be served.
 */
static CK_RV check_arguments(const CK_C_INITIALIZE_ARGS *arguments)
{
	if (!arguments)
		return CKR_OK;
	int callbacks = !!arguments->CreateMutex + !!arguments->DestroyMutex +
			!!arguments->LockMutex + !!arguments->UnlockMutex;
	if (arguments->pReserved || (callbacks != 0 && callbacks != 4))
		return CKR_ARGUMENTS_BAD;
	return callbacks && !(arguments->flags & CKF_OS_LOCKING_OK) ? CKR_CANT_LOCK : CKR_OK;
}

CK_RV C_Initialize(void *arguments)
{
	CK_RV rv = check_arguments(arguments);

	return rv == CKR_OK ? module_start() : rv;
}

CK_RV C_Finalize(void *reserved)
{
	return reserved ? CKR_ARGUMENTS_BAD : module_stop();
}

static void put_text(unsigned char *field, size_t size, const char *text)
{
	memset(field, ' ', size);
	memcpy(field, text, strlen(text));
}

static CK_RV get_info(CK_INFO_PTR info)
{
	unsigned major = 0, minor = 0;

	if (!info)
		return CKR_ARGUMENTS_BAD;
	sscanf(VERSION_STRING, "%u.%u", &major, &minor);
	*info = (CK_INFO){.cryptokiVersion = {2, 40},
		.libraryVersion = {(unsigned char)major, (unsigned char)minor}};
	put_text(info->manufacturerID, sizeof(info->manufacturerID), "Tessera");
	put_text(info->libraryDescription, sizeof(info->libraryDescription),
		"Tessera managed cards");
	return CKR_OK;
}

CK_RV C_GetInfo(CK_INFO_PTR info)
{
	return MODULE_LOCKED(get_info(info));
}

#define ENTRY(name) .name = name

static CK_FUNCTION_LIST functions = {.version = {2, 40},
	ENTRY(C_Initialize),
	ENTRY(C_Finalize),
	ENTRY(C_GetInfo),
	ENTRY(C_GetFunctionList),
	ENTRY(C_GetSlotList),
	ENTRY(C_GetSlotInfo),
	ENTRY(C_GetTokenInfo),
	ENTRY(C_GetMechanismList),
	ENTRY(C_GetMechanismInfo),
	ENTRY(C_InitToken),
	ENTRY(C_InitPIN),
	ENTRY(C_SetPIN),
	ENTRY(C_OpenSession),
	ENTRY(C_CloseSession),
	ENTRY(C_CloseAllSessions),
	ENTRY(C_GetSessionInfo),
	ENTRY(C_GetOperationState),
	ENTRY(C_SetOperationState),
	ENTRY(C_Login),
	ENTRY(C_Logout),
	ENTRY(C_CreateObject),
	ENTRY(C_CopyObject),
	ENTRY(C_DestroyObject),
	ENTRY(C_GetObjectSize),
	ENTRY(C_GetAttributeValue),
	ENTRY(C_SetAttributeValue),
	ENTRY(C_FindObjectsInit),
	ENTRY(C_FindObjects),
	ENTRY(C_FindObjectsFinal),
	ENTRY(C_EncryptInit),
	ENTRY(C_Encrypt),
	ENTRY(C_EncryptUpdate),
	ENTRY(C_EncryptFinal),
	ENTRY(C_DecryptInit),
	ENTRY(C_Decrypt),
	ENTRY(C_DecryptUpdate),
	ENTRY(C_DecryptFinal),
	ENTRY(C_DigestInit),
	ENTRY(C_Digest),
	ENTRY(C_DigestUpdate),
	ENTRY(C_DigestKey),
	ENTRY(C_DigestFinal),
	ENTRY(C_SignInit),
	ENTRY(C_Sign),
	ENTRY(C_SignUpdate),
	ENTRY(C_SignFinal),
	ENTRY(C_SignRecoverInit),
	ENTRY(C_SignRecover),
	ENTRY(C_VerifyInit),
	ENTRY(C_Verify),
	ENTRY(C_VerifyUpdate),
	ENTRY(C_VerifyFinal),
	ENTRY(C_VerifyRecoverInit),
	ENTRY(C_VerifyRecover),
	ENTRY(C_DigestEncryptUpdate),
	ENTRY(C_DecryptDigestUpdate),
	ENTRY(C_SignEncryptUpdate),
	ENTRY(C_DecryptVerifyUpdate),
	ENTRY(C_GenerateKey),
	ENTRY(C_GenerateKeyPair),
	ENTRY(C_WrapKey),
	ENTRY(C_UnwrapKey),
	ENTRY(C_DeriveKey),
	ENTRY(C_SeedRandom),
	ENTRY(C_GenerateRandom),
	ENTRY(C_GetFunctionStatus),
	ENTRY(C_CancelFunction),
	ENTRY(C_WaitForSlotEvent)};

/* The module's only exported symbol. */
__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list)
{
	if (!list)
		return CKR_ARGUMENTS_BAD;
	*list = &functions;
	return CKR_OK;
}
