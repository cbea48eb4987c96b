/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.freedesktop.DBus.Properties. */
#include <string.h>

#include "dbus/message.h"
#include "dbus/service-private.h"

void append_properties(void *context, const struct bus_interface *interface, const void *object,
	DBusMessageIter *iter)
{
	const struct bus_property *property = interface->properties;
	DBusMessageIter dictionary, entry, value;

	message_open(iter, DBUS_TYPE_ARRAY, "{sv}", &dictionary);
	for (; property && property->name; property++) {
		message_open(&dictionary, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
		message_append_string(&entry, property->name);
		message_open(&entry, DBUS_TYPE_VARIANT, property->type, &value);
		property->get(context, object, &value);
		message_close(&entry, &value);
		message_close(&dictionary, &entry);
	}
	message_close(iter, &dictionary);
}

/* The named interface of the object, if the caller may read it; NULL with a refusal. */
static const struct bus_interface *readable_interface(
	struct bus_call *call, const char *name, struct error *error)
{
	const struct bus_interface *interface;

	for (size_t i = 0; (interface = node_interface(call, i)); i++) {
		if (strcmp(interface->name, name) != 0)
			continue;
		if (caller_may(call->service, call->caller, interface->read, error))
			return interface;
		if (call->service->options.denied)
			call->service->options.denied(call->context, call, error);
		return NULL;
	}
	bus_call_refuse(
		call, DBUS_ERROR_UNKNOWN_INTERFACE, "%s has no interface %s", call->path, name);
	return NULL;
}

static const struct bus_property *find_property(
	const struct bus_interface *interface, const char *name)
{
	for (const struct bus_property *property = interface->properties;
		property && property->name; property++) {
		if (strcmp(property->name, name) == 0)
			return property;
	}
	return NULL;
}

/* NULL with a refusal in the call, or an error. */
static const struct bus_property *named_property(struct bus_call *call, struct error *error)
{
	const char *interface_name = message_read_string(&call->in);
	const char *name = message_read_string(&call->in);
	const struct bus_interface *interface = readable_interface(call, interface_name, error);
	const struct bus_property *property = interface ? find_property(interface, name) : NULL;

	if (interface && !property)
		bus_call_refuse(call, DBUS_ERROR_UNKNOWN_PROPERTY, "%s has no property %s",
			interface_name, name);
	return property;
}

static bool get(struct bus_call *call, struct error *error)
{
	const struct bus_property *property = named_property(call, error);
	DBusMessageIter value;

	if (!property)
		return dbus_message_get_type(call->reply) == DBUS_MESSAGE_TYPE_ERROR;
	message_open(&call->out, DBUS_TYPE_VARIANT, property->type, &value);
	property->get(call->context, call->object, &value);
	message_close(&call->out, &value);
	return true;
}

static bool get_all(struct bus_call *call, struct error *error)
{
	const char *name = message_read_string(&call->in);
	const struct bus_interface *interface = readable_interface(call, name, error);

	if (!interface)
		return dbus_message_get_type(call->reply) == DBUS_MESSAGE_TYPE_ERROR;
	append_properties(call->context, interface, call->object, &call->out);
	return true;
}

static bool set(struct bus_call *call, struct error *error)
{
	const struct bus_property *property = named_property(call, error);

	if (!property)
		return dbus_message_get_type(call->reply) == DBUS_MESSAGE_TYPE_ERROR;
	return bus_call_refuse(call, DBUS_ERROR_PROPERTY_READ_ONLY,
		"%s changes through methods only", property->name);
}

const struct bus_interface interface_properties = {
	.name = DBUS_INTERFACE_PROPERTIES,
	.methods =
		(const struct bus_method[]){
			{.name = "Get",
				.in = BUS_ARGUMENTS(
					{"interface_name", "s"}, {"property_name", "s"}),
				.out = BUS_ARGUMENTS({"value", "v"}),
				.flags = BUS_ORDERED,
				.handle = get},
			{.name = "GetAll",
				.in = BUS_ARGUMENTS({"interface_name", "s"}),
				.out = BUS_ARGUMENTS({"properties", "a{sv}"}),
				.flags = BUS_ORDERED,
				.handle = get_all},
			{.name = "Set",
				.in = BUS_ARGUMENTS({"interface_name", "s"}, {"property_name", "s"},
					{"value", "v"}),
				.handle = set},
			{0},
		},
	.signals =
		(const struct bus_signal[]){
			{"PropertiesChanged", BUS_ARGUMENTS({"interface_name", "s"},
						      {"changed_properties", "a{sv}"},
						      {"invalidated_properties", "as"})},
			{0},
		},
};
