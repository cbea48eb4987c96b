/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/pkcs11/fixture.h"

/* Sessions, login and PIN: pkcs11/session.c, login.c, ckr.c. */

static int reset_tries(void **state)
{
	fake_command(fake, FAKE_RESET_TRIES);
	return stop_module(state);
}

static int resume(void **state)
{
	fake_command(fake, FAKE_RESUME);
	return stop_module(state);
}

static CK_FLAGS token_flags(void)
{
	CK_TOKEN_INFO info;

	assert_ok(p11->C_GetTokenInfo(1, &info));
	return info.flags;
}

static CK_RV sign_with(CK_SESSION_HANDLE session, CK_BYTE id, size_t size)
{
	CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
	CK_BYTE digest[48] = {1}, signature[96];
	CK_ULONG length = sizeof(signature);
	CK_RV rv = p11->C_SignInit(session, &mechanism, find_object(session, CKO_PRIVATE_KEY, id));

	return rv == CKR_OK ? p11->C_Sign(session, digest, size, signature, &length) : rv;
}

static void session_arguments_are_checked(void **state)
{
	CK_SESSION_HANDLE session;
	CK_SESSION_INFO info;

	(void)state;
	assert_ckr(
		p11->C_OpenSession(1, 0, NULL, NULL, &session), CKR_SESSION_PARALLEL_NOT_SUPPORTED);
	assert_ckr(p11->C_OpenSession(1, CKF_SERIAL_SESSION, NULL, NULL, NULL), CKR_ARGUMENTS_BAD);
	assert_ckr(p11->C_OpenSession(9, CKF_SERIAL_SESSION, NULL, NULL, &session),
		CKR_SLOT_ID_INVALID);
	assert_ckr(p11->C_CloseSession(4711), CKR_SESSION_HANDLE_INVALID);
	assert_ckr(p11->C_CloseAllSessions(9), CKR_SLOT_ID_INVALID);
	session = open_session();
	assert_ckr(p11->C_GetSessionInfo(session, NULL), CKR_ARGUMENTS_BAD);
	assert_ok(p11->C_CloseSession(session));
	assert_ckr(p11->C_GetSessionInfo(session, &info), CKR_SESSION_HANDLE_INVALID);
}

static void login_is_shared_and_ends_with_the_last_session(void **state)
{
	CK_SESSION_INFO info;

	(void)state;
	CK_SESSION_HANDLE one = open_session(), other = open_session();
	assert_ok(login(one, CKU_USER, FAKE_PIN));
	assert_ckr(login(other, CKU_USER, FAKE_PIN), CKR_USER_ALREADY_LOGGED_IN);
	assert_ok(p11->C_CloseSession(one));
	assert_ok(p11->C_GetSessionInfo(other, &info));
	assert_int_equal(info.state, CKS_RW_USER_FUNCTIONS);
	assert_ok(p11->C_CloseSession(other));
	one = open_session();
	assert_ok(p11->C_GetSessionInfo(one, &info));
	assert_int_equal(info.state, CKS_RW_PUBLIC_SESSION);
	assert_ok(login(one, CKU_USER, FAKE_PIN)); /* the daemon was told */
}

static void logout_hides_private_keys(void **state)
{
	(void)state;
	CK_SESSION_HANDLE session = open_session();
	assert_ckr(p11->C_Logout(session), CKR_USER_NOT_LOGGED_IN);
	assert_int_equal(find_object(session, CKO_PRIVATE_KEY, 1), CK_INVALID_HANDLE);
	assert_ok(login(session, CKU_USER, FAKE_PIN));
	CK_OBJECT_HANDLE key = find_object(session, CKO_PRIVATE_KEY, 1);
	assert_true(key != CK_INVALID_HANDLE);
	assert_ok(p11->C_Logout(session));
	assert_int_equal(find_object(session, CKO_PRIVATE_KEY, 1), CK_INVALID_HANDLE);
	CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0};
	assert_ckr(p11->C_SignInit(session, &mechanism, key), CKR_KEY_HANDLE_INVALID);
	/* The handle stays invalid, whoever logs in. */
	assert_ok(login(session, CKU_USER, FAKE_PIN));
	assert_ckr(p11->C_SignInit(session, &mechanism, key), CKR_KEY_HANDLE_INVALID);
	assert_true(find_object(session, CKO_PRIVATE_KEY, 1) != CK_INVALID_HANDLE);
}

static void a_login_costs_one_round_trip(void **state)
{
	(void)state;
	CK_SESSION_HANDLE session = open_session();
	fake_command(fake, FAKE_COUNT);
	assert_ok(login(session, CKU_USER, FAKE_PIN));
	assert_int_equal(fake_command(fake, FAKE_COUNT), 1);
	find_object(session, CKO_PRIVATE_KEY, 3);
	fake_command(fake, FAKE_COUNT);
	assert_ok(sign_with(session, 3, 48));
	assert_int_equal(fake_command(fake, FAKE_COUNT), 1);
}

static void only_the_user_logs_in(void **state)
{
	(void)state;
	CK_SESSION_HANDLE session = open_session();
	assert_ckr(login(session, 99, FAKE_PIN), CKR_USER_TYPE_INVALID);
	assert_ckr(p11->C_Login(session, CKU_USER, NULL, 6), CKR_ARGUMENTS_BAD);
	assert_ckr(login(session, CKU_CONTEXT_SPECIFIC, FAKE_PIN), CKR_OPERATION_NOT_INITIALIZED);
}

static void wrong_pins_count_down_to_a_locked_token(void **state)
{
	(void)state;
	CK_SESSION_HANDLE session = open_session();
	assert_ckr(login(session, CKU_USER, "000000"), CKR_PIN_INCORRECT);
	assert_true(token_flags() & CKF_USER_PIN_COUNT_LOW);
	assert_false(token_flags() & CKF_USER_PIN_FINAL_TRY);
	assert_ckr(login(session, CKU_USER, "000000"), CKR_PIN_INCORRECT);
	assert_true(token_flags() & CKF_USER_PIN_FINAL_TRY);
	assert_ckr(login(session, CKU_USER, "000000"), CKR_PIN_LOCKED);
	assert_true(token_flags() & CKF_USER_PIN_LOCKED);
	assert_ckr(login(session, CKU_USER, FAKE_PIN), CKR_PIN_LOCKED);
}

static void set_pin_obeys_the_policy(void **state)
{
	CK_UTF8CHAR old[] = FAKE_PIN, fresh[] = "654321", simple[] = "111111", brief[] = "123";
	CK_SESSION_HANDLE read_only;

	(void)state;
	CK_SESSION_HANDLE session = open_session();
	assert_ok(p11->C_OpenSession(1, CKF_SERIAL_SESSION, NULL, NULL, &read_only));
	assert_ckr(p11->C_SetPIN(read_only, old, 6, fresh, 6), CKR_SESSION_READ_ONLY);
	assert_ckr(p11->C_SetPIN(session, NULL, 6, fresh, 6), CKR_ARGUMENTS_BAD);
	assert_ckr(p11->C_SetPIN(session, old, 6, brief, 3), CKR_PIN_LEN_RANGE);
	assert_ckr(p11->C_SetPIN(session, old, 6, simple, 6), CKR_PIN_INVALID);
	assert_ckr(p11->C_SetPIN(session, brief, 3, fresh, 6), CKR_PIN_INCORRECT);
	assert_ok(p11->C_SetPIN(session, old, 6, fresh, 6));
	assert_ok(login(session, CKU_USER, "654321"));
	assert_ok(p11->C_SetPIN(session, fresh, 6, old, 6));
}

static void a_suspended_card_refuses_its_keys(void **state)
{
	(void)state;
	CK_SESSION_HANDLE session = open_user_session();
	assert_ok(sign_with(session, 3, 48));
	fake_command(fake, FAKE_SUSPEND);
	assert_ckr(sign_with(session, 3, 48), CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_ok(p11->C_Logout(session));
	assert_ckr(login(session, CKU_USER, FAKE_PIN), CKR_FUNCTION_FAILED);
	fake_command(fake, FAKE_RESUME);
	assert_ok(login(session, CKU_USER, FAKE_PIN));
	assert_ok(sign_with(session, 3, 48));
}

static void a_login_that_the_card_forgot_can_be_repeated(void **state)
{
	(void)state;
	CK_SESSION_HANDLE session = open_user_session();
	fake_command(fake, FAKE_FORGET_LOGIN);
	assert_ckr(sign_with(session, 3, 48), CKR_USER_NOT_LOGGED_IN);
	assert_ok(login(session, CKU_USER, FAKE_PIN));
	assert_ok(sign_with(session, 3, 48));
}

/* A secret shared with the key's own public key. */
static CK_RV derive_with(CK_SESSION_HANDLE session, CK_BYTE id)
{
	CK_OBJECT_HANDLE key = find_object(session, CKO_PRIVATE_KEY, id), secret;
	CK_BYTE point[128];
	CK_ATTRIBUTE attribute = {CKA_EC_POINT, point, sizeof(point)};

	assert_ok(p11->C_GetAttributeValue(session, key, &attribute, 1));
	CK_ECDH1_DERIVE_PARAMS parameters = {
		.kdf = CKD_NULL, .pPublicData = point, .ulPublicDataLen = attribute.ulValueLen};
	CK_MECHANISM mechanism = {CKM_ECDH1_DERIVE, &parameters, sizeof(parameters)};
	return p11->C_DeriveKey(session, &mechanism, key, NULL, 0, &secret);
}

static void a_derivation_notes_a_forgotten_login_too(void **state)
{
	(void)state;
	CK_SESSION_HANDLE session = open_user_session();
	assert_ok(derive_with(session, 3));
	fake_command(fake, FAKE_FORGET_LOGIN);
	assert_ckr(derive_with(session, 3), CKR_USER_NOT_LOGGED_IN);
	assert_ok(login(session, CKU_USER, FAKE_PIN));
	assert_ok(derive_with(session, 3));
}

static CK_RV sign_always(CK_SESSION_HANDLE session, const char *pin)
{
	CK_MECHANISM mechanism = {CKM_ECDSA_SHA256, NULL, 0};
	CK_BYTE data[] = "text", signature[64];
	CK_ULONG length = sizeof(signature);

	assert_ok(p11->C_SignInit(session, &mechanism, find_object(session, CKO_PRIVATE_KEY, 2)));
	if (pin)
		assert_ok(login(session, CKU_CONTEXT_SPECIFIC, pin));
	return p11->C_Sign(session, data, sizeof(data), signature, &length);
}

static void a_signature_key_wants_the_pin_each_time(void **state)
{
	(void)state;
	CK_SESSION_HANDLE session = open_user_session();
	find_object(session, CKO_PRIVATE_KEY, 2);
	assert_ckr(sign_always(session, NULL), CKR_USER_NOT_LOGGED_IN);
	fake_command(fake, FAKE_COUNT);
	assert_ok(sign_always(session, FAKE_PIN));
	assert_int_equal(fake_command(fake, FAKE_COUNT), 1);
	assert_ckr(sign_always(session, NULL), CKR_USER_NOT_LOGGED_IN);
	assert_ckr(sign_always(session, "000000"), CKR_PIN_INCORRECT);
	assert_ok(sign_always(session, FAKE_PIN));
}

static void a_card_authentication_key_wants_no_pin(void **state)
{
	(void)state;
	CK_SESSION_HANDLE session = open_session();
	assert_ok(sign_with(session, 4, 32));
}

#define STARTED(test)	   cmocka_unit_test_setup_teardown(test, start_module, stop_module)
#define WITH(test, finish) cmocka_unit_test_setup_teardown(test, start_module, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STARTED(session_arguments_are_checked),
		STARTED(login_is_shared_and_ends_with_the_last_session),
		STARTED(logout_hides_private_keys),
		STARTED(a_login_costs_one_round_trip),
		STARTED(only_the_user_logs_in),
		WITH(wrong_pins_count_down_to_a_locked_token, reset_tries),
		WITH(set_pin_obeys_the_policy, reset_tries),
		WITH(a_suspended_card_refuses_its_keys, resume),
		STARTED(a_login_that_the_card_forgot_can_be_repeated),
		STARTED(a_derivation_notes_a_forgotten_login_too),
		WITH(a_signature_key_wants_the_pin_each_time, reset_tries),
		STARTED(a_card_authentication_key_wants_no_pin),
	};

	return cmocka_run_group_tests(tests, load_module, unload_module);
}
