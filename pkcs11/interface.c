/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The lists of functions, and how a program gets them: C_GetFunctionList (PKCS#11 2.40, 5.4),
 * C_GetInterfaceList and C_GetInterface (3.0, 5.4). Both lists have the same functions; they differ
 * in the version that C_GetInfo tells.
 */
#include <stdio.h>
#include <string.h>

#include "pkcs11/cryptoki.h"
#include "pkcs11/module.h"

#define VERSION_2_40                                                                               \
	{                                                                                          \
		2, 40                                                                              \
	}
#define VERSION_3_0                                                                                \
	{                                                                                          \
		3, 0                                                                               \
	}

static void put_text(unsigned char *field, size_t size, const char *text)
{
	memset(field, ' ', size);
	memcpy(field, text, strlen(text));
}

static CK_RV get_info(CK_INFO_PTR info, CK_VERSION version)
{
	unsigned major = 0, minor = 0;

	if (!info)
		return CKR_ARGUMENTS_BAD;
	sscanf(VERSION_STRING, "%u.%u", &major, &minor);
	*info = (CK_INFO){.cryptokiVersion = version,
		.libraryVersion = {(unsigned char)major, (unsigned char)minor}};
	put_text(info->manufacturerID, sizeof(info->manufacturerID), "Tessera");
	put_text(info->libraryDescription, sizeof(info->libraryDescription),
		"Tessera managed cards");
	return CKR_OK;
}

CK_RV C_GetInfo(CK_INFO_PTR info)
{
	return MODULE_LOCKED(get_info(info, (CK_VERSION)VERSION_2_40));
}

static CK_RV get_info_3_0(CK_INFO_PTR info)
{
	return MODULE_LOCKED(get_info(info, (CK_VERSION)VERSION_3_0));
}

#define ENTRY(name) .name = name,

static CK_FUNCTION_LIST functions = {.version = VERSION_2_40,
	ENTRY(C_Initialize) ENTRY(C_Finalize) ENTRY(C_GetInfo)
		CRYPTOKI_FUNCTIONS_AFTER_INFO(ENTRY)};

static CK_FUNCTION_LIST_3_0 functions_3_0 = {.version = VERSION_3_0,
	ENTRY(C_Initialize) ENTRY(C_Finalize).C_GetInfo = get_info_3_0,
	CRYPTOKI_FUNCTIONS_AFTER_INFO(ENTRY) CRYPTOKI_FUNCTIONS_OF_3_0(ENTRY)};

/* The first one is what a program gets that asks for none in particular. */
static char name[] = "PKCS 11";
static CK_INTERFACE interfaces[] = {
	{name, &functions_3_0, 0},
	{name, &functions, 0},
};

#define EXPORTED __attribute__((visibility("default")))

EXPORTED CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list)
{
	if (!list)
		return CKR_ARGUMENTS_BAD;
	*list = &functions;
	return CKR_OK;
}

EXPORTED CK_RV C_GetInterfaceList(CK_INTERFACE *list, CK_ULONG *count)
{
	if (!count)
		return CKR_ARGUMENTS_BAD;
	bool fits = !list || *count >= ARRAY_SIZE(interfaces);
	*count = ARRAY_SIZE(interfaces);
	if (list && fits)
		memcpy(list, interfaces, sizeof(interfaces));
	return fits ? CKR_OK : CKR_BUFFER_TOO_SMALL;
}

/* Each list begins with its version. */
static bool is_wanted(const CK_INTERFACE *interface, const CK_UTF8CHAR *wanted_name,
	const CK_VERSION *wanted_version, CK_FLAGS flags)
{
	const CK_VERSION *version = interface->pFunctionList;

	if (wanted_name && strcmp((const char *)wanted_name, interface->pInterfaceName) != 0)
		return false;
	if (wanted_version && memcmp(wanted_version, version, sizeof(*version)) != 0)
		return false;
	return (interface->flags & flags) == flags;
}

/* A child process has to initialise the module itself: CKF_INTERFACE_FORK_SAFE is not offered. */
EXPORTED CK_RV C_GetInterface(CK_UTF8CHAR *wanted_name, CK_VERSION *wanted_version,
	CK_INTERFACE **interface, CK_FLAGS flags)
{
	if (!interface)
		return CKR_ARGUMENTS_BAD;
	for (size_t i = 0; i < ARRAY_SIZE(interfaces); i++) {
		if (is_wanted(&interfaces[i], wanted_name, wanted_version, flags)) {
			*interface = &interfaces[i];
			return CKR_OK;
		}
	}
	return CKR_ARGUMENTS_BAD;
}
