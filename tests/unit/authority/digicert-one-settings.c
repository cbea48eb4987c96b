/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "authority/digicert-one-private.h"
#include "operation/connection-kinds.h"

#define HEAD "{\"name\":\"one\",\"kind\":\"digicert-one\""
#define URL  ",\"url\":\"https://one.example\""

static const struct {
	const char *document;
	const char *pointer;
} wrong[] = {
	{HEAD "}", "/url"},
	{HEAD ",\"url\":7}", "/url"},
	{HEAD ",\"url\":\"http://one.example\"}", "/url"},
	{HEAD ",\"url\":\"https://\"}", "/url"},
	{HEAD ",\"url\":\"https://user:word@one.example\"}", "/url"},
	{HEAD ",\"url\":\"https://one.example/mpki\"}", "/url"},
	{HEAD ",\"url\":\"https://one.example?a=b\"}", "/url"},
	{HEAD ",\"url\":\"https://one.example#a\"}", "/url"},
	{HEAD ",\"url\":\"https://one example\"}", "/url"},
	{HEAD URL ",\"key\":\"secret\"}", "/key"},
	{HEAD URL ",\"authentication\":\"password\"}", "/authentication"},
	{HEAD URL ",\"client-key\":\"pkcs11:token=a;object=b\"}", "/client-key"},
	{HEAD URL ",\"authentication\":\"client-certificate\",\"client-key\":\"file:/key\"}",
		"/client-key"},
	{HEAD URL ",\"ca-file\":\"relative\"}", "/ca-file"},
	{HEAD URL ",\"seat\":\"me\"}", "/seat"},
	{HEAD URL ",\"seat\":{\"id\":\"{\"}}", "/seat/id"},
	{HEAD URL ",\"seat\":{\"type\":\"COUCH\"}}", "/seat/type"},
	{HEAD URL ",\"seat\":{\"create\":1}}", "/seat/create"},
	{HEAD URL ",\"timeout-seconds\":0}", "/timeout-seconds"},
	{HEAD URL ",\"retry-seconds\":-1}", "/retry-seconds"},
	{HEAD URL ",\"pickup-seconds\":601}", "/pickup-seconds"},
	{HEAD URL ",\"profiles\":[]}", "/profiles"},
	{HEAD URL ",\"profiles\":{\"p\":{\"x\":1}}}", "/profiles/p/x"},
	{HEAD URL ",\"profiles\":{\"p\":{\"validity-days\":0}}}", "/profiles/p/validity-days"},
	{HEAD URL ",\"profiles\":{\"p\":{\"fields\":{\"subject.shoe\":\"x\"}}}}",
		"/profiles/p/fields/subject.shoe"},
	{HEAD URL ",\"profiles\":{\"p\":{\"fields\":{\"common_name\":\"x\"}}}}",
		"/profiles/p/fields/common_name"},
	{HEAD URL ",\"profiles\":{\"p\":{\"fields\":{\"san.emails\":\"{\"}}}}",
		"/profiles/p/fields/san.emails"},
	{HEAD URL ",\"profiles\":{\"p\":{\"fields\":{\"san.emails\":{\"prompt\":\"?\"}}}}}",
		"/profiles/p/fields/san.emails/field"},
	{HEAD URL ",\"profiles\":{\"p\":{\"fields\":{\"san.emails\":{\"prompt\":\"?\","
		  "\"field\":\"a b\"}}}}}",
		"/profiles/p/fields/san.emails/field"},
};

static void every_wrong_document_is_refused_with_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		_cleanup_connection_ struct connection connection = CONNECTION_INIT;
		_cleanup_error_ struct error error = ERROR_INIT;

		if (connection_check_document(wrong[i].document, &connection, &error))
			fail_msg("accepted: %s", wrong[i].document);
		assert_int_equal(error.code, ERROR_INVALID_CONNECTION);
		if (strcmp(error.field, wrong[i].pointer) != 0)
			fail_msg("%s: %s instead of %s", wrong[i].document, error.field,
				wrong[i].pointer);
	}
}

static void parse(struct digicert_one_settings *settings, const char *document)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	if (!digicert_one_settings_parse(settings, document, &error))
		fail_msg("%s: %s", error.field, error_message(&error));
}

static void what_is_left_out_has_its_default(void **state)
{
	struct digicert_one_settings settings = {0};

	(void)state;
	parse(&settings, HEAD URL "}");
	assert_string_equal(settings.base, "https://one.example/mpki/api/v1");
	assert_string_equal(settings.seat_id, "{email}");
	assert_string_equal(settings.seat_type, "USER_SEAT");
	assert_false(settings.by_certificate);
	assert_int_equal(settings.times.timeout_seconds, 60);
	assert_int_equal(settings.times.retry_seconds, 60);
	assert_int_equal(settings.times.pickup_seconds, 30);
	digicert_one_settings_clear(&settings);
}

static void a_client_certificate_goes_to_the_other_host(void **state)
{
	static const char *const documents[] = {
		HEAD ",\"url\":\"https://one.example:8443/\","
		     "\"authentication\":\"client-certificate\"}",
		HEAD ",\"url\":\"https://clientauth.one.example:8443\","
		     "\"authentication\":\"client-certificate\"}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
		struct digicert_one_settings settings = {0};
		parse(&settings, documents[i]);
		assert_string_equal(
			settings.base, "https://clientauth.one.example:8443/mpki/api/v1");
		digicert_one_settings_clear(&settings);
	}
}

static void fields_are_filled_by_patterns_texts_and_questions(void **state)
{
	struct digicert_one_settings settings = {0};
	struct authority_profile profile = {.id = (char *)"guid", .name = (char *)"Badge"};

	(void)state;
	parse(&settings, HEAD URL ",\"profiles\":{\"Badge\":{\"validity-days\":90,\"fields\":{"
				  "\"subject.common_name\":\"{name}\",\"subject.title\":\"Staff\","
				  "\"subject.unique_identifier\":{\"prompt\":\"Badge number\","
				  "\"field\":\"badge\"}}}}}");
	const struct mapping *mapping = mapping_find(&settings.mappings, &profile);
	assert_non_null(mapping);
	assert_int_equal(mapping->count, 3);
	assert_int_equal(mapping->validity_days, 90);
	assert_string_equal(mapping->fillings[2].pattern, "{badge}");
	assert_string_equal(mapping->fillings[2].prompt, "Badge number");
	profile.name = (char *)"Other";
	assert_null(mapping_find(&settings.mappings, &profile));
	digicert_one_settings_clear(&settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_wrong_document_is_refused_with_its_place),
		cmocka_unit_test(what_is_left_out_has_its_default),
		cmocka_unit_test(a_client_certificate_goes_to_the_other_host),
		cmocka_unit_test(fields_are_filled_by_patterns_texts_and_questions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
