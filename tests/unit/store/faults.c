/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A full disk and a folder that cannot be written. */
#include "store/store.h"

#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/alloc.h"
#include "unit/store/fixture.h"

#define CHUNK 65536

/* Runs body in a child, which answers with its exit status; 77 means that it could not be tried. */
static void in_child(int (*body)(struct fixture *fixture), struct fixture *fixture)
{
	int status;

	store_close(fixture->store);
	fixture->store = NULL;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(body(fixture));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Writes until it fails; the code of that failure, or ERROR_NONE if it never does. */
static enum error_code fill(struct store *store)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	static uint8_t chunk[CHUNK];

	for (int i = 0; i < 200; i++) {
		_cleanup_free_ char *name = xasprintf("chunk-%d", i);
		if (!store_value_set(store, name, chunk, sizeof(chunk), &error))
			return error.code;
	}
	return ERROR_NONE;
}

/* Half of a credential and its certificate must not stay. Returns what a transaction gives. */
static enum error_code big_transaction(struct store *store)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_credential_ struct credential *credential = sample_credential("half");
	static uint8_t chunk[16 * CHUNK];

	if (!store_begin(store, &error))
		return error.code;
	struct store *transaction _cleanup_(store_rollbackp) = store;
	if (store_credential_save(store, credential, &error) &&
		store_value_set(store, "big", chunk, sizeof(chunk), &error) &&
		store_commit(transaction, &error))
		return ERROR_NONE;
	return error.code;
}

static bool has_half(struct store *store)
{
	_cleanup_credential_ struct credential *credential =
		store_credential_by_serial(store, "half", NULL);

	return credential != NULL;
}

/* Fails (not 0) at the number of the first step that is not as it should be. */
static int check_full(struct store *store, void (*make_room)(const struct fixture *fixture),
	const struct fixture *fixture)
{
	int64_t value = 0;

	if (fill(store) != ERROR_STORE_FULL)
		return 1;
	if (big_transaction(store) != ERROR_STORE_FULL)
		return 2;
	if (has_half(store))
		return 3;
	make_room(fixture);
	if (!store_counter_next(store, "afterwards", &value, NULL) || value != 1)
		return 4;
	if (big_transaction(store) != ERROR_NONE || !has_half(store))
		return 5;
	return 0;
}

static void lift_file_limit(const struct fixture *fixture)
{
	struct rlimit limit;

	(void)fixture;
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
}

static int fill_to_file_limit(struct fixture *fixture)
{
	struct rlimit limit;
	struct store *store _cleanup_(store_closep) = store_open(fixture->path, NULL);

	if (!store)
		return 10;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = 12 * CHUNK;
	setrlimit(RLIMIT_FSIZE, &limit);
	return check_full(store, lift_file_limit, fixture);
}

static void a_file_at_its_limit_is_a_full_store(void **state)
{
	in_child(fill_to_file_limit, *state);
}

static void enlarge_disk(const struct fixture *fixture)
{
	if (mount("tmpfs", fixture->folder, "tmpfs", MS_REMOUNT, "size=64m") < 0)
		_exit(11);
}

/* A mount namespace of the child's own: nothing stays mounted. */
static bool mount_small_disk(const struct fixture *fixture, const char *options)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", fixture->folder, "tmpfs", 0, options) == 0;
}

static int fill_small_disk(struct fixture *fixture)
{
	if (!mount_small_disk(fixture, "size=1m"))
		return 77;
	struct store *store _cleanup_(store_closep) = store_open(fixture->path, NULL);
	return store ? check_full(store, enlarge_disk, fixture) : 10;
}

static void a_full_disk_is_told_and_got_over(void **state)
{
	in_child(fill_small_disk, *state);
}

static int start_on_full_disk(struct fixture *fixture)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!mount_small_disk(fixture, "size=32k"))
		return 77;
	if (store_open(fixture->path, &error))
		return 1;
	if (error.code != ERROR_STORE_FULL)
		return 2;
	enlarge_disk(fixture);
	struct store *store _cleanup_(store_closep) = store_open(fixture->path, NULL);
	return store ? 0 : 3;
}

static void a_start_on_a_full_disk_is_told_and_got_over(void **state)
{
	in_child(start_on_full_disk, *state);
}

static int make_read_only(struct fixture *fixture)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!mount_small_disk(fixture, "size=8m"))
		return 77;
	struct store *store = store_open(fixture->path, NULL);
	store_close(store);
	if (!store || mount("tmpfs", fixture->folder, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL) < 0)
		return 10;
	if (store_open(fixture->path, &error) || error.code != ERROR_STORE_READ_ONLY)
		return 1;
	return strstr(error_message(&error), fixture->path) ? 0 : 2;
}

static void a_read_only_disk_is_told(void **state)
{
	in_child(make_read_only, *state);
}

/* The folder or the file is something else. */
static enum error_code open_code(const char *path)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct store *store _cleanup_(store_closep) = store_open(path, &error);

	assert_null(store);
	assert_non_null(strstr(error_message(&error), path));
	return error.code;
}

static void a_path_that_cannot_be_a_store_is_told(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_free_ char *below = xasprintf("%s/store.db", fixture->path);
	_cleanup_free_ char *nowhere = xasprintf("%s/nowhere/store.db", fixture->folder);
	_cleanup_free_ char *fifo = xasprintf("%s/fifo", fixture->folder);

	assert_int_equal(open_code(below), ERROR_STORE_READ_ONLY);
	assert_int_equal(open_code(nowhere), ERROR_STORE_READ_ONLY);
	assert_int_equal(open_code(fixture->folder), ERROR_STORE_READ_ONLY);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(open_code(fifo), ERROR_STORE_FAILED);
}

/* The folder is made read-only for us while the store is open and has to be written. */
static int drop_rights(struct fixture *fixture)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	if (chmod(fixture->folder, 0555) < 0 || (geteuid() == 0 && seteuid(65534) < 0))
		return 77;
	return !store_open(fixture->path, &error) && error.code == ERROR_STORE_READ_ONLY ? 0 : 1;
}

static void a_folder_without_rights_is_told(void **state)
{
	in_child(drop_rights, *state);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(a_file_at_its_limit_is_a_full_store),
		WITH_STORE(a_full_disk_is_told_and_got_over),
		WITH_STORE(a_start_on_a_full_disk_is_told_and_got_over),
		WITH_STORE(a_read_only_disk_is_told),
		WITH_STORE(a_path_that_cannot_be_a_store_is_told),
		WITH_STORE(a_folder_without_rights_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
