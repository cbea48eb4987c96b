/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.freedesktop.DBus.Introspectable and .Peer. */
#include <stdio.h>
#include <string.h>

#include "common/alloc.h"
#include "dbus/message.h"
#include "dbus/path.h"
#include "dbus/service-private.h"

static void print_arguments(FILE *xml, const struct bus_argument *arguments, const char *direction)
{
	for (; arguments && arguments->name; arguments++)
		fprintf(xml, "      <arg name=\"%s\" type=\"%s\"%s/>\n", arguments->name,
			arguments->type, direction);
}

static void print_methods(FILE *xml, const struct bus_method *method)
{
	for (; method && method->name; method++) {
		fprintf(xml, "    <method name=\"%s\">\n", method->name);
		print_arguments(xml, method->in, " direction=\"in\"");
		print_arguments(xml, method->out, " direction=\"out\"");
		fputs("    </method>\n", xml);
	}
}

static void print_signals(FILE *xml, const struct bus_signal *signal)
{
	for (; signal && signal->name; signal++) {
		fprintf(xml, "    <signal name=\"%s\">\n", signal->name);
		print_arguments(xml, signal->arguments, "");
		fputs("    </signal>\n", xml);
	}
}

static void print_interface(FILE *xml, const struct bus_interface *interface)
{
	const struct bus_property *property = interface->properties;

	fprintf(xml, "  <interface name=\"%s\">\n", interface->name);
	print_methods(xml, interface->methods);
	print_signals(xml, interface->signals);
	for (; property && property->name; property++)
		fprintf(xml, "    <property name=\"%s\" type=\"%s\" access=\"read\"/>\n",
			property->name, property->type);
	fputs("  </interface>\n", xml);
}

/* Prints <node> for the next element of place below path; "" prints nothing. */
static void print_child(FILE *xml, const char *element, size_t length)
{
	fprintf(xml, "  <node name=\"%.*s\"/>\n", (int)length, element);
}

/* The objects of a kind, as children of its path, for who may read them. */
static void print_objects(FILE *xml, const struct bus_call *call, const struct bus_kind *kind)
{
	size_t count = 0;
	bool may = caller_may(call->service, call->caller, kind->interfaces[0]->read, NULL);
	char **names = may && kind->list ? kind->list(call->context, &count) : NULL;

	for (size_t i = 0; i < count; i++) {
		_cleanup_free_ char *path = path_of("", names[i]);
		print_child(xml, path + 1, strlen(path + 1));
		free(names[i]);
	}
	free(names);
}

/* The first element of place below the node's path, or NULL. */
static const char *element_below(const char *path, const char *place, size_t *length)
{
	size_t skip = strcmp(path, "/") == 0 ? 0 : strlen(path);

	if (strncmp(place, path, skip) != 0 || place[skip] != '/')
		return NULL;
	*length = strcspn(place + skip + 1, "/");
	return place + skip + 1;
}

/* Whether a kind before the index-th one leads through the same element. */
static bool printed_before(const struct bus_call *call, size_t index, const char *element)
{
	const struct bus_service_options *options = &call->service->options;
	size_t length, earlier_length;

	if (!element_below(call->path, options->kinds[index]->path, &length))
		return true;
	for (size_t i = 0; i < index; i++) {
		const char *earlier =
			element_below(call->path, options->kinds[i]->path, &earlier_length);
		if (earlier && earlier_length == length && strncmp(earlier, element, length) == 0)
			return true;
	}
	return false;
}

static void print_children(FILE *xml, const struct bus_call *call)
{
	const struct bus_service_options *options = &call->service->options;

	for (size_t i = 0; i < options->kind_count; i++) {
		const struct bus_kind *kind = options->kinds[i];
		size_t length;
		const char *element = element_below(call->path, kind->path, &length);
		if (element && !printed_before(call, i, element))
			print_child(xml, element, length);
		if (!kind->is_single && strcmp(kind->path, call->path) == 0)
			print_objects(xml, call, kind);
	}
}

static bool introspect(struct bus_call *call, struct error *error)
{
	const struct bus_interface *interface;
	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	FILE *xml = open_memstream(&text, &length);

	(void)error;
	if (!xml)
		abort();
	fputs(DBUS_INTROSPECT_1_0_XML_DOCTYPE_DECL_NODE "<node>\n", xml);
	for (size_t i = 0; (interface = node_interface(call, i)); i++)
		print_interface(xml, interface);
	print_children(xml, call);
	fputs("</node>\n", xml);
	if (fclose(xml) != 0)
		abort();
	message_append_string(&call->out, text);
	return true;
}

const struct bus_interface interface_introspectable = {
	.name = DBUS_INTERFACE_INTROSPECTABLE,
	.methods =
		(const struct bus_method[]){
			{.name = "Introspect",
				.out = BUS_ARGUMENTS({"xml_data", "s"}),
				.handle = introspect},
			{0},
		},
};

static bool ping(struct bus_call *call, struct error *error)
{
	(void)call;
	(void)error;
	return true;
}

static bool get_machine_id(struct bus_call *call, struct error *error)
{
	DBusError failure = DBUS_ERROR_INIT;
	char *id = dbus_try_get_local_machine_id(&failure);

	if (!id) {
		error_set(error, ERROR_FAILED, "this machine has no id: %s", failure.message);
		dbus_error_free(&failure);
		return false;
	}
	message_append_string(&call->out, id);
	dbus_free(id);
	return true;
}

const struct bus_interface interface_peer = {
	.name = DBUS_INTERFACE_PEER,
	.methods =
		(const struct bus_method[]){
			{.name = "Ping", .handle = ping},
			{.name = "GetMachineId",
				.out = BUS_ARGUMENTS({"machine_uuid", "s"}),
				.handle = get_machine_id},
			{0},
		},
};
