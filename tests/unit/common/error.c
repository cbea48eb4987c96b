/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <p11-kit/pkcs11.h>

static void an_error_tells_code_message_and_field(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	assert_false(error_set_field(
		&error, ERROR_INVALID_TEMPLATE, "/keys/0/slot", "allowed are %s", "a, b"));
	assert_int_equal(error.code, ERROR_INVALID_TEMPLATE);
	assert_string_equal(error_message(&error), "allowed are a, b");
	assert_string_equal(error.field, "/keys/0/slot");
}

static void setting_replaces_what_was_there(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	error_set_field(&error, ERROR_INVALID_TEMPLATE, "/name", "first");
	error_set_detail(&error, 3);
	/* the old message may be an argument of the new one */
	assert_false(error_set(&error, ERROR_FAILED, "second after %s", error.message));
	assert_int_equal(error.code, ERROR_FAILED);
	assert_string_equal(error_message(&error), "second after first");
	assert_null(error.field);
	assert_int_equal(error.detail, 0);
}

static void a_prefix_keeps_code_field_and_detail(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)state;
	error_set_field(&error, ERROR_PIN_WRONG, "pin", "2 tries are left");
	error_set_detail(&error, 2);
	assert_false(error_prefix(&error, "card %d", 7));
	assert_string_equal(error_message(&error), "card 7: 2 tries are left");
	assert_int_equal(error.code, ERROR_PIN_WRONG);
	assert_string_equal(error.field, "pin");
	assert_int_equal(error.detail, 2);
}

static void a_caller_that_does_not_care_passes_null(void **state)
{
	struct error from = ERROR_INIT;

	(void)state;
	assert_false(error_set(NULL, ERROR_FAILED, "nobody listens"));
	assert_false(error_set_field(NULL, ERROR_FAILED, "x", "nobody listens"));
	assert_false(error_prefix(NULL, "nobody"));
	assert_false(error_set_detail(NULL, 1));
	error_set(&from, ERROR_FAILED, "nobody takes it");
	assert_false(error_move(NULL, &from));
	assert_null(from.message);
}

static void moving_replaces_and_empties(void **state)
{
	_cleanup_error_ struct error to = ERROR_INIT;
	_cleanup_error_ struct error from = ERROR_INIT;

	(void)state;
	error_set(&to, ERROR_FAILED, "old");
	error_set_field(&from, ERROR_BUSY, "card", "new");
	assert_false(error_move(&to, &from));
	assert_int_equal(to.code, ERROR_BUSY);
	assert_string_equal(to.message, "new");
	assert_int_equal(from.code, ERROR_NONE);
	assert_null(from.message);
	assert_null(from.field);
}

static void an_error_without_message_has_that_of_its_code(void **state)
{
	struct error error = {.code = ERROR_NO_CARD};

	(void)state;
	assert_string_equal(error_message(&error), "there is no card in the reader");
}

static void every_code_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (enum error_code code = ERROR_FAILED; code < ERROR_CODE_COUNT; code++) {
		const char *name = error_dbus_name(code);
		struct error error = {.code = code};
		assert_non_null(name);
		assert_int_equal(strncmp(name, "org.tessera1.Error.", 19), 0);
		assert_string_equal(error_name(code), name + 19);
		assert_int_equal(error_from_dbus_name(name), code);
		assert_true(strlen(error_message(&error)) > 0);
	}
}

static void no_failure_looks_like_success(void **state)
{
	(void)state;
	assert_int_equal(error_ckr(ERROR_NONE), CKR_OK);
	assert_int_equal(error_exit_status(ERROR_NONE), 0);
	for (enum error_code code = ERROR_FAILED; code < ERROR_CODE_COUNT; code++) {
		assert_int_not_equal(error_ckr(code), CKR_OK);
		assert_int_not_equal(error_exit_status(code), 0);
	}
}

static void pin_errors_have_their_exact_pkcs11_values(void **state)
{
	(void)state;
	assert_int_equal(error_ckr(ERROR_PIN_WRONG), CKR_PIN_INCORRECT);
	assert_int_equal(error_ckr(ERROR_PIN_BLOCKED), CKR_PIN_LOCKED);
	assert_int_equal(error_ckr(ERROR_PIN_LENGTH), CKR_PIN_LEN_RANGE);
	assert_int_equal(error_ckr(ERROR_PIN_POLICY), CKR_PIN_INVALID);
	assert_int_equal(error_ckr(ERROR_PIN_REQUIRED), CKR_USER_NOT_LOGGED_IN);
	assert_int_equal(error_ckr(ERROR_NO_CARD), CKR_DEVICE_REMOVED);
}

static void foreign_names_are_plain_failures(void **state)
{
	(void)state;
	assert_int_equal(error_from_dbus_name(NULL), ERROR_FAILED);
	assert_int_equal(error_from_dbus_name(""), ERROR_FAILED);
	assert_int_equal(error_from_dbus_name("org.freedesktop.DBus.Error.NoReply"), ERROR_FAILED);
	assert_int_equal(error_from_dbus_name("org.tessera1.Error.None"), ERROR_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_tells_code_message_and_field),
		cmocka_unit_test(setting_replaces_what_was_there),
		cmocka_unit_test(a_prefix_keeps_code_field_and_detail),
		cmocka_unit_test(a_caller_that_does_not_care_passes_null),
		cmocka_unit_test(moving_replaces_and_empties),
		cmocka_unit_test(an_error_without_message_has_that_of_its_code),
		cmocka_unit_test(every_code_has_a_name_of_its_own),
		cmocka_unit_test(no_failure_looks_like_success),
		cmocka_unit_test(pin_errors_have_their_exact_pkcs11_values),
		cmocka_unit_test(foreign_names_are_plain_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
