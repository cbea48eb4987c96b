/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/signed-content.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "cli/text.h"
#include "common/alloc.h"
#include "common/tlv.h"

#define PROOF_TEXT "tessera-enrollment-agent-proof-1 "

#define TYPE	     "2a864886f70d010903"
#define DIGEST	     "2a864886f70d010904"
#define TIME	     "2a864886f70d010905"
#define CAPABILITIES "2a864886f70d01090f"
#define NAME_VALUE   "2b0601040182370d0201"
#define DATA	     "06092a864886f70d010701"
#define SIGNED_DATA  "06092a864886f70d010702"
#define SHA256	     "0420000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define UTC_TIME     "170d3236313132373131303030305a"
#define REQUESTER_1  "1e1a007200650071007500650073007400650072006e0061006d0065"
#define ADA	     "1e0e004c00410042005c006100640061"

/* One attribute with one value; both in hex. */
static void append_attribute(struct buffer *attributes, const char *oid, const char *value)
{
	_cleanup_buffer_ struct buffer type = BUFFER_INIT, set = BUFFER_INIT, both = BUFFER_INIT;

	assert_true(hex_decode(oid, &type) && hex_decode(value, &set));
	tlv_append(&both, 0x06, type.data, type.length);
	tlv_append(&both, 0x31, set.data, set.length);
	tlv_append(attributes, 0x30, both.data, both.length);
}

/* SEQUENCE of two, in hex; heap. */
static char *pair_of(const char *name, const char *value)
{
	_cleanup_buffer_ struct buffer both = BUFFER_INIT, sequence = BUFFER_INIT;

	assert_true(hex_decode(name, &both) && hex_decode(value, &both));
	tlv_append(&sequence, 0x30, both.data, both.length);
	return hex_encode(sequence.data, sequence.length);
}

struct attribute {
	const char *oid, *value;
};

static void make(struct buffer *content, const struct attribute *attributes)
{
	_cleanup_buffer_ struct buffer all = BUFFER_INIT;

	for (; attributes->oid; attributes++)
		append_attribute(&all, attributes->oid, attributes->value);
	tlv_append(content, 0x31, all.data, all.length);
}

static void assert_refused(const struct buffer *content)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_free_ char *account = NULL;

	assert_false(signed_content_read(content, &account, &error));
	assert_int_equal(error.code, ERROR_ACCESS_DENIED);
	assert_null(account);
}

static void the_account_of_a_request_is_read(void **state)
{
	_cleanup_free_ char *ada = pair_of(REQUESTER_1, ADA);
	_cleanup_free_ char *account = NULL;
	_cleanup_free_ char *hidden = pair_of(REQUESTER_1, "1e08004c202e006100e4");
	_cleanup_free_ char *other = NULL;
	const struct attribute whole[] = {
		{TYPE, DATA}, {TIME, UTC_TIME}, {DIGEST, SHA256}, {NAME_VALUE, ada}, {NULL, NULL}};
	const struct attribute timeless[] = {
		{NAME_VALUE, hidden}, {TYPE, DATA}, {DIGEST, SHA256}, {NULL, NULL}};
	_cleanup_buffer_ struct buffer content = BUFFER_INIT, second = BUFFER_INIT;

	(void)state;
	make(&content, whole);
	assert_true(signed_content_read(&content, &account, NULL));
	assert_string_equal(account, "LAB\\ada");
	/* What would hide or turn text on the terminal is shown as what it is not. */
	make(&second, timeless);
	assert_true(signed_content_read(&second, &other, NULL));
	assert_string_equal(other, "L?a\xc3\xa4");
}

static void a_proof_is_for_nobody(void **state)
{
	_cleanup_buffer_ struct buffer content = BUFFER_INIT;
	_cleanup_free_ char *account = NULL;

	(void)state;
	buffer_append_string(&content, PROOF_TEXT);
	assert_refused(&content);
	buffer_fill(&content, 'a', 64);
	assert_true(signed_content_read(&content, &account, NULL));
	assert_null(account);
	content.data[content.length - 1] = 'x';
	assert_refused(&content);
	content.data[content.length - 1] = '0';
	buffer_append_u8(&content, '0');
	assert_refused(&content);
}

/* Whatever else tesserad could want signed by an agent's key. */
static void nothing_else_is_signed(void **state)
{
	_cleanup_free_ char *ada = pair_of(REQUESTER_1, ADA);
	_cleanup_free_ char *unnamed = pair_of(ADA, ADA);
	_cleanup_free_ char *twice = xasprintf("%s%s", ada, ada);
	const struct attribute cases[][6] = {
		{{NULL, NULL}},
		{{TYPE, DATA}, {DIGEST, SHA256}},
		{{TYPE, SIGNED_DATA}, {DIGEST, SHA256}, {NAME_VALUE, ada}},
		{{TYPE, DATA}, {NAME_VALUE, ada}},
		{{DIGEST, SHA256}, {NAME_VALUE, ada}},
		{{TYPE, DATA}, {DIGEST, UTC_TIME}, {NAME_VALUE, ada}},
		{{TYPE, DATA}, {DIGEST, SHA256}, {NAME_VALUE, unnamed}},
		{{TYPE, DATA}, {DIGEST, SHA256}, {NAME_VALUE, DATA}},
		{{TYPE, DATA}, {DIGEST, SHA256}, {NAME_VALUE, twice}},
		{{TYPE, DATA}, {DIGEST, SHA256}, {NAME_VALUE, ada}, {NAME_VALUE, ada}},
		{{TYPE, DATA}, {DIGEST, SHA256}, {NAME_VALUE, ada}, {CAPABILITIES, DATA}},
		{{TYPE, DATA}, {TYPE, DATA}, {DIGEST, SHA256}, {NAME_VALUE, ada}},
	};
	_cleanup_buffer_ struct buffer other = BUFFER_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buffer_ struct buffer content = BUFFER_INIT;
		make(&content, cases[i]);
		assert_refused(&content);
	}
	assert_refused(&other);
	buffer_append_string(&other, "tessera-operator-login-1");
	assert_refused(&other);
}

/* Each change of a byte, and each end that comes too soon, is either refused or another account. */
static void broken_content_is_refused(void **state)
{
	_cleanup_free_ char *ada = pair_of(REQUESTER_1, ADA);
	const struct attribute whole[] = {
		{TYPE, DATA}, {DIGEST, SHA256}, {NAME_VALUE, ada}, {NULL, NULL}};
	_cleanup_buffer_ struct buffer content = BUFFER_INIT;

	(void)state;
	make(&content, whole);
	for (size_t length = 0; length < content.length; length++) {
		_cleanup_buffer_ struct buffer part = BUFFER_INIT;
		buffer_append(&part, content.data, length);
		assert_refused(&part);
	}
	for (size_t i = 0; i < content.length; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			_cleanup_free_ char *account = NULL;
			content.data[i] ^= (uint8_t)(1U << bit);
			if (signed_content_read(&content, &account, NULL))
				assert_non_null(account);
			content.data[i] ^= (uint8_t)(1U << bit);
		}
	}
	buffer_append_u8(&content, 0);
	assert_refused(&content);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_account_of_a_request_is_read),
		cmocka_unit_test(a_proof_is_for_nobody),
		cmocka_unit_test(nothing_else_is_signed),
		cmocka_unit_test(broken_content_is_refused),
	};

	text_set_locale();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
