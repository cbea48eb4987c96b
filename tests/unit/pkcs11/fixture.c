/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit/pkcs11/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dlfcn.h>

#include <cmocka.h>

CK_FUNCTION_LIST_PTR p11;
struct fake *fake;
static char folder[] = "/tmp/tessera-pkcs11-XXXXXX";

const char *module_path(void)
{
	const char *path = getenv("TESSERA_PKCS11_MODULE");

	return path ? path : MODULE_PATH;
}

int load_module(void **state)
{
	char socket[64];
	CK_C_GetFunctionList get_list;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(socket, sizeof(socket), "%s/bus", folder);
	setenv("TESSERA_SOCKET", socket, 1);
	fake = fake_start(socket);
	void *library = dlopen(module_path(), RTLD_NOW | RTLD_LOCAL);
	if (!library)
		fail_msg("%s", dlerror());
	get_list = (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList");
	assert_non_null(get_list);
	assert_ok(get_list(&p11));
	return 0;
}

int unload_module(void **state)
{
	(void)state;
	fake_free(fake);
	rmdir(folder);
	return 0;
}

int start_module(void **state)
{
	(void)state;
	fake_command(fake, FAKE_COUNT);
	return p11->C_Initialize(NULL) == CKR_OK ? 0 : -1;
}

int start_with_slot(void **state)
{
	CK_ULONG count;

	fake_command(fake, FAKE_WITH_SLOT);
	if (start_module(state) != 0)
		return -1;
	return p11->C_GetSlotList(CK_FALSE, NULL, &count) == CKR_OK ? 0 : -1;
}

int stop_module(void **state)
{
	(void)state;
	return p11->C_Finalize(NULL) == CKR_OK ? 0 : -1;
}

CK_SESSION_HANDLE open_session(void)
{
	CK_SESSION_HANDLE session = CK_INVALID_HANDLE;

	assert_ok(p11->C_OpenSession(1, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session));
	return session;
}

CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, const char *pin)
{
	return p11->C_Login(session, user, (CK_UTF8CHAR_PTR)(uintptr_t)pin, strlen(pin));
}

CK_SESSION_HANDLE open_user_session(void)
{
	CK_SESSION_HANDLE session = open_session();

	assert_ok(login(session, CKU_USER, FAKE_PIN));
	return session;
}

CK_OBJECT_HANDLE find_object(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, CK_BYTE id)
{
	CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_ID, &id, sizeof(id)}};
	CK_OBJECT_HANDLE found = CK_INVALID_HANDLE;
	CK_ULONG count = 0;

	assert_ok(p11->C_FindObjectsInit(session, wanted, 2));
	assert_ok(p11->C_FindObjects(session, &found, 1, &count));
	assert_ok(p11->C_FindObjectsFinal(session));
	return count ? found : CK_INVALID_HANDLE;
}

CK_ULONG count_objects(CK_SESSION_HANDLE session)
{
	CK_OBJECT_HANDLE found[64];
	CK_ULONG count = 0;

	assert_ok(p11->C_FindObjectsInit(session, NULL, 0));
	assert_ok(p11->C_FindObjects(session, found, 64, &count));
	assert_ok(p11->C_FindObjectsFinal(session));
	return count;
}
