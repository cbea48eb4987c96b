/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.freedesktop.DBus.ObjectManager, and the signals about objects. */
#include <string.h>

#include "common/alloc.h"
#include "dbus/message.h"
#include "dbus/path.h"
#include "dbus/service-private.h"

/* --- what the signals and answers hold --- */

static void append_no_properties(DBusMessageIter *iter)
{
	DBusMessageIter dictionary;

	message_open(iter, DBUS_TYPE_ARRAY, "{sv}", &dictionary);
	message_close(iter, &dictionary);
}

/* a{sa{sv}}: the interfaces of an object; what `reader` (NULL: everyone) may not read is left
 * empty. */
static void append_interfaces(struct bus_service *service, const struct bus_kind *kind,
	const void *object, const struct bus_caller *reader, DBusMessageIter *iter)
{
	DBusMessageIter dictionary, entry;

	message_open(iter, DBUS_TYPE_ARRAY, "{sa{sv}}", &dictionary);
	for (size_t i = 0; kind->interfaces[i]; i++) {
		const struct bus_interface *interface = kind->interfaces[i];
		message_open(&dictionary, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
		message_append_string(&entry, interface->name);
		if (caller_may(service, reader, interface->read, NULL))
			append_properties(service->options.context, interface, object, &entry);
		else
			append_no_properties(&entry);
		message_close(&dictionary, &entry);
	}
	message_close(iter, &dictionary);
}

/* --- GetManagedObjects --- */

static void append_object(struct bus_call *call, const struct bus_kind *kind, const char *name,
	DBusMessageIter *objects)
{
	_cleanup_free_ char *path = kind_path(kind, name);
	DBusMessageIter entry;
	void *object;

	if (!kind_find(kind, call->context, name, &object, NULL))
		return;
	message_open(objects, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
	message_append_path(&entry, path);
	append_interfaces(call->service, kind, object, call->caller, &entry);
	message_close(objects, &entry);
	kind_release(kind, object);
}

static bool get_managed_objects(struct bus_call *call, struct error *error)
{
	const struct bus_service_options *options = &call->service->options;
	DBusMessageIter objects;

	(void)error;
	message_open(&call->out, DBUS_TYPE_ARRAY, "{oa{sa{sv}}}", &objects);
	for (size_t i = 0; i < options->kind_count; i++) {
		const struct bus_kind *kind = options->kinds[i];
		size_t count = 0;
		if (!kind->list ||
			!caller_may(call->service, call->caller, kind->interfaces[0]->read, NULL))
			continue;
		char **names = kind->list(call->context, &count);
		for (size_t j = 0; j < count; j++) {
			append_object(call, kind, names[j], &objects);
			free(names[j]);
		}
		free(names);
	}
	message_close(&call->out, &objects);
	return true;
}

const struct bus_interface interface_object_manager = {
	.name = "org.freedesktop.DBus.ObjectManager",
	.methods =
		(const struct bus_method[]){
			{.name = "GetManagedObjects",
				.out = BUS_ARGUMENTS({"objects", "a{oa{sa{sv}}}"}),
				.flags = BUS_ORDERED,
				.handle = get_managed_objects},
			{0},
		},
	.signals =
		(const struct bus_signal[]){
			{"InterfacesAdded",
				BUS_ARGUMENTS({"object", "o"}, {"interfaces", "a{sa{sv}}"})},
			{"InterfacesRemoved", BUS_ARGUMENTS({"object", "o"}, {"interfaces", "as"})},
			{0},
		},
};

/* --- signals --- */

DBusMessage *signal_new(const char *path, const char *interface, const char *name)
{
	DBusMessage *signal = dbus_message_new_signal(path, interface, name);

	if (!signal)
		abort();
	return signal;
}

DBusMessage *bus_signal_new(
	const struct bus_kind *kind, const char *name, const char *interface, const char *signal)
{
	_cleanup_free_ char *path = kind_path(kind, name);

	return signal_new(path, interface, signal);
}

static void broadcast(struct bus_service *service, DBusMessage *signal)
{
	service->options.broadcast(service->options.context, signal);
}

static void announce_added(struct bus_service *service, const struct bus_kind *kind,
	const char *path, const void *object)
{
	_cleanup_message_ DBusMessage *signal =
		signal_new(service->options.root, interface_object_manager.name, "InterfacesAdded");
	DBusMessageIter iter;

	dbus_message_iter_init_append(signal, &iter);
	message_append_path(&iter, path);
	append_interfaces(service, kind, object, NULL, &iter);
	broadcast(service, signal);
}

static void announce_removed(
	struct bus_service *service, const struct bus_kind *kind, const char *path)
{
	_cleanup_message_ DBusMessage *signal = signal_new(
		service->options.root, interface_object_manager.name, "InterfacesRemoved");
	DBusMessageIter iter, names;

	dbus_message_iter_init_append(signal, &iter);
	message_append_path(&iter, path);
	message_open(&iter, DBUS_TYPE_ARRAY, "s", &names);
	for (size_t i = 0; kind->interfaces[i]; i++)
		message_append_string(&names, kind->interfaces[i]->name);
	message_close(&iter, &names);
	broadcast(service, signal);
}

static void append_invalidated(const struct bus_interface *interface, DBusMessageIter *iter)
{
	DBusMessageIter names;

	message_open(iter, DBUS_TYPE_ARRAY, "s", &names);
	for (const struct bus_property *property = interface->properties; property->name;
		property++)
		message_append_string(&names, property->name);
	message_close(iter, &names);
}

static void announce_changed(struct bus_service *service, const struct bus_interface *interface,
	const char *path, const void *object)
{
	_cleanup_message_ DBusMessage *signal =
		signal_new(path, interface_properties.name, "PropertiesChanged");
	DBusMessageIter iter;

	dbus_message_iter_init_append(signal, &iter);
	message_append_string(&iter, interface->name);
	if (caller_may(service, NULL, interface->read, NULL)) {
		append_properties(service->options.context, interface, object, &iter);
		message_append_strings(&iter, NULL, 0);
	} else {
		append_no_properties(&iter);
		append_invalidated(interface, &iter);
	}
	broadcast(service, signal);
}

/* --- what is known to be there; under the order lock --- */

static bool is_known(const struct bus_service *service, const char *path)
{
	for (size_t i = 0; i < service->known_count; i++) {
		if (strcmp(service->known[i], path) == 0)
			return true;
	}
	return false;
}

/* Takes the path. */
static void add_known(struct bus_service *service, char *path)
{
	service->known =
		xreallocarray(service->known, service->known_count + 1, sizeof(*service->known));
	service->known[service->known_count++] = path;
}

static bool add_object(struct bus_service *service, const struct bus_kind *kind, const char *name)
{
	_cleanup_free_ char *path = kind_path(kind, name);
	void *object;

	if (is_known(service, path) ||
		!kind_find(kind, service->options.context, name, &object, NULL))
		return false;
	announce_added(service, kind, path, object);
	add_known(service, steal_pointer(&path));
	kind_release(kind, object);
	return true;
}

static bool is_listed(char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

static void drop_missing(
	struct bus_service *service, const struct bus_kind *kind, char *const *names, size_t count)
{
	for (size_t i = 0; i < service->known_count;) {
		char *path = service->known[i];
		_cleanup_free_ char *name = path_child_name(kind->path, path);
		if (!name || is_listed(names, count, name)) {
			i++;
			continue;
		}
		announce_removed(service, kind, path);
		free(path);
		service->known[i] = service->known[--service->known_count];
	}
}

/* Answers whether `changed` (or NULL) was announced as new. */
static bool sync_kind(struct bus_service *service, const struct bus_kind *kind, const char *changed)
{
	size_t count = 0;
	bool is_new = false;

	if (!kind->list)
		return false;
	char **names = kind->list(service->options.context, &count);
	drop_missing(service, kind, names, count);
	for (size_t i = 0; i < count; i++) {
		if (add_object(service, kind, names[i]) && changed &&
			strcmp(names[i], changed) == 0)
			is_new = true;
		free(names[i]);
	}
	free(names);
	return is_new;
}

void bus_service_sync(struct bus_service *service, const struct bus_kind *kind)
{
	pthread_mutex_lock(&service->order);
	sync_kind(service, kind, NULL);
	pthread_mutex_unlock(&service->order);
}

void bus_service_changed(struct bus_service *service, const struct bus_kind *kind, const char *name)
{
	_cleanup_free_ char *path = kind_path(kind, name);
	void *object;

	pthread_mutex_lock(&service->order);
	if (!sync_kind(service, kind, name) &&
		kind_find(kind, service->options.context, name, &object, NULL)) {
		for (size_t i = 0; kind->interfaces[i]; i++) {
			if (kind->interfaces[i]->properties)
				announce_changed(service, kind->interfaces[i], path, object);
		}
		kind_release(kind, object);
	}
	pthread_mutex_unlock(&service->order);
}
