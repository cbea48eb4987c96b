/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A PKCS#11 module as bad as vendors' may be: SoftHSM2, that does as the file VENDOR_KNOB says. The
 * file has a word, and is removed when that is done, so that it is done once:
 *
 *    crash, hang, exit, fork, close, garbage, lengths      at the next C_Sign()
 *    crash-login, hang-login                               at the next C_Login()
 *    crash-start, hang-start                               at the next C_Initialize()
 *    crash-before-init, crash-after-init                   at the next C_InitToken()
 *    leak                                                  at the next C_Sign(): 64 MiB
 *    crash-part, one-piece                                 at the next part of an input:
 *                                                          one-piece refuses to take it so
 *
 * VENDOR_SLOW: milliseconds that each C_Sign() takes longer.
 * VENDOR_SESSIONS: a file that says how many sessions are open.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <p11-kit/pkcs11.h>

#define UNDERNEATH	"/usr/lib/softhsm/libsofthsm2.so"
#define DESCRIPTORS_MAX 256
#define LEAK_BYTES	(64 * 1024 * 1024)
#define EXIT_OF_VENDOR	3

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list);

static CK_FUNCTION_LIST *real;
static CK_FUNCTION_LIST mine;

/* Whether the knob says so; it is removed then. */
static bool is_asked_for(const char *word)
{
	const char *path = getenv("VENDOR_KNOB");
	char text[32] = "";
	FILE *file = path ? fopen(path, "r") : NULL;

	if (!file)
		return false;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	text[strcspn(text, "\n")] = '\0';
	return strcmp(text, word) == 0 && unlink(path) == 0;
}

/* Not through a handler that a sanitizer may have. */
static void crash(void)
{
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
}

static void hang(void)
{
	for (;;)
		pause();
}

static void for_each_descriptor(void (*act)(int fd))
{
	for (int fd = STDERR_FILENO + 1; fd < DESCRIPTORS_MAX; fd++)
		act(fd);
}

static void write_garbage(int fd)
{
	char bytes[777];

	memset(bytes, 0xFF, sizeof(bytes));
	bytes[0] = 0;
	send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void close_it(int fd)
{
	close(fd);
}

static void leak(void)
{
	char *memory = malloc(LEAK_BYTES);

	if (memory)
		memset(memory, 1, LEAK_BYTES);
}

static void misbehave(void)
{
	if (is_asked_for("crash"))
		crash();
	if (is_asked_for("hang"))
		hang();
	if (is_asked_for("exit"))
		exit(EXIT_OF_VENDOR);
	if (is_asked_for("fork") && fork() == 0)
		hang();
	if (is_asked_for("close"))
		for_each_descriptor(close_it);
	if (is_asked_for("garbage"))
		for_each_descriptor(write_garbage);
	if (is_asked_for("leak"))
		leak();
}

static CK_RV vendor_initialize(void *arguments)
{
	if (is_asked_for("crash-start"))
		crash();
	if (is_asked_for("hang-start"))
		hang();
	return real->C_Initialize(arguments);
}

static CK_RV vendor_init_token(
	CK_SLOT_ID slot, CK_UTF8CHAR *pin, CK_ULONG length, CK_UTF8CHAR *label)
{
	if (is_asked_for("crash-before-init"))
		crash();
	CK_RV rv = real->C_InitToken(slot, pin, length, label);
	if (is_asked_for("crash-after-init"))
		crash();
	return rv;
}

static CK_RV vendor_login(
	CK_SESSION_HANDLE session, CK_USER_TYPE type, CK_UTF8CHAR *pin, CK_ULONG length)
{
	if (is_asked_for("crash-login"))
		crash();
	if (is_asked_for("hang-login"))
		hang();
	return real->C_Login(session, type, pin, length);
}

static CK_RV vendor_sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG length,
	CK_BYTE *signature, CK_ULONG *signature_length)
{
	const char *slow = getenv("VENDOR_SLOW");

	misbehave();
	if (slow)
		usleep((useconds_t)atoi(slow) * 1000);
	CK_RV rv = real->C_Sign(session, data, length, signature, signature_length);
	if (is_asked_for("lengths"))
		*signature_length = (CK_ULONG)-1 / 2;
	return rv;
}

static CK_RV begin_part(void)
{
	if (is_asked_for("crash-part"))
		crash();
	return is_asked_for("one-piece") ? CKR_FUNCTION_NOT_SUPPORTED : CKR_OK;
}

static CK_RV vendor_sign_update(CK_SESSION_HANDLE session, CK_BYTE *part, CK_ULONG length)
{
	CK_RV rv = begin_part();

	return rv == CKR_OK ? real->C_SignUpdate(session, part, length) : rv;
}

static CK_RV vendor_encrypt_update(CK_SESSION_HANDLE session, CK_BYTE *part, CK_ULONG length,
	CK_BYTE *encrypted, CK_ULONG *encrypted_length)
{
	CK_RV rv = begin_part();

	return rv == CKR_OK
		       ? real->C_EncryptUpdate(session, part, length, encrypted, encrypted_length)
		       : rv;
}

/* --- sessions --- */

static void count_session(int change)
{
	static atomic_int sessions;
	const char *path = getenv("VENDOR_SESSIONS");
	int now = atomic_fetch_add(&sessions, change) + change;
	FILE *file = path ? fopen(path, "w") : NULL;

	if (file) {
		fprintf(file, "%d\n", now);
		fclose(file);
	}
}

static CK_RV vendor_open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *application,
	CK_NOTIFY notify, CK_SESSION_HANDLE *session)
{
	CK_RV rv = real->C_OpenSession(slot, flags, application, notify, session);

	if (rv == CKR_OK)
		count_session(1);
	return rv;
}

static CK_RV vendor_close_session(CK_SESSION_HANDLE session)
{
	CK_RV rv = real->C_CloseSession(session);

	if (rv == CKR_OK)
		count_session(-1);
	return rv;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
	void *library = dlopen(UNDERNEATH, RTLD_NOW | RTLD_LOCAL);
	CK_C_GetFunctionList get;

	if (!library)
		return CKR_GENERAL_ERROR;
	*(void **)&get = dlsym(library, "C_GetFunctionList");
	CK_RV rv = get ? get(&real) : CKR_GENERAL_ERROR;
	if (rv != CKR_OK)
		return rv;
	mine = *real;
	mine.C_GetFunctionList = C_GetFunctionList;
	mine.C_Initialize = vendor_initialize;
	mine.C_Login = vendor_login;
	mine.C_InitToken = vendor_init_token;
	mine.C_Sign = vendor_sign;
	mine.C_SignUpdate = vendor_sign_update;
	mine.C_EncryptUpdate = vendor_encrypt_update;
	mine.C_OpenSession = vendor_open_session;
	mine.C_CloseSession = vendor_close_session;
	*list = &mine;
	return CKR_OK;
}
