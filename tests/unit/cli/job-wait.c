/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/job-wait.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <dbus/dbus.h>

#include "cli/client.h"
#include "cli/interrupt.h"
#include "common/alloc.h"
#include "cli/fake-server.h"

#define JOB "/org/tessera1/job/1"

/* A server with a script and a command line that uses it. */
struct fixture {
	struct fake_server *server;
	struct invocation invocation;
	struct error error;
	char path[64];
};

static void begin(struct fixture *fixture, const struct fake_script *script)
{
	*fixture = (struct fixture){0};
	snprintf(fixture->path, sizeof(fixture->path), "/tmp/tessera-cli.%d", getpid());
	unlink(fixture->path);
	fixture->server = fake_server_start(fixture->path, script);
	fixture->invocation.values[OPTION_SOCKET] = fixture->path;
	fixture->invocation.values[OPTION_JSON] = "";
}

static void end(struct fixture *fixture)
{
	client_free(fixture->invocation.client);
	fake_server_stop(fixture->server);
	error_clear(&fixture->error);
	unlink(fixture->path);
}

static void a_job_is_followed_until_it_succeeds(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture,
		&(struct fake_script){
			.looks = 2, .state = "succeeded", .error_name = "", .error_message = ""});
	_cleanup_json_ json_t *job = job_follow(&fixture.invocation, JOB, &fixture.error);
	assert_non_null(job);
	assert_string_equal(json_string_value(json_object_get(job, "state")), "succeeded");
	assert_int_equal(json_integer_value(json_object_get(job, "number")), 1);
	assert_string_equal(json_string_value(json_object_get(job, "error_message")), "");
	end(&fixture);
}

static void a_failed_job_gives_its_own_error(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, &(struct fake_script){.looks = 1,
				.state = "failed",
				.error_name = "org.tessera1.Error.PinPolicy",
				.error_message = "the PIN must be digits"});
	assert_null(job_follow(&fixture.invocation, JOB, &fixture.error));
	assert_int_equal(fixture.error.code, ERROR_PIN_POLICY);
	assert_string_equal(error_message(&fixture.error), "the PIN must be digits");
	end(&fixture);
}

static void a_job_that_is_not_there_is_told(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture,
		&(struct fake_script){.state = "succeeded", .error_name = "", .error_message = ""});
	assert_null(job_follow(&fixture.invocation, "/org/tessera1/job/7", &fixture.error));
	assert_int_equal(fixture.error.code, ERROR_NOT_FOUND);
	end(&fixture);
}

static void a_service_that_goes_away_ends_the_wait(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, &(struct fake_script){.hang_up = true});
	assert_null(job_follow(&fixture.invocation, JOB, &fixture.error));
	assert_int_equal(fixture.error.code, ERROR_NO_SERVICE);
	end(&fixture);
}

static void interrupt_soon(int signal_number)
{
	(void)signal_number;
	raise(SIGINT);
}

static void an_interrupt_cancels_the_job_and_waits_for_its_end(void **state)
{
	struct fixture fixture;

	(void)state;
	begin(&fixture, &(struct fake_script){.looks = 1000,
				.state = "succeeded",
				.error_name = "",
				.error_message = ""});
	interrupt_install();
	signal(SIGALRM, interrupt_soon);
	ualarm(200000, 0);
	assert_null(job_follow(&fixture.invocation, JOB, &fixture.error));
	assert_int_equal(fixture.error.code, ERROR_CANCELLED);
	assert_int_equal(fake_server_cancels(fixture.server), 1);
	end(&fixture);
}

static void a_pin_reaches_the_service_as_it_is(void **state)
{
	struct fixture fixture;
	struct secret pin _cleanup_secret_ = SECRET_INIT;

	(void)state;
	begin(&fixture,
		&(struct fake_script){.state = "succeeded", .error_name = "", .error_message = ""});
	assert_true(secret_set(&pin, "271828", 6));
	struct client *client = invocation_client(&fixture.invocation, &fixture.error);
	assert_non_null(client);
	_cleanup_json_ json_t *answer = CLIENT_CALL(client, "/org/tessera1/credential/1",
		CLIENT_CREDENTIAL, "Activate", &fixture.error, CLIENT_SECRET(&pin));
	assert_non_null(answer);
	assert_string_equal(json_string_value(json_array_get(answer, 0)), JOB);
	assert_string_equal(fake_server_argument(fixture.server), "271828");
	end(&fixture);
}

static void text_that_d_bus_cannot_carry_is_refused(void **state)
{
	struct fixture fixture;
	struct secret pin _cleanup_secret_ = SECRET_INIT;

	(void)state;
	begin(&fixture,
		&(struct fake_script){.state = "succeeded", .error_name = "", .error_message = ""});
	struct client *client = invocation_client(&fixture.invocation, &fixture.error);
	assert_true(secret_set(&pin,
		"27\0"
		"28",
		5));
	assert_null(CLIENT_CALL(client, "/org/tessera1/credential/1", CLIENT_CREDENTIAL, "Activate",
		&fixture.error, CLIENT_SECRET(&pin)));
	assert_int_equal(fixture.error.code, ERROR_PIN_POLICY);
	assert_null(CLIENT_CALL(client, "/org/tessera1/credential/1", CLIENT_CREDENTIAL, "Suspend",
		&fixture.error, CLIENT_STRING("\xff")));
	assert_int_equal(fixture.error.code, ERROR_INVALID_ARGUMENT);
	assert_null(CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER, "Issue", &fixture.error,
		CLIENT_PATH("not a path")));
	assert_int_equal(fixture.error.code, ERROR_INVALID_ARGUMENT);
	end(&fixture);
}

static void without_a_service_the_error_names_the_socket(void **state)
{
	struct invocation invocation = {.values[OPTION_SOCKET] = "/nonexistent/bus"};
	struct error error _cleanup_error_ = ERROR_INIT;

	(void)state;
	assert_null(invocation_client(&invocation, &error));
	assert_int_equal(error.code, ERROR_NO_SERVICE);
	assert_non_null(strstr(error_message(&error), "/nonexistent/bus"));
}

static int shut_down(void **state)
{
	(void)state;
	dbus_shutdown();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_is_followed_until_it_succeeds),
		cmocka_unit_test(a_failed_job_gives_its_own_error),
		cmocka_unit_test(a_job_that_is_not_there_is_told),
		cmocka_unit_test(a_service_that_goes_away_ends_the_wait),
		cmocka_unit_test(an_interrupt_cancels_the_job_and_waits_for_its_end),
		cmocka_unit_test(a_pin_reaches_the_service_as_it_is),
		cmocka_unit_test(text_that_d_bus_cannot_carry_is_refused),
		cmocka_unit_test(without_a_service_the_error_names_the_socket),
	};

	return cmocka_run_group_tests(tests, NULL, shut_down);
}
