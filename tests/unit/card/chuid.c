/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card/chuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t guid[CHUID_GUID_LENGTH] = {0xA1, 2, 3};

static void a_chuid_that_was_built_is_read(void **state)
{
	struct buffer object _cleanup_buffer_ = BUFFER_INIT;
	struct chuid chuid;
	(void)state;

	chuid_build(&fasc_n_default, guid, 1924992000, &object);
	assert_true(chuid_parse(&object, &chuid));
	assert_true(chuid.has_fasc_n);
	assert_string_equal(chuid.fasc_n.agency, "9999");
	assert_string_equal(chuid.fasc_n.system, "9999");
	assert_string_equal(chuid.fasc_n.credential, "999999");
	assert_string_equal(chuid.fasc_n.series, "0");
	assert_string_equal(chuid.fasc_n.issue, "1");
	assert_string_equal(chuid.fasc_n.person, "0000000000");
	assert_memory_equal(chuid.guid.data, guid, sizeof(guid));
	assert_string_equal(chuid.expires, "20310101");
	assert_false(chuid.is_signed);
}

static void a_ccc_that_was_built_is_read(void **state)
{
	static const uint8_t identifier[CCC_CARD_ID_LENGTH] = {7};
	struct buffer object _cleanup_buffer_ = BUFFER_INIT;
	struct ccc ccc;
	(void)state;

	ccc_build(identifier, &object);
	assert_true(ccc_parse(&object, &ccc));
	assert_int_equal(reader_left(&ccc.card_identifier), 21);
	assert_int_equal(ccc.container_version, 0x21);
	assert_int_equal(ccc.grammar_version, 0x21);
	assert_int_equal(ccc.data_model, 0x10);
}

static void a_discovery_object_is_read(void **state)
{
	struct buffer object _cleanup_buffer_ = BUFFER_INIT;
	struct discovery discovery;
	(void)state;

	assert_true(hex_decode("4f0ba0000003080000100001005f2f026020", &object));
	assert_true(discovery_parse(&object, &discovery));
	assert_int_equal(reader_left(&discovery.application), 11);
	assert_int_equal(
		discovery.pin_usage, DISCOVERY_PIN | DISCOVERY_GLOBAL_PIN | DISCOVERY_GLOBAL_FIRST);
}

static void malformed_objects_give_what_is_legible(void **state)
{
	static const char *const wrong[] = {"30", "3005d4", "3019d4", "3410a1"};
	struct buffer object _cleanup_buffer_ = BUFFER_INIT;
	struct discovery discovery;
	struct chuid chuid;
	struct ccc ccc;
	(void)state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		buffer_truncate(&object, 0);
		assert_true(hex_decode(wrong[i], &object));
		assert_false(chuid_parse(&object, &chuid));
		assert_false(ccc_parse(&object, &ccc));
		assert_false(discovery_parse(&object, &discovery));
	}
	buffer_truncate(&object, 0);
	assert_true(hex_decode("3002ffff3401aa3508323033302d31323f3e0101", &object));
	chuid_parse(&object, &chuid);
	assert_false(chuid.has_fasc_n);
	assert_string_equal(chuid.expires, "");
}

static void every_field_of_a_fasc_n_comes_back(void **state)
{
	static const struct fasc_n given = {.agency = "1234",
		.system = "5678",
		.credential = "004711",
		.series = "2",
		.issue = "3",
		.person = "0123456789",
		.category = "4",
		.organisation = "0815",
		.association = "5"};
	_cleanup_buffer_ struct buffer object = BUFFER_INIT;
	struct chuid chuid;

	(void)state;
	chuid_build(&given, guid, 0, &object);
	assert_true(chuid_parse(&object, &chuid));
	assert_true(chuid.has_fasc_n);
	assert_string_equal(chuid.fasc_n.agency, given.agency);
	assert_string_equal(chuid.fasc_n.system, given.system);
	assert_string_equal(chuid.fasc_n.credential, given.credential);
	assert_string_equal(chuid.fasc_n.series, given.series);
	assert_string_equal(chuid.fasc_n.issue, given.issue);
	assert_string_equal(chuid.fasc_n.person, given.person);
	assert_string_equal(chuid.fasc_n.category, given.category);
	assert_string_equal(chuid.fasc_n.organisation, given.organisation);
	assert_string_equal(chuid.fasc_n.association, given.association);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_of_a_fasc_n_comes_back),
		cmocka_unit_test(a_chuid_that_was_built_is_read),
		cmocka_unit_test(a_ccc_that_was_built_is_read),
		cmocka_unit_test(a_discovery_object_is_read),
		cmocka_unit_test(malformed_objects_give_what_is_legible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
