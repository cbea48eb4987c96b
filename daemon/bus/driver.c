/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The few methods of org.freedesktop.DBus that programs made for a message bus
 * call first. On the private socket there is one name to talk to, ours.
 */
#include <string.h>
#include <unistd.h>

#include "bus/bus-private.h"

static struct private_connection *connection_of(const struct bus_call *call)
{
	return call->caller->connection;
}

static bool hello(struct bus_call *call, struct error *error)
{
	(void)error;
	message_append_string(&call->out, private_connection_name(connection_of(call)));
	return true;
}

/* Rules are not looked at: whoever adds one gets every signal, and filters. */
static bool add_match(struct bus_call *call, struct error *error)
{
	(void)error;
	private_connection_watch_all(connection_of(call));
	return true;
}

static bool remove_match(struct bus_call *call, struct error *error)
{
	(void)call;
	(void)error;
	return true;
}

static bool is_our_name(const char *name)
{
	return strcmp(name, BUS_NAME) == 0 || strcmp(name, DBUS_SERVICE_DBUS) == 0;
}

static bool get_name_owner(struct bus_call *call, struct error *error)
{
	const char *name = message_read_string(&call->in);

	(void)error;
	if (!is_our_name(name))
		return bus_call_refuse(call, DBUS_ERROR_NAME_HAS_NO_OWNER,
			"only " BUS_NAME " is here, not %s", name);
	message_append_string(&call->out, name);
	return true;
}

static bool name_has_owner(struct bus_call *call, struct error *error)
{
	(void)error;
	message_append_bool(&call->out, is_our_name(message_read_string(&call->in)));
	return true;
}

static bool list_names(struct bus_call *call, struct error *error)
{
	DBusMessageIter names;

	(void)error;
	message_open(&call->out, DBUS_TYPE_ARRAY, "s", &names);
	message_append_string(&names, DBUS_SERVICE_DBUS);
	message_append_string(&names, BUS_NAME);
	message_append_string(&names, private_connection_name(connection_of(call)));
	message_close(&call->out, &names);
	return true;
}

static bool list_no_names(struct bus_call *call, struct error *error)
{
	(void)error;
	message_append_strings(&call->out, NULL, 0);
	return true;
}

static bool start_service(struct bus_call *call, struct error *error)
{
	(void)error;
	message_append_u32(&call->out, DBUS_START_REPLY_ALREADY_RUNNING);
	return true;
}

static const struct bus_method methods[] = {
	{"Hello", NULL, BUS_ARGUMENTS({"unique_name", "s"}), BUS_ANYONE, 0, hello},
	{"AddMatch", BUS_ARGUMENTS({"rule", "s"}), NULL, BUS_ANYONE, 0, add_match},
	{"RemoveMatch", BUS_ARGUMENTS({"rule", "s"}), NULL, BUS_ANYONE, 0, remove_match},
	{"GetNameOwner", BUS_ARGUMENTS({"name", "s"}), BUS_ARGUMENTS({"owner", "s"}), BUS_ANYONE, 0,
		get_name_owner},
	{"NameHasOwner", BUS_ARGUMENTS({"name", "s"}), BUS_ARGUMENTS({"has_owner", "b"}),
		BUS_ANYONE, 0, name_has_owner},
	{"ListNames", NULL, BUS_ARGUMENTS({"names", "as"}), BUS_ANYONE, 0, list_names},
	{"ListActivatableNames", NULL, BUS_ARGUMENTS({"names", "as"}), BUS_ANYONE, 0,
		list_no_names},
	{"StartServiceByName", BUS_ARGUMENTS({"name", "s"}, {"flags", "u"}),
		BUS_ARGUMENTS({"result", "u"}), BUS_ANYONE, 0, start_service},
	{0},
};

static const struct bus_interface driver_interface = {
	.name = DBUS_INTERFACE_DBUS,
	.methods = methods,
};

static const struct bus_kind driver_kind = {
	.path = DBUS_PATH_DBUS,
	.is_single = true,
	.interfaces = (const struct bus_interface *const[]){&driver_interface, NULL},
};

static bool is_for_driver(DBusMessage *message)
{
	const char *destination = dbus_message_get_destination(message);

	return destination ? strcmp(destination, DBUS_SERVICE_DBUS) == 0
			   : dbus_message_has_interface(message, DBUS_INTERFACE_DBUS);
}

static void ignore_signal(void *context, DBusMessage *signal)
{
	(void)context;
	(void)signal;
}

bool driver_handle(const struct bus_caller *caller, DBusMessage *message)
{
	static const struct bus_kind *const kinds[] = {&driver_kind};
	static const struct bus_service_options options = {.root = DBUS_PATH_DBUS,
		.kinds = kinds,
		.kind_count = ARRAY_SIZE(kinds),
		.broadcast = ignore_signal};

	if (!is_for_driver(message))
		return false;
	struct bus_service *service = bus_service_new(&options);
	bus_service_handle(service, caller, message);
	bus_service_free(service);
	return true;
}
