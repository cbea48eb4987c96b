/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit/dbus/service-fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/error.h"
#include "common/macros.h"
#include "dbus/message.h"

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
				BUS_FIRST_RIGHT, BUS_SLOW, echo},
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
	.read = BUS_FIRST_RIGHT,
	.properties = (const struct bus_property[]){{"Text", "s", get_text}, {0}},
};

static const struct bus_kind main_kind = {
	.path = ROOT,
	.is_single = true,
	.interfaces =
		(const struct bus_interface *const[]){&main_interface, &private_interface, NULL},
};

const struct bus_kind thing_kind = {
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

static bool may(
	void *context, const struct bus_caller *caller, unsigned permission, struct error *error)
{
	struct fixture *fixture = context;

	(void)caller;
	assert_int_equal(permission, BUS_FIRST_RIGHT);
	return fixture->has_right || error_set(error, ERROR_ACCESS_DENIED, "log in first");
}

static void *begin(void *context, const struct bus_call *call)
{
	struct fixture *fixture = context;

	assert_non_null(call->method);
	fixture->begun++;
	fixture->under_way++;
	return &fixture->under_way;
}

static void end(void *who)
{
	--*(unsigned *)who;
}

static void denied(void *context, const struct bus_call *call, const struct error *error)
{
	struct fixture *fixture = context;

	assert_int_equal(error->code, ERROR_ACCESS_DENIED);
	assert_true(call->method != NULL);
	assert_ptr_equal(call->who, &fixture->under_way);
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

int service_fixture_setup(void **state)
{
	static const struct bus_kind *const kinds[] = {&main_kind, &thing_kind};
	struct fixture *fixture = xnew(struct fixture);
	struct bus_service_options options = {.root = ROOT,
		.kinds = kinds,
		.kind_count = ARRAY_SIZE(kinds),
		.context = fixture,
		.broadcast = broadcast,
		.may = may,
		.begin = begin,
		.end = end,
		.denied = denied};

	connect_ends(fixture);
	fixture->things[0] = "one-two";
	fixture->service = bus_service_new(&options);
	fixture->caller = (struct bus_caller){
		.is_private = true, .connection = fixture->peer, .send = send_reply};
	*state = fixture;
	return 0;
}

int service_fixture_teardown(void **state)
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

DBusMessage *exchange(struct fixture *fixture, DBusMessage *call)
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

DBusMessage *call_strings(struct fixture *fixture, const char *path, const char *interface,
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

void expect_refusal(DBusMessage *reply, const char *name)
{
	assert_int_equal(dbus_message_get_type(reply), DBUS_MESSAGE_TYPE_ERROR);
	assert_string_equal(dbus_message_get_error_name(reply), name);
	dbus_message_unref(reply);
}

void expect_text(DBusMessage *reply, const char *expected)
{
	DBusMessageIter iter;

	assert_int_equal(dbus_message_get_type(reply), DBUS_MESSAGE_TYPE_METHOD_RETURN);
	dbus_message_iter_init(reply, &iter);
	assert_string_equal(message_read_string(&iter), expected);
	dbus_message_unref(reply);
}
