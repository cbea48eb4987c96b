/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/alloc.h"
#include "core/negotiate.h"

static void challenges_are_read(void **state)
{
	static const struct {
		const char *value;
		enum negotiate_challenge challenge;
		const char *token;
	} cases[] = {
		{"Negotiate", CHALLENGE_BARE, ""},
		{"negotiate", CHALLENGE_BARE, ""},
		{" \tNegotiate \t", CHALLENGE_BARE, ""},
		{"Negotiate, NTLM", CHALLENGE_BARE, ""},
		{"NTLM, Negotiate", CHALLENGE_BARE, ""},
		{"Basic realm=\"a, b\", Negotiate", CHALLENGE_BARE, ""},
		{"Negotiate YWJj", CHALLENGE_TOKEN, "abc"},
		{"NEGOTIATE   YWI=", CHALLENGE_TOKEN, "ab"},
		{"Negotiate YQ== ", CHALLENGE_TOKEN, "a"},
		{"NTLM TlRM, Negotiate YWJj, Basic realm=\"x\"", CHALLENGE_TOKEN, "abc"},
		{"", CHALLENGE_OTHER, ""},
		{",,, ,", CHALLENGE_OTHER, ""},
		{"NTLM", CHALLENGE_OTHER, ""},
		{"Negotiated YWJj", CHALLENGE_OTHER, ""},
		{"Basic realm=\"x, Negotiate YWJj\"", CHALLENGE_OTHER, ""},
		{"Basic realm=\"x\\\", Negotiate YWJj", CHALLENGE_OTHER, ""},
		{"Digest a=b, Negotiate=c", CHALLENGE_OTHER, ""},
		{"Negotiate =", CHALLENGE_OTHER, ""},
		{"Negotiate YWJ", CHALLENGE_MALFORMED, ""},
		{"Negotiate YWJj YWJj", CHALLENGE_MALFORMED, ""},
		{"Negotiate !!!!", CHALLENGE_MALFORMED, ""},
		{"Negotiate YWJj-", CHALLENGE_MALFORMED, ""},
		{"Negotiate Y===", CHALLENGE_MALFORMED, ""},
		{"Negotiate YW=j", CHALLENGE_MALFORMED, ""},
		{"Negotiate YWJj\"", CHALLENGE_MALFORMED, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buffer_ struct buffer token = BUFFER_INIT;
		if (negotiate_read_challenge(cases[i].value, &token) != cases[i].challenge)
			fail_msg("'%s' is read as another", cases[i].value);
		assert_int_equal(token.length, strlen(cases[i].token));
		assert_memory_equal(token.data, cases[i].token, token.length);
	}
}

static void a_gigantic_token_is_refused(void **state)
{
	size_t length = 1 << 20;
	_cleanup_free_ char *value = xcalloc(1, length + 1);
	_cleanup_buffer_ struct buffer token = BUFFER_INIT;

	(void)state;
	memset(value, 'A', length);
	memcpy(value, "Negotiate ", strlen("Negotiate "));
	assert_int_equal(negotiate_read_challenge(value, &token), CHALLENGE_MALFORMED);
	assert_int_equal(token.length, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(challenges_are_read),
		cmocka_unit_test(a_gigantic_token_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
