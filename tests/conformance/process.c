/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads and processes: usage guide 2.5. */
#include "conformance/operation.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance/reference.h"

#define THREADS 6
#define ROUNDS	8

static CK_MECHANISM mechanism;
static struct pair pair;

/* --- threads --- */

/* Each with a session of its own, in the one login. */
static void *sign_in_thread(void *data)
{
	CK_BYTE text[32], signature[1024];
	bool *done = data;

	for (int i = 0; i < ROUNDS; i++) {
		CK_SESSION_HANDLE session = session_open(i % 2 ? CKF_RW_SESSION : 0);
		CK_ULONG length = sizeof(signature);
		memset(text, i, sizeof(text));
		if (P11->C_SignInit(session, &mechanism, pair.private) != CKR_OK ||
			P11->C_Sign(session, text, sizeof(text), signature, &length) != CKR_OK ||
			P11->C_VerifyInit(session, &mechanism, pair.public) != CKR_OK ||
			P11->C_Verify(session, text, sizeof(text), signature, length) != CKR_OK ||
			P11->C_CloseSession(session) != CKR_OK)
			return NULL;
	}
	*done = true;
	return NULL;
}

static void *digest_in_thread(void *data)
{
	CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};
	CK_SESSION_HANDLE session = session_open(0);
	CK_BYTE text[100], made[32], expected[32];
	size_t expected_length;
	bool *done = data;

	for (int i = 0; i < 20 * ROUNDS; i++) {
		CK_ULONG length = sizeof(made);
		memset(text, i, sizeof(text));
		reference_digest("SHA256", text, sizeof(text), expected, &expected_length);
		if (P11->C_DigestInit(session, &sha256) != CKR_OK ||
			P11->C_Digest(session, text, sizeof(text), made, &length) != CKR_OK ||
			memcmp(made, expected, sizeof(made)))
			return NULL;
	}
	*done = P11->C_CloseSession(session) == CKR_OK;
	return NULL;
}

static void *find_in_thread(void *data)
{
	CK_SESSION_HANDLE session = session_open(0);
	CK_ULONG count = find(session, NULL, NULL, 0);
	bool *done = data;

	for (int i = 0; i < 2 * ROUNDS; i++) {
		if (find(session, NULL, NULL, 0) != count)
			return NULL;
	}
	*done = P11->C_CloseSession(session) == CKR_OK;
	return NULL;
}

static bool in_threads(void *(*run)(void *))
{
	pthread_t threads[THREADS];
	bool done[THREADS] = {false}, all = true;

	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, run, &done[i]);
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		all = all && done[i];
	}
	return all;
}

void process_threads(void)
{
	section("UG 2.5");
	if (!pair_that_signs("threads.sign", &pair, &mechanism))
		return;
	EXPECT_THAT("threads.sign", in_threads(sign_in_thread));
	EXPECT_THAT("threads.digest", in_threads(digest_in_thread));
	EXPECT_THAT("threads.find", in_threads(find_in_thread));
}

/* --- fork --- */

/* In the child; exits with the number of the step that failed, or 0. */
static void use_in_child(void)
{
	CK_SESSION_INFO info;
	CK_SESSION_HANDLE old = suite.session;

	alarm(60);
	/* It is another application: neither sessions nor the login are its. */
	if (initialize() != CKR_OK)
		_exit(1);
	if (P11->C_GetSessionInfo(old, &info) != CKR_SESSION_HANDLE_INVALID)
		_exit(2);
	suite.session = session_open(CKF_RW_SESSION);
	if (P11->C_GetSessionInfo(suite.session, &info) != CKR_OK ||
		info.state != CKS_RW_PUBLIC_SESSION)
		_exit(3);
	if (login() != CKR_OK)
		_exit(4);
	if (P11->C_Finalize(NULL) != CKR_OK)
		_exit(5);
	_exit(0);
}

static int child_status(void)
{
	int status = -1;
	pid_t child = fork();

	if (!child)
		use_in_child();
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void process_fork(void)
{
	CK_BYTE data[32] = {1}, signature[1024];
	CK_ULONG length = sizeof(signature);

	section("UG 2.5");
	if (!pair_that_signs("fork.child", &pair, &mechanism))
		return;
	int status = child_status();
	EXPECT_THAT("fork.child_initializes", status != 1);
	if (status == 1)
		return;
	EXPECT_THAT("fork.child_has_no_session", status != 2);
	EXPECT_THAT("fork.child_is_not_logged_in", status != 3);
	EXPECT_THAT("fork.child_works", status == 0);
	EXPECT("fork.parent_goes_on",
		run_one(&family_sign, &mechanism, pair.private, data, 32, signature, &length),
		CKR_OK);
}
