/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program that uses a token through a PKCS#11 module in the ways that break modules:
 *
 *    survivor MODULE SLOT PIN fork        forks in every state, and both go on
 *    survivor MODULE SLOT PIN threads N   N threads, each with a session, sign 10 times
 *    survivor MODULE SLOT PIN programs N  N processes log in and sign 3 times
 *    survivor MODULE SLOT PIN forever WHAT   signs, logs in or generates until it is killed
 *
 * It ends with status 0, or says what failed.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <p11-kit/pkcs11.h>

#define THREADS_MAX 256
#define ROUNDS	    10

static CK_FUNCTION_LIST *p11;
static CK_SLOT_ID slot;
static CK_UTF8CHAR *pin;
static const char *state = "start";

static void must_be(CK_RV rv, CK_RV wanted, const char *what)
{
	if (rv == wanted)
		return;
	fprintf(stderr, "survivor: %s: %s answers 0x%lx instead of 0x%lx\n", state, what, rv,
		wanted);
	_exit(EXIT_FAILURE);
}

#define MUST(call)	      must_be(p11->call, CKR_OK, #call)
#define MUST_BE(wanted, call) must_be(p11->call, wanted, #call)

static void load(const char *path)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	CK_C_GetFunctionList get = NULL;

	if (library)
		*(void **)&get = dlsym(library, "C_GetFunctionList");
	if (!get || get(&p11) != CKR_OK) {
		fprintf(stderr, "survivor: %s is no PKCS#11 module\n", path);
		exit(EXIT_FAILURE);
	}
}

static void initialize(void)
{
	CK_C_INITIALIZE_ARGS arguments = {.flags = CKF_OS_LOCKING_OK};

	MUST(C_Initialize(&arguments));
}

static CK_SESSION_HANDLE open_session(void)
{
	CK_SESSION_HANDLE session;

	MUST(C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session));
	return session;
}

static void log_in(CK_SESSION_HANDLE session)
{
	CK_RV rv = p11->C_Login(session, CKU_USER, pin, strlen((const char *)pin));

	if (rv != CKR_USER_ALREADY_LOGGED_IN)
		must_be(rv, CKR_OK, "C_Login");
}

/* The private key with CKA_ID 1. */
static CK_OBJECT_HANDLE find_key(CK_SESSION_HANDLE session, CK_KEY_TYPE *type)
{
	CK_OBJECT_CLASS private = CKO_PRIVATE_KEY;
	CK_BYTE id = 1;
	CK_ATTRIBUTE template[] = {
		{CKA_CLASS, &private, sizeof(private)}, {CKA_ID, &id, sizeof(id)}};
	CK_ATTRIBUTE wanted = {CKA_KEY_TYPE, type, sizeof(*type)};
	CK_OBJECT_HANDLE key = 0;
	CK_ULONG count = 0;

	MUST(C_FindObjectsInit(session, template, 2));
	MUST(C_FindObjects(session, &key, 1, &count));
	MUST(C_FindObjectsFinal(session));
	must_be(count ? CKR_OK : CKR_KEY_HANDLE_INVALID, CKR_OK, "finding the key");
	MUST(C_GetAttributeValue(session, key, &wanted, 1));
	return key;
}

static void begin_signature(CK_SESSION_HANDLE session)
{
	CK_KEY_TYPE type;
	CK_OBJECT_HANDLE key = find_key(session, &type);
	CK_MECHANISM mechanism = {type == CKK_EC ? CKM_ECDSA : CKM_RSA_PKCS, NULL, 0};

	MUST(C_SignInit(session, &mechanism, key));
}

static void finish_signature(CK_SESSION_HANDLE session)
{
	CK_BYTE digest[32] = {1}, signature[512];
	CK_ULONG length = sizeof(signature);

	MUST(C_Sign(session, digest, sizeof(digest), signature, &length));
}

static void sign(CK_SESSION_HANDLE session)
{
	begin_signature(session);
	finish_signature(session);
}

/* What a program does from its beginning to its end. */
static void live(void)
{
	initialize();
	CK_SESSION_HANDLE session = open_session();
	log_in(session);
	sign(session);
	MUST(C_Finalize(NULL));
}

/* --- fork --- */

/* In a child: as it is after a fork, then what a program does that is started anew. */
static void live_in_child(void)
{
	CK_INFO info;

	MUST_BE(CKR_CRYPTOKI_NOT_INITIALIZED, C_GetInfo(&info));
	live();
	exit(EXIT_SUCCESS);
}

static void await(pid_t child)
{
	int status = 0;

	if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
		fprintf(stderr, "survivor: %s: a child ended with status 0x%x\n", state,
			(unsigned)status);
		_exit(EXIT_FAILURE);
	}
}

/* One child that lives on, and one that ends at once, with the module's destructors. */
static void fork_here(const char *where)
{
	state = where;
	pid_t child = fork();
	if (child == 0)
		live_in_child();
	await(child);
	child = fork();
	if (child == 0)
		exit(EXIT_SUCCESS);
	await(child);
}

static void *sign_while_others_fork(void *argument)
{
	CK_SESSION_HANDLE session = open_session();

	(void)argument;
	for (int i = 0; i < ROUNDS; i++)
		sign(session);
	MUST(C_CloseSession(session));
	return NULL;
}

static void *fork_in_thread(void *argument)
{
	(void)argument;
	fork_here("fork in a thread while others sign");
	return NULL;
}

static void fork_everywhere(void)
{
	CK_OBJECT_HANDLE handle;
	CK_ULONG count;
	pthread_t threads[4];

	fork_here("fork before C_Initialize");
	initialize();
	fork_here("fork after C_Initialize");
	CK_SESSION_HANDLE session = open_session();
	log_in(session);
	fork_here("fork with a login");
	sign(session);
	MUST(C_FindObjectsInit(session, NULL, 0));
	MUST(C_FindObjects(session, &handle, 1, &count));
	fork_here("fork in a search");
	MUST(C_FindObjects(session, &handle, 1, &count));
	MUST(C_FindObjectsFinal(session));
	begin_signature(session);
	fork_here("fork with an operation");
	finish_signature(session);
	for (int i = 0; i < 4; i++)
		pthread_create(
			&threads[i], NULL, i == 0 ? fork_in_thread : sign_while_others_fork, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	sign(session);
	MUST(C_Finalize(NULL));
	fork_here("fork after C_Finalize");
	live();
}

/* --- many --- */

static void *sign_in_thread(void *argument)
{
	CK_SESSION_HANDLE session = open_session();

	(void)argument;
	for (int i = 0; i < ROUNDS; i++)
		sign(session);
	MUST(C_CloseSession(session));
	return NULL;
}

static void run_threads(int count)
{
	pthread_t threads[THREADS_MAX];

	initialize();
	log_in(open_session());
	for (int i = 0; i < count; i++) {
		if (pthread_create(&threads[i], NULL, sign_in_thread, NULL) != 0)
			must_be(CKR_HOST_MEMORY, CKR_OK, "pthread_create");
	}
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	MUST(C_Finalize(NULL));
}

static void run_programs(int count)
{
	pid_t children[THREADS_MAX];

	for (int i = 0; i < count; i++) {
		children[i] = fork();
		if (children[i] != 0)
			continue;
		initialize();
		CK_SESSION_HANDLE session = open_session();
		log_in(session);
		for (int k = 0; k < 3; k++)
			sign(session);
		MUST(C_Finalize(NULL));
		exit(EXIT_SUCCESS);
	}
	for (int i = 0; i < count; i++)
		await(children[i]);
}

/* --- for ever --- */

static void generate(CK_SESSION_HANDLE session)
{
	CK_MECHANISM mechanism = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
	CK_ULONG bits = 2048;
	CK_BBOOL no = CK_FALSE;
	CK_ATTRIBUTE public[] = {
		{CKA_TOKEN, &no, sizeof(no)}, {CKA_MODULUS_BITS, &bits, sizeof(bits)}};
	CK_ATTRIBUTE private[] = {{CKA_TOKEN, &no, sizeof(no)}};
	CK_OBJECT_HANDLE handles[2];

	MUST(C_GenerateKeyPair(
		session, &mechanism, public, 2, private, 1, &handles[0], &handles[1]));
	MUST(C_DestroyObject(session, handles[0]));
	MUST(C_DestroyObject(session, handles[1]));
}

static void run_forever(const char *what)
{
	initialize();
	CK_SESSION_HANDLE session = open_session();
	log_in(session);
	puts("ready");
	fflush(stdout);
	for (;;) {
		if (strcmp(what, "sign") == 0) {
			sign(session);
		} else if (strcmp(what, "login") == 0) {
			MUST(C_Logout(session));
			log_in(session);
		} else {
			generate(session);
		}
	}
}

int main(int argc, char **argv)
{
	if (argc < 5) {
		fputs("Usage: survivor MODULE SLOT PIN fork|threads|programs|forever [HOW]\n",
			stderr);
		return 2;
	}
	const char *how = argc > 5 ? argv[5] : "";
	load(argv[1]);
	slot = strtoul(argv[2], NULL, 10);
	pin = (CK_UTF8CHAR *)argv[3];
	if (strcmp(argv[4], "fork") == 0)
		fork_everywhere();
	else if (strcmp(argv[4], "threads") == 0)
		run_threads(atoi(how));
	else if (strcmp(argv[4], "programs") == 0)
		run_programs(atoi(how));
	else
		run_forever(how);
	return EXIT_SUCCESS;
}
