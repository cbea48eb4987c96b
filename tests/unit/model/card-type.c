/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/card-type.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/key.h"

#define TOP		 "\"name\": \"t\", \"title\": \"T\", \"manufacturer\": \"M\", "
#define HEAD		 TOP "\"driver\": \"piv\""
#define PIN		 "\"pin\": {\"minimum-length\": 6, \"maximum-length\": 8}"
#define KEYS		 "\"keys\": {\"algorithms\": [\"rsa-2048\"]}"
#define MATCH		 "\"match\": {\"atr\": [{\"value\": \"3b00\"}]}"
#define WITH_MATCH(rest) "{" HEAD ", " PIN ", " KEYS ", \"match\": {" rest "}}"
#define WITH(rest)	 "{" HEAD ", " PIN ", " KEYS ", " MATCH ", " rest "}"

static void every_member_is_read(void **state)
{
	static const char document[] =
		"{" HEAD
		", \"notes\": \"n\", \"match\": {\"atr\": [{\"value\": \"3B8C01\", \"mask\": "
		"\"FF0F00\"}, {\"value\": \"3b00\"}], \"firmware\": {\"from\": \"5.7.0\"}, "
		"\"applications\": [\"a000000308\"], \"library\": \"L\"}, \"pin\": "
		"{\"minimum-length\": 4, \"maximum-length\": 16, \"unblock\": \"admin-key\"}, "
		"\"keys\": {\"algorithms\": [\"rsa-1024\", \"ec-p384\"]}, \"extensions\": "
		"[\"reset\", \"serial\"], \"factory\": {\"pin\": \"123456\", \"puk\": "
		"\"87654321\", "
		"\"management-key\": \"000102030405060708090A0B0C0D0E0F\", "
		"\"management-algorithm\": \"aes-128\"}}";
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_card_type_ struct card_type *type = card_type_parse(document, &error);

	(void)state;
	if (!type)
		fail_msg("%s: %s", error.field, error_message(&error));
	assert_string_equal(type->name, "t");
	assert_string_equal(type->driver, "piv");
	assert_string_equal(type->notes, "n");
	assert_int_equal(type->atr_count, 2);
	assert_memory_equal(type->atrs[0].mask.data, "\xFF\x0F\x00", 3);
	assert_memory_equal(type->atrs[1].mask.data, "\xFF\xFF", 2);
	assert_int_equal(type->firmware_from, 0x050700);
	assert_int_equal(type->firmware_to, 0xFFFFFF);
	assert_int_equal(type->applications[0].length, 5);
	assert_string_equal(type->library, "L");
	assert_int_equal(type->pin_minimum, 4);
	assert_int_equal(type->pin_maximum, 16);
	assert_int_equal(type->unblock, CARD_UNBLOCK_ADMIN_KEY);
	assert_int_equal(
		type->algorithms, 1U << KEY_ALGORITHM_RSA_1024 | 1U << KEY_ALGORITHM_EC_P384);
	assert_int_equal(
		type->extensions, 1U << CARD_EXTENSION_RESET | 1U << CARD_EXTENSION_SERIAL);
	assert_string_equal(type->factory_pin, "123456");
	assert_string_equal(type->factory_puk, "87654321");
	assert_string_equal(type->factory_admin_key, "000102030405060708090a0b0c0d0e0f");
	assert_int_equal(type->factory_admin_algorithm, 0x08);
	assert_string_equal(type->document, document);
}

static void what_is_left_out_has_defaults(void **state)
{
	_cleanup_card_type_ struct card_type *type =
		card_type_parse("{" HEAD ", " PIN ", " KEYS ", " MATCH "}", NULL);

	(void)state;
	assert_non_null(type);
	assert_null(type->notes);
	assert_null(type->factory_pin);
	assert_null(type->factory_admin_key);
	assert_int_equal(type->extensions, CARD_EXTENSIONS_ALL);
	assert_int_equal(type->unblock, CARD_UNBLOCK_NONE);
	assert_int_equal(type->firmware_to, 0);
}

static const struct {
	const char *document, *field, *word;
} refusals[] = {
	{"[]", "", "object"},
	{"{\"nam\": 1}", "/nam", "unknown member"},
	{"{\"name\": \"Up\"}", "/name", "lower-case"},
	{"{\"name\": \"t\"}", "/title", "missing"},
	{"{" TOP "\"driver\": \"opensc\"}", "/driver", "allowed are piv, gids, pkcs11"},
	{"{" HEAD "}", "/match", "missing"},
	{WITH_MATCH(""), "/match", "at least one"},
	{WITH_MATCH("\"atr\": []"), "/match/atr", "1 to 32"},
	{WITH_MATCH("\"atr\": [{}]"), "/match/atr/0/value", "missing"},
	{WITH_MATCH("\"atr\": [{\"value\": \"3b0\"}]"), "/match/atr/0/value", "length"},
	{WITH_MATCH("\"atr\": [{\"value\": \"3b0x\"}]"), "/match/atr/0/value", "hexadecimal"},
	{WITH_MATCH("\"atr\": [{\"value\": \"3b00\", \"mask\": \"ffffff\"}]"), "/match/atr/0/mask",
		"as long as"},
	{WITH_MATCH("\"atr\": [{\"value\": \"3b00\", \"mask\": \"0000\"}]"), "/match/atr/0/mask",
		"every card"},
	{WITH_MATCH("\"firmware\": {\"from\": \"5.7\"}"), "/match/firmware/from", "three"},
	{WITH_MATCH("\"firmware\": {\"from\": \"5.256.1\"}"), "/match/firmware/from", "up to 255"},
	{WITH_MATCH("\"firmware\": {\"from\": \"5.0.0\", \"to\": \"4.0.0\"}"), "/match/firmware",
		"above"},
	{WITH_MATCH("\"applications\": [\"a000\"]"), "/match/applications/0", "length"},
	{WITH_MATCH("\"colour\": 1"), "/match/colour", "unknown member"},
	{"{" TOP "\"driver\": \"gids\", " PIN ", " KEYS
	 ", \"match\": {\"firmware\": {\"from\": \"1.0.0\"}}}",
		"/match", "only the driver piv"},
	{"{" HEAD ", " MATCH "}", "/pin", "missing"},
	{"{" HEAD ", " MATCH ", \"pin\": {\"minimum-length\": 9, \"maximum-length\": 8}}", "/pin",
		"above"},
	{"{" HEAD ", " MATCH ", " PIN "}", "/keys", "missing"},
	{"{" HEAD ", " MATCH ", " PIN ", \"keys\": {\"algorithms\": [\"dsa\"]}}",
		"/keys/algorithms/0", "allowed are rsa-1024"},
	{WITH("\"extensions\": [\"magic\"]"), "/extensions/0", "allowed are version"},
	{WITH("\"factory\": {\"management-key\": \"00\"}"), "/factory/management-key", "length"},
	{WITH("\"factory\": {\"management-key\": \"000102030405060708090a0b0c0d0e0f\"}"),
		"/factory/management-algorithm", "missing"},
	{WITH("\"factory\": {\"management-key\": \"000102030405060708090a0b0c0d0e0f\", "
	      "\"management-algorithm\": \"3des\"}"),
		"/factory/management-key", "24 bytes"},
};

static void wrong_documents_are_refused_with_their_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		_cleanup_error_ struct error error = ERROR_INIT;
		_cleanup_card_type_ struct card_type *type =
			card_type_parse(refusals[i].document, &error);
		if (type)
			fail_msg("taken: %s", refusals[i].document);
		assert_int_equal(error.code, ERROR_INVALID_TYPE);
		if (strcmp(error.field, refusals[i].field) != 0 ||
			!strstr(error_message(&error), refusals[i].word))
			fail_msg("%s\ngives %s: %s", refusals[i].document, error.field,
				error_message(&error));
	}
}

static const uint8_t atr[] = {0x3B, 0x8C, 0x01};

static bool has_even(void *context, const struct buffer *application)
{
	(*(unsigned *)context)++;
	return application->data[0] % 2 == 0;
}

static unsigned fit(const char *document, const char *driver, unsigned firmware)
{
	unsigned asked = 0;
	struct card_evidence evidence = {.driver = driver,
		.atr = atr,
		.atr_length = sizeof(atr),
		.firmware = firmware,
		.has_application = has_even,
		.context = &asked};
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_card_type_ struct card_type *type = card_type_parse(document, &error);

	if (!type)
		fail_msg("%s: %s", error.field, error_message(&error));
	type->is_shipped = true;
	return card_type_fit(type, &evidence);
}

static void all_conditions_have_to_hold(void **state)
{
	static const char atr_only[] = WITH_MATCH("\"atr\": [{\"value\": \"3b8c01\"}]");
	static const char masked[] =
		WITH_MATCH("\"atr\": [{\"value\": \"3b8000\", \"mask\": \"fff000\"}]");
	static const char firmware[] =
		WITH_MATCH("\"firmware\": {\"from\": \"5.0.0\", \"to\": \"5.6.255\"}");
	static const char application[] = WITH_MATCH("\"applications\": [\"a000000308\"]");
	static const char other[] = WITH_MATCH("\"applications\": [\"a100000308\"]");

	(void)state;
	assert_true(fit(atr_only, "piv", 0) > 0);
	assert_true(fit(atr_only, NULL, 0) > 0);
	assert_int_equal(fit(atr_only, "gids", 0), 0);
	assert_int_equal(fit(WITH_MATCH("\"atr\": [{\"value\": \"3b8c\"}]"), "piv", 0), 0);
	assert_int_equal(fit(WITH_MATCH("\"atr\": [{\"value\": \"3b8c02\"}]"), "piv", 0), 0);
	assert_true(fit(masked, "piv", 0) > 0);
	assert_true(fit(firmware, "piv", 0x0506FF) > 0);
	assert_int_equal(fit(firmware, "piv", 0x050700), 0);
	assert_int_equal(fit(firmware, "piv", 0), 0);
	assert_int_equal(fit(firmware, NULL, 0x050000), 0);
	assert_true(fit(application, "piv", 0) > 0);
	assert_int_equal(fit(other, "piv", 0), 0);
	assert_int_equal(fit(WITH_MATCH("\"library\": \"L\""), NULL, 0), 0);
}

static void the_type_that_says_more_fits_better(void **state)
{
	unsigned exact = fit(WITH_MATCH("\"atr\": [{\"value\": \"3b8c01\"}]"), "piv", 0x050000);
	unsigned masked =
		fit(WITH_MATCH("\"atr\": [{\"value\": \"3b8000\", \"mask\": \"fff000\"}]"), "piv",
			0x050000);
	unsigned firmware = fit(WITH_MATCH("\"firmware\": {\"from\": \"1.0.0\"}"), "piv", 0x050000);
	unsigned application =
		fit(WITH_MATCH("\"applications\": [\"a000000308\"]"), "piv", 0x050000);

	(void)state;
	assert_true(exact > masked && masked > firmware && firmware > application);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_member_is_read),
		cmocka_unit_test(what_is_left_out_has_defaults),
		cmocka_unit_test(wrong_documents_are_refused_with_their_place),
		cmocka_unit_test(all_conditions_have_to_hold),
		cmocka_unit_test(the_type_that_says_more_fits_better),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
