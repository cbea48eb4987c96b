/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/macros.h"

static void numbers_are_appended_big_endian(void **state)
{
	static const uint8_t expected[] = {0x01, 0x23, 0x45, 0x89, 0xAB, 0xCD, 0xEF, 'o', 'k'};
	_cleanup_buffer_ struct buffer buffer = BUFFER_INIT;

	(void)state;
	buffer_append_u8(&buffer, 0x01);
	buffer_append_u16(&buffer, 0x2345);
	buffer_append_u32(&buffer, 0x89ABCDEF);
	buffer_append_string(&buffer, "ok");
	assert_int_equal(buffer.length, sizeof(expected));
	assert_memory_equal(buffer.data, expected, sizeof(expected));
	assert_false(buffer.failed);
}

static void a_buffer_grows_and_keeps_its_contents(void **state)
{
	_cleanup_buffer_ struct buffer buffer = BUFFER_INIT_WIPE;

	(void)state;
	for (unsigned i = 0; i < 10000; i++)
		buffer_append_u16(&buffer, (uint16_t)i);
	assert_int_equal(buffer.length, 20000);
	assert_true(buffer.capacity >= buffer.length);
	struct reader reader = reader_of(&buffer);
	for (unsigned i = 0; i < 10000; i++)
		assert_int_equal(reader_u16(&reader), i);
	assert_int_equal(reader_left(&reader), 0);
	assert_false(reader.failed);
}

static void an_impossible_size_fails_once_and_for_all(void **state)
{
	_cleanup_buffer_ struct buffer buffer = BUFFER_INIT;

	(void)state;
	buffer_append_u8(&buffer, 1);
	assert_null(buffer_extend(&buffer, SIZE_MAX / 2 + 1));
	assert_true(buffer.failed);
	buffer_append_u8(&buffer, 2);
	buffer_fill(&buffer, 3, 4);
	assert_int_equal(buffer.length, 1);
	buffer_clear(&buffer);
	assert_false(buffer.failed);
}

static void extending_by_nothing_still_gives_a_place(void **state)
{
	_cleanup_buffer_ struct buffer buffer = BUFFER_INIT;

	(void)state;
	assert_non_null(buffer_extend(&buffer, 0));
	assert_int_equal(buffer.length, 0);
}

static void appending_nothing_takes_a_null_pointer(void **state)
{
	_cleanup_buffer_ struct buffer buffer = BUFFER_INIT;

	(void)state;
	buffer_append(&buffer, NULL, 0);
	assert_int_equal(buffer.length, 0);
	assert_null(buffer.data);
}

static void truncating_wipes_what_may_be_secret(void **state)
{
	_cleanup_buffer_ struct buffer buffer = BUFFER_INIT_WIPE;
	static const uint8_t zeros[4];

	(void)state;
	buffer_append_string(&buffer, "123456");
	buffer_truncate(&buffer, 7);
	assert_int_equal(buffer.length, 6);
	buffer_truncate(&buffer, 2);
	assert_int_equal(buffer.length, 2);
	assert_memory_equal(buffer.data, "12", 2);
	assert_memory_equal(buffer.data + 2, zeros, 4);
}

static void clearing_keeps_the_wish_to_wipe(void **state)
{
	_cleanup_buffer_ struct buffer buffer = BUFFER_INIT_WIPE;

	(void)state;
	buffer_fill(&buffer, 0xAA, 3);
	buffer_clear(&buffer);
	assert_null(buffer.data);
	assert_int_equal(buffer.capacity, 0);
	assert_true(buffer.wipe);
}

static void moving_empties_the_source(void **state)
{
	_cleanup_buffer_ struct buffer from = BUFFER_INIT_WIPE;
	_cleanup_buffer_ struct buffer to = BUFFER_INIT;

	(void)state;
	buffer_append_string(&from, "new");
	buffer_append_string(&to, "old contents");
	buffer_move(&to, &from);
	assert_int_equal(to.length, 3);
	assert_memory_equal(to.data, "new", 3);
	assert_true(to.wipe);
	assert_null(from.data);
	assert_int_equal(from.length, 0);
}

static void reading_past_the_end_fails_and_stays_failed(void **state)
{
	static const uint8_t bytes[] = {1, 2, 3};
	struct reader reader = READER_INIT(bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(reader_u16(&reader), 0x0102);
	assert_int_equal(reader_u32(&reader), 0);
	assert_true(reader.failed);
	assert_int_equal(reader_left(&reader), 0);
	assert_int_equal(reader_u8(&reader), 0);
	assert_null(reader_bytes(&reader, 1));
}

static void a_huge_length_does_not_wrap_around(void **state)
{
	static const uint8_t bytes[] = {1, 2, 3};
	struct reader reader = READER_INIT(bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(reader_u8(&reader), 1);
	assert_null(reader_bytes(&reader, SIZE_MAX));
	assert_true(reader.failed);
}

static void a_part_ends_where_it_was_told_to(void **state)
{
	static const uint8_t bytes[] = {1, 2, 3, 4};
	struct reader reader = READER_INIT(bytes, sizeof(bytes));

	(void)state;
	struct reader part = reader_sub(&reader, 2);
	assert_int_equal(reader_u16(&part), 0x0102);
	assert_int_equal(reader_u8(&part), 0);
	assert_true(part.failed);
	assert_int_equal(reader_u16(&reader), 0x0304);
	assert_false(reader.failed);
	part = reader_sub(&reader, 1);
	assert_true(part.failed);
	assert_int_equal(part.length, 0);
	assert_true(reader.failed);
}

static void an_empty_buffer_can_be_read(void **state)
{
	struct buffer buffer = BUFFER_INIT;
	struct reader reader = reader_of(&buffer);

	(void)state;
	assert_int_equal(reader_left(&reader), 0);
	assert_null(reader_bytes(&reader, 0));
	struct reader part = reader_sub(&reader, 0);
	assert_int_equal(reader_left(&part), 0);
	assert_false(part.failed);
	assert_false(reader.failed);
	assert_int_equal(reader_u8(&reader), 0);
	assert_true(reader.failed);
}

static void hex_goes_there_and_back(void **state)
{
	static const uint8_t bytes[] = {0x00, 0x0F, 0x7F, 0xA5, 0xFF};
	_cleanup_free_ char *hex = hex_encode(bytes, sizeof(bytes));
	_cleanup_buffer_ struct buffer buffer = BUFFER_INIT;

	(void)state;
	assert_string_equal(hex, "000f7fa5ff");
	assert_true(hex_decode(hex, &buffer));
	assert_true(hex_decode("A5FF", &buffer));
	assert_int_equal(buffer.length, sizeof(bytes) + 2);
	assert_memory_equal(buffer.data, bytes, sizeof(bytes));
	assert_memory_equal(buffer.data + sizeof(bytes), bytes + 3, 2);
}

static void hex_of_nothing_is_the_empty_string(void **state)
{
	_cleanup_free_ char *hex = hex_encode(NULL, 0);
	_cleanup_buffer_ struct buffer buffer = BUFFER_INIT;

	(void)state;
	assert_string_equal(hex, "");
	assert_true(hex_decode("", &buffer));
	assert_int_equal(buffer.length, 0);
}

static void malformed_hex_is_refused(void **state)
{
	static const char *const malformed[] = {"0", "000", "0g", "g0", " 00", "0x00", "00 ",
		"00\n", "0\xC3\xA4", "@0", "`0", "/0"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(malformed); i++) {
		_cleanup_buffer_ struct buffer buffer = BUFFER_INIT;
		assert_false(hex_decode(malformed[i], &buffer));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_appended_big_endian),
		cmocka_unit_test(a_buffer_grows_and_keeps_its_contents),
		cmocka_unit_test(an_impossible_size_fails_once_and_for_all),
		cmocka_unit_test(extending_by_nothing_still_gives_a_place),
		cmocka_unit_test(appending_nothing_takes_a_null_pointer),
		cmocka_unit_test(truncating_wipes_what_may_be_secret),
		cmocka_unit_test(clearing_keeps_the_wish_to_wipe),
		cmocka_unit_test(moving_empties_the_source),
		cmocka_unit_test(reading_past_the_end_fails_and_stays_failed),
		cmocka_unit_test(a_huge_length_does_not_wrap_around),
		cmocka_unit_test(a_part_ends_where_it_was_told_to),
		cmocka_unit_test(an_empty_buffer_can_be_read),
		cmocka_unit_test(hex_goes_there_and_back),
		cmocka_unit_test(hex_of_nothing_is_the_empty_string),
		cmocka_unit_test(malformed_hex_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
