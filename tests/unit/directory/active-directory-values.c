/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/alloc.h"
#include "directory/active-directory-values.h"
#include "model/holder.h"

/* As a domain controller gave it. */
static const uint8_t sid[] = {1, 5, 0, 0, 0, 0, 0, 5, 0x15, 0, 0, 0, 0x52, 0x7a, 0x72, 0xcd, 0xc9,
	0x41, 0xb3, 0xbf, 0x0e, 0x33, 0x34, 0x9f, 0x4f, 0x04, 0, 0};
static const char sid_text[] = "S-1-5-21-3446831698-3216196041-2670998286-1103";

static void security_identifiers(void **state)
{
	_cleanup_free_ char *text = active_directory_sid(sid, sizeof(sid));

	(void)state;
	assert_string_equal(text, sid_text);
	assert_true(holder_sid_is_valid(text));
}

static void no_security_identifiers(void **state)
{
	uint8_t bytes[sizeof(sid) + 4] = {0};

	(void)state;
	for (size_t length = 0; length <= sizeof(bytes); length++) {
		if (length == sizeof(sid))
			continue;
		memcpy(bytes, sid, sizeof(sid));
		_cleanup_free_ uint8_t *part = xmemdup(bytes, length);
		assert_null(active_directory_sid(part, length));
	}
	bytes[0] = 2;
	assert_null(active_directory_sid(bytes, sizeof(sid)));
	memcpy(bytes, "\1\0\0\0\0\0\0\5", 8);
	assert_null(active_directory_sid(bytes, 8));
	uint8_t many[8 + 16 * 4] = {1, 16};
	assert_null(active_directory_sid(many, sizeof(many)));
	many[1] = 15;
	_cleanup_free_ char *longest = active_directory_sid(many, sizeof(many) - 4);
	assert_non_null(longest);
}

static void authorities_are_of_48_bits(void **state)
{
	_cleanup_free_ char *text = active_directory_sid("\1\1\1\2\3\4\5\6\7\0\0\0", 12);
	_cleanup_free_ char *everyone = active_directory_sid("\1\1\0\0\0\0\0\1\0\0\0\0", 12);

	(void)state;
	assert_string_equal(text, "S-1-0x010203040506-7");
	assert_string_equal(everyone, "S-1-1-0");
}

static const uint8_t guid[] = {0x22, 0xfa, 0xa2, 0xe1, 0x92, 0xf3, 0x79, 0x4e, 0x8a, 0xbf, 0x88,
	0xcb, 0x84, 0x51, 0x0f, 0x24};
static const char guid_text[] = "e1a2fa22-f392-4e79-8abf-88cb84510f24";

static void guids(void **state)
{
	uint8_t bytes[ACTIVE_DIRECTORY_GUID_LENGTH];
	_cleanup_free_ char *text = active_directory_guid(guid, sizeof(guid));

	(void)state;
	assert_string_equal(text, guid_text);
	assert_true(active_directory_guid_parse(guid_text, bytes));
	assert_memory_equal(bytes, guid, sizeof(guid));
	assert_true(active_directory_guid_parse("E1A2FA22-F392-4E79-8ABF-88CB84510F24", bytes));
	assert_memory_equal(bytes, guid, sizeof(guid));
	assert_null(active_directory_guid(guid, 15));
	assert_null(active_directory_guid("", 0));
}

static void no_guids(void **state)
{
	static const char *const bad[] = {"", "e1a2fa22", "e1a2fa22f3924e798abf88cb84510f24",
		"e1a2fa22-f392-4e79-8abf-88cb84510f2", "e1a2fa22-f392-4e79-8abf-88cb84510f244",
		"{e1a2fa22-f392-4e79-8abf-88cb84510f24}", "e1a2fa22-f392-4e79-8abf-88cb84510f2)",
		"e1a2fa22 f392-4e79-8abf-88cb84510f24", "*"};
	uint8_t bytes[ACTIVE_DIRECTORY_GUID_LENGTH];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (active_directory_guid_parse(bad[i], bytes))
			fail_msg("'%s' is taken", bad[i]);
}

static void accounts_that_may_not_be_used(void **state)
{
	static const struct {
		const char *control, *expires;
		int64_t now;
		const char *reason;
	} cases[] = {
		{"512", "0", 1000, NULL},
		{"512", "9223372036854775807", 1000, NULL},
		{NULL, NULL, 1000, NULL},
		{"66048", NULL, 1000, NULL},
		{"514", "0", 1000, "disabled"},
		{"66050", NULL, 1000, "disabled"},
		{"-2147483134", NULL, 1000, "disabled"},
		{"-2147483136", NULL, 1000, NULL},
		{"528", NULL, 1000, NULL},			 /* locked */
		{"8389120", NULL, 1000, NULL},			 /* password expired */
		{"512", "132223104000000000", 1577836799, NULL}, /* 2020-01-01 */
		{"512", "132223104000000000", 1577836800, "expired"},
		{"512", "1", 1577836800, "expired"},
		{"", NULL, 1000, "does not say"},
		{"0x200", NULL, 1000, "does not say"},
		{"99999999999999999999", NULL, 1000, "does not say"},
		{"512", "never", 1000, "does not say"},
		{"512", "-1", 1000, "does not say"},
		{"512", "9223372036854775808", 1000, "does not say"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct active_directory_account account = {
			cases[i].control, cases[i].expires};
		const char *reason = active_directory_reason(&account, cases[i].now);
		if (!reason != !cases[i].reason || (reason && !strstr(reason, cases[i].reason)))
			fail_msg("case %zu: %s", i, reason ? reason : "none");
	}
}

static void ranges(void **state)
{
	static const struct {
		const char *text;
		size_t length;
		uint32_t next;
	} cases[] = {
		{"member;range=0-1499", 6, 1500},
		{"member;range=1500-*", 6, 0},
		{"member;Range=1500-2999", 6, 3000},
		{"m;range=0-0", 1, 1},
	};
	static const char *const bad[] = {"", "member", "member;binary", ";range=0-1",
		"member;range=", "member;range=*", "member;range=5-4", "member;range=0-",
		"member;range=0-1;x", "member;range=-1-5", "member;range=0--5",
		"member;range=0-4294967295", "member;range=4294967296-*",
		"member;range=0-99999999999999999999"};
	size_t length;
	uint32_t next;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (!active_directory_range(cases[i].text, &length, &next))
			fail_msg("'%s' is refused", cases[i].text);
		assert_int_equal(length, cases[i].length);
		assert_int_equal(next, cases[i].next);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (active_directory_range(bad[i], &length, &next))
			fail_msg("'%s' is taken", bad[i]);
}

static void refusals(void **state)
{
	static const char message[] = "80090308: LdapErr: DSID-0C0903A9, comment: "
				      "AcceptSecurityContext error, data %s, v1db1";
	static const struct {
		const char *code, *text;
	} cases[] = {{"52e", "wrong"}, {"525", "no such account"}, {"530", "time"},
		{"532", "password"}, {"533", "disabled"}, {"701", "expired"}, {"773", "changed"},
		{"775", "locked"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *text = xasprintf("%.*s%s, v1db1",
			(int)(strstr(message, "%s") - message), message, cases[i].code);
		assert_non_null(strstr(active_directory_refusal(text), cases[i].text));
		assert_int_equal(active_directory_must_change(text),
			strcmp(cases[i].code, "532") == 0 || strcmp(cases[i].code, "773") == 0);
	}
	assert_false(active_directory_must_change(NULL));
	assert_null(active_directory_refusal(NULL));
	assert_null(active_directory_refusal(""));
	assert_null(active_directory_refusal("Invalid credentials"));
	assert_null(active_directory_refusal("comment, data "));
	assert_null(active_directory_refusal("comment, data 4d5e, v1db1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(security_identifiers),
		cmocka_unit_test(no_security_identifiers),
		cmocka_unit_test(authorities_are_of_48_bits),
		cmocka_unit_test(guids),
		cmocka_unit_test(no_guids),
		cmocka_unit_test(accounts_that_may_not_be_used),
		cmocka_unit_test(ranges),
		cmocka_unit_test(refusals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
