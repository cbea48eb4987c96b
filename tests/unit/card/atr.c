/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card/atr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool parse(const char *hex, struct buffer *bytes, struct atr *atr)
{
	buffer_truncate(bytes, 0);
	assert_true(hex_decode(hex, bytes));
	return atr_parse(bytes->data, bytes->length, atr);
}

static void answers_to_reset_are_taken_apart(void **state)
{
	static const struct {
		const char *hex;
		unsigned protocols;
		size_t interface_count, historical;
		bool has_check, is_right;
	} cards[] = {
		{"3bfd1300008131fe158073c021c057597562694b657940", 1 << 1, 7, 13, true, true},
		{"3b7f96000080318065b0846160fb120ffd829000", 1 << 0, 3, 15, false, false},
		{"3bd596ff8191fe1fc34332333030cc", 1 << 1, 7, 5, true, true},
		{"3bd596ff8191fe1fc34332333030cd", 1 << 1, 7, 5, true, false},
		{"3f00", 1 << 0, 0, 0, false, false},
	};
	struct buffer bytes _cleanup_buffer_ = BUFFER_INIT;
	struct atr atr;
	(void)state;

	for (size_t i = 0; i < sizeof(cards) / sizeof(cards[0]); i++) {
		assert_true(parse(cards[i].hex, &bytes, &atr));
		assert_int_equal(atr.protocols, cards[i].protocols);
		assert_int_equal(atr.interface_count, cards[i].interface_count);
		assert_int_equal(reader_left(&atr.historical), cards[i].historical);
		assert_int_equal(atr.has_check, cards[i].has_check);
		assert_int_equal(atr.is_right, cards[i].is_right);
	}
	assert_true(atr.is_inverse);
}

static void interface_bytes_have_their_names(void **state)
{
	static const char *const names[] = {"TA1", "TB1", "TC1", "TD1", "TD2", "TA3", "TB3"};
	struct buffer bytes _cleanup_buffer_ = BUFFER_INIT;
	struct atr atr;
	(void)state;

	assert_true(parse("3bfd1300008131fe158073c021c057597562694b657940", &bytes, &atr));
	for (size_t i = 0; i < atr.interface_count; i++)
		assert_string_equal(atr.interface_bytes[i].name, names[i]);
	assert_int_equal(atr.interface_bytes[3].value, 0x81);
}

static void what_is_no_answer_to_reset_is_refused(void **state)
{
	static const char *const wrong[] = {"", "3b", "00", "4b00", "3b05aabb", "3b00aabb", "3bf0",
		"3b80808080808080808080808080808080808080808080808080808080808080"};
	struct buffer bytes _cleanup_buffer_ = BUFFER_INIT;
	struct atr atr;
	(void)state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(parse(wrong[i], &bytes, &atr));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_to_reset_are_taken_apart),
		cmocka_unit_test(interface_bytes_have_their_names),
		cmocka_unit_test(what_is_no_answer_to_reset_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
