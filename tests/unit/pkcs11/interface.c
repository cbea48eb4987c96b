/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <dlfcn.h>

#include <cmocka.h>

#include "common/macros.h"
#include "pkcs11/cryptoki.h"
#include "unit/pkcs11/fixture.h"
#include "unit/pkcs11/layout.h"

/* Version 3.0: pkcs11/interface.c, message.c, cryptoki.h. */

static CK_C_GetInterfaceList get_list;
static CK_C_GetInterface get_interface;

static int load_both(void **state)
{
	load_module(state);
	void *library = dlopen(module_path(), RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
	get_list = (CK_C_GetInterfaceList)dlsym(library, "C_GetInterfaceList");
	get_interface = (CK_C_GetInterface)dlsym(library, "C_GetInterface");
	return get_list && get_interface ? 0 : -1;
}

static CK_UTF8CHAR *name_of(const char *name)
{
	return (CK_UTF8CHAR *)(uintptr_t)name;
}

static const CK_FUNCTION_LIST_3_0 *functions_3_0(void)
{
	CK_VERSION version = {3, 0};
	CK_INTERFACE *interface;

	assert_ok(get_interface(name_of("PKCS 11"), &version, &interface, 0));
	return interface->pFunctionList;
}

static void interfaces_are_listed(void **state)
{
	CK_INTERFACE list[4];
	CK_ULONG count = 0;

	(void)state;
	assert_ckr(get_list(NULL, NULL), CKR_ARGUMENTS_BAD);
	assert_ok(get_list(NULL, &count));
	assert_int_equal(count, 2);
	count = 1;
	assert_ckr(get_list(list, &count), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(count, 2);
	count = 4;
	assert_ok(get_list(list, &count));
	assert_int_equal(count, 2);
	for (CK_ULONG i = 0; i < count; i++)
		assert_string_equal(list[i].pInterfaceName, "PKCS 11");
	assert_int_equal(((CK_VERSION *)list[0].pFunctionList)->major, 3);
	assert_ptr_equal(list[1].pFunctionList, p11);
}

static void an_interface_is_found_by_what_is_wanted(void **state)
{
	CK_VERSION newest = {3, 0}, older = {2, 40}, unknown = {3, 1};
	CK_INTERFACE *interface = NULL;

	(void)state;
	assert_ok(get_interface(NULL, NULL, &interface, 0));
	assert_memory_equal(interface->pFunctionList, &newest, sizeof(newest));
	assert_ok(get_interface(NULL, &older, &interface, 0));
	assert_ptr_equal(interface->pFunctionList, p11);
	assert_ckr(get_interface(NULL, &unknown, &interface, 0), CKR_ARGUMENTS_BAD);
	assert_ckr(get_interface(name_of("Vendor"), NULL, &interface, 0), CKR_ARGUMENTS_BAD);
	assert_ckr(
		get_interface(NULL, NULL, &interface, CKF_INTERFACE_FORK_SAFE), CKR_ARGUMENTS_BAD);
	assert_ckr(get_interface(NULL, NULL, NULL, 0), CKR_ARGUMENTS_BAD);
}

static void each_list_tells_its_version(void **state)
{
	CK_INFO info;

	(void)state;
	assert_ok(functions_3_0()->C_GetInfo(&info));
	assert_int_equal(info.cryptokiVersion.major, 3);
	assert_int_equal(info.cryptokiVersion.minor, 0);
	assert_ok(p11->C_GetInfo(&info));
	assert_int_equal(info.cryptokiVersion.major, 2);
	assert_int_equal(info.cryptokiVersion.minor, 40);
}

static void both_lists_have_the_same_functions(void **state)
{
	const CK_FUNCTION_LIST_3_0 *list = functions_3_0();

	(void)state;
	assert_ptr_equal(list->C_Sign, p11->C_Sign);
	assert_ptr_equal(list->C_WaitForSlotEvent, p11->C_WaitForSlotEvent);
	assert_ptr_equal(list->C_GetInterface, get_interface);
	const void *const *functions = (const void *const *)list;
	for (size_t i = 1; i < sizeof(*list) / sizeof(*functions); i++)
		assert_non_null(functions[i]);
}

static void structures_are_laid_out_as_nss_has_them(void **state)
{
	static const struct layout ours[] = {
#define PLACE(name) {#name, offsetof(CK_FUNCTION_LIST_3_0, name)},
		CRYPTOKI_FUNCTIONS_AFTER_INFO(PLACE) CRYPTOKI_FUNCTIONS_OF_3_0(PLACE){
			"size of the list", sizeof(CK_FUNCTION_LIST_3_0)},
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

	(void)state;
	if (!layout_of_nss_count)
		skip(); /* its header is not there */
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++) {
		size_t j = 0;
		while (j < layout_of_nss_count && strcmp(layout_of_nss[j].name, ours[i].name) != 0)
			j++;
		if (j == layout_of_nss_count)
			fail_msg("NSS has no %s", ours[i].name);
		if (layout_of_nss[j].value != ours[i].value)
			fail_msg("%s: %zu, in NSS %zu", ours[i].name, ours[i].value,
				layout_of_nss[j].value);
	}
}

static void a_login_with_a_name_is_for_other_tokens(void **state)
{
	CK_UTF8CHAR pin[] = FAKE_PIN, name[] = "ada";

	(void)state;
	CK_SESSION_HANDLE session = open_session();
	assert_ckr(functions_3_0()->C_LoginUser(session, CKU_USER, pin, 6, name, 3),
		CKR_USER_TYPE_INVALID);
	assert_ok(functions_3_0()->C_LoginUser(session, CKU_USER, pin, 6, NULL, 0));
	assert_ckr(login(session, CKU_USER, FAKE_PIN), CKR_USER_ALREADY_LOGGED_IN);
}

static void cancelled_operations_are_over(void **state)
{
	CK_MECHANISM sha = {CKM_SHA256, NULL, 0}, ecdsa = {CKM_ECDSA, NULL, 0};
	const CK_FUNCTION_LIST_3_0 *list = functions_3_0();
	CK_BYTE out[200];
	CK_ULONG length = sizeof(out), count;

	(void)state;
	CK_SESSION_HANDLE session = open_user_session();
	CK_OBJECT_HANDLE key = find_object(session, CKO_PRIVATE_KEY, 3);
	assert_ckr(list->C_SessionCancel(4711, CKF_SIGN), CKR_SESSION_HANDLE_INVALID);
	assert_ok(list->C_SessionCancel(session, CKF_SIGN | CKF_DIGEST)); /* none is active */
	assert_ok(list->C_DigestInit(session, &sha));
	assert_ok(list->C_SignInit(session, &ecdsa, key));
	assert_ok(list->C_FindObjectsInit(session, NULL, 0));
	assert_ok(list->C_SessionCancel(session, 0));
	assert_ok(list->C_SessionCancel(session, CKF_SIGN | CKF_FIND_OBJECTS));
	assert_ckr(list->C_Sign(session, out, 20, out, &length), CKR_OPERATION_NOT_INITIALIZED);
	assert_ckr(list->C_FindObjects(session, &key, 1, &count), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(list->C_Digest(session, out, 0, out, &length));
}

static void no_mechanism_cancels_too(void **state)
{
	CK_MECHANISM sha = {CKM_SHA256, NULL, 0};
	CK_BYTE out[32];
	CK_ULONG length = sizeof(out);

	(void)state;
	CK_SESSION_HANDLE session = open_session();
	assert_ckr(p11->C_DigestInit(session, NULL), CKR_ARGUMENTS_BAD);
	assert_ok(p11->C_DigestInit(session, &sha));
	assert_ok(p11->C_DigestInit(session, NULL));
	assert_ckr(p11->C_Digest(session, out, 0, out, &length), CKR_OPERATION_NOT_INITIALIZED);
}

static void messages_are_not_supported(void **state)
{
	CK_MECHANISM mechanism = {CKM_AES_GCM, NULL, 0};
	const CK_FUNCTION_LIST_3_0 *list = functions_3_0();

	(void)state;
	CK_SESSION_HANDLE session = open_session();
	assert_ckr(list->C_MessageEncryptInit(session, &mechanism, 1), CKR_FUNCTION_NOT_SUPPORTED);
	assert_ckr(list->C_MessageVerifyFinal(session), CKR_FUNCTION_NOT_SUPPORTED);
	assert_ckr(list->C_SignMessageBegin(session, NULL, 0), CKR_FUNCTION_NOT_SUPPORTED);
}

#define STARTED(test) cmocka_unit_test_setup_teardown(test, start_module, stop_module)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interfaces_are_listed),
		cmocka_unit_test(an_interface_is_found_by_what_is_wanted),
		cmocka_unit_test(both_lists_have_the_same_functions),
		cmocka_unit_test(structures_are_laid_out_as_nss_has_them),
		STARTED(each_list_tells_its_version),
		STARTED(a_login_with_a_name_is_for_other_tokens),
		STARTED(cancelled_operations_are_over),
		STARTED(no_mechanism_cancels_too),
		STARTED(messages_are_not_supported),
	};

	return cmocka_run_group_tests(tests, load_both, unload_module);
}
