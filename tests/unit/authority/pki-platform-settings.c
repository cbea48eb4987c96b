/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "authority/pki-platform-private.h"
#include "operation/connection-kinds.h"

#define HEAD "{\"name\":\"platform\",\"kind\":\"digicert-pki-platform\""
#define URL  ",\"url\":\"https://ws.example\""

static const struct {
	const char *document;
	const char *pointer;
} wrong[] = {
	{HEAD "}", "/url"},
	{HEAD ",\"url\":\"http://ws.example\"}", "/url"},
	{HEAD ",\"url\":\"https://ws.example/pki-ws\"}", "/url"},
	{HEAD URL ",\"authentication\":\"api-key\"}", "/authentication"},
	{HEAD URL ",\"client-key\":\"file:/key\"}", "/client-key"},
	{HEAD URL ",\"ca-file\":\"relative\"}", "/ca-file"},
	{HEAD URL ",\"seat\":\"me\"}", "/seat"},
	{HEAD URL ",\"seat\":{\"id\":\"{\"}}", "/seat/id"},
	{HEAD URL ",\"seat\":{\"email\":\"a\"}}", "/seat/email"},
	{HEAD URL ",\"timeout-seconds\":0}", "/timeout-seconds"},
	{HEAD URL ",\"retry-seconds\":-1}", "/retry-seconds"},
	{HEAD URL ",\"pickup-seconds\":601}", "/pickup-seconds"},
	{HEAD URL ",\"profiles\":{\"p\":{\"validity-days\":0}}}", "/profiles/p/validity-days"},
	{HEAD URL ",\"profiles\":{\"p\":{\"fields\":{\"a b\":\"x\"}}}}", "/profiles/p/fields/a b"},
	{HEAD URL ",\"profiles\":{\"p\":{\"fields\":{\"common_name\":\"{\"}}}}",
		"/profiles/p/fields/common_name"},
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

static void what_is_missing_has_a_default(void **state)
{
	struct pki_platform_settings settings = {0};

	(void)state;
	assert_true(pki_platform_settings_parse(
		&settings, HEAD ",\"url\":\"https://ws.example:8443/\"}", NULL));
	assert_string_equal(settings.base, "https://ws.example:8443/pki-ws/");
	assert_string_equal(settings.host, "ws.example:8443");
	assert_string_equal(settings.seat_id, "{email}");
	assert_int_equal(settings.times.timeout_seconds, 60);
	assert_int_equal(settings.times.pickup_seconds, 30);
	assert_null(settings.client_key);
	pki_platform_settings_clear(&settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_wrong_document_is_refused_with_its_place),
		cmocka_unit_test(what_is_missing_has_a_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
