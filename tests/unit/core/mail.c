/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/alloc.h"
#include "core/mail.h"

static void addresses_are_plain(void **state)
{
	static const char *const good[] = {"a@b", "ada@example.org", "o'neil+x@mail.example.org",
		"a.b-c_d@xn--bcher-kva.example"};
	static const char *const bad[] = {"", "@", "a@", "@b", "a b@c", "a@b c", "a@b\r\nX: y",
		"a\n@b", "a@b>", "<a@b", "a@@b", "a@b@c", ".a@b", "a.@b", "a..b@c", "a@b..c",
		"a@.b", "a@b.", "a@-b", "\"a\"@b", "a@[127.0.0.1]", "a,b@c", "a@b,c@d", "a;b@c",
		"\xC3\xA4@b", "a@b\xC3\xA4", "a@b/c"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		if (!mail_address_is_valid(good[i]))
			fail_msg("%s", good[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (mail_address_is_valid(bad[i]))
			fail_msg("%s", bad[i]);
	}
	char longest[300];
	memset(longest, 'a', sizeof(longest));
	longest[64] = '@';
	longest[254] = '\0';
	assert_true(mail_address_is_valid(longest));
	longest[254] = 'a';
	longest[255] = '\0';
	assert_false(mail_address_is_valid(longest));
	assert_false(mail_address_is_valid(NULL));
}

static char *compose(const char *subject, const char *text)
{
	const struct mail_message message = {.from = "tessera@example.org",
		.to = "ada@example.org",
		.subject = subject,
		.text = text,
		.id = "tessera-1-2",
		.date = 1795731000};

	return mail_compose(&message);
}

static void a_message_is_what_the_standard_says(void **state)
{
	_cleanup_free_ char *text = compose("Hello", "One\nTwo\n");

	(void)state;
	assert_string_equal(text, "Date: Thu, 26 Nov 2026 22:10:00 +0000\r\n"
				  "From: <tessera@example.org>\r\n"
				  "To: <ada@example.org>\r\n"
				  "Message-ID: <tessera-1-2@example.org>\r\n"
				  "Subject: =?UTF-8?B?SGVsbG8=?=\r\n"
				  "Auto-Submitted: auto-generated\r\n"
				  "MIME-Version: 1.0\r\n"
				  "Content-Type: text/plain; charset=UTF-8\r\n"
				  "Content-Transfer-Encoding: base64\r\n"
				  "\r\n"
				  "T25lDQpUd28NCg==\r\n");
}

/* Each line short, of ASCII, with CRLF at its end; whatever was given stays in the encoded parts.
 */
static void check_lines(const char *text)
{
	while (*text) {
		const char *end = strstr(text, "\r\n");
		assert_non_null(end);
		assert_true(end - text <= 78);
		for (; text < end; text++)
			assert_true(*text >= ' ' && *text <= '~');
		text = end + 2;
	}
}

static void nothing_given_becomes_a_header(void **state)
{
	_cleanup_free_ char *long_subject = xcalloc(1, 1000);
	static const char *const hostile[] = {"x\r\nBcc: eve@example.org",
		"x\nBcc: eve@example.org", "=?UTF-8?Q?x?=", "\xFF\xFE", "", "\x80\x80\x80"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		_cleanup_free_ char *text = compose(hostile[i], hostile[i]);
		check_lines(text);
		assert_null(strstr(text, "eve"));
	}
	for (size_t i = 0; i < 300; i++)
		strcat(long_subject, "\xE2\x82\xAC");
	_cleanup_free_ char *text = compose(long_subject, long_subject);
	check_lines(text);
	/* No character is cut: 13 of three bytes are 39. */
	assert_non_null(
		strstr(text, "=?UTF-8?B?4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs"
			     "?=\r\n ="));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_plain),
		cmocka_unit_test(a_message_is_what_the_standard_says),
		cmocka_unit_test(nothing_given_becomes_a_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
