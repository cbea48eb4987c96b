/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "token/token-uri.h"

#define MODULE "?module-path=/usr/lib/hsm.so"

static void a_uri_tells_token_module_and_pin_file(void **state)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct token_uri *uri _cleanup_token_uri_ = token_uri_parse(
		"pkcs11:token=my%20hsm;serial=42" MODULE "&pin-source=file:/etc/pin", &error);

	(void)state;
	if (!uri)
		fail_msg("%s", error_message(&error));
	assert_string_equal(token_uri_label(uri), "my hsm");
	assert_string_equal(token_uri_module(uri), "/usr/lib/hsm.so");
	assert_string_equal(token_uri_pin_file(uri), "/etc/pin");
}

static void forms_of_pin_source_are_paths(void **state)
{
	static const char *const forms[] = {"/etc/pin", "file:/etc/pin", "file:///etc/pin"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		char text[128] = "pkcs11:token=hsm" MODULE "&pin-source=";
		strcat(text, forms[i]);
		struct token_uri *uri _cleanup_token_uri_ = token_uri_parse(text, NULL);
		assert_non_null(uri);
		assert_string_equal(token_uri_pin_file(uri), "/etc/pin");
	}
	struct token_uri *without _cleanup_token_uri_ =
		token_uri_parse("pkcs11:token=hsm" MODULE, NULL);
	assert_non_null(without);
	assert_null(token_uri_pin_file(without));
}

static void the_serial_number_narrows_the_token(void **state)
{
	struct token_uri *uri _cleanup_token_uri_ =
		token_uri_parse("pkcs11:token=hsm;serial=42" MODULE, NULL);
	CK_TOKEN_INFO info;

	(void)state;
	memset(&info, ' ', sizeof(info));
	memcpy(info.label, "hsm", 3);
	memcpy(info.serialNumber, "42", 2);
	assert_true(token_uri_matches(uri, &info));
	memcpy(info.serialNumber, "43", 2);
	assert_false(token_uri_matches(uri, &info));
}

static void what_is_unsafe_or_says_nothing_of_a_token_is_refused(void **state)
{
	static const char *const texts[] = {"", "http://example.org", "pkcs11:", "pkcs11:token=hsm",
		"pkcs11:serial=42" MODULE, "pkcs11:token=hsm?module-path=hsm.so",
		"pkcs11:token=hsm" MODULE "&pin-value=1234",
		"pkcs11:token=hsm" MODULE "&pin-source=pin", "pkcs11:token=hsm;object=key" MODULE,
		"pkcs11:token=hsm;colour=red" MODULE};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct error error _cleanup_error_ = ERROR_INIT;
		struct token_uri *uri _cleanup_token_uri_ = token_uri_parse(texts[i], &error);
		if (uri)
			fail_msg("taken: %s", texts[i]);
		assert_int_equal(error.code, ERROR_INVALID_ARGUMENT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_uri_tells_token_module_and_pin_file),
		cmocka_unit_test(forms_of_pin_source_are_paths),
		cmocka_unit_test(the_serial_number_narrows_the_token),
		cmocka_unit_test(what_is_unsafe_or_says_nothing_of_a_token_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
