/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The service's tables at work over a real peer-to-peer connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dbus/dbus.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/error.h"
#include "common/macros.h"
#include "dbus/message.h"
#include "dbus/path.h"
#include "dbus/service.h"

#define ROOT	       "/test"
#define CHILD	       ROOT "/thing/one_2dtwo"
#define MAIN	       "test.Main"
#define THING	       "test.Thing"
#define OUR_NAME(name) "org.tessera1.Error." name

/* --- a service with a root object and things by name --- */

struct fixture {
	DBusServer *server;
	DBusConnection *client, *peer; /* two ends of one connection */
	struct bus_service *service;
	struct bus_caller caller;
	const char *things[3]; /* names of what is there now */
	unsigned denials, signals;
	char *last_signal; /* "MEMBER SIGNATURE PATH" */
	char secret_seen[16];
	const char *secret_place;
};

static bool echo(struct bus_call *call, struct error *error)
{
	const char *text = message_read_string(&call->in);

	if (strcmp(text, "fail") == 0)
		return error_set_field(error, ERROR_IN_USE, "text", "it is taken");
	message_append_string(&call->out, text);
	return true;
}

static bool keep_secret(struct bus_call *call, struct error *error)
{
	struct fixture *fixture = call->context;

	(void)error;
	fixture->secret_place = message_read_string(&call->in);
	strcpy(fixture->secret_seen, fixture->secret_place);
	return true;
}

static void add(void *context, const char *name, const char *value)
{
	unsigned *count = context;

	(void)name;
	(void)value;
	(*count)++;
}

static bool count_entries(struct bus_call *call, struct error *error)
{
	unsigned count = 0;

	if (!message_read_dictionary(&call->in, 3, add, &count, error))
		return false;
	message_append_u32(&call->out, count);
	return true;
}

static void get_number(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	(void)object;
	message_append_u32(value, 7);
}

static void get_text(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, object);
}

static void *find_thing(void *context, const char *name, struct error *error)
{
	struct fixture *fixture = context;

	for (size_t i = 0; i < ARRAY_SIZE(fixture->things); i++) {
		if (fixture->things[i] && strcmp(fixture->things[i], name) == 0)
			return xstrdup(name);
	}
	error_set(error, ERROR_NOT_FOUND, "no thing");
	return NULL;
}

static char **list_things(void *context, size_t *count)
{
	struct fixture *fixture = context;
	char **names = xcalloc(ARRAY_SIZE(fixture->things), sizeof(*names));

	*count = 0;
	for (size_t i = 0; i < ARRAY_SIZE(fixture->things); i++) {
		if (fixture->things[i])
			names[(*count)++] = xstrdup(fixture->things[i]);
	}
	return names;
}

static const struct bus_interface main_interface = {
	.name = MAIN,
	.methods =
		(const struct bus_method[]){
			{"Echo", BUS_ARGUMENTS({"text", "s"}), BUS_ARGUMENTS({"text", "s"}),
				BUS_ANYONE, 0, echo},
			{"Rule", BUS_ARGUMENTS({"text", "s"}), BUS_ARGUMENTS({"text", "s"}),
				BUS_MANAGER, BUS_SLOW, echo},
			{"Keep", BUS_ARGUMENTS({"pin", "s"}), NULL, BUS_HOLDER, BUS_SECRET,
				keep_secret},
			{"Count", BUS_ARGUMENTS({"map", "a{ss}"}), BUS_ARGUMENTS({"count", "u"}),
				BUS_ANYONE, 0, count_entries},
			{0},
		},
	.properties = (const struct bus_property[]){{"Number", "u", get_number}, {0}},
};

static const struct bus_interface private_interface = {
	.name = "test.Private",
	.private_only = true,
	.methods =
		(const struct bus_method[]){
			{"Whisper", BUS_ARGUMENTS({"text", "s"}), BUS_ARGUMENTS({"text", "s"}),
				BUS_ANYONE, 0, echo},
			{0},
		},
};

static const struct bus_interface thing_interface = {
	.name = THING,
	.read = BUS_MANAGER,
	.properties = (const struct bus_property[]){{"Text", "s", get_text}, {0}},
};

static const struct bus_kind main_kind = {
	.path = ROOT,
	.is_single = true,
	.interfaces =
		(const struct bus_interface *const[]){&main_interface, &private_interface, NULL},
};

static const struct bus_kind thing_kind = {
	.path = ROOT "/thing",
	.interfaces = (const struct bus_interface *const[]){&thing_interface, NULL},
	.find = find_thing,
	.release = free,
	.list = list_things,
};

static void broadcast(void *context, DBusMessage *signal)
{
	struct fixture *fixture = context;

	fixture->signals++;
	free(fixture->last_signal);
	fixture->last_signal = xasprintf("%s %s %s", dbus_message_get_member(signal),
		dbus_message_get_signature(signal), dbus_message_get_path(signal));
}

static void denied(void *context, const struct bus_call *call)
{
	struct fixture *fixture = context;

	assert_string_equal(call->method->name, "Rule");
	fixture->denials++;
}

static void send_reply(const struct bus_caller *caller, DBusMessage *reply)
{
	assert_true(dbus_connection_send(caller->connection, reply, NULL));
}

/* --- the connection --- */

static void accept_peer(DBusServer *server, DBusConnection *connection, void *data)
{
	struct fixture *fixture = data;

	(void)server;
	fixture->peer = dbus_connection_ref(connection);
}

static dbus_bool_t add_watch(DBusWatch *watch, void *data)
{
	*(DBusWatch **)data = watch;
	return TRUE;
}

static void remove_watch(DBusWatch *watch, void *data)
{
	(void)watch;
	(void)data;
}

static void connect_ends(struct fixture *fixture)
{
	DBusError failure = DBUS_ERROR_INIT;
	static DBusWatch *watch;

	fixture->server = dbus_server_listen("unix:tmpdir=/tmp", &failure);
	assert_non_null(fixture->server);
	dbus_server_set_new_connection_function(fixture->server, accept_peer, fixture, NULL);
	assert_true(dbus_server_set_watch_functions(
		fixture->server, add_watch, remove_watch, NULL, &watch, NULL));
	char *address = dbus_server_get_address(fixture->server);
	fixture->client = dbus_connection_open_private(address, &failure);
	dbus_free(address);
	assert_non_null(fixture->client);
	dbus_connection_set_exit_on_disconnect(fixture->client, FALSE);
	dbus_watch_handle(watch, DBUS_WATCH_READABLE);
	assert_non_null(fixture->peer);
	while (!dbus_connection_get_is_authenticated(fixture->client)) {
		dbus_connection_read_write(fixture->client, 5);
		dbus_connection_read_write(fixture->peer, 5);
	}
}

static int setup(void **state)
{
	static const struct bus_kind *const kinds[] = {&main_kind, &thing_kind};
	struct fixture *fixture = xnew(struct fixture);
	struct bus_service_options options = {.root = ROOT,
		.kinds = kinds,
		.kind_count = ARRAY_SIZE(kinds),
		.context = fixture,
		.broadcast = broadcast,
		.denied = denied};

	connect_ends(fixture);
	fixture->things[0] = "one-two";
	fixture->service = bus_service_new(&options);
	fixture->caller = (struct bus_caller){
		.is_private = true, .connection = fixture->peer, .send = send_reply};
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	dbus_connection_close(fixture->client);
	dbus_connection_unref(fixture->client);
	dbus_connection_close(fixture->peer);
	dbus_connection_unref(fixture->peer);
	dbus_server_disconnect(fixture->server);
	dbus_server_unref(fixture->server);
	bus_service_free(fixture->service);
	free(fixture->last_signal);
	free(fixture);
	return 0;
}

static DBusMessage *wait_message(DBusConnection *connection, DBusConnection *other)
{
	DBusMessage *message;

	while (!(message = dbus_connection_pop_message(connection))) {
		dbus_connection_read_write(other, 0);
		assert_true(dbus_connection_read_write(connection, 5));
	}
	return message;
}

/* Sends the call (taking it), lets the service answer, and gives the answer. */
static DBusMessage *exchange(struct fixture *fixture, DBusMessage *call)
{
	assert_true(dbus_connection_send(fixture->client, call, NULL));
	dbus_message_unref(call);
	DBusMessage *received = wait_message(fixture->peer, fixture->client);
	bus_service_handle(fixture->service, &fixture->caller, received);
	if (fixture->secret_place)
		assert_true(fixture->secret_place[0] == '\0');
	fixture->secret_place = NULL;
	dbus_message_unref(received);
	return wait_message(fixture->client, fixture->peer);
}

/* A call whose arguments are strings. */
static DBusMessage *call_strings(struct fixture *fixture, const char *path, const char *interface,
	const char *method, const char *first, const char *second)
{
	DBusMessage *call = dbus_message_new_method_call(NULL, path, interface, method);
	DBusMessageIter iter;

	dbus_message_iter_init_append(call, &iter);
	if (first)
		message_append_string(&iter, first);
	if (second)
		message_append_string(&iter, second);
	return exchange(fixture, call);
}

static void expect_refusal(DBusMessage *reply, const char *name)
{
	assert_int_equal(dbus_message_get_type(reply), DBUS_MESSAGE_TYPE_ERROR);
	assert_string_equal(dbus_message_get_error_name(reply), name);
	dbus_message_unref(reply);
}

static void expect_text(DBusMessage *reply, const char *expected)
{
	DBusMessageIter iter;

	assert_int_equal(dbus_message_get_type(reply), DBUS_MESSAGE_TYPE_METHOD_RETURN);
	dbus_message_iter_init(reply, &iter);
	assert_string_equal(message_read_string(&iter), expected);
	dbus_message_unref(reply);
}

/* --- tests --- */

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
	expect_refusal(call_strings(fixture, ROOT "/thing/none", DBUS_INTERFACE_PROPERTIES,
			       "GetAll", THING, NULL),
		DBUS_ERROR_UNKNOWN_OBJECT);
}

static void a_managers_method_is_denied_to_others_and_noted(void **state)
{
	struct fixture *fixture = *state;

	expect_refusal(
		call_strings(fixture, ROOT, MAIN, "Rule", "x", NULL), OUR_NAME("AccessDenied"));
	assert_int_equal(fixture->denials, 1);
	fixture->caller.is_manager = true;
	expect_text(call_strings(fixture, ROOT, MAIN, "Rule", "x", NULL), "x");
	assert_int_equal(fixture->denials, 1);
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

static void restricted_properties_are_for_managers(void **state)
{
	struct fixture *fixture = *state;

	expect_refusal(
		call_strings(fixture, CHILD, DBUS_INTERFACE_PROPERTIES, "Get", THING, "Text"),
		OUR_NAME("AccessDenied"));
	expect_refusal(
		call_strings(fixture, CHILD, DBUS_INTERFACE_PROPERTIES, "GetAll", THING, NULL),
		OUR_NAME("AccessDenied"));
	fixture->caller.is_manager = true;
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
	fixture->caller.is_manager = true;
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

static void introspection_leads_from_the_root_to_each_object(void **state)
{
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_call_reaches_its_handler_and_is_answered),
		TEST(a_call_without_an_interface_finds_the_method),
		TEST(a_handlers_error_becomes_an_error_reply_with_the_field),
		TEST(arguments_of_another_signature_are_refused),
		TEST(deeply_nested_arguments_are_refused),
		TEST(unknown_names_have_their_standard_errors),
		TEST(a_managers_method_is_denied_to_others_and_noted),
		TEST(a_private_interface_is_not_there_on_the_system_bus),
		TEST(a_message_that_held_a_secret_is_wiped),
		TEST(a_dictionary_may_have_each_name_once_and_not_too_many),
		TEST(properties_are_read_one_by_one_and_together),
		TEST(unknown_properties_and_interfaces_are_refused),
		TEST(a_property_cannot_be_set),
		TEST(restricted_properties_are_for_managers),
		TEST(objects_are_listed_for_those_who_may_read_them),
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
