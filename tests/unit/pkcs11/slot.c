/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/pkcs11/fixture.h"

/* Slots, tokens, hot plug, and a daemon that comes and goes: pkcs11/slot.c, remote.c, event.c. */

#define RECONNECT_US 600000 /* the module tries at most every half second */

static CK_ULONG count_slots(CK_BBOOL with_token)
{
	CK_ULONG count = 0;

	assert_ok(p11->C_GetSlotList(with_token, NULL, &count));
	return count;
}

static int insert_card(void **state)
{
	fake_command(fake, FAKE_INSERT);
	return stop_module(state);
}

static void slot_info_comes_before_any_slot_list(void **state)
{
	CK_SLOT_INFO info;

	(void)state;
	assert_ok(p11->C_GetSlotInfo(1, &info));
	assert_true(info.flags & CKF_TOKEN_PRESENT);
	assert_memory_equal(info.slotDescription, "Virtual reader 00 00 ", 21);
	assert_ckr(p11->C_GetSlotInfo(99, &info), CKR_SLOT_ID_INVALID);
	assert_ckr(p11->C_GetSlotInfo(1, NULL), CKR_ARGUMENTS_BAD);
}

static void the_token_is_described(void **state)
{
	CK_TOKEN_INFO info;

	(void)state;
	assert_ok(p11->C_GetTokenInfo(1, &info));
	assert_memory_equal(info.label, "Ada Lovelace                    ", 32);
	assert_memory_equal(info.serialNumber, "12345678        ", 16);
	assert_int_equal(info.ulMinPinLen, 6);
	assert_int_equal(info.ulMaxPinLen, 8);
	assert_int_equal(info.flags, CKF_RNG | CKF_WRITE_PROTECTED | CKF_LOGIN_REQUIRED |
					     CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED);
}

/* PKCS#11 2.40, 3.2: CKF_LOGIN_REQUIRED is for tokens with something that wants a login. */
static void a_token_without_need_of_a_pin_requires_no_login(void **state)
{
	CK_TOKEN_INFO info;

	(void)state;
	fake_command(fake, FAKE_PIN_NEED);
	assert_ok(p11->C_GetTokenInfo(1, &info));
	assert_false(info.flags & CKF_LOGIN_REQUIRED);
	assert_true(info.flags & CKF_USER_PIN_INITIALIZED);
	fake_command(fake, FAKE_PIN_NEED);
	assert_ok(p11->C_GetTokenInfo(1, &info));
	assert_true(info.flags & CKF_LOGIN_REQUIRED);
}

static void mechanisms_are_listed(void **state)
{
	CK_MECHANISM_TYPE types[64];
	CK_ULONG count = 1;
	CK_MECHANISM_INFO info;

	(void)state;
	assert_ckr(p11->C_GetMechanismList(1, types, &count), CKR_BUFFER_TOO_SMALL);
	assert_true(count > 20 && count <= 64);
	assert_ok(p11->C_GetMechanismList(1, types, &count));
	assert_ok(p11->C_GetMechanismInfo(1, CKM_RSA_PKCS_PSS, &info));
	assert_true(info.flags & CKF_SIGN);
	assert_ckr(p11->C_GetMechanismInfo(1, CKM_MD5, &info), CKR_MECHANISM_INVALID);
	assert_ckr(p11->C_GetMechanismList(7, NULL, &count), CKR_SLOT_ID_INVALID);
}

static void a_removed_card_takes_its_sessions_along(void **state)
{
	CK_SESSION_INFO info;
	CK_SESSION_HANDLE other;
	CK_TOKEN_INFO token;

	(void)state;
	CK_SESSION_HANDLE session = open_user_session();
	fake_command(fake, FAKE_REMOVE);
	assert_ckr(p11->C_GetSessionInfo(session, &info), CKR_SESSION_HANDLE_INVALID);
	assert_int_equal(count_slots(CK_TRUE), 0);
	assert_int_equal(count_slots(CK_FALSE), 1);
	assert_ckr(p11->C_GetTokenInfo(1, &token), CKR_TOKEN_NOT_PRESENT);
	assert_ckr(p11->C_OpenSession(1, CKF_SERIAL_SESSION, NULL, NULL, &other),
		CKR_TOKEN_NOT_PRESENT);
	fake_command(fake, FAKE_INSERT);
	session = open_session();
	assert_ok(p11->C_GetSessionInfo(session, &info));
	assert_int_equal(info.state, CKS_RW_PUBLIC_SESSION);
	assert_ok(login(session, CKU_USER, FAKE_PIN));
}

static void another_card_in_the_same_reader_is_another_token(void **state)
{
	CK_SESSION_INFO info;
	CK_TOKEN_INFO token;

	(void)state;
	CK_SESSION_HANDLE session = open_session();
	fake_command(fake, FAKE_OTHER_CARD);
	assert_ckr(p11->C_GetSessionInfo(session, &info), CKR_SESSION_HANDLE_INVALID);
	assert_ok(p11->C_GetTokenInfo(1, &token));
	assert_memory_equal(token.serialNumber, "87654321", 8);
}

static void the_slot_list_grows_and_never_shrinks(void **state)
{
	CK_SLOT_ID ids[4];
	CK_ULONG count = 1;

	(void)state;
	assert_int_equal(count_slots(CK_FALSE), 1);
	fake_command(fake, FAKE_NEW_READER);
	assert_ok(p11->C_GetSlotList(CK_FALSE, ids, &count)); /* as the length said */
	assert_int_equal(count, 1);
	assert_int_equal(count_slots(CK_FALSE), 2);
	fake_command(fake, FAKE_DROP_READER);
	assert_int_equal(count_slots(CK_FALSE), 2);
	count = 1;
	assert_ckr(p11->C_GetSlotList(CK_FALSE, ids, &count), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(count, 2);
	assert_ok(p11->C_GetSlotList(CK_FALSE, ids, &count));
	assert_int_equal(ids[0], 1);
	assert_int_equal(ids[1], 2);
}

static void events_are_told_once_without_waiting(void **state)
{
	CK_SLOT_ID slot = 77;

	(void)state;
	assert_ckr(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL), CKR_NO_EVENT);
	fake_command(fake, FAKE_REMOVE);
	assert_ok(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL));
	assert_int_equal(slot, 1);
	assert_ckr(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL), CKR_NO_EVENT);
	assert_ckr(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, NULL, NULL), CKR_ARGUMENTS_BAD);
}

static void *wait_for_event(void *argument)
{
	CK_SLOT_ID slot = 77;
	CK_RV rv = p11->C_WaitForSlotEvent(0, &slot, NULL);

	*(CK_SLOT_ID *)argument = slot;
	return (void *)(uintptr_t)rv;
}

static void a_waiting_thread_is_woken_by_a_card(void **state)
{
	pthread_t thread;
	CK_SLOT_ID slot;
	void *result;

	(void)state;
	count_slots(CK_TRUE);
	pthread_create(&thread, NULL, wait_for_event, &slot);
	usleep(100000);
	CK_SESSION_HANDLE session = open_user_session(); /* others work meanwhile */
	assert_true(count_objects(session) > 0);
	fake_command(fake, FAKE_REMOVE);
	pthread_join(thread, &result);
	assert_int_equal((uintptr_t)result, CKR_OK);
	assert_int_equal(slot, 1);
}

static void waiting_costs_no_calls(void **state)
{
	pthread_t thread;
	CK_SLOT_ID slot;

	(void)state;
	count_slots(CK_TRUE);
	pthread_create(&thread, NULL, wait_for_event, &slot);
	usleep(300000);
	fake_command(fake, FAKE_COUNT);
	usleep(500000);
	assert_int_equal(fake_command(fake, FAKE_COUNT), 0);
	fake_command(fake, FAKE_REMOVE);
	pthread_join(thread, NULL);
}

static void c_finalize_wakes_a_waiting_thread(void **state)
{
	pthread_t thread;
	CK_SLOT_ID slot;
	void *result;

	(void)state;
	assert_ok(p11->C_Initialize(NULL));
	pthread_create(&thread, NULL, wait_for_event, &slot);
	usleep(100000);
	assert_ok(p11->C_Finalize(NULL));
	pthread_join(thread, &result);
	assert_int_equal((uintptr_t)result, CKR_CRYPTOKI_NOT_INITIALIZED);
}

static void without_a_daemon_there_are_no_slots_until_it_comes(void **state)
{
	(void)state;
	fake_kill(fake);
	assert_ok(p11->C_Initialize(NULL));
	assert_int_equal(count_slots(CK_FALSE), 0);
	fake_restart(fake);
	usleep(RECONNECT_US);
	assert_int_equal(count_slots(CK_TRUE), 1);
	assert_ok(p11->C_Finalize(NULL));
}

static void a_restarted_daemon_is_found_again(void **state)
{
	CK_SESSION_INFO info;

	(void)state;
	CK_SESSION_HANDLE session = open_user_session();
	usleep(RECONNECT_US);
	fake_kill(fake);
	assert_ckr(p11->C_GetSessionInfo(session, &info), CKR_SESSION_HANDLE_INVALID);
	assert_int_equal(count_slots(CK_TRUE), 0);
	assert_int_equal(count_slots(CK_FALSE), 1);
	fake_restart(fake);
	usleep(RECONNECT_US);
	assert_int_equal(count_slots(CK_TRUE), 1);
	session = open_user_session();
	assert_true(find_object(session, CKO_PRIVATE_KEY, 1) != CK_INVALID_HANDLE);
}

static void *kill_daemon(void *argument)
{
	usleep(150000);
	fake_kill(fake);
	return argument;
}

static void a_daemon_that_dies_during_a_call_gives_an_error(void **state)
{
	CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
	CK_BYTE digest[48] = {1}, signature[96];
	CK_ULONG length = sizeof(signature);
	pthread_t thread;

	(void)state;
	CK_SESSION_HANDLE session = open_user_session();
	fake_command(fake, FAKE_SLOW);
	assert_ok(p11->C_SignInit(session, &mechanism, find_object(session, CKO_PRIVATE_KEY, 3)));
	pthread_create(&thread, NULL, kill_daemon, NULL);
	assert_ckr(
		p11->C_Sign(session, digest, sizeof(digest), signature, &length), CKR_DEVICE_ERROR);
	pthread_join(thread, NULL);
	fake_restart(fake);
	usleep(RECONNECT_US);
	assert_int_equal(count_slots(CK_TRUE), 1);
}

#define STARTED(test)  cmocka_unit_test_setup_teardown(test, start_module, stop_module)
#define REMOVING(test) cmocka_unit_test_setup_teardown(test, start_module, insert_card)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STARTED(slot_info_comes_before_any_slot_list),
		STARTED(the_token_is_described),
		STARTED(a_token_without_need_of_a_pin_requires_no_login),
		STARTED(mechanisms_are_listed),
		STARTED(a_removed_card_takes_its_sessions_along),
		STARTED(the_slot_list_grows_and_never_shrinks),
		REMOVING(events_are_told_once_without_waiting),
		REMOVING(a_waiting_thread_is_woken_by_a_card),
		REMOVING(waiting_costs_no_calls),
		cmocka_unit_test(c_finalize_wakes_a_waiting_thread),
		cmocka_unit_test(without_a_daemon_there_are_no_slots_until_it_comes),
		STARTED(a_restarted_daemon_is_found_again),
		STARTED(a_daemon_that_dies_during_a_call_gives_an_error),
		STARTED(another_card_in_the_same_reader_is_another_token),
	};

	return cmocka_run_group_tests(tests, load_module, unload_module);
}
