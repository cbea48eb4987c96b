/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The service's tables at work over a real peer-to-peer connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dbus/dbus.h>
#include <string.h>

#include "dbus/message.h"
#include "dbus/service.h"
#include "unit/dbus/service-fixture.h"

static void a_call_reaches_its_handler_and_is_answered(void **state)
{
	expect_text(call_strings(*state, ROOT, MAIN, "Echo", "hello", NULL), "hello");
}

static void a_call_without_an_interface_finds_the_method(void **state)
{
	expect_text(call_strings(*state, ROOT, NULL, "Echo", "hello", NULL), "hello");
}

static void a_handlers_error_becomes_an_error_reply_with_the_field(void **state)
{
	DBusMessage *reply = call_strings(*state, ROOT, MAIN, "Echo", "fail", NULL);
	DBusMessageIter iter;

	dbus_message_iter_init(reply, &iter);
	assert_string_equal(message_read_string(&iter), "text: it is taken");
	expect_refusal(reply, OUR_NAME("InUse"));
}

static void arguments_of_another_signature_are_refused(void **state)
{
	struct fixture *fixture = *state;
	DBusMessage *call = dbus_message_new_method_call(NULL, ROOT, MAIN, "Echo");
	DBusMessageIter iter;

	expect_refusal(
		call_strings(fixture, ROOT, MAIN, "Echo", NULL, NULL), DBUS_ERROR_INVALID_ARGS);
	expect_refusal(
		call_strings(fixture, ROOT, MAIN, "Echo", "one", "two"), DBUS_ERROR_INVALID_ARGS);
	dbus_message_iter_init_append(call, &iter);
	message_append_u32(&iter, 1);
	expect_refusal(exchange(fixture, call), DBUS_ERROR_INVALID_ARGS);
}

static void deeply_nested_arguments_are_refused(void **state)
{
	DBusMessage *call = dbus_message_new_method_call(NULL, ROOT, MAIN, "Echo");
	DBusMessageIter levels[32];

	dbus_message_iter_init_append(call, &levels[0]);
	for (size_t i = 1; i < ARRAY_SIZE(levels); i++)
		message_open(&levels[i - 1], DBUS_TYPE_VARIANT,
			i + 1 == ARRAY_SIZE(levels) ? "s" : "v", &levels[i]);
	message_append_string(&levels[ARRAY_SIZE(levels) - 1], "deep");
	for (size_t i = ARRAY_SIZE(levels) - 1; i > 0; i--)
		message_close(&levels[i - 1], &levels[i]);
	expect_refusal(exchange(*state, call), DBUS_ERROR_INVALID_ARGS);
}

static void unknown_names_have_their_standard_errors(void **state)
{
	struct fixture *fixture = *state;

	expect_refusal(call_strings(fixture, ROOT, MAIN, "Nothing", NULL, NULL),
		DBUS_ERROR_UNKNOWN_METHOD);
	expect_refusal(call_strings(fixture, ROOT, "test.Nothing", "Echo", "x", NULL),
		DBUS_ERROR_UNKNOWN_INTERFACE);
	expect_refusal(call_strings(fixture, "/elsewhere", MAIN, "Echo", "x", NULL),
		DBUS_ERROR_UNKNOWN_OBJECT);
	fixture->has_right = true;
	expect_refusal(call_strings(fixture, ROOT "/thing/none", DBUS_INTERFACE_PROPERTIES,
			       "GetAll", THING, NULL),
		DBUS_ERROR_UNKNOWN_OBJECT);
}

static void a_method_is_denied_without_its_right_and_noted(void **state)
{
	struct fixture *fixture = *state;

	expect_refusal(
		call_strings(fixture, ROOT, MAIN, "Rule", "x", NULL), OUR_NAME("AccessDenied"));
	assert_int_equal(fixture->denials, 1);
	fixture->has_right = true;
	expect_text(call_strings(fixture, ROOT, MAIN, "Rule", "x", NULL), "x");
	assert_int_equal(fixture->denials, 1);
}

static void who_acts_is_known_from_before_the_rights_to_the_end(void **state)
{
	struct fixture *fixture = *state;

	expect_refusal(
		call_strings(fixture, ROOT, MAIN, "Rule", "x", NULL), OUR_NAME("AccessDenied"));
	expect_text(call_strings(fixture, ROOT, MAIN, "Echo", "x", NULL), "x");
	assert_int_equal(fixture->begun, 2);
	assert_int_equal(fixture->under_way, 0);
	expect_refusal(call_strings(fixture, ROOT, MAIN, "Nothing", NULL, NULL),
		DBUS_ERROR_UNKNOWN_METHOD);
	assert_int_equal(fixture->begun, 2);
}

static void a_private_interface_is_not_there_on_the_system_bus(void **state)
{
	struct fixture *fixture = *state;

	expect_text(call_strings(fixture, ROOT, "test.Private", "Whisper", "x", NULL), "x");
	fixture->caller.is_private = false;
	expect_refusal(call_strings(fixture, ROOT, "test.Private", "Whisper", "x", NULL),
		DBUS_ERROR_UNKNOWN_INTERFACE);
}

static void a_message_that_held_a_secret_is_wiped(void **state)
{
	struct fixture *fixture = *state;
	DBusMessage *reply = call_strings(fixture, ROOT, MAIN, "Keep", "123456", NULL);

	assert_int_equal(dbus_message_get_type(reply), DBUS_MESSAGE_TYPE_METHOD_RETURN);
	assert_string_equal(fixture->secret_seen, "123456");
	dbus_message_unref(reply);
}

static DBusMessage *count_call(const char *const *names, size_t count)
{
	DBusMessage *call = dbus_message_new_method_call(NULL, ROOT, MAIN, "Count");
	DBusMessageIter iter, dictionary;

	dbus_message_iter_init_append(call, &iter);
	message_open(&iter, DBUS_TYPE_ARRAY, "{ss}", &dictionary);
	for (size_t i = 0; i < count; i++)
		message_append_entry(&dictionary, names[i], "value");
	message_close(&iter, &dictionary);
	return call;
}

static void a_dictionary_may_have_each_name_once_and_not_too_many(void **state)
{
	static const char *const names[] = {"one", "two", "three", "four"};
	static const char *const twice[] = {"one", "two", "one"};
	DBusMessage *reply = exchange(*state, count_call(names, 3));
	DBusMessageIter iter;

	dbus_message_iter_init(reply, &iter);
	assert_int_equal(message_read_u32(&iter), 3);
	dbus_message_unref(reply);
	expect_refusal(exchange(*state, count_call(names, 4)), OUR_NAME("InvalidArgument"));
	expect_refusal(exchange(*state, count_call(twice, 3)), OUR_NAME("InvalidArgument"));
}

static void properties_are_read_one_by_one_and_together(void **state)
{
	struct fixture *fixture = *state;
	DBusMessageIter iter, value;
	DBusMessage *reply =
		call_strings(fixture, ROOT, DBUS_INTERFACE_PROPERTIES, "Get", MAIN, "Number");

	assert_string_equal(dbus_message_get_signature(reply), "v");
	dbus_message_iter_init(reply, &iter);
	dbus_message_iter_recurse(&iter, &value);
	assert_int_equal(message_read_u32(&value), 7);
	dbus_message_unref(reply);
	reply = call_strings(fixture, ROOT, DBUS_INTERFACE_PROPERTIES, "GetAll", MAIN, NULL);
	assert_string_equal(dbus_message_get_signature(reply), "a{sv}");
	dbus_message_unref(reply);
}

static void unknown_properties_and_interfaces_are_refused(void **state)
{
	expect_refusal(
		call_strings(*state, ROOT, DBUS_INTERFACE_PROPERTIES, "Get", MAIN, "Nothing"),
		DBUS_ERROR_UNKNOWN_PROPERTY);
	expect_refusal(call_strings(*state, ROOT, DBUS_INTERFACE_PROPERTIES, "Get", "test.Nothing",
			       "Number"),
		DBUS_ERROR_UNKNOWN_INTERFACE);
}

static void a_property_cannot_be_set(void **state)
{
	DBusMessage *call =
		dbus_message_new_method_call(NULL, ROOT, DBUS_INTERFACE_PROPERTIES, "Set");
	DBusMessageIter iter, value;

	dbus_message_iter_init_append(call, &iter);
	message_append_string(&iter, MAIN);
	message_append_string(&iter, "Number");
	message_open(&iter, DBUS_TYPE_VARIANT, "u", &value);
	message_append_u32(&value, 8);
	message_close(&iter, &value);
	expect_refusal(exchange(*state, call), DBUS_ERROR_PROPERTY_READ_ONLY);
}

static void restricted_properties_need_their_right(void **state)
{
	struct fixture *fixture = *state;

	expect_refusal(
		call_strings(fixture, CHILD, DBUS_INTERFACE_PROPERTIES, "Get", THING, "Text"),
		OUR_NAME("AccessDenied"));
	expect_refusal(
		call_strings(fixture, CHILD, DBUS_INTERFACE_PROPERTIES, "GetAll", THING, NULL),
		OUR_NAME("AccessDenied"));
	fixture->has_right = true;
	dbus_message_unref(
		call_strings(fixture, CHILD, DBUS_INTERFACE_PROPERTIES, "Get", THING, "Text"));
}

/* How many objects GetManagedObjects gives. */
static int count_managed(struct fixture *fixture)
{
	DBusMessage *reply = call_strings(fixture, ROOT, "org.freedesktop.DBus.ObjectManager",
		"GetManagedObjects", NULL, NULL);
	DBusMessageIter iter;

	assert_string_equal(dbus_message_get_signature(reply), "a{oa{sa{sv}}}");
	dbus_message_iter_init(reply, &iter);
	int count = dbus_message_iter_get_element_count(&iter);
	dbus_message_unref(reply);
	return count;
}

static void objects_are_listed_for_those_who_may_read_them(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(count_managed(fixture), 0);
	fixture->has_right = true;
	assert_int_equal(count_managed(fixture), 1);
}

/* The introspection data of a path holds a text. */
static bool introspection_has(struct fixture *fixture, const char *path, const char *text)
{
	DBusMessage *reply = call_strings(
		fixture, path, DBUS_INTERFACE_INTROSPECTABLE, "Introspect", NULL, NULL);
	DBusMessageIter iter;

	assert_int_equal(dbus_message_get_type(reply), DBUS_MESSAGE_TYPE_METHOD_RETURN);
	dbus_message_iter_init(reply, &iter);
	bool found = strstr(message_read_string(&iter), text) != NULL;
	dbus_message_unref(reply);
	return found;
}

/* What is there and what is not, asked for by who may not read such objects. */
static void who_may_not_read_is_told_the_same_of_what_is_there_and_what_is_not(void **state)
{
	static const char *const paths[] = {CHILD, ROOT "/thing/nothing"};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		expect_refusal(call_strings(fixture, paths[i], DBUS_INTERFACE_PROPERTIES, "Get",
				       THING, "Text"),
			OUR_NAME("AccessDenied"));
		assert_true(introspection_has(fixture, paths[i], "name=\"" THING "\""));
		dbus_message_unref(
			call_strings(fixture, paths[i], DBUS_INTERFACE_PEER, "Ping", NULL, NULL));
	}
	assert_false(introspection_has(fixture, ROOT "/thing", "<node name=\"one_2dtwo\"/>"));
	fixture->has_right = true;
	expect_refusal(
		call_strings(fixture, paths[1], DBUS_INTERFACE_PROPERTIES, "Get", THING, "Text"),
		DBUS_ERROR_UNKNOWN_OBJECT);
}

static void introspection_leads_from_the_root_to_each_object(void **state)
{
	struct fixture *fixture = *state;

	fixture->has_right = true;
	assert_true(introspection_has(*state, "/", "<node name=\"test\"/>"));
	assert_true(introspection_has(*state, ROOT, "<node name=\"thing\"/>"));
	assert_true(introspection_has(*state, ROOT "/thing", "<node name=\"one_2dtwo\"/>"));
	assert_true(introspection_has(
		*state, CHILD, "<property name=\"Text\" type=\"s\" access=\"read\"/>"));
}

static void introspection_shows_methods_with_named_arguments(void **state)
{
	struct fixture *fixture = *state;

	assert_true(introspection_has(fixture, ROOT, "<method name=\"Count\">"));
	assert_true(introspection_has(
		fixture, ROOT, "<arg name=\"map\" type=\"a{ss}\" direction=\"in\"/>"));
	assert_true(introspection_has(fixture, ROOT, "test.Private"));
	fixture->caller.is_private = false;
	assert_false(introspection_has(fixture, ROOT, "test.Private"));
}

static void a_ping_is_answered_at_any_path(void **state)
{
	DBusMessage *reply =
		call_strings(*state, "/anything", DBUS_INTERFACE_PEER, "Ping", NULL, NULL);

	assert_int_equal(dbus_message_get_type(reply), DBUS_MESSAGE_TYPE_METHOD_RETURN);
	dbus_message_unref(reply);
}

static void objects_that_come_and_go_are_announced_once(void **state)
{
	struct fixture *fixture = *state;

	bus_service_sync(fixture->service, &thing_kind);
	assert_int_equal(fixture->signals, 1);
	assert_string_equal(fixture->last_signal, "InterfacesAdded oa{sa{sv}} " ROOT);
	bus_service_sync(fixture->service, &thing_kind);
	assert_int_equal(fixture->signals, 1);
	fixture->things[0] = NULL;
	bus_service_sync(fixture->service, &thing_kind);
	assert_int_equal(fixture->signals, 2);
	assert_string_equal(fixture->last_signal, "InterfacesRemoved oas " ROOT);
}

static void a_change_is_announced_at_the_objects_path(void **state)
{
	struct fixture *fixture = *state;

	bus_service_sync(fixture->service, &thing_kind);
	bus_service_changed(fixture->service, &thing_kind, "one-two");
	assert_int_equal(fixture->signals, 2);
	assert_string_equal(fixture->last_signal, "PropertiesChanged sa{sv}as " CHILD);
	bus_service_changed(fixture->service, &thing_kind, "nothing");
	assert_int_equal(fixture->signals, 2);
}

static void slow_methods_are_told_apart(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_message_ DBusMessage *slow =
		dbus_message_new_method_call(NULL, ROOT, MAIN, "Rule");
	_cleanup_message_ DBusMessage *quick =
		dbus_message_new_method_call(NULL, ROOT, MAIN, "Echo");

	assert_true(bus_service_is_slow(fixture->service, slow));
	assert_false(bus_service_is_slow(fixture->service, quick));
}

static void text_that_is_not_utf_8_is_repaired(void **state)
{
	_cleanup_message_ DBusMessage *message = dbus_message_new_signal("/a", "a.b", "C");
	DBusMessageIter iter;

	(void)state;
	dbus_message_iter_init_append(message, &iter);
	message_append_string(&iter, "read\xffr");
	dbus_message_iter_init(message, &iter);
	assert_string_equal(message_read_string(&iter), "read?r");
}

#define TEST(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, service_fixture_setup, service_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_call_reaches_its_handler_and_is_answered),
		TEST(a_call_without_an_interface_finds_the_method),
		TEST(a_handlers_error_becomes_an_error_reply_with_the_field),
		TEST(arguments_of_another_signature_are_refused),
		TEST(deeply_nested_arguments_are_refused),
		TEST(unknown_names_have_their_standard_errors),
		TEST(a_method_is_denied_without_its_right_and_noted),
		TEST(who_acts_is_known_from_before_the_rights_to_the_end),
		TEST(a_private_interface_is_not_there_on_the_system_bus),
		TEST(a_message_that_held_a_secret_is_wiped),
		TEST(a_dictionary_may_have_each_name_once_and_not_too_many),
		TEST(properties_are_read_one_by_one_and_together),
		TEST(unknown_properties_and_interfaces_are_refused),
		TEST(a_property_cannot_be_set),
		TEST(restricted_properties_need_their_right),
		TEST(objects_are_listed_for_those_who_may_read_them),
		TEST(who_may_not_read_is_told_the_same_of_what_is_there_and_what_is_not),
		TEST(introspection_leads_from_the_root_to_each_object),
		TEST(introspection_shows_methods_with_named_arguments),
		TEST(a_ping_is_answered_at_any_path),
		TEST(objects_that_come_and_go_are_announced_once),
		TEST(a_change_is_announced_at_the_objects_path),
		TEST(slow_methods_are_told_apart),
		cmocka_unit_test(text_that_is_not_utf_8_is_repaired),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
