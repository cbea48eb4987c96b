/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* General-purpose functions (5.4), and all others before C_Initialize. */
#include "conformance/conformance.h"

#include <string.h>

/* Their arguments are right but for the handles: C_Initialize has not been called. */

static CK_BYTE bytes[64];
static CK_ULONG length;
static CK_MECHANISM mechanism = {CKM_SHA256, NULL, 0};
static CK_ATTRIBUTE attribute = {CKA_LABEL, bytes, 1};
static CK_OBJECT_HANDLE object;

#define REFUSED(function, ...)                                                                     \
	EXPECT(#function ".not_initialized", P11->function(__VA_ARGS__),                           \
		CKR_CRYPTOKI_NOT_INITIALIZED)

static void slots_uninitialized(void)
{
	CK_INFO info;
	CK_SLOT_ID slot;
	CK_SLOT_INFO slot_info;
	CK_TOKEN_INFO token_info;
	CK_MECHANISM_TYPE type;
	CK_MECHANISM_INFO mechanism_info;
	CK_UTF8CHAR label[32];

	section("5.4");
	REFUSED(C_Finalize, NULL);
	REFUSED(C_GetInfo, &info);
	section("5.5");
	memset(label, ' ', sizeof(label));
	REFUSED(C_GetSlotList, CK_FALSE, NULL, &length);
	REFUSED(C_GetSlotInfo, 0, &slot_info);
	REFUSED(C_GetTokenInfo, 0, &token_info);
	REFUSED(C_WaitForSlotEvent, CKF_DONT_BLOCK, &slot, NULL);
	REFUSED(C_GetMechanismList, 0, &type, &length);
	REFUSED(C_GetMechanismInfo, 0, CKM_SHA256, &mechanism_info);
	REFUSED(C_InitToken, NO_SLOT, bytes, 8, label);
	REFUSED(C_InitPIN, NO_SESSION, bytes, 8);
	REFUSED(C_SetPIN, NO_SESSION, bytes, 8, bytes, 8);
}

static void sessions_uninitialized(void)
{
	CK_SESSION_HANDLE session;
	CK_SESSION_INFO info;

	section("5.6");
	REFUSED(C_OpenSession, 0, CKF_SERIAL_SESSION, NULL, NULL, &session);
	REFUSED(C_CloseSession, NO_SESSION);
	REFUSED(C_CloseAllSessions, 0);
	REFUSED(C_GetSessionInfo, NO_SESSION, &info);
	REFUSED(C_GetOperationState, NO_SESSION, bytes, &length);
	REFUSED(C_SetOperationState, NO_SESSION, bytes, 8, 0, 0);
	REFUSED(C_Login, NO_SESSION, CKU_USER, bytes, 8);
	REFUSED(C_Logout, NO_SESSION);
	section("5.7");
	REFUSED(C_CreateObject, NO_SESSION, &attribute, 1, &object);
	REFUSED(C_CopyObject, NO_SESSION, NO_OBJECT, &attribute, 1, &object);
	REFUSED(C_DestroyObject, NO_SESSION, NO_OBJECT);
	REFUSED(C_GetObjectSize, NO_SESSION, NO_OBJECT, &length);
	REFUSED(C_GetAttributeValue, NO_SESSION, NO_OBJECT, &attribute, 1);
	REFUSED(C_SetAttributeValue, NO_SESSION, NO_OBJECT, &attribute, 1);
	REFUSED(C_FindObjectsInit, NO_SESSION, &attribute, 1);
	REFUSED(C_FindObjects, NO_SESSION, &object, 1, &length);
	REFUSED(C_FindObjectsFinal, NO_SESSION);
}

static void ciphers_uninitialized(void)
{
	section("5.8");
	length = sizeof(bytes);
	REFUSED(C_EncryptInit, NO_SESSION, &mechanism, NO_OBJECT);
	REFUSED(C_Encrypt, NO_SESSION, bytes, 16, bytes, &length);
	REFUSED(C_EncryptUpdate, NO_SESSION, bytes, 16, bytes, &length);
	REFUSED(C_EncryptFinal, NO_SESSION, bytes, &length);
	section("5.9");
	REFUSED(C_DecryptInit, NO_SESSION, &mechanism, NO_OBJECT);
	REFUSED(C_Decrypt, NO_SESSION, bytes, 16, bytes, &length);
	REFUSED(C_DecryptUpdate, NO_SESSION, bytes, 16, bytes, &length);
	REFUSED(C_DecryptFinal, NO_SESSION, bytes, &length);
	section("5.10");
	REFUSED(C_DigestInit, NO_SESSION, &mechanism);
	REFUSED(C_Digest, NO_SESSION, bytes, 16, bytes, &length);
	REFUSED(C_DigestUpdate, NO_SESSION, bytes, 16);
	REFUSED(C_DigestKey, NO_SESSION, NO_OBJECT);
	REFUSED(C_DigestFinal, NO_SESSION, bytes, &length);
}

static void signatures_uninitialized(void)
{
	section("5.11");
	length = sizeof(bytes);
	REFUSED(C_SignInit, NO_SESSION, &mechanism, NO_OBJECT);
	REFUSED(C_Sign, NO_SESSION, bytes, 16, bytes, &length);
	REFUSED(C_SignUpdate, NO_SESSION, bytes, 16);
	REFUSED(C_SignFinal, NO_SESSION, bytes, &length);
	REFUSED(C_SignRecoverInit, NO_SESSION, &mechanism, NO_OBJECT);
	REFUSED(C_SignRecover, NO_SESSION, bytes, 16, bytes, &length);
	section("5.12");
	REFUSED(C_VerifyInit, NO_SESSION, &mechanism, NO_OBJECT);
	REFUSED(C_Verify, NO_SESSION, bytes, 16, bytes, 16);
	REFUSED(C_VerifyUpdate, NO_SESSION, bytes, 16);
	REFUSED(C_VerifyFinal, NO_SESSION, bytes, 16);
	REFUSED(C_VerifyRecoverInit, NO_SESSION, &mechanism, NO_OBJECT);
	REFUSED(C_VerifyRecover, NO_SESSION, bytes, 16, bytes, &length);
	section("5.13");
	REFUSED(C_DigestEncryptUpdate, NO_SESSION, bytes, 16, bytes, &length);
	REFUSED(C_DecryptDigestUpdate, NO_SESSION, bytes, 16, bytes, &length);
	REFUSED(C_SignEncryptUpdate, NO_SESSION, bytes, 16, bytes, &length);
	REFUSED(C_DecryptVerifyUpdate, NO_SESSION, bytes, 16, bytes, &length);
}

static void keys_uninitialized(void)
{
	section("5.14");
	length = sizeof(bytes);
	REFUSED(C_GenerateKey, NO_SESSION, &mechanism, &attribute, 1, &object);
	REFUSED(C_GenerateKeyPair, NO_SESSION, &mechanism, &attribute, 1, &attribute, 1, &object,
		&object);
	REFUSED(C_WrapKey, NO_SESSION, &mechanism, NO_OBJECT, NO_OBJECT, bytes, &length);
	REFUSED(C_UnwrapKey, NO_SESSION, &mechanism, NO_OBJECT, bytes, 16, &attribute, 1, &object);
	REFUSED(C_DeriveKey, NO_SESSION, &mechanism, NO_OBJECT, &attribute, 1, &object);
	section("5.15");
	REFUSED(C_SeedRandom, NO_SESSION, bytes, 16);
	REFUSED(C_GenerateRandom, NO_SESSION, bytes, 16);
	section("5.16");
	EXPECT("C_GetFunctionStatus.not_initialized", P11->C_GetFunctionStatus(NO_SESSION),
		CKR_CRYPTOKI_NOT_INITIALIZED, CKR_FUNCTION_NOT_PARALLEL);
	EXPECT("C_CancelFunction.not_initialized", P11->C_CancelFunction(NO_SESSION),
		CKR_CRYPTOKI_NOT_INITIALIZED, CKR_FUNCTION_NOT_PARALLEL);
}

void general_uninitialized(void)
{
	slots_uninitialized();
	sessions_uninitialized();
	ciphers_uninitialized();
	signatures_uninitialized();
	keys_uninitialized();
}

/* --- C_Initialize and C_Finalize --- */

static CK_RV mutex_new(void **mutex)
{
	static char one;

	*mutex = &one;
	return CKR_OK;
}

static CK_RV mutex_do(void *mutex)
{
	return mutex ? CKR_OK : CKR_MUTEX_BAD;
}

static CK_RV initialize_with(bool callbacks, CK_FLAGS flags)
{
	CK_C_INITIALIZE_ARGS arguments = {.flags = flags};

	if (callbacks) {
		arguments.CreateMutex = mutex_new;
		arguments.DestroyMutex = mutex_do;
		arguments.LockMutex = mutex_do;
		arguments.UnlockMutex = mutex_do;
	}
	CK_RV rv = P11->C_Initialize(&arguments);
	if (rv == CKR_OK)
		P11->C_Finalize(NULL);
	return rv;
}

static void initialize_wrongly(void)
{
	CK_C_INITIALIZE_ARGS some = {.CreateMutex = mutex_new, .DestroyMutex = mutex_do};
	CK_C_INITIALIZE_ARGS reserved = {.flags = CKF_OS_LOCKING_OK, .pReserved = bytes};

	EXPECT("C_Initialize.some_mutex_functions", P11->C_Initialize(&some), CKR_ARGUMENTS_BAD);
	P11->C_Finalize(NULL);
	EXPECT("C_Initialize.reserved", P11->C_Initialize(&reserved), CKR_ARGUMENTS_BAD);
	P11->C_Finalize(NULL);
}

static void finalize_wrongly(void)
{
	CK_INFO info;

	NEED(P11->C_Initialize(NULL));
	EXPECT("C_Initialize.twice", P11->C_Initialize(NULL), CKR_CRYPTOKI_ALREADY_INITIALIZED);
	EXPECT("C_Finalize.reserved", P11->C_Finalize(bytes), CKR_ARGUMENTS_BAD);
	EXPECT("C_Finalize.reserved_changes_nothing", P11->C_GetInfo(&info), CKR_OK);
	EXPECT("C_Finalize.works", P11->C_Finalize(NULL), CKR_OK);
	EXPECT("C_Finalize.twice", P11->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
}

/* Sessions and logins do not live longer than what C_Finalize ends. */
static void finalize_ends_sessions(void)
{
	CK_SESSION_INFO info;
	CK_SESSION_HANDLE old;

	NEED(initialize());
	NEED(token_find(suite.token, &suite.slot) ? CKR_OK : CKR_TOKEN_NOT_PRESENT);
	old = suite.session = session_open(CKF_RW_SESSION);
	NEED(login());
	NEED(P11->C_Finalize(NULL));
	NEED(initialize());
	NEED(token_find(suite.token, &suite.slot) ? CKR_OK : CKR_TOKEN_NOT_PRESENT);
	EXPECT("C_Finalize.ends_sessions", P11->C_GetSessionInfo(old, &info),
		CKR_SESSION_HANDLE_INVALID);
	suite.session = session_open(CKF_RW_SESSION);
	NEED(P11->C_GetSessionInfo(suite.session, &info));
	EXPECT_THAT("C_Finalize.ends_logins", info.state == CKS_RW_PUBLIC_SESSION);
	NEED(P11->C_Finalize(NULL));
}

void general_initialize(void)
{
	CK_RV (*get_function_list)(CK_FUNCTION_LIST **) = P11->C_GetFunctionList;

	section("5.4");
	EXPECT("C_GetFunctionList.null", get_function_list(NULL), CKR_ARGUMENTS_BAD);
	EXPECT_THAT("C_GetFunctionList.version", P11->version.major == 2);
	EXPECT_THAT("C_GetFunctionList.before_C_Initialize", P11->C_Initialize != NULL);
	EXPECT("C_Initialize.null", P11->C_Initialize(NULL), CKR_OK);
	P11->C_Finalize(NULL);
	EXPECT("C_Initialize.no_locking", initialize_with(false, 0), CKR_OK);
	EXPECT("C_Initialize.os_locking", initialize_with(false, CKF_OS_LOCKING_OK), CKR_OK);
	EXPECT("C_Initialize.mutex_functions", initialize_with(true, 0), CKR_OK, CKR_CANT_LOCK);
	EXPECT("C_Initialize.either_locking", initialize_with(true, CKF_OS_LOCKING_OK), CKR_OK);
	EXPECT("C_Initialize.no_threads_of_its_own",
		initialize_with(false, CKF_LIBRARY_CANT_CREATE_OS_THREADS | CKF_OS_LOCKING_OK),
		CKR_OK, CKR_NEED_TO_CREATE_THREADS);
	initialize_wrongly();
	finalize_wrongly();
	finalize_ends_sessions();
}

/* --- C_GetInfo --- */

/* Texts are padded with blanks, and do not end with a zero. */
static bool is_padded(const CK_UTF8CHAR *text, size_t size)
{
	return !memchr(text, '\0', size);
}

void general_information(void)
{
	CK_INFO info;

	section("5.4");
	EXPECT("C_GetInfo.null", P11->C_GetInfo(NULL), CKR_ARGUMENTS_BAD);
	if (!EXPECT("C_GetInfo.works", P11->C_GetInfo(&info), CKR_OK))
		return;
	EXPECT_THAT("C_GetInfo.version",
		(info.cryptokiVersion.major == 2 && info.cryptokiVersion.minor == 40) ||
			info.cryptokiVersion.major == 3);
	EXPECT_THAT("C_GetInfo.flags_are_zero", info.flags == 0);
	EXPECT_THAT("C_GetInfo.manufacturer_is_padded",
		is_padded(info.manufacturerID, sizeof(info.manufacturerID)));
	EXPECT_THAT("C_GetInfo.description_is_padded",
		is_padded(info.libraryDescription, sizeof(info.libraryDescription)));
}
