/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/card-uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/client.h"

static void keys_and_tokens_have_uris(void **state)
{
	static const struct {
		const char *serial, *slot, *uri;
	} cases[] = {
		{"yubikey-12345678", NULL, "pkcs11:serial=12345678"},
		{"yubikey-12345678", "authentication", "pkcs11:serial=12345678;id=%01"},
		{"yubikey-12345678", "card-authentication", "pkcs11:serial=12345678;id=%04"},
		{"yubikey-12345678", "retired-1", "pkcs11:serial=12345678;id=%05"},
		{"yubikey-12345678", "retired-20", "pkcs11:serial=12345678;id=%18"},
		/* The token's serial has the last 16 characters of a GUID. */
		{"00112233445566778899aabbccddeeff", NULL, "pkcs11:serial=8899aabbccddeeff"},
		{"a;b c%\xc3\xa4", NULL, "pkcs11:serial=a%3Bb%20c%25%C3%A4"},
		{"yubikey-12345678", "retired-21", NULL},
		{"yubikey-12345678", "retired-0", NULL},
		{"yubikey-12345678", "retired-1x", NULL},
		{"yubikey-12345678", "other", NULL},
		{"", NULL, NULL},
		{NULL, NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_json_ json_t *uri = card_uri(cases[i].serial, cases[i].slot);
		if (cases[i].uri)
			assert_string_equal(json_string_value(uri), cases[i].uri);
		else
			assert_true(json_is_null(uri));
	}
}

static void keys_in_slots_have_uris(void **state)
{
	_cleanup_json_ json_t *uri = slot_key_uri("my token", "www; 1");

	(void)state;
	assert_string_equal(
		json_string_value(uri), "pkcs11:token=my%20token;object=www%3B%201;type=private");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_and_tokens_have_uris),
		cmocka_unit_test(keys_in_slots_have_uris),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
