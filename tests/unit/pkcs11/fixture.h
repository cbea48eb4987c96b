/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The real module, loaded as programs load it, against a fake provider. */
#ifndef TESSERA_TESTS_PKCS11_FIXTURE_H
#define TESSERA_TESTS_PKCS11_FIXTURE_H

#include <p11-kit/pkcs11.h>

#include "unit/pkcs11/fake-provider.h"

extern CK_FUNCTION_LIST_PTR p11;
extern struct fake *fake;

/* The file that load_module() loads. */
const char *module_path(void);
/* cmocka group fixtures: loads the module, starts the provider. */
int load_module(void **state);
int unload_module(void **state);
/* cmocka test fixtures: C_Initialize with a card in slot 1, C_Finalize. */
int start_module(void **state);
/* The same with a token that is no card beside it. */
int start_with_slot(void **state);
int stop_module(void **state);

/* A session on slot 1; logged_in also logs in. */
CK_SESSION_HANDLE open_session(void);
CK_SESSION_HANDLE open_user_session(void);
CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, const char *pin);
/* The object of a class with that CKA_ID, or CK_INVALID_HANDLE. */
CK_OBJECT_HANDLE find_object(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, CK_BYTE id);
CK_ULONG count_objects(CK_SESSION_HANDLE session);

#define assert_ckr(expression, expected) assert_int_equal(expression, expected)
#define assert_ok(expression)		 assert_ckr(expression, CKR_OK)

#endif
