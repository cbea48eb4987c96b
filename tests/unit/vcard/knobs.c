/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vcard/knobs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/vcard/fixture.h"

/* A card whose next APDU has number 1. */
static struct vcard *open_counting(struct vcard_options *options)
{
	struct vcard *card = open_card(options);

	vcard_reset_count(card);
	return card;
}

static void vanishing_card_does_not_do_the_command(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_counting(NULL);

	(void)state;
	vcard_knobs(card)->vanish_at = 2;
	assert_status(card, VERIFY_WRONG, 0x63C2);
	assert_status(card, VERIFY_WRONG, GONE);
	assert_true(vcard_is_gone(card));
	assert_status(card, VERIFY_STATUS, GONE);
	assert_int_equal(vcard_count(card), 2);
	vcard_reset(card);
	assert_false(vcard_is_gone(card));
	assert_status(card, SELECT_PIV, 0x9000);
	assert_status(card, VERIFY_STATUS, 0x63C2);
}

static void card_that_vanishes_after_has_done_the_command(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_counting(NULL);

	(void)state;
	vcard_knobs(card)->vanish_after = 1;
	assert_status(card, VERIFY_WRONG, GONE);
	vcard_reset(card);
	assert_status(card, SELECT_PIV, 0x9000);
	assert_status(card, VERIFY_STATUS, 0x63C2);
}

static void failing_command_is_not_done(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_counting(NULL);

	(void)state;
	vcard_knobs(card)->fail_at = 1;
	vcard_knobs(card)->fail_status = 0x6F42;
	assert_status(card, VERIFY_WRONG, 0x6F42);
	assert_status(card, VERIFY_STATUS, 0x63C3);
	/* Each fires once, also when the count starts anew. */
	vcard_reset_count(card);
	assert_status(card, VERIFY_STATUS, 0x63C3);
}

static void wrong_answer_has_garbled_data(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_counting(NULL);
	_cleanup_buffer_ struct buffer data = BUFFER_INIT;

	(void)state;
	vcard_knobs(card)->wrong_answer_at = 1;
	assert_int_equal(transmit(card, "00FD0000", &data), 0x9000);
	assert_int_equal(data.length, 3);
	assert_memory_not_equal(data.data, "\x05\x04\x03", 3);
	assert_answer(card, "00FD0000", "050403");
	vcard_knobs(card)->wrong_answer_at = 3;
	assert_int_equal(transmit(card, VERIFY_PIN, &data), 0x9000);
	assert_int_equal(data.length, 4);
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void latency_is_kept(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_counting(NULL);

	(void)state;
	vcard_knobs(card)->latency_apdu_us = 5000;
	vcard_knobs(card)->latency_byte_us = 1000;
	uint64_t start = now_us();
	assert_answer(card, "00FD0000", "050403"); /* four bytes out, five back */
	assert_true(now_us() - start >= 14000);
}

static void log_and_count_tell_headers_and_nothing_secret(void **state)
{
	char *text = NULL;
	size_t length = 0;
	FILE *log = open_memstream(&text, &length);
	FILE *count = tmpfile();
	struct vcard_options options = {.apdu_log = log, .count_fd = fileno(count)};
	_cleanup_vcard_ struct vcard *card = open_counting(&options);
	char counted[8] = {0};

	(void)state;
	assert_status(card, VERIFY_PIN, 0x9000);
	vcard_knobs(card)->vanish_at = 2;
	assert_status(card, VERIFY_WRONG, GONE);
	fflush(log);
	assert_non_null(strstr(text, "\n1 00 20 00 80 Lc=8 SW=9000\n2 00 20 00 80 Lc=8 gone\n"));
	assert_null(strstr(text, "31"));
	assert_int_equal(pread(fileno(count), counted, sizeof(counted) - 1, 0), 7);
	assert_memory_equal(counted, "2 ", 2);
	fclose(log);
	fclose(count);
	free(text);
}

static void knobs_are_set_by_name(void **state)
{
	struct vcard_knobs knobs = {0};

	(void)state;
	assert_true(knobs_set(&knobs, "vanish-at", "7", NULL));
	assert_true(knobs_set(&knobs, "vanish-after", "8", NULL));
	assert_true(knobs_set(&knobs, "wrong-answer-at", "9", NULL));
	assert_true(knobs_set(&knobs, "latency-apdu-us", "10", NULL));
	assert_true(knobs_set(&knobs, "latency-byte-us", "11", NULL));
	assert_true(knobs_set(&knobs, "touch-deny", "1", NULL));
	assert_true(knobs_set(&knobs, "fail-at", "3:6982", NULL));
	assert_int_equal(knobs.vanish_at, 7);
	assert_int_equal(knobs.vanish_after, 8);
	assert_int_equal(knobs.wrong_answer_at, 9);
	assert_int_equal(knobs.latency_apdu_us, 10);
	assert_int_equal(knobs.latency_byte_us, 11);
	assert_true(knobs.touch_deny);
	assert_int_equal(knobs.fail_at, 3);
	assert_int_equal(knobs.fail_status, 0x6982);
}

static void wrong_knobs_are_refused(void **state)
{
	static const struct {
		const char *name, *value;
		enum error_code code;
	} cases[] = {{"explode-at", "3", ERROR_NOT_FOUND},
		{"vanish-at", "", ERROR_INVALID_ARGUMENT},
		{"vanish-at", "-1", ERROR_INVALID_ARGUMENT},
		{"vanish-at", "3x", ERROR_INVALID_ARGUMENT},
		{"vanish-at", "99999999999999999999999", ERROR_INVALID_ARGUMENT},
		{"touch-deny", "2", ERROR_INVALID_ARGUMENT},
		{"fail-at", "3", ERROR_INVALID_ARGUMENT}, {"fail-at", "3:", ERROR_INVALID_ARGUMENT},
		{"fail-at", "3:42", ERROR_INVALID_ARGUMENT},
		{"fail-at", "3:69820", ERROR_INVALID_ARGUMENT},
		{"fail-at", "x:6982", ERROR_INVALID_ARGUMENT}};
	struct vcard_knobs knobs = {0}, untouched = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_error_ struct error error = ERROR_INIT;
		assert_false(knobs_set(&knobs, cases[i].name, cases[i].value, &error));
		assert_int_equal(error.code, cases[i].code);
		assert_memory_equal(&knobs, &untouched, sizeof(knobs));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vanishing_card_does_not_do_the_command),
		cmocka_unit_test(card_that_vanishes_after_has_done_the_command),
		cmocka_unit_test(failing_command_is_not_done),
		cmocka_unit_test(wrong_answer_has_garbled_data),
		cmocka_unit_test(latency_is_kept),
		cmocka_unit_test(log_and_count_tell_headers_and_nothing_secret),
		cmocka_unit_test(knobs_are_set_by_name),
		cmocka_unit_test(wrong_knobs_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
