/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/module.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAXIMUM_SLOTS 64

void must(CK_RV rv, const char *what)
{
	if (rv == CKR_OK)
		return;
	fprintf(stderr, "%s failed: 0x%lx\n", what, rv);
	_exit(EXIT_FAILURE);
}

double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int compare(const void *one, const void *other)
{
	double a = *(const double *)one, b = *(const double *)other;

	return (a > b) - (a < b);
}

double quantile(double *values, size_t count, double part)
{
	qsort(values, count, sizeof(*values), compare);
	return count ? values[(size_t)(part * (double)(count - 1) + 0.5)] : 0;
}

CK_FUNCTION_LIST *module_load(const char *path)
{
	CK_FUNCTION_LIST *functions = NULL;
	CK_C_GetFunctionList get = NULL;
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	*(void **)&get = handle ? dlsym(handle, "C_GetFunctionList") : NULL;
	if (get && get(&functions) == CKR_OK)
		return functions;
	fprintf(stderr, "%s is no PKCS#11 module\n", path);
	_exit(EXIT_FAILURE);
}

CK_SESSION_HANDLE module_open_session(
	CK_FUNCTION_LIST *functions, const char *label, CK_FLAGS flags)
{
	CK_SLOT_ID slots[MAXIMUM_SLOTS];
	CK_ULONG count = MAXIMUM_SLOTS;
	CK_SESSION_HANDLE session = 0;
	CK_TOKEN_INFO info;
	size_t length = strlen(label);

	must(functions->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
	for (CK_ULONG i = 0; i < count && !session; i++) {
		if (functions->C_GetTokenInfo(slots[i], &info) == CKR_OK &&
			memcmp(info.label, label, length) == 0 && info.label[length] == ' ')
			must(functions->C_OpenSession(
				     slots[i], CKF_SERIAL_SESSION | flags, NULL, NULL, &session),
				"C_OpenSession");
	}
	must(session ? CKR_OK : CKR_TOKEN_NOT_PRESENT, "finding the token");
	return session;
}

void module_log_in(CK_FUNCTION_LIST *functions, CK_SESSION_HANDLE session, const char *pin)
{
	must(functions->C_Login(
		     session, CKU_USER, (CK_UTF8CHAR *)(uintptr_t)pin, (CK_ULONG)strlen(pin)),
		"C_Login");
}

CK_OBJECT_HANDLE module_find_key(
	CK_FUNCTION_LIST *functions, CK_SESSION_HANDLE session, CK_KEY_TYPE type)
{
	CK_OBJECT_CLASS private = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE template[] = {
		{CKA_CLASS, &private, sizeof(private)}, {CKA_KEY_TYPE, &type, sizeof(type)}};
	CK_OBJECT_HANDLE key;
	CK_ULONG count = 0;

	must(functions->C_FindObjectsInit(session, template, 2), "C_FindObjectsInit");
	must(functions->C_FindObjects(session, &key, 1, &count), "C_FindObjects");
	must(functions->C_FindObjectsFinal(session), "C_FindObjectsFinal");
	must(count ? CKR_OK : CKR_KEY_HANDLE_INVALID, "finding a key");
	return key;
}

CK_RV module_sign(CK_FUNCTION_LIST *functions, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
	CK_MECHANISM_TYPE type, unsigned long number)
{
	CK_MECHANISM mechanism = {type, NULL, 0};
	CK_BYTE digest[32] = {0}, signature[1024];
	CK_ULONG length = sizeof(signature);

	memcpy(digest, &number, sizeof(number));
	CK_RV rv = functions->C_SignInit(session, &mechanism, key);
	return rv != CKR_OK
		       ? rv
		       : functions->C_Sign(session, digest, sizeof(digest), signature, &length);
}
