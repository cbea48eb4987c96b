/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/tlv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/macros.h"

/* Appends an element of `length` bytes and reads it back. */
static void check_round_trip(uint32_t tag, size_t length, size_t header_length)
{
	_cleanup_buffer_ struct buffer value = BUFFER_INIT;
	_cleanup_buffer_ struct buffer buffer = BUFFER_INIT;
	struct tlv element;

	buffer_fill(&value, 0x5A, length);
	tlv_append(&buffer, tag, value.data, value.length);
	assert_int_equal(buffer.length, header_length + length);
	struct reader reader = reader_of(&buffer);
	assert_true(tlv_next(&reader, &element));
	assert_int_equal(element.tag, tag);
	assert_int_equal(reader_left(&element.value), length);
	if (length)
		assert_memory_equal(element.value.data, value.data, length);
	assert_false(tlv_next(&reader, &element));
	assert_false(reader.failed);
}

static void lengths_are_written_as_short_as_can_be(void **state)
{
	(void)state;
	check_round_trip(0x53, 0, 2);
	check_round_trip(0x53, 0x7F, 2);
	check_round_trip(0x53, 0x80, 3);
	check_round_trip(0x53, 0xFF, 3);
	check_round_trip(0x53, 0x100, 4);
	check_round_trip(0x53, 0xFFFF, 4);
	check_round_trip(0x53, 0x10000, 5);
	check_round_trip(0x53, 0x1000000, 6);
}

static void tags_of_one_to_three_bytes_are_kept(void **state)
{
	(void)state;
	check_round_trip(0x80, 1, 2);
	check_round_trip(0x7F49, 1, 3);
	check_round_trip(0x5F52, 1, 3);
	check_round_trip(0x5FC105, 1, 4);
}

/*
 * 0x5FC105 is the three-byte tag of a PIV data object: BER would say that 0x5F
 * 0xC1 0x05 continues after 0xC1 since its top bit is set.
 */
static void a_piv_object_tag_is_one_tag(void **state)
{
	static const uint8_t bytes[] = {0x5F, 0xC1, 0x05, 0x01, 0xAA};
	struct reader reader = READER_INIT(bytes, sizeof(bytes));
	struct tlv element;

	(void)state;
	assert_true(tlv_next(&reader, &element));
	assert_int_equal(element.tag, 0x5FC105);
	assert_int_equal(reader_u8(&element.value), 0xAA);
}

static void a_length_that_is_longer_than_needed_is_read(void **state)
{
	static const uint8_t bytes[] = {0x53, 0x84, 0x00, 0x00, 0x00, 0x01, 0xAA};
	struct reader reader = READER_INIT(bytes, sizeof(bytes));
	struct tlv element;

	(void)state;
	assert_true(tlv_next(&reader, &element));
	assert_int_equal(reader_left(&element.value), 1);
}

static void malformed_elements_fail_the_reader(void **state)
{
	static const struct {
		const char *what;
		size_t length;
		uint8_t bytes[8];
	} cases[] = {
		{"a tag alone", 1, {0x53}},
		{"half a tag", 1, {0x5F}},
		{"half a tag of three bytes", 2, {0x5F, 0xC1}},
		{"a tag of four bytes", 6, {0x5F, 0xC1, 0x81, 0x01, 0x01, 0x00}},
		{"a value cut short", 3, {0x53, 0x02, 0xAA}},
		{"no length bytes", 2, {0x53, 0x81}},
		{"half a length", 3, {0x53, 0x82, 0x01}},
		{"the indefinite length", 4, {0x53, 0x80, 0x00, 0x00}},
		{"a length of five bytes", 8, {0x53, 0x85, 0, 0, 0, 0, 1, 0xAA}},
		{"the greatest length", 7, {0x53, 0x84, 0xFF, 0xFF, 0xFF, 0xFF, 0xAA}},
		{"a reserved length", 3, {0x53, 0xFF, 0xAA}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct reader reader = READER_INIT(cases[i].bytes, cases[i].length);
		struct tlv element = {.tag = 0x1234};
		if (tlv_next(&reader, &element) || !reader.failed || element.tag != 0x1234)
			fail_msg("%s is taken", cases[i].what);
		assert_false(tlv_next(&reader, &element));
	}
}

static void the_end_of_the_data_is_no_failure(void **state)
{
	struct reader reader = READER_INIT(NULL, 0);
	struct tlv element;

	(void)state;
	assert_false(tlv_next(&reader, &element));
	assert_false(reader.failed);
}

static void an_element_is_found_among_others(void **state)
{
	static const uint8_t bytes[] = {0x70, 0x01, 0xAA, 0x71, 0x00, 0xFE, 0x01, 0xBB};
	struct reader data = READER_INIT(bytes, sizeof(bytes));
	struct reader value = READER_INIT(NULL, 0);

	(void)state;
	assert_true(tlv_find(data, 0xFE, &value));
	assert_int_equal(reader_u8(&value), 0xBB);
	assert_true(tlv_find(data, 0x71, &value));
	assert_int_equal(reader_left(&value), 0);
	assert_int_equal(data.position, 0);
	assert_false(tlv_find(data, 0x99, &value));
}

static void nothing_is_found_behind_a_malformed_element(void **state)
{
	static const uint8_t bytes[] = {0x70, 0x80, 0xFE, 0x01, 0xBB};
	struct reader data = READER_INIT(bytes, sizeof(bytes));
	struct reader value;

	(void)state;
	assert_false(tlv_find(data, 0xFE, &value));
}

static void nested_elements_stay_inside_their_parent(void **state)
{
	/* the inner element claims one byte more than its parent has */
	static const uint8_t bytes[] = {0x7C, 0x03, 0x82, 0x02, 0xAA, 0xBB};
	struct reader reader = READER_INIT(bytes, sizeof(bytes));
	struct tlv outer, inner;

	(void)state;
	assert_true(tlv_next(&reader, &outer));
	assert_false(tlv_next(&outer.value, &inner));
	assert_true(outer.value.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths_are_written_as_short_as_can_be),
		cmocka_unit_test(tags_of_one_to_three_bytes_are_kept),
		cmocka_unit_test(a_piv_object_tag_is_one_tag),
		cmocka_unit_test(a_length_that_is_longer_than_needed_is_read),
		cmocka_unit_test(malformed_elements_fail_the_reader),
		cmocka_unit_test(the_end_of_the_data_is_no_failure),
		cmocka_unit_test(an_element_is_found_among_others),
		cmocka_unit_test(nothing_is_found_behind_a_malformed_element),
		cmocka_unit_test(nested_elements_stay_inside_their_parent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
