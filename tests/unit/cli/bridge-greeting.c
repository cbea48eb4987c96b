/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/bridge-greeting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/client-host.h"

#define GUID "0123456789abcdef0123456789abcdef"
#define TEXT(text)                                                                                 \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}

struct text {
	const char *bytes;
	size_t length;
};

/* Says it so many bytes at a time; what is not taken is said again with more. */
static bool say(struct greeting *greeting, const struct text *text, size_t step, size_t *taken,
	struct buffer *answers)
{
	*taken = 0;
	for (size_t length = 0; length < text->length && !greeting->has_begun;) {
		size_t used = 0;
		length = length + step < text->length ? length + step : text->length;
		if (!greeting_take(greeting, text->bytes + *taken, length - *taken, &used, answers))
			return false;
		*taken += used;
	}
	return true;
}

static void clients_are_greeted_however_they_begin(void **state)
{
	static const struct {
		struct text said;
		const char *answers;
		size_t left; /* behind the greeting */
		bool is_ahead, begins;
	} cases[] = {
		/* libdbus */
		{TEXT("\0AUTH EXTERNAL 30\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\nl\1"),
			"OK " GUID "\r\nERROR\r\n", 2, false, true},
		{TEXT("\0AUTH EXTERNAL 30\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\nl\1"),
			"OK " GUID "\r\nERROR\r\n", 2, true, true},
		{TEXT("\0AUTH EXTERNAL 30\r\n"), "OK " GUID "\r\nERROR\r\n", 0, true, false},
		/* sd-bus */
		{TEXT("\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n"),
			"DATA\r\nOK " GUID "\r\nERROR\r\n", 0, false, true},
		/* GDBus */
		{TEXT("\0AUTH\r\nAUTH EXTERNAL 31303030\r\nBEGIN\r\n"),
			"REJECTED EXTERNAL\r\nOK " GUID "\r\n", 0, false, true},
		/* strangers */
		{TEXT("\0AUTH ANONYMOUS 30\r\nBEGIN\r\n"),
			"REJECTED EXTERNAL\r\nREJECTED EXTERNAL\r\n", 0, false, false},
		{TEXT("\0AUTH EXTERNALLY 30\r\n"), "REJECTED EXTERNAL\r\n", 0, false, false},
		{TEXT("\0BEGIN\r\nDATA 30\r\nNEGOTIATE_UNIX_FD\r\n"),
			"REJECTED EXTERNAL\r\nREJECTED EXTERNAL\r\nREJECTED EXTERNAL\r\n", 0, false,
			false},
		{TEXT("\0AUTH EXTERNAL 30\r\nAUTH EXTERNAL 30\r\nCANCEL\r\n\r\n"),
			"OK " GUID "\r\nERROR\r\nERROR\r\nERROR\r\n", 0, false, false},
		{TEXT("\0AUTH EXTERNAL 30\r\nBEG\0IN\r\n"), "OK " GUID "\r\nERROR\r\n", 0, false,
			false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t step = 1; step <= cases[i].said.length; step++) {
			struct greeting greeting = {.guid = GUID, .is_ahead = cases[i].is_ahead};
			_cleanup_buffer_ struct buffer answers = BUFFER_INIT;
			size_t taken;
			assert_true(say(&greeting, &cases[i].said, step, &taken, &answers));
			assert_int_equal(answers.length, strlen(cases[i].answers));
			assert_memory_equal(answers.data, cases[i].answers, answers.length);
			assert_int_equal(greeting.has_begun, cases[i].begins);
			assert_int_equal(cases[i].said.length - taken, cases[i].left);
		}
	}
}

static void what_is_no_greeting_is_sent_away(void **state)
{
	static char endless[GREETING_BYTES_MAX + 1];
	static const struct text web = TEXT("GET / HTTP/1.0\r\n\r\n");
	_cleanup_buffer_ struct buffer answers = BUFFER_INIT;
	struct greeting greeting = {.guid = GUID};
	size_t taken;

	(void)state;
	assert_false(say(&greeting, &web, web.length, &taken, &answers));
	memset(endless + 1, 'A', sizeof(endless) - 1);
	assert_false(greeting_take(&greeting, endless, sizeof(endless), &taken, &answers));
	assert_int_equal(answers.length, 0);
}

static void hosts_are_what_ssh_takes_for_no_option(void **state)
{
	static const char *const good[] = {"server", "ada@server.example.org", "ssh://server",
		"ssh://ada@server:2222", "ssh://[2001:db8::1]:22", "fe80::1%eth0",
		"ada.lovelace@example.org@server", "my_host-1"};
	static const char *const bad[] = {"", "-v", "-oProxyCommand=x", "ada@-oProxyCommand=x",
		"ssh://-oProxyCommand=x", "ssh://ada@-oProxyCommand=x", "-l@server", "@server",
		"ada@", "ssh://", "a b", "a;b", "a\nb", "a'b", "a`b", "$(a)", "a|b", "a&b", "a\\b",
		"\xc3\xa4", "server/path", "a\"b"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(client_host_check(good[i], NULL));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(client_host_check(bad[i], NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clients_are_greeted_however_they_begin),
		cmocka_unit_test(what_is_no_greeting_is_sent_away),
		cmocka_unit_test(hosts_are_what_ssh_takes_for_no_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
