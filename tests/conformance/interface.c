/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* C_GetInterfaceList and C_GetInterface (3.0, 5.4). A module of 2.40 has none, and need not. */
#include "conformance/conformance.h"

#include <dlfcn.h>
#include <string.h>

struct interface {
	CK_UTF8CHAR *name;
	void *functions;
	CK_FLAGS flags;
};

typedef CK_RV (*list_function)(struct interface *list, CK_ULONG *count);
typedef CK_RV (*get_function)(
	CK_UTF8CHAR *name, CK_VERSION *version, struct interface **interface, CK_FLAGS flags);

static list_function list;
static get_function get;
static CK_UTF8CHAR cryptoki[] = "PKCS 11";

static void interface_list(void)
{
	struct interface all[8];
	CK_ULONG count = 0, small = 0;
	bool named = true;

	EXPECT("C_GetInterfaceList.null_count", list(NULL, NULL), CKR_ARGUMENTS_BAD);
	EXPECT("C_GetInterfaceList.how_many", list(NULL, &count), CKR_OK);
	EXPECT_THAT("C_GetInterfaceList.there_are_some", count > 0 && count <= ARRAY_SIZE(all));
	EXPECT("C_GetInterfaceList.too_small", list(all, &small), CKR_BUFFER_TOO_SMALL);
	EXPECT_THAT("C_GetInterfaceList.too_small_says_how_many", small == count);
	NEED(list(all, &count));
	for (CK_ULONG i = 0; i < count; i++)
		named = all[i].name && all[i].functions && named;
	EXPECT_THAT("C_GetInterfaceList.names_and_functions", named);
}

static void interface_get(void)
{
	struct interface *interface = NULL;
	CK_VERSION old = {2, 40}, new = {3, 0}, unknown = {9, 9};

	EXPECT("C_GetInterface.null_interface", get(NULL, NULL, NULL, 0), CKR_ARGUMENTS_BAD);
	EXPECT("C_GetInterface.default", get(NULL, NULL, &interface, 0), CKR_OK);
	EXPECT_THAT("C_GetInterface.default_is_cryptoki",
		interface && !strcmp((char *)interface->name, (char *)cryptoki));
	EXPECT("C_GetInterface.2.40", get(cryptoki, &old, &interface, 0), CKR_OK);
	EXPECT_THAT("C_GetInterface.2.40_is_the_function_list",
		((CK_VERSION *)interface->functions)->major == 2);
	EXPECT("C_GetInterface.3.0", get(cryptoki, &new, &interface, 0), CKR_OK);
	EXPECT_THAT("C_GetInterface.3.0_is_it",
		((CK_VERSION *)interface->functions)->major == 3 &&
			((CK_VERSION *)interface->functions)->minor == 0);
	EXPECT("C_GetInterface.unknown_version", get(cryptoki, &unknown, &interface, 0),
		CKR_FUNCTION_FAILED, CKR_ARGUMENTS_BAD);
	EXPECT("C_GetInterface.unknown_name", get((CK_UTF8CHAR *)"No such", NULL, &interface, 0),
		CKR_FUNCTION_FAILED, CKR_ARGUMENTS_BAD);
}

/* The functions that 3.0 adds, in the order of its list, behind those of 2.40. */

struct list_3_0 {
	CK_FUNCTION_LIST old;
	void *get_interface_list, *get_interface;
	CK_RV(*login_user)
	(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR *pin, CK_ULONG length,
		CK_UTF8CHAR *name, CK_ULONG name_length);
	CK_RV (*session_cancel)(CK_SESSION_HANDLE session, CK_FLAGS flags);
	void *messages[20];
};

static void added_functions(void)
{
	struct interface *interface = NULL;
	CK_VERSION new = {3, 0};
	CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};
	CK_BYTE digest[32];
	CK_ULONG length = sizeof(digest);
	bool all = true;

	NEED(get(cryptoki, &new, &interface, 0));
	const struct list_3_0 *functions = interface->functions;
	for (size_t i = 0; i < ARRAY_SIZE(functions->messages); i++)
		all = functions->messages[i] && all;
	EXPECT_THAT("C_GetInterface.every_function", all);
	EXPECT("C_LoginUser.not_initialized",
		functions->login_user(NO_SESSION, CKU_USER, digest, 4, digest, 4),
		CKR_CRYPTOKI_NOT_INITIALIZED);
	EXPECT("C_SessionCancel.not_initialized", functions->session_cancel(NO_SESSION, CKF_DIGEST),
		CKR_CRYPTOKI_NOT_INITIALIZED);
	NEED(initialize());
	NEED(token_find(suite.token, &suite.slot) ? CKR_OK : CKR_TOKEN_NOT_PRESENT);
	suite.session = session_open(CKF_RW_SESSION);
	EXPECT("C_SessionCancel.unknown_session", functions->session_cancel(NO_SESSION, CKF_DIGEST),
		CKR_SESSION_HANDLE_INVALID);
	NEED(P11->C_DigestInit(suite.session, &sha256));
	EXPECT("C_SessionCancel.works", functions->session_cancel(suite.session, CKF_DIGEST),
		CKR_OK);
	EXPECT("C_SessionCancel.ends_operation", P11->C_DigestFinal(suite.session, digest, &length),
		CKR_OPERATION_NOT_INITIALIZED);
	NEED(P11->C_DigestInit(suite.session, &sha256));
	EXPECT("C_SessionCancel.of_another", functions->session_cancel(suite.session, CKF_SIGN),
		CKR_OK, CKR_OPERATION_NOT_INITIALIZED);
	EXPECT("C_SessionCancel.leaves_others", P11->C_DigestFinal(suite.session, digest, &length),
		CKR_OK);
}

void interface_functions(void)
{
	section("3.0 5.4");
	*(void **)&list = dlsym(suite.library, "C_GetInterfaceList");
	*(void **)&get = dlsym(suite.library, "C_GetInterface");
	if (!list || !get) {
		check_skip("C_GetInterface.default", "the module is one of 2.40");
		return;
	}
	interface_list();
	interface_get();
	added_functions();
}
