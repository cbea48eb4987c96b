/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/pkcs11/fixture.h"

/* C_Initialize, C_Finalize, forks and threads: pkcs11/general.c, pkcs11/module.c. */

static CK_RV pretend_mutex(void *mutex)
{
	(void)mutex;
	return CKR_OK;
}

static CK_RV pretend_create(void **mutex)
{
	*mutex = NULL;
	return CKR_OK;
}

static void bad_arguments_are_refused(void **state)
{
	int something;
	CK_C_INITIALIZE_ARGS reserved = {.pReserved = &something};
	CK_C_INITIALIZE_ARGS half = {.CreateMutex = pretend_create};
	CK_C_INITIALIZE_ARGS own_locks = {.CreateMutex = pretend_create,
		.DestroyMutex = pretend_mutex,
		.LockMutex = pretend_mutex,
		.UnlockMutex = pretend_mutex};

	(void)state;
	assert_ckr(p11->C_Initialize(&reserved), CKR_ARGUMENTS_BAD);
	assert_ckr(p11->C_Initialize(&half), CKR_ARGUMENTS_BAD);
	assert_ckr(p11->C_Initialize(&own_locks), CKR_CANT_LOCK);
	own_locks.flags = CKF_OS_LOCKING_OK;
	assert_ok(p11->C_Initialize(&own_locks));
	assert_ckr(p11->C_Finalize(&something), CKR_ARGUMENTS_BAD);
	assert_ok(p11->C_Finalize(NULL));
}

static void everything_wants_c_initialize_first(void **state)
{
	CK_INFO info;
	CK_ULONG count;
	CK_SLOT_ID slot;
	CK_SESSION_HANDLE session;

	(void)state;
	assert_ckr(p11->C_GetInfo(&info), CKR_CRYPTOKI_NOT_INITIALIZED);
	assert_ckr(p11->C_GetSlotList(CK_FALSE, NULL, &count), CKR_CRYPTOKI_NOT_INITIALIZED);
	assert_ckr(p11->C_OpenSession(1, CKF_SERIAL_SESSION, NULL, NULL, &session),
		CKR_CRYPTOKI_NOT_INITIALIZED);
	assert_ckr(
		p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
	assert_ckr(p11->C_InitToken(1, NULL, 0, NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
	assert_ckr(p11->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
}

static void a_second_c_initialize_is_told_so_and_harms_nothing(void **state)
{
	(void)state;
	CK_SESSION_HANDLE session = open_user_session();

	assert_ckr(p11->C_Initialize(NULL), CKR_CRYPTOKI_ALREADY_INITIALIZED);
	assert_true(find_object(session, CKO_PRIVATE_KEY, 1) != CK_INVALID_HANDLE);
}

static void the_module_says_who_it_is(void **state)
{
	CK_INFO info;

	(void)state;
	assert_ok(p11->C_GetInfo(&info));
	assert_int_equal(info.cryptokiVersion.major, 2);
	assert_int_equal(info.cryptokiVersion.minor, 40);
	assert_memory_equal(info.manufacturerID, "Tessera                         ", 32);
	assert_ckr(p11->C_GetInfo(NULL), CKR_ARGUMENTS_BAD);
}

static void unsupported_functions_say_so(void **state)
{
	CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_OBJECT_HANDLE key;
	CK_ULONG length = 0;

	(void)state;
	CK_SESSION_HANDLE session = open_session();
	/* A card gets its keys by being issued: it has no such mechanism. */
	assert_ckr(p11->C_GenerateKeyPair(session, &mechanism, NULL, 0, NULL, 0, &key, &key),
		CKR_MECHANISM_INVALID);
	assert_ckr(p11->C_DigestEncryptUpdate(session, NULL, 0, NULL, &length),
		CKR_FUNCTION_NOT_SUPPORTED);
	assert_ckr(p11->C_GetOperationState(session, NULL, &length), CKR_OPERATION_NOT_INITIALIZED);
	assert_ckr(p11->C_CancelFunction(session), CKR_FUNCTION_NOT_PARALLEL);
}

static void objects_are_listed_in_two_round_trips(void **state)
{
	(void)state;
	CK_SESSION_HANDLE session = open_session();
	assert_true(count_objects(session) > 0);
	assert_int_equal(fake_command(fake, FAKE_COUNT), 2);
	assert_true(find_object(session, CKO_CERTIFICATE, 1) != CK_INVALID_HANDLE);
	assert_int_equal(fake_command(fake, FAKE_COUNT), 0);
}

/* 0 when the child found what it should. */
static int child_works(CK_SESSION_HANDLE session)
{
	CK_SESSION_INFO info;
	CK_SESSION_HANDLE own;

	if (p11->C_GetSessionInfo(session, &info) != CKR_CRYPTOKI_NOT_INITIALIZED)
		return 1;
	if (p11->C_Finalize(NULL) != CKR_CRYPTOKI_NOT_INITIALIZED)
		return 2;
	if (p11->C_Initialize(NULL) != CKR_OK)
		return 3;
	if (p11->C_OpenSession(1, CKF_SERIAL_SESSION, NULL, NULL, &own) != CKR_OK)
		return 4;
	if (p11->C_GetSessionInfo(own, &info) != CKR_OK || info.state != CKS_RO_PUBLIC_SESSION)
		return 5; /* the parent's login is not the child's */
	if (login(own, CKU_USER, FAKE_PIN) != CKR_OK)
		return 6;
	return p11->C_Finalize(NULL) == CKR_OK ? 0 : 7;
}

static void fork_and_check(CK_SESSION_HANDLE session)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		alarm(20);
		_exit(child_works(session));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void a_child_starts_anew_and_leaves_the_parent_alone(void **state)
{
	CK_SESSION_INFO info;

	(void)state;
	CK_SESSION_HANDLE session = open_user_session();
	fork_and_check(session);
	assert_ok(p11->C_GetSessionInfo(session, &info));
	assert_int_equal(info.state, CKS_RW_USER_FUNCTIONS);
	CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
	CK_BYTE digest[48] = {1}, signature[96];
	CK_ULONG length = sizeof(signature);
	assert_ok(p11->C_SignInit(session, &mechanism, find_object(session, CKO_PRIVATE_KEY, 3)));
	assert_ok(p11->C_Sign(session, digest, sizeof(digest), signature, &length));
}

static void *sign_slowly(void *argument)
{
	CK_SESSION_HANDLE session = *(CK_SESSION_HANDLE *)argument;
	CK_MECHANISM mechanism = {CKM_ECDSA_SHA384, NULL, 0};
	CK_BYTE data[10] = {1}, signature[96];
	CK_ULONG length = sizeof(signature);

	CK_RV rv = p11->C_SignInit(session, &mechanism, find_object(session, CKO_PRIVATE_KEY, 3));
	if (rv == CKR_OK)
		rv = p11->C_Sign(session, data, sizeof(data), signature, &length);
	return (void *)(uintptr_t)rv;
}

static void a_child_made_during_another_threads_call_works(void **state)
{
	pthread_t thread;
	void *result;

	(void)state;
	CK_SESSION_HANDLE session = open_user_session();
	count_objects(session);
	fake_command(fake, FAKE_SLOW);
	pthread_create(&thread, NULL, sign_slowly, &session);
	usleep(100000);
	for (int i = 0; i < 3; i++)
		fork_and_check(session);
	pthread_join(thread, &result);
	fake_command(fake, FAKE_FAST);
	assert_int_equal((uintptr_t)result, CKR_OK);
}

static void *sign_often(void *argument)
{
	CK_SESSION_HANDLE session;
	CK_RV rv = p11->C_OpenSession(1, CKF_SERIAL_SESSION, NULL, NULL, &session);

	(void)argument;
	for (int i = 0; i < 50 && rv == CKR_OK; i++)
		rv = (CK_RV)(uintptr_t)sign_slowly(&session);
	if (rv == CKR_OK)
		rv = p11->C_CloseSession(session);
	return (void *)(uintptr_t)rv;
}

static void threads_sign_side_by_side(void **state)
{
	pthread_t threads[8];
	void *result;

	(void)state;
	open_user_session();
	for (size_t i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, sign_often, NULL);
	for (size_t i = 0; i < 8; i++) {
		pthread_join(threads[i], &result);
		assert_int_equal((uintptr_t)result, CKR_OK);
	}
}

static void a_slow_card_does_not_stop_other_threads(void **state)
{
	pthread_t thread;
	void *result;
	struct timespec start, end;
	CK_SESSION_INFO info;

	(void)state;
	CK_SESSION_HANDLE session = open_user_session();
	CK_SESSION_HANDLE other = open_session();
	count_objects(session);
	fake_command(fake, FAKE_SLOW);
	pthread_create(&thread, NULL, sign_slowly, &session);
	usleep(100000);
	clock_gettime(CLOCK_MONOTONIC, &start);
	assert_ok(p11->C_GetSessionInfo(other, &info));
	assert_true(count_objects(other) > 0);
	clock_gettime(CLOCK_MONOTONIC, &end);
	pthread_join(thread, &result);
	fake_command(fake, FAKE_FAST);
	assert_int_equal((uintptr_t)result, CKR_OK);
	assert_true(
		(end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000 < 150);
}

static void c_finalize_ends_another_threads_call(void **state)
{
	pthread_t thread;
	void *result;

	(void)state;
	assert_ok(p11->C_Initialize(NULL));
	CK_SESSION_HANDLE session = open_user_session();
	count_objects(session);
	fake_command(fake, FAKE_SLOW);
	pthread_create(&thread, NULL, sign_slowly, &session);
	usleep(100000);
	assert_ok(p11->C_Finalize(NULL));
	pthread_join(thread, &result);
	fake_command(fake, FAKE_FAST);
	assert_int_equal((uintptr_t)result, CKR_CRYPTOKI_NOT_INITIALIZED);
}

#define STARTED(test) cmocka_unit_test_setup_teardown(test, start_module, stop_module)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_arguments_are_refused),
		cmocka_unit_test(everything_wants_c_initialize_first),
		STARTED(a_second_c_initialize_is_told_so_and_harms_nothing),
		STARTED(the_module_says_who_it_is),
		STARTED(unsupported_functions_say_so),
		STARTED(objects_are_listed_in_two_round_trips),
		STARTED(a_child_starts_anew_and_leaves_the_parent_alone),
		STARTED(a_child_made_during_another_threads_call_works),
		STARTED(threads_sign_side_by_side),
		STARTED(a_slow_card_does_not_stop_other_threads),
		cmocka_unit_test(c_finalize_ends_another_threads_call),
	};

	return cmocka_run_group_tests(tests, load_module, unload_module);
}
