/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit/pkcs11/layout.h"

#ifdef HAVE_NSS

#include <pkcs11.h>

const struct layout layout_of_nss[] = {
#define CK_PKCS11_3_0		      1
#define CK_PKCS11_FUNCTION_INFO(name) {#name, offsetof(CK_FUNCTION_LIST_3_0, name)},
#include <pkcs11f.h>
	{"size of the list", sizeof(CK_FUNCTION_LIST_3_0)},
	{"size of an interface", sizeof(CK_INTERFACE)},
	{"pFunctionList", offsetof(CK_INTERFACE, pFunctionList)},
	{"flags", offsetof(CK_INTERFACE, flags)},
	{"CKR_OPERATION_CANCEL_FAILED", CKR_OPERATION_CANCEL_FAILED},
	{"CKR_TOKEN_RESOURCE_EXCEEDED", CKR_TOKEN_RESOURCE_EXCEEDED},
	{"CKK_EC_EDWARDS", CKK_EC_EDWARDS},
	{"CKK_EC_MONTGOMERY", CKK_EC_MONTGOMERY},
	{"CKM_EC_EDWARDS_KEY_PAIR_GEN", CKM_EC_EDWARDS_KEY_PAIR_GEN},
	{"CKM_EC_MONTGOMERY_KEY_PAIR_GEN", CKM_EC_MONTGOMERY_KEY_PAIR_GEN},
	{"CKM_EDDSA", CKM_EDDSA},
	{"CKF_FIND_OBJECTS", CKF_FIND_OBJECTS},
	{"CKF_INTERFACE_FORK_SAFE", CKF_INTERFACE_FORK_SAFE},
};
const size_t layout_of_nss_count = sizeof(layout_of_nss) / sizeof(*layout_of_nss);

#else

const struct layout layout_of_nss[] = {{"", 0}};
const size_t layout_of_nss_count;

#endif
