/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "authority/local-ca-private.h"
#include "operation/connection-kinds.h"

#define HEAD	 "{\"name\":\"local\",\"kind\":\"local-ca\""
#define SUBJECT	 ",\"subject\":[[\"CN\",\"Test\"]]"
#define PROFILES ",\"profiles\":{\"p\":{\"key-usage\":[\"digitalSignature\"]}}"

/* A document with one thing wrong, and the JSON Pointer that must name it. */
static const struct {
	const char *document, *pointer;
} wrong[] = {
	{"", ""},
	{"[]", ""},
	{"{}", "/name"},
	{"{\"name\":\"Local\",\"kind\":\"local-ca\"" SUBJECT PROFILES "}", "/name"},
	{"{\"name\":\"local\"" SUBJECT PROFILES "}", "/kind"},
	{"{\"name\":\"local\",\"kind\":\"other\"" SUBJECT PROFILES "}", "/kind"},
	{HEAD SUBJECT "}", "/profiles"},
	{HEAD PROFILES "}", "/subject"},
	{HEAD SUBJECT PROFILES ",\"extra\":1}", "/extra"},
	{HEAD SUBJECT PROFILES ",\"comment\":1}", "/comment"},
	{HEAD SUBJECT PROFILES ",\"key-algorithm\":\"rsa-1024\"}", "/key-algorithm"},
	{HEAD SUBJECT PROFILES ",\"validity-days\":0}", "/validity-days"},
	{HEAD SUBJECT PROFILES ",\"validity-days\":99999}", "/validity-days"},
	{HEAD SUBJECT PROFILES ",\"validity-days\":\"1\"}", "/validity-days"},
	{HEAD SUBJECT PROFILES ",\"crl-days\":366}", "/crl-days"},
	{HEAD SUBJECT PROFILES ",\"crl-url\":\"file:///x\"}", "/crl-url"},
	{HEAD SUBJECT PROFILES ",\"crl-url\":\"http://a b\"}", "/crl-url"},
	{HEAD PROFILES ",\"subject\":[]}", "/subject"},
	{HEAD PROFILES ",\"subject\":[[\"CN\"]]}", "/subject/0"},
	{HEAD PROFILES ",\"subject\":[[\"XX\",\"a\"]]}", "/subject/0/0"},
	{HEAD PROFILES ",\"subject\":[[\"CN\",\"a\"],[\"C\",\"Germany\"]]}", "/subject/1/1"},
	{HEAD PROFILES ",\"subject\":[[\"CN\",\"\"]]}", "/subject/0/1"},
	{HEAD SUBJECT ",\"profiles\":{}}", "/profiles"},
	{HEAD SUBJECT ",\"profiles\":[]}", "/profiles"},
	{HEAD SUBJECT ",\"profiles\":{\"P/~\":{}}}", "/profiles/P~1~0"},
	{HEAD SUBJECT ",\"profiles\":{\"p\":{}}}", "/profiles/p/key-usage"},
	{HEAD SUBJECT ",\"profiles\":{\"p\":1}}", "/profiles/p"},
	{HEAD SUBJECT ",\"profiles\":{\"p\":{\"key-usage\":[]}}}", "/profiles/p/key-usage"},
	{HEAD SUBJECT ",\"profiles\":{\"p\":{\"key-usage\":[\"keyCertSign\"]}}}",
		"/profiles/p/key-usage/0"},
	{HEAD SUBJECT ",\"profiles\":{\"p\":{\"key-usage\":[\"digitalSignature\","
		      "\"digitalSignature\"]}}}",
		"/profiles/p/key-usage/1"},
	{HEAD SUBJECT ",\"profiles\":{\"p\":{\"key-usage\":[\"digitalSignature\"],"
		      "\"extended-key-usage\":[\"nothing\"]}}}",
		"/profiles/p/extended-key-usage/0"},
	{HEAD SUBJECT ",\"profiles\":{\"p\":{\"key-usage\":[\"digitalSignature\"],"
		      "\"validity-days\":-1}}}",
		"/profiles/p/validity-days"},
	{HEAD SUBJECT ",\"profiles\":{\"p\":{\"key-usage\":[\"digitalSignature\"],\"x\":1}}}",
		"/profiles/p/x"},
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
		assert_null(connection.name);
	}
}

static void a_complaint_lists_the_allowed_values(void **state)
{
	_cleanup_connection_ struct connection connection = CONNECTION_INIT;
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_false(connection_check_document(
		HEAD SUBJECT PROFILES ",\"key-algorithm\":\"dsa\"}", &connection, &error));
	assert_non_null(strstr(error.message, "ec-p256, ec-p384, rsa-3072, rsa-4096"));
}

static void what_is_left_out_has_its_default(void **state)
{
	struct local_ca_settings settings = {0};
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	if (!local_ca_settings_parse(&settings, HEAD SUBJECT PROFILES "}", &error))
		fail_msg("%s: %s", error.field, error.message);
	assert_int_equal(settings.key_algorithm, KEY_ALGORITHM_EC_P256);
	assert_int_equal(settings.validity_days, 3650);
	assert_int_equal(settings.crl_days, 7);
	assert_null(settings.crl_url);
	const struct local_ca_profile *profile = local_ca_profile_find(&settings, "p");
	assert_non_null(profile);
	assert_int_equal(profile->validity_days, 365);
	assert_int_equal(profile->key_usage, KU_DIGITAL_SIGNATURE);
	assert_int_equal(profile->extended_key_usage, 0);
	assert_null(local_ca_profile_find(&settings, "q"));
	local_ca_settings_clear(&settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_wrong_document_is_refused_with_its_place),
		cmocka_unit_test(a_complaint_lists_the_allowed_values),
		cmocka_unit_test(what_is_left_out_has_its_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
