/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.tessera1.Type */
#include "bus/bus-private.h"
#include "common/alloc.h"
#include "operation/types.h"

static void *find(void *context, const char *name, struct error *error)
{
	struct bus *bus = context;
	struct card_type *type = card_types_find(bus->services->types, name);

	if (!type)
		error_set(error, ERROR_NOT_FOUND, "there is no credential type \"%.64s\"", name);
	return type;
}

static void release(void *object)
{
	card_type_unref(object);
}

static char **list(void *context, size_t *count)
{
	struct bus *bus = context;
	struct card_type **types = card_types_list(bus->services->types, count);
	char **names = xcalloc(*count + 1, sizeof(*names));

	for (size_t i = 0; i < *count; i++)
		names[i] = xstrdup(types[i]->name);
	card_types_list_free(types, *count);
	return names;
}

static void get_name(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, ((const struct card_type *)object)->name);
}

static void get_title(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, ((const struct card_type *)object)->title);
}

static void get_manufacturer(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, ((const struct card_type *)object)->manufacturer);
}

static void get_driver(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, ((const struct card_type *)object)->driver);
}

static void get_driver_available(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_bool(
		value, card_driver_is_there(((const struct card_type *)object)->driver));
}

static void get_shipped(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_bool(value, ((const struct card_type *)object)->is_shipped);
}

static void get_document(void *context, const void *object, DBusMessageIter *value)
{
	(void)context;
	message_append_string(value, ((const struct card_type *)object)->document);
}

static bool remove_type(struct bus_call *call, struct error *error)
{
	struct bus *bus = call->context;
	bool done = type_remove(bus->services, call->name, error);

	if (done)
		bus_service_sync(bus->service, &type_kind);
	return audit_change(call, "remove-type", call->name, done, error);
}

static const struct bus_interface type_interface = {
	.name = BUS_NAME ".Type",
	.read = PERMISSION_VIEW_SETTINGS,
	.methods =
		(const struct bus_method[]){
			{"Remove", NULL, NULL, PERMISSION_CHANGE_TYPES, BUS_SLOW, remove_type},
			{0},
		},
	.properties =
		(const struct bus_property[]){
			{"Name", "s", get_name},
			{"Title", "s", get_title},
			{"Manufacturer", "s", get_manufacturer},
			{"Driver", "s", get_driver},
			{"DriverAvailable", "b", get_driver_available},
			{"Shipped", "b", get_shipped},
			{"Document", "s", get_document},
			{0},
		},
};

const struct bus_kind type_kind = {
	.path = BUS_ROOT "/type",
	.interfaces = (const struct bus_interface *const[]){&type_interface, NULL},
	.find = find,
	.release = release,
	.list = list,
};
