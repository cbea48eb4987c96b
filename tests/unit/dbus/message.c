/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Errors as D-Bus carries them. */
#include "dbus/message.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static DBusMessage *reply_of(const struct error *error)
{
	_cleanup_message_ DBusMessage *call =
		dbus_message_new_method_call("org.tessera1", "/", "org.tessera1.Provider", "Login");

	dbus_message_set_serial(call, 1);
	return message_error_of(call, error);
}

static void a_refusal_carries_the_tokens_value(void **state)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	DBusMessageIter iter;

	(void)state;
	error_set_refused(&error, 0xD1, "creating an object: %s", "no");
	_cleanup_message_ DBusMessage *reply = reply_of(&error);
	assert_string_equal(dbus_message_get_error_name(reply), "org.tessera1.Error.TokenRefused");
	assert_string_equal(dbus_message_get_signature(reply), "su");
	dbus_message_iter_init(reply, &iter);
	assert_string_equal(message_read_string(&iter), "creating an object: no");
	assert_int_equal(message_read_u32(&iter), 0xD1);
}

static void other_errors_have_a_text_alone(void **state)
{
	struct error error _cleanup_error_ = ERROR_INIT;

	(void)state;
	error_set_field(&error, ERROR_PIN_WRONG, "pin", "wrong");
	_cleanup_message_ DBusMessage *reply = reply_of(&error);
	assert_string_equal(dbus_message_get_error_name(reply), "org.tessera1.Error.PinWrong");
	assert_string_equal(dbus_message_get_signature(reply), "s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refusal_carries_the_tokens_value),
		cmocka_unit_test(other_errors_have_a_text_alone),
	};

	return cmocka_run_group_tests_name("dbus/message", tests, NULL, NULL);
}
