/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A module in a process of its own, that works, crashes, hangs and lies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "lib/token-fixture.h"
#include "token/attributes.h"
#include "token/hsm-private.h"
#include "token/token-private.h"

/* Short enough for tests, long enough for a slow machine to sign once. */
#define TIMEOUT_MS 20000
#define SHORT_MS   2000

struct fixture {
	struct token_fixture *own;
	struct hsm *hsm;
	struct secret pin;
	char *knob;
	char *variables[3];
	uint32_t rsa, ec;
};

static bool open_hsm(struct fixture *fixture, unsigned timeout_ms, struct error *error)
{
	const struct child_options process = {.program = TOKEN_PROGRAM,
		.name = "web",
		.variables = fixture->variables,
		.timeout_ms = timeout_ms};
	const struct hsm_options options = {.module = VENDOR_MODULE,
		.label = "web",
		.new_pin = &fixture->pin,
		.process = &process};

	fixture->hsm = hsm_open(&options, error);
	return fixture->hsm != NULL;
}

static void log_in(struct fixture *fixture)
{
	bool changed = false;

	assert_true(hsm_login(fixture->hsm, &fixture->pin, &changed, NULL));
}

static bool call(struct fixture *fixture, struct hsm_owner *owner,
	const struct hsm_request *request, struct hsm_reply *reply, struct error *error)
{
	return hsm_call(fixture->hsm, owner, request, reply, error);
}

static void append_flag(struct buffer *attributes, uint32_t type, bool value)
{
	CK_BBOOL flag = value;

	attributes_append(attributes, type, &flag, sizeof(flag));
}

/* The number of the new private key; 0 when there is none. */
static uint32_t generate(struct fixture *fixture, CK_MECHANISM_TYPE mechanism, const char *label,
	bool on_token, struct hsm_owner *owner)
{
	static const uint8_t p256[] = {6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7};
	_cleanup_buffer_ struct buffer public = BUFFER_INIT;
	_cleanup_buffer_ struct buffer private = BUFFER_INIT;
	CK_ULONG bits = 2048;
	struct hsm_reply reply = {0};

	append_flag(&public, CKA_TOKEN, on_token);
	attributes_append(&public, CKA_LABEL, label, strlen(label));
	if (mechanism == CKM_EC_KEY_PAIR_GEN)
		attributes_append(&public, CKA_EC_PARAMS, p256, sizeof(p256));
	else
		attributes_append(&public, CKA_MODULUS_BITS, &bits, sizeof(bits));
	append_flag(&private, CKA_TOKEN, on_token);
	append_flag(&private, CKA_PRIVATE, true);
	append_flag(&private, CKA_SIGN, true);
	append_flag(&private, CKA_DERIVE, mechanism == CKM_EC_KEY_PAIR_GEN);
	append_flag(&private, CKA_DECRYPT, mechanism != CKM_EC_KEY_PAIR_GEN);
	attributes_append(&private, CKA_LABEL, label, strlen(label));
	const struct hsm_request request = {.operation = HSM_GENERATE_PAIR,
		.mechanism = (uint32_t)mechanism,
		.templates = {reader_of(&public), reader_of(&private)}};
	if (!call(fixture, owner, &request, &reply, NULL))
		return 0;
	assert_int_equal(reply.changed, on_token);
	return reply.numbers[1];
}

static int setup(void **state)
{
	struct fixture *fixture = xnew(struct fixture);

	fixture->own = token_fixture_new();
	secret_set(&fixture->pin, "271828", 6);
	fixture->knob = xasprintf("%s/knob", fixture->own->folder);
	fixture->variables[0] = xasprintf("SOFTHSM2_CONF=%s", getenv("SOFTHSM2_CONF"));
	fixture->variables[1] = xasprintf("VENDOR_KNOB=%s", fixture->knob);
	if (!open_hsm(fixture, TIMEOUT_MS, NULL))
		return -1;
	log_in(fixture);
	fixture->rsa = generate(fixture, CKM_RSA_PKCS_KEY_PAIR_GEN, "rsa", true, NULL);
	fixture->ec = generate(fixture, CKM_EC_KEY_PAIR_GEN, "ec", true, NULL);
	*state = fixture;
	return fixture->rsa && fixture->ec ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	hsm_close(fixture->hsm);
	secret_clear(&fixture->pin);
	free(fixture->variables[0]);
	free(fixture->variables[1]);
	free(fixture->knob);
	token_fixture_free(fixture->own);
	free(fixture);
	return 0;
}

/* The number of the private key of that label; 0 when none shows. */
static uint32_t find_key(struct fixture *fixture, const char *label)
{
	_cleanup_hsm_objects_ struct hsm_objects *objects = hsm_objects(fixture->hsm);

	for (size_t i = 0; i < objects->count; i++) {
		if (objects->items[i]->object_class == CKO_PRIVATE_KEY &&
			strcmp(objects->items[i]->label, label) == 0)
			return objects->items[i]->number;
	}
	return 0;
}

/* Opened again with a time-out that is soon over. */
static void shorten_timeout(struct fixture *fixture)
{
	hsm_close(fixture->hsm);
	assert_true(open_hsm(fixture, SHORT_MS, NULL));
	log_in(fixture);
	fixture->ec = find_key(fixture, "ec");
}

static void turn(const struct fixture *fixture, const char *word)
{
	FILE *file = fopen(fixture->knob, "w");

	assert_non_null(file);
	fputs(word, file);
	fclose(file);
}

static bool signs(struct fixture *fixture, struct error *error)
{
	static const uint8_t data[32] = {1, 2, 3};
	_cleanup_buffer_ struct buffer output = BUFFER_INIT;
	const struct hsm_request request = {.operation = HSM_SIGN,
		.object = fixture->ec,
		.mechanism = CKM_ECDSA,
		.input = READER_INIT(data, sizeof(data))};
	struct hsm_reply reply = {.output = &output};

	return call(fixture, NULL, &request, &reply, error) && output.length == 64;
}

/* --- what works --- */

static void keys_do_what_they_do_in_the_daemon(void **state)
{
	struct fixture *fixture = *state;
	static const uint8_t block[256] = {0, 1};
	_cleanup_buffer_ struct buffer signature = BUFFER_INIT;
	_cleanup_buffer_ struct buffer again = BUFFER_INIT;
	const struct hsm_request sign = {.operation = HSM_SIGN,
		.object = fixture->rsa,
		.mechanism = CKM_RSA_X_509,
		.input = READER_INIT(block, sizeof(block))};
	struct hsm_reply reply = {.output = &signature};

	assert_true(signs(fixture, NULL));
	assert_true(call(fixture, NULL, &sign, &reply, NULL));
	assert_int_equal(signature.length, 256);
	/* Decrypted with the public exponent it would be the block; the same again it is not. */
	const struct hsm_request decrypt = {.operation = HSM_DECRYPT,
		.object = fixture->rsa,
		.mechanism = CKM_RSA_X_509,
		.input = READER_INIT(block, sizeof(block))};
	reply.output = &again;
	assert_true(call(fixture, NULL, &decrypt, &reply, NULL));
	assert_memory_equal(again.data, signature.data, 256);
}

static void errors_come_through(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_secret_ struct secret wrong = SECRET_INIT;
	const struct hsm_request request = {
		.operation = HSM_SIGN, .object = 4711, .mechanism = CKM_ECDSA};
	struct hsm_reply reply = {0};
	bool changed;

	assert_false(call(fixture, NULL, &request, &reply, &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
	assert_string_equal(error.message, "the slot has no key 4711");
	secret_set(&wrong, "000000", 6);
	assert_false(hsm_login(fixture->hsm, &wrong, &changed, &error));
	assert_int_equal(error.code, ERROR_PIN_WRONG);
	hsm_logout(fixture->hsm);
	assert_false(hsm_login(fixture->hsm, &wrong, &changed, &error));
	assert_int_equal(error.code, ERROR_PIN_WRONG);
	assert_false(signs(fixture, &error));
	log_in(fixture);
	assert_true(signs(fixture, NULL));
}

static void objects_come_once_and_then_one_by_one(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_hsm_objects_ struct hsm_objects *before = hsm_objects(fixture->hsm);
	struct hsm_reply reply = {0};
	struct hsm_information information _cleanup_(hsm_information_clear) = {0};

	assert_int_equal(before->count, 4);
	uint32_t number = generate(fixture, CKM_EC_KEY_PAIR_GEN, "new", true, NULL);
	_cleanup_hsm_objects_ struct hsm_objects *after = hsm_objects(fixture->hsm);
	assert_int_equal(after->count, 6);
	assert_ptr_equal(after->items[0], before->items[0]);
	assert_string_equal(hsm_objects_find(after, number)->label, "new");
	const struct hsm_request destroy = {.operation = HSM_DESTROY, .object = number};
	assert_true(call(fixture, NULL, &destroy, &reply, NULL));
	assert_true(reply.changed);
	hsm_information(fixture->hsm, &information);
	assert_string_equal(information.label, "web");
	assert_true(information.mechanism_count > 10);
}

static void session_objects_are_their_owners(void **state)
{
	struct fixture *fixture = *state;
	struct hsm_owner *owner = hsm_owner_new(fixture->hsm);
	struct hsm_owner *other = hsm_owner_new(fixture->hsm);
	uint32_t number = generate(fixture, CKM_EC_KEY_PAIR_GEN, "mine", false, owner);
	_cleanup_hsm_objects_ struct hsm_objects *mine = hsm_owner_objects(owner);
	_cleanup_hsm_objects_ struct hsm_objects *others = hsm_owner_objects(other);
	struct hsm_reply reply = {0};
	const struct hsm_request destroy = {.operation = HSM_DESTROY, .object = number};

	assert_true(number > HSM_SESSION_OBJECT);
	assert_int_equal(mine->count, 2);
	assert_int_equal(others->count, 0);
	assert_false(call(fixture, other, &destroy, &reply, NULL));
	/* With the process the objects are gone, and the owner goes on. */
	turn(fixture, "crash");
	assert_false(signs(fixture, NULL));
	_cleanup_hsm_objects_ struct hsm_objects *gone = hsm_owner_objects(owner);
	assert_int_equal(gone->count, 0);
	assert_false(call(fixture, owner, &destroy, &reply, NULL));
	assert_true(
		generate(fixture, CKM_EC_KEY_PAIR_GEN, "mine", false, owner) > HSM_SESSION_OBJECT);
	_cleanup_hsm_objects_ struct hsm_objects *fresh = hsm_owner_objects(owner);
	assert_int_equal(fresh->count, 2);
	hsm_owner_logout(owner);
	_cleanup_hsm_objects_ struct hsm_objects *public = hsm_owner_objects(owner);
	assert_int_equal(public->count, 1);
	hsm_owner_free(owner);
	hsm_owner_free(other);
}

static void *sign_often(void *argument)
{
	for (int i = 0; i < 20; i++) {
		if (!signs(argument, NULL))
			return NULL;
	}
	return argument;
}

static void many_threads_sign_at_once(void **state)
{
	pthread_t threads[24]; /* more than there are channels */
	void *result;

	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i], NULL, sign_often, *state);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		pthread_join(threads[i], &result);
		assert_ptr_equal(result, *state);
	}
}

/* --- what goes wrong --- */

static void expect_failure(
	struct fixture *fixture, const char *word, enum error_code code, const char *text)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	turn(fixture, word);
	assert_false(signs(fixture, &error));
	assert_int_equal(error.code, code);
	if (!strstr(error.message, text))
		fail_msg("%s: %s", word, error.message);
	assert_true(signs(fixture, NULL));
}

static void a_crash_is_one_error(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_hsm_objects_ struct hsm_objects *before = hsm_objects(fixture->hsm);

	expect_failure(fixture, "crash", ERROR_TOKEN_FAILED, "crashed (SIGSEGV");
	/* It is logged in again, and objects have the numbers that they had. */
	_cleanup_hsm_objects_ struct hsm_objects *after = hsm_objects(fixture->hsm);
	assert_int_equal(after->count, before->count);
	for (size_t i = 0; i < after->count; i++)
		assert_int_equal(after->items[i]->number, before->items[i]->number);
	expect_failure(fixture, "exit", ERROR_TOKEN_FAILED, "with status 3");
}

static void sockets_that_are_closed_or_written_to_do_no_harm(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct fixture *fixture = *state;

	turn(fixture, "close");
	assert_false(signs(fixture, &error));
	assert_true(signs(fixture, NULL));
	turn(fixture, "garbage");
	assert_false(signs(fixture, &error));
	assert_non_null(strstr(error.message, "makes no sense"));
	assert_true(signs(fixture, NULL));
}

static void a_length_that_is_a_lie_is_not_believed(void **state)
{
	struct fixture *fixture = *state;

	turn(fixture, "lengths");
	assert_false(signs(fixture, NULL));
	assert_true(signs(fixture, NULL));
}

static void a_module_that_hangs_is_ended(void **state)
{
	struct fixture *fixture = *state;

	shorten_timeout(fixture);
	expect_failure(fixture, "hang", ERROR_TIMEOUT, "did not answer within 2 seconds");
}

static void *sign_once(void *argument)
{
	signs(argument, NULL);
	return NULL;
}

/* Those that are under way fail with it, and all go on. */
static void a_crash_ends_for_all_threads(void **state)
{
	struct fixture *fixture = *state;
	pthread_t threads[8];

	turn(fixture, "crash");
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i], NULL, sign_once, fixture);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	many_threads_sign_at_once(state);
}

static void a_module_that_crashes_again_and_again_is_left_alone(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_error_ struct error error = ERROR_INIT;

	for (int i = 0; i < 3; i++) {
		turn(fixture, "crash");
		assert_false(signs(fixture, NULL));
	}
	assert_false(signs(fixture, &error));
	assert_int_equal(error.code, ERROR_TOKEN_FAILED);
	assert_non_null(strstr(error.message, "SIGSEGV"));
	assert_non_null(strstr(error.message, "3 times within a minute"));
}

static void a_crash_in_a_login_or_at_the_start_is_one_error(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_error_ struct error error = ERROR_INIT;
	bool changed;

	hsm_logout(fixture->hsm);
	turn(fixture, "crash-login");
	assert_false(hsm_login(fixture->hsm, &fixture->pin, &changed, &error));
	assert_non_null(strstr(error.message, "SIGSEGV"));
	log_in(fixture);
	assert_true(signs(fixture, NULL));
	hsm_close(fixture->hsm);
	turn(fixture, "crash-start");
	assert_false(open_hsm(fixture, TIMEOUT_MS, &error));
	assert_non_null(strstr(error.message, "SIGSEGV"));
	assert_true(open_hsm(fixture, TIMEOUT_MS, NULL));
}

static void a_changed_pin_is_the_one_of_the_next_start(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_secret_ struct secret changed = SECRET_INIT;
	struct hsm_reply reply = {0};
	bool others;

	secret_set(&changed, "314159", 6);
	const struct hsm_request request = {
		.operation = HSM_SET_PIN, .pin = &fixture->pin, .new_pin = &changed};
	assert_true(call(fixture, NULL, &request, &reply, NULL));
	turn(fixture, "crash");
	assert_false(signs(fixture, NULL));
	assert_true(signs(fixture, NULL));
	assert_false(hsm_login(fixture->hsm, &fixture->pin, &others, NULL));
	assert_true(hsm_login(fixture->hsm, &changed, &others, NULL));
}

/* --- processes --- */

static pid_t parent_of(const char *process)
{
	_cleanup_free_ char *path = xasprintf("/proc/%s/stat", process);
	FILE *file = fopen(path, "r");
	char state;
	int parent = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%*d (%*[^)]) %c %d", &state, &parent) != 2 || state == 'Z')
		parent = 0;
	fclose(file);
	return parent;
}

/* A child of this process, or 0. */
static pid_t find_child(void)
{
	DIR *folder = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;

	while ((entry = readdir(folder))) {
		if (parent_of(entry->d_name) == getpid())
			found = (pid_t)atoi(entry->d_name);
	}
	closedir(folder);
	return found;
}

static void who_dies_with_nobody_asking_is_not_missed(void **state)
{
	struct fixture *fixture = *state;
	pid_t first = find_child();

	assert_true(first > 0);
	siginfo_t end;
	kill(first, SIGKILL);
	/* All its threads: what is left of it could still take the question. */
	assert_int_equal(waitid(P_PID, (id_t)first, &end, WEXITED | WNOWAIT), 0);
	assert_true(signs(fixture, NULL));
	pid_t second = find_child();
	assert_true(second > 0 && second != first);
}

static void closing_ends_the_process(void **state)
{
	struct fixture *fixture = *state;

	hsm_close(fixture->hsm);
	fixture->hsm = NULL;
	assert_int_equal(find_child(), 0);
}

/* Nor does what it has started stay, nor does it wait for a module that hangs. */
static void closing_ends_a_module_that_hangs(void **state)
{
	struct fixture *fixture = *state;

	shorten_timeout(fixture);
	turn(fixture, "fork");
	assert_true(signs(fixture, NULL));
	turn(fixture, "hang");
	pthread_t thread;
	pthread_create(&thread, NULL, sign_once, fixture);
	pthread_join(thread, NULL);
	hsm_close(fixture->hsm);
	fixture->hsm = NULL;
	assert_int_equal(find_child(), 0);
}

static void the_process_has_little_of_the_daemons(void **state)
{
	_cleanup_free_ char *folder = xasprintf("/proc/%d/fd", (int)find_child());
	DIR *descriptors = opendir(folder);
	struct dirent *entry;
	int count = 0;

	(void)state;
	/* Only root sees what a process has that may not be looked into. */
	if (!descriptors)
		skip();
	while ((entry = readdir(descriptors))) {
		char target[64] = "";
		_cleanup_free_ char *path = xasprintf("%s/%s", folder, entry->d_name);
		if (readlink(path, target, sizeof(target) - 1) < 0 || atoi(entry->d_name) < 3)
			continue;
		count++;
		if (strncmp(target, "socket:", 7) != 0 && !strstr(target, "/token/"))
			fail_msg("it has %s", target);
	}
	closedir(descriptors);
	assert_in_range(count, 1, 20);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keys_do_what_they_do_in_the_daemon),
		TEST(errors_come_through),
		TEST(objects_come_once_and_then_one_by_one),
		TEST(session_objects_are_their_owners),
		TEST(many_threads_sign_at_once),
		TEST(a_crash_is_one_error),
		TEST(sockets_that_are_closed_or_written_to_do_no_harm),
		TEST(a_length_that_is_a_lie_is_not_believed),
		TEST(a_module_that_hangs_is_ended),
		TEST(a_crash_ends_for_all_threads),
		TEST(a_module_that_crashes_again_and_again_is_left_alone),
		TEST(a_crash_in_a_login_or_at_the_start_is_one_error),
		TEST(a_changed_pin_is_the_one_of_the_next_start),
		TEST(who_dies_with_nobody_asking_is_not_missed),
		TEST(closing_ends_the_process),
		TEST(closing_ends_a_module_that_hangs),
		TEST(the_process_has_little_of_the_daemons),
	};

	return cmocka_run_group_tests_name("token/hsm-child", tests, NULL, NULL);
}
