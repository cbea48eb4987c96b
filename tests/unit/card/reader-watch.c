/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The watch and the transport without pcscd; tests/e2e/readers_come_and_go.sh has it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "pcsc/reader-watch.h"
#include "pcsc/transport.h"

struct seen {
	atomic_uint absent;
	atomic_uint others;
};

static void on_reader(void *context, const char *name)
{
	(void)name;
	atomic_fetch_add(&((struct seen *)context)->others, 1);
}

static void on_card(void *context, const char *name, const uint8_t *atr, size_t length)
{
	(void)atr;
	(void)length;
	on_reader(context, name);
}

static void on_service(void *context, bool available)
{
	struct seen *seen = context;

	atomic_fetch_add(available ? &seen->others : &seen->absent, 1);
}

static const struct reader_events events = {
	.reader_added = on_reader,
	.reader_removed = on_reader,
	.card_inserted = on_card,
	.card_removed = on_reader,
	.service_changed = on_service,
};

static int without_pcscd(void **state)
{
	(void)state;
	return setenv("PCSCLITE_CSOCK_NAME", "/nonexistent/pcscd.comm", 1);
}

static void the_watch_waits_for_pcscd_and_says_so_once(void **state)
{
	struct seen seen = {0};
	struct error error _cleanup_error_ = ERROR_INIT;
	(void)state;

	struct reader_watch *watch = reader_watch_start(&events, &seen, &error);
	assert_non_null(watch);
	for (unsigned waits = 0; seen.absent == 0 && waits < 500; waits++)
		usleep(10000);
	usleep(600000); /* more than two further tries */
	reader_watch_stop(watch);
	assert_int_equal(seen.absent, 1);
	assert_int_equal(seen.others, 0);
}

static void the_watch_ends_at_any_moment(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		struct seen seen = {0};
		struct reader_watch *watch = reader_watch_start(&events, &seen, NULL);
		assert_non_null(watch);
		usleep(i * 100);
		reader_watch_stop(watch);
	}
	reader_watch_stop(NULL);
}

static void without_pcscd_no_card_is_opened(void **state)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	(void)state;

	assert_null(transport_pcsc_open("any reader", &error));
	assert_int_equal(error.code, ERROR_NO_READER_SERVICE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_watch_waits_for_pcscd_and_says_so_once),
		cmocka_unit_test(the_watch_ends_at_any_moment),
		cmocka_unit_test(without_pcscd_no_card_is_opened),
	};

	return cmocka_run_group_tests(tests, without_pcscd, NULL);
}
