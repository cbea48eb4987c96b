/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attributes that programs send. */
#include "token/attributes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NUMBER(value)                                                                              \
	(const CK_ULONG[])                                                                         \
	{                                                                                          \
		value                                                                              \
	}

/* What one attribute alone gives: 0 for one that is let pass. */
static CK_RV refusal_of(CK_ATTRIBUTE_TYPE type, const void *value, size_t length)
{
	struct buffer bytes _cleanup_buffer_ = BUFFER_INIT;
	struct error error _cleanup_error_ = ERROR_INIT;

	attributes_append(&bytes, (uint32_t)type, value, length);
	if (attributes_check(reader_of(&bytes), &error))
		return CKR_OK;
	assert_int_equal(error.code, ERROR_TOKEN_REFUSED);
	return error.ckr;
}

static void each_value_has_the_size_of_its_type(void **state)
{
	static const uint8_t bytes[4096] = {1};
	static const struct {
		CK_ATTRIBUTE_TYPE type;
		size_t length;
		CK_RV refusal;
	} cases[] = {
		{CKA_CLASS, 8, CKR_OK},
		{CKA_CLASS, 4, CKR_ATTRIBUTE_VALUE_INVALID},
		{CKA_CLASS, 0, CKR_ATTRIBUTE_VALUE_INVALID},
		{CKA_KEY_TYPE, 16, CKR_ATTRIBUTE_VALUE_INVALID},
		{CKA_TOKEN, 1, CKR_OK},
		{CKA_TOKEN, 0, CKR_ATTRIBUTE_VALUE_INVALID},
		{CKA_TOKEN, 8, CKR_ATTRIBUTE_VALUE_INVALID},
		{CKA_START_DATE, 0, CKR_OK},
		{CKA_START_DATE, 8, CKR_OK},
		{CKA_START_DATE, 7, CKR_ATTRIBUTE_VALUE_INVALID},
		{CKA_ALLOWED_MECHANISMS, 0, CKR_OK},
		{CKA_ALLOWED_MECHANISMS, 16, CKR_OK},
		{CKA_ALLOWED_MECHANISMS, 12, CKR_ATTRIBUTE_VALUE_INVALID},
		{CKA_MODULUS, 2048, CKR_OK},
		{CKA_MODULUS, 2049, CKR_ATTRIBUTE_VALUE_INVALID},
		{CKA_LABEL, 0, CKR_OK},
		{CKA_LABEL, 4096, CKR_OK},
		{CKA_VENDOR_DEFINED | 7, 3, CKR_OK},
		{CKA_WRAP_TEMPLATE, 0, CKR_ATTRIBUTE_TYPE_INVALID},
		{CKA_UNWRAP_TEMPLATE, 24, CKR_ATTRIBUTE_TYPE_INVALID},
		{CKF_ARRAY_ATTRIBUTE | 0x999, 24, CKR_ATTRIBUTE_TYPE_INVALID},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
			refusal_of(cases[i].type, bytes, cases[i].length), cases[i].refusal);
}

static void sizes_that_would_take_hours_are_refused(void **state)
{
	(void)state;
	assert_int_equal(refusal_of(CKA_MODULUS_BITS, NUMBER(8192), 8), CKR_OK);
	assert_int_equal(refusal_of(CKA_MODULUS_BITS, NUMBER(8193), 8), CKR_KEY_SIZE_RANGE);
	assert_int_equal(refusal_of(CKA_VALUE_LEN, NUMBER(64), 8), CKR_OK);
	assert_int_equal(refusal_of(CKA_VALUE_LEN, NUMBER(1UL << 40), 8), CKR_KEY_SIZE_RANGE);
	assert_int_equal(refusal_of(CKA_TOKEN, "\x02", 1), CKR_ATTRIBUTE_VALUE_INVALID);
}

static void no_type_comes_twice(void **state)
{
	struct buffer bytes _cleanup_buffer_ = BUFFER_INIT;
	struct error error _cleanup_error_ = ERROR_INIT;

	(void)state;
	attributes_append(&bytes, CKA_LABEL, "one", 3);
	attributes_append(&bytes, CKA_ID, "1", 1);
	assert_true(attributes_check(reader_of(&bytes), &error));
	attributes_append(&bytes, CKA_LABEL, "other", 5);
	assert_false(attributes_check(reader_of(&bytes), &error));
	assert_int_equal(error.ckr, CKR_TEMPLATE_INCONSISTENT);
}

static void there_are_not_too_many(void **state)
{
	struct buffer bytes _cleanup_buffer_ = BUFFER_INIT;
	struct error error _cleanup_error_ = ERROR_INIT;

	(void)state;
	for (uint32_t i = 0; i < 128; i++)
		attributes_append(&bytes, 0x80000000U + i, NULL, 0);
	assert_true(attributes_check(reader_of(&bytes), &error));
	attributes_append(&bytes, CKA_LABEL, NULL, 0);
	assert_false(attributes_check(reader_of(&bytes), &error));
	assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
}

static void what_is_cut_off_is_refused(void **state)
{
	struct buffer bytes _cleanup_buffer_ = BUFFER_INIT;

	(void)state;
	attributes_append(&bytes, CKA_LABEL, "label", 5);
	attributes_append(&bytes, CKA_ID, "id", 2);
	for (size_t length = 1; length < bytes.length; length++) {
		struct reader cut = READER_INIT(bytes.data, length);
		struct error error _cleanup_error_ = ERROR_INIT;
		bool whole = length == 8 + 5;
		assert_int_equal(attributes_check(cut, &error), whole);
		assert_int_equal(error.code, whole ? ERROR_NONE : ERROR_INVALID_ARGUMENT);
	}
}

static void what_is_asked_for_is_found(void **state)
{
	struct buffer bytes _cleanup_buffer_ = BUFFER_INIT;
	struct reader reader;

	(void)state;
	attributes_append(&bytes, CKA_TOKEN, "\x01", 1);
	attributes_append(&bytes, CKA_LABEL, "web\0tls", 7);
	attributes_append(&bytes, CKA_CLASS, NUMBER(CKO_SECRET_KEY), 8);
	reader = reader_of(&bytes);
	assert_true(attributes_flag(reader, CKA_TOKEN, false));
	assert_true(attributes_flag(reader, CKA_PRIVATE, true));
	assert_false(attributes_flag(reader, CKA_PRIVATE, false));
	assert_int_equal(attributes_number(reader, CKA_CLASS, 77), CKO_SECRET_KEY);
	assert_int_equal(attributes_number(reader, CKA_KEY_TYPE, 77), 77);
	/* As rules see it, and as that of the object will be read. */
	char *label = attributes_label(reader);
	assert_string_equal(label, "web");
	free(label);
}

static void a_module_gets_them_aligned(void **state)
{
	struct buffer bytes _cleanup_buffer_ = BUFFER_INIT;
	struct attribute_list list _cleanup_attributes_ = {0};

	(void)state;
	attributes_append(&bytes, CKA_LABEL, "odd", 3);
	attributes_append(&bytes, CKA_CLASS, NUMBER(CKO_DATA + 4), 8);
	attributes_append(&bytes, CKA_ID, NULL, 0);
	attributes_decode(reader_of(&bytes), &list);
	assert_int_equal(list.count, 3);
	assert_int_equal(list.items[0].ulValueLen, 3);
	assert_memory_equal(list.items[0].pValue, "odd", 3);
	assert_int_equal((uintptr_t)list.items[1].pValue % sizeof(CK_ULONG), 0);
	assert_int_equal(*(CK_ULONG *)list.items[1].pValue, 4);
	assert_int_equal(list.items[2].ulValueLen, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_value_has_the_size_of_its_type),
		cmocka_unit_test(sizes_that_would_take_hours_are_refused),
		cmocka_unit_test(no_type_comes_twice),
		cmocka_unit_test(there_are_not_too_many),
		cmocka_unit_test(what_is_cut_off_is_refused),
		cmocka_unit_test(what_is_asked_for_is_found),
		cmocka_unit_test(a_module_gets_them_aligned),
	};

	return cmocka_run_group_tests_name("token/attributes", tests, NULL, NULL);
}
