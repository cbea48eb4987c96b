/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tickets and passwords with a real KDC. */
/* time limit: 120 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "common/alloc.h"
#include "core/kerberos.h"
#include "core/thread.h"
#include "lib/kerberos-fixture.h"

#define TIMEOUT 60000

static int start(void **state)
{
	(void)state;
	kerberos_start();
	return kerberos_run("export KRB5_KDC_PROFILE=$PWD/kdc.conf\n"
			    "kadmin.local >/dev/null <<'END'\n"
			    "addprinc -pw first +requires_preauth ada\n"
			    "addprinc -pw first +requires_preauth grace\n"
			    "addprinc -pw first mary\n"
			    "modprinc -allow_tix mary\n"
			    "addprinc -pw first -expire 2020-01-01 joan\n"
			    "addprinc -pw first +needchange must\n"
			    "addprinc -pw first -pwexpire 2020-01-01 old\n"
			    "END\n")
		       ? 0
		       : 1;
}

static int stop(void **state)
{
	(void)state;
	kerberos_stop();
	return 0;
}

static struct http_negotiate svc(const char *keytab)
{
	return (struct http_negotiate){.keytab = kerberos_path(keytab),
		.principal = "svc@EXAMPLE.TEST",
		.service = "HTTP/localhost@EXAMPLE.TEST"};
}

static void an_account_has_tickets_of_its_own(void **state)
{
	const struct http_negotiate settings = svc("svc.keytab");
	_cleanup_(kerberos_account_closep) struct kerberos_account *account =
		kerberos_account_open(&settings, TIMEOUT, NULL);

	(void)state;
	assert_non_null(account);
	assert_string_equal(kerberos_account_name(account), "svc@EXAMPLE.TEST");
	assert_int_equal(strncmp(kerberos_account_cache(account), "MEMORY:", 7), 0);
	assert_true(kerberos_account_enter(account, NULL));
	kerberos_account_leave();
	assert_string_equal(getenv("KRB5CCNAME"), kerberos_path("no-cache"));
}

static void no_tickets_are_said(void **state)
{
	static const struct {
		const char *keytab, *text;
	} cases[] = {{"svc-old.keytab", "was its password changed?"},
		{"none.keytab", "make a keytab"}, {"agent.keytab", "of this very principal"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_error_ struct error error = ERROR_INIT;
		const struct http_negotiate settings = svc(cases[i].keytab);
		assert_null(kerberos_account_open(&settings, TIMEOUT, &error));
		assert_int_equal(error.code, ERROR_NETWORK_FAILED);
		if (!strstr(error.message, cases[i].text))
			fail_msg("%s: %s", cases[i].keytab, error.message);
	}
}

static void check(const struct kerberos_account *account, const char *principal, const char *text,
	size_t length, enum error_code code)
{
	_cleanup_secret_ struct secret password = SECRET_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	assert_true(secret_set(&password, text, length));
	bool is_right = kerberos_check_password(
		(struct kerberos_account *)account, principal, &password, TIMEOUT, &error);
	if (error.code != code || is_right != (code == ERROR_NONE))
		fail_msg("%s with '%s': %d, %s", principal, text, is_right, error_message(&error));
	if (code == ERROR_ACCESS_DENIED)
		assert_string_equal(error.message, "user or password is wrong");
	if (strcmp(text, "other") == 0 && !strstr(error.message, "no proof of the KDC"))
		fail_msg("%s", error.message);
}

static void passwords_are_asked_for(void **state)
{
	static const struct {
		const char *principal, *password;
		enum error_code code;
	} cases[] = {
		{"ada@EXAMPLE.TEST", "first", ERROR_NONE},
		{"grace@EXAMPLE.TEST", "first", ERROR_NONE},
		{"ada@EXAMPLE.TEST", "First", ERROR_ACCESS_DENIED},
		{"grace@EXAMPLE.TEST", "second", ERROR_ACCESS_DENIED},
		{"nobody@EXAMPLE.TEST", "first", ERROR_ACCESS_DENIED},
		{"mary@EXAMPLE.TEST", "first", ERROR_ACCESS_DENIED},
		{"joan@EXAMPLE.TEST", "first", ERROR_ACCESS_DENIED},
		{"must@EXAMPLE.TEST", "first", ERROR_ACCESS_DENIED},
		{"old@EXAMPLE.TEST", "first", ERROR_ACCESS_DENIED},
		{"ada@EXAMPLE.TEST", "", ERROR_ACCESS_DENIED},
		{"ada@x@EXAMPLE.TEST", "first", ERROR_ACCESS_DENIED},
		{"@EXAMPLE.TEST", "first", ERROR_ACCESS_DENIED},
		{"ada@NOWHERE.TEST", "first", ERROR_NETWORK_FAILED},
	};
	const struct http_negotiate settings = svc("svc.keytab");
	_cleanup_(kerberos_account_closep) struct kerberos_account *account =
		kerberos_account_open(&settings, TIMEOUT, NULL);

	(void)state;
	assert_non_null(account);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check(account, cases[i].principal, cases[i].password, strlen(cases[i].password),
			cases[i].code);
	check(account, "ada@EXAMPLE.TEST", "first\0", 6, ERROR_ACCESS_DENIED);
}

/* Who can answer for a person, and does not have the account's key. */
static void another_kdc_is_not_believed(void **state)
{
	const struct http_negotiate settings = svc("svc.keytab");
	_cleanup_(kerberos_account_closep) struct kerberos_account *account =
		kerberos_account_open(&settings, TIMEOUT, NULL);

	(void)state;
	assert_non_null(account);
	assert_true(kerberos_run(
		"mkdir other\n" SOURCE_FOLDER "/tests/servers/kdc other 18089 >other/log 2>&1 &\n"
		"echo $! >other.pid\n"
		"for i in $(seq 3000); do test ! -e other/ready || break; sleep 0.02; done\n"
		"export KRB5_CONFIG=$PWD/other/krb5.conf KRB5_KDC_PROFILE=$PWD/other/kdc.conf\n"
		"kadmin.local addprinc -pw other ada\n"
		"for i in $(seq 3000); do"
		" ! bash -c ': </dev/tcp/127.0.0.1/18089' 2>/dev/null || break; sleep 0.02; done"));
	setenv("KRB5_CONFIG", kerberos_path("other/krb5.conf"), 1);
	check(account, "ada@EXAMPLE.TEST", "other", 5, ERROR_NETWORK_FAILED);
	setenv("KRB5_CONFIG", kerberos_path("krb5.conf"), 1);
	kerberos_run("kill $(cat other.pid)");
}

/* What the Kerberos library takes for the time. */
static long skew_s;

__attribute__((visibility("default"))) int gettimeofday(
	struct timeval *restrict now, void *restrict zone)
{
	struct timespec time;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &time);
	now->tv_sec = time.tv_sec + skew_s;
	now->tv_usec = time.tv_nsec / 1000;
	return 0;
}

static void a_clock_that_is_wrong_is_named(void **state)
{
	const struct http_negotiate settings = svc("svc.keytab");
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_true(kerberos_run("sed '/libdefaults/a kdc_timesync = 0' krb5.conf >exact.conf"));
	setenv("KRB5_CONFIG", kerberos_path("exact.conf"), 1);
	skew_s = 3600;
	assert_null(kerberos_account_open(&settings, TIMEOUT, &error));
	skew_s = 0;
	setenv("KRB5_CONFIG", kerberos_path("krb5.conf"), 1);
	assert_int_equal(error.code, ERROR_NETWORK_FAILED);
	assert_non_null(strstr(error.message, "set this machine's clock"));
}

/* --- calls that take too long --- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;
static bool is_allowed, is_dropped;

static void wait_to_be_allowed(void *argument)
{
	(void)argument;
	pthread_mutex_lock(&lock);
	while (!is_allowed)
		pthread_cond_wait(&moved, &lock);
	pthread_mutex_unlock(&lock);
}

static void drop(void *argument)
{
	(void)argument;
	pthread_mutex_lock(&lock);
	is_dropped = true;
	pthread_cond_broadcast(&moved);
	pthread_mutex_unlock(&lock);
}

static void a_call_that_hangs_is_left_alone(void **state)
{
	(void)state;
	assert_false(thread_run_within(20, wait_to_be_allowed, drop, NULL));
	pthread_mutex_lock(&lock);
	assert_false(is_dropped);
	is_allowed = true;
	pthread_cond_broadcast(&moved);
	while (!is_dropped)
		pthread_cond_wait(&moved, &lock);
	is_dropped = false;
	pthread_mutex_unlock(&lock);
	assert_true(thread_run_within(TIMEOUT, wait_to_be_allowed, drop, NULL));
	assert_false(is_dropped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_account_has_tickets_of_its_own),
		cmocka_unit_test(no_tickets_are_said),
		cmocka_unit_test(passwords_are_asked_for),
		cmocka_unit_test(another_kdc_is_not_believed),
		cmocka_unit_test(a_clock_that_is_wrong_is_named),
		cmocka_unit_test(a_call_that_hangs_is_left_alone),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
