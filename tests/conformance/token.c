/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance/conformance.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

bool is_kind(const char *kind)
{
	return !strcmp(suite.kind, kind);
}

bool token_load(void)
{
	CK_RV (*get_function_list)(CK_FUNCTION_LIST **) = NULL;

	suite.library = dlopen(suite.module, RTLD_NOW | RTLD_LOCAL);
	if (!suite.library) {
		fprintf(stderr, "%s\n", dlerror());
		return false;
	}
	*(void **)&get_function_list = dlsym(suite.library, "C_GetFunctionList");
	return get_function_list && get_function_list(&suite.functions) == CKR_OK;
}

CK_RV initialize(void)
{
	CK_C_INITIALIZE_ARGS arguments = {.flags = CKF_OS_LOCKING_OK};

	return P11->C_Initialize(&arguments);
}

static bool has_label(CK_SLOT_ID slot, const char *label)
{
	char padded[33];
	CK_TOKEN_INFO info;

	snprintf(padded, sizeof(padded), "%-32s", label);
	return P11->C_GetTokenInfo(slot, &info) == CKR_OK && !memcmp(info.label, padded, 32);
}

bool token_find(const char *label, CK_SLOT_ID *slot)
{
	CK_SLOT_ID slots[64];
	CK_ULONG count = ARRAY_SIZE(slots);

	if (P11->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK)
		return false;
	for (CK_ULONG i = 0; i < count; i++) {
		if (has_label(slots[i], label)) {
			*slot = slots[i];
			return true;
		}
	}
	return false;
}

CK_SESSION_HANDLE session_open(CK_FLAGS flags)
{
	CK_SESSION_HANDLE session = CK_INVALID_HANDLE;

	P11->C_OpenSession(suite.slot, CKF_SERIAL_SESSION | flags, NULL, NULL, &session);
	return session;
}

bool token_begin(void)
{
	if (!token_load() || initialize() != CKR_OK || !token_find(suite.token, &suite.slot))
		return false;
	suite.session = session_open(CKF_RW_SESSION);
	return suite.session && P11->C_GetTokenInfo(suite.slot, &suite.info) == CKR_OK;
}

CK_RV login(void)
{
	CK_RV rv = P11->C_Login(
		suite.session, CKU_USER, (CK_UTF8CHAR_PTR)suite.pin, strlen(suite.pin));

	return rv == CKR_USER_ALREADY_LOGGED_IN ? CKR_OK : rv;
}

CK_RV logout(void)
{
	CK_RV rv = P11->C_Logout(suite.session);

	return rv == CKR_USER_NOT_LOGGED_IN ? CKR_OK : rv;
}

bool token_wants_login(void)
{
	return suite.info.flags & CKF_LOGIN_REQUIRED;
}

CK_RV unless_protected(CK_RV rv)
{
	return suite.info.flags & CKF_WRITE_PROTECTED ? CKR_TOKEN_WRITE_PROTECTED : rv;
}

bool has(CK_MECHANISM_TYPE type, CK_FLAGS flags)
{
	CK_MECHANISM_INFO info;

	return P11->C_GetMechanismInfo(suite.slot, type, &info) == CKR_OK &&
	       (info.flags & flags) == flags;
}

bool offers(const char *group, CK_MECHANISM_TYPE type, CK_FLAGS flags)
{
	char why[64];

	if (has(type, flags))
		return true;
	snprintf(why, sizeof(why), "the token has no mechanism 0x%lx for this", type);
	check_skip(group, why);
	return false;
}
