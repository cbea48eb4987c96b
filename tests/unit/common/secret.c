/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void a_secret_keeps_its_bytes(void **state)
{
	_cleanup_secret_ struct secret secret = SECRET_INIT;

	(void)state;
	assert_false(secret_is_set(&secret));
	assert_true(secret_set(&secret, "123456", 6));
	assert_true(secret_is_set(&secret));
	assert_int_equal(secret.length, 6);
	assert_memory_equal(secret.data, "123456", 6);
	assert_true(secret_set(&secret, "87654321", 8));
	assert_int_equal(secret.length, 8);
}

static void fresh_memory_is_zero(void **state)
{
	_cleanup_secret_ struct secret secret = SECRET_INIT;
	static const uint8_t zeros[5000];

	(void)state;
	assert_true(secret_allocate(&secret, sizeof(zeros)));
	assert_memory_equal(secret.data, zeros, sizeof(zeros));
}

static void an_empty_secret_is_set(void **state)
{
	_cleanup_secret_ struct secret secret = SECRET_INIT;

	(void)state;
	assert_true(secret_set(&secret, NULL, 0));
	assert_true(secret_is_set(&secret));
	assert_int_equal(secret.length, 0);
}

static void a_secret_can_be_set_from_itself(void **state)
{
	_cleanup_secret_ struct secret secret = SECRET_INIT;

	(void)state;
	assert_true(secret_set(&secret, "123456", 6));
	assert_true(secret_set(&secret, secret.data + 1, 3));
	assert_int_equal(secret.length, 3);
	assert_memory_equal(secret.data, "234", 3);
}

static void too_much_is_refused_and_leaves_nothing(void **state)
{
	_cleanup_secret_ struct secret secret = SECRET_INIT;

	(void)state;
	assert_false(secret_allocate(&secret, SIZE_MAX / 4));
	assert_false(secret_is_set(&secret));
}

static void a_copy_is_of_its_own(void **state)
{
	_cleanup_secret_ struct secret secret = SECRET_INIT;
	_cleanup_secret_ struct secret copy = SECRET_INIT;

	(void)state;
	assert_true(secret_set(&secret, "123456", 6));
	assert_true(secret_copy(&copy, &secret));
	assert_true(secret_equal(&copy, &secret));
	assert_ptr_not_equal(copy.data, secret.data);
	secret_clear(&secret);
	assert_memory_equal(copy.data, "123456", 6);
	assert_true(secret_copy(&copy, &secret));
	assert_false(secret_is_set(&copy));
}

static void moving_leaves_nothing_behind(void **state)
{
	_cleanup_secret_ struct secret from = SECRET_INIT;
	_cleanup_secret_ struct secret to = SECRET_INIT;

	(void)state;
	assert_true(secret_set(&from, "123456", 6));
	assert_true(secret_set(&to, "old", 3));
	secret_move(&to, &from);
	assert_false(secret_is_set(&from));
	assert_int_equal(to.length, 6);
}

static void secrets_that_differ_are_not_equal(void **state)
{
	_cleanup_secret_ struct secret one = SECRET_INIT;
	_cleanup_secret_ struct secret other = SECRET_INIT;

	(void)state;
	assert_true(secret_set(&one, "123456", 6));
	assert_true(secret_set(&other, "123457", 6));
	assert_false(secret_equal(&one, &other));
	assert_true(secret_set(&other, "12345", 5));
	assert_false(secret_equal(&one, &other));
	assert_true(secret_set(&other, "123456", 6));
	assert_true(secret_equal(&one, &other));
}

static void truncating_wipes_the_rest(void **state)
{
	_cleanup_secret_ struct secret secret = SECRET_INIT;
	static const uint8_t zeros[3];

	(void)state;
	assert_true(secret_set(&secret, "123456", 6));
	secret_truncate(&secret, 9);
	assert_int_equal(secret.length, 6);
	secret_truncate(&secret, 3);
	assert_int_equal(secret.length, 3);
	assert_memory_equal(secret.data + 3, zeros, 3);
}

static void clearing_twice_does_no_harm(void **state)
{
	struct secret secret = SECRET_INIT;

	(void)state;
	assert_true(secret_set(&secret, "123456", 6));
	secret_clear(&secret);
	secret_clear(&secret);
	assert_false(secret_is_set(&secret));
	assert_int_equal(secret.length, 0);
}

/* "dd" (do not dump) among the flags of the mapping, proc(5). */
static void a_secret_is_left_out_of_core_dumps(void **state)
{
	_cleanup_secret_ struct secret secret = SECRET_INIT;
	char line[512], start[32];
	bool in_mapping = false, excluded = false;

	(void)state;
	assert_true(secret_set(&secret, "123456", 6));
	snprintf(start, sizeof(start), "%lx-", (unsigned long)secret.data);
	FILE *maps = fopen("/proc/self/smaps", "re");
	if (!maps)
		skip();
	while (fgets(line, sizeof(line), maps)) {
		if (strncmp(line, start, strlen(start)) == 0)
			in_mapping = true;
		if (in_mapping && strncmp(line, "VmFlags:", 8) == 0) {
			excluded = strstr(line, " dd") != NULL;
			break;
		}
	}
	fclose(maps);
	/* The kernel joins neighbouring mappings with equal flags: then ours does not start one. */
	if (in_mapping)
		assert_true(excluded);
}

static void a_protected_process_leaves_no_core(void **state)
{
	int status;

	(void)state;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct rlimit limit;
		secret_protect_process();
		getrlimit(RLIMIT_CORE, &limit);
		_exit(prctl(PR_GET_DUMPABLE) == 0 && limit.rlim_cur == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_keeps_its_bytes),
		cmocka_unit_test(fresh_memory_is_zero),
		cmocka_unit_test(an_empty_secret_is_set),
		cmocka_unit_test(a_secret_can_be_set_from_itself),
		cmocka_unit_test(too_much_is_refused_and_leaves_nothing),
		cmocka_unit_test(a_copy_is_of_its_own),
		cmocka_unit_test(moving_leaves_nothing_behind),
		cmocka_unit_test(secrets_that_differ_are_not_equal),
		cmocka_unit_test(truncating_wipes_the_rest),
		cmocka_unit_test(clearing_twice_does_no_harm),
		cmocka_unit_test(a_secret_is_left_out_of_core_dumps),
		cmocka_unit_test(a_protected_process_leaves_no_core),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
