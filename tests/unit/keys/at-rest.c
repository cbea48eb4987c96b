/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "keys/at-rest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lib/token-fixture.h"

static int setup(void **state)
{
	*state = token_fixture_new();
	return 0;
}

static int teardown(void **state)
{
	token_fixture_free(*state);
	return 0;
}

static bool opens(struct token *token, const char *purpose, const struct buffer *sealed)
{
	_cleanup_secret_ struct secret opened = SECRET_INIT;

	return at_rest_open(token, purpose, sealed, &opened, NULL) && opened.length == 6 &&
	       memcmp(opened.data, "271828", 6) == 0;
}

static void a_sealed_secret_opens_for_its_purpose_alone(void **state)
{
	struct token_fixture *fixture = *state;
	_cleanup_secret_ struct secret secret = SECRET_INIT;
	_cleanup_buffer_ struct buffer one = BUFFER_INIT, other = BUFFER_INIT;

	secret_set(&secret, "271828", 6);
	assert_true(at_rest_seal(fixture->token, "slot web", &secret, &one, NULL));
	assert_true(at_rest_seal(fixture->token, "slot web", &secret, &other, NULL));
	assert_int_equal(one.length, 1 + 12 + 6 + 16);
	assert_memory_not_equal(one.data, other.data, one.length);
	assert_true(opens(fixture->token, "slot web", &one));
	assert_true(opens(fixture->token, "slot web", &other));
	assert_false(opens(fixture->token, "slot we", &one));
	assert_false(opens(fixture->token, "slot webb", &one));
}

static void a_changed_byte_or_length_is_noticed(void **state)
{
	struct token_fixture *fixture = *state;
	_cleanup_secret_ struct secret secret = SECRET_INIT;
	_cleanup_buffer_ struct buffer sealed = BUFFER_INIT;

	secret_set(&secret, "271828", 6);
	assert_true(at_rest_seal(fixture->token, "slot web", &secret, &sealed, NULL));
	for (size_t i = 0; i < sealed.length; i++) {
		sealed.data[i] ^= 1;
		assert_false(opens(fixture->token, "slot web", &sealed));
		sealed.data[i] ^= 1;
	}
	for (size_t length = sealed.length; length-- > 0;) {
		buffer_truncate(&sealed, length);
		assert_false(opens(fixture->token, "slot web", &sealed));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_sealed_secret_opens_for_its_purpose_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_changed_byte_or_length_is_noticed, setup, teardown),
	};

	return cmocka_run_group_tests_name("keys/at-rest", tests, NULL, NULL);
}
