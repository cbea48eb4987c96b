/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/service.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/alloc.h"
#include "dbus/message.h"
#include "dbus/path.h"
#include "dbus/service-private.h"

#define SIGNATURE_MAX 256

static const struct bus_interface *const standard_interfaces[] = {
	&interface_introspectable,
	&interface_peer,
	&interface_properties,
	&interface_object_manager,
};

struct bus_service *bus_service_new(const struct bus_service_options *options)
{
	struct bus_service *service = xnew(struct bus_service);

	service->options = *options;
	pthread_mutex_init(&service->order, NULL);
	return service;
}

void bus_service_free(struct bus_service *service)
{
	if (!service)
		return;
	for (size_t i = 0; i < service->known_count; i++)
		free(service->known[i]);
	free(service->known);
	pthread_mutex_destroy(&service->order);
	free(service);
}

/* --- objects --- */

bool kind_find(const struct bus_kind *kind, void *context, const char *name, void **object,
	struct error *error)
{
	*object = NULL;
	if (!kind->find)
		return true;
	*object = kind->find(context, name, error);
	return *object != NULL;
}

void kind_release(const struct bus_kind *kind, void *object)
{
	if (object && kind->release)
		kind->release(object);
}

char *kind_path(const struct bus_kind *kind, const char *name)
{
	return kind->is_single ? xstrdup(kind->path) : path_of(kind->path, name);
}

/* Whether objects lie somewhere below the path. */
static bool leads_to_objects(const struct bus_service *service, const char *path)
{
	size_t length = strcmp(path, "/") == 0 ? 0 : strlen(path);

	for (size_t i = 0; i < service->options.kind_count; i++) {
		const char *place = service->options.kinds[i]->path;
		if (strncmp(place, path, length) == 0 &&
			(place[length] == '/' || place[length] == '\0'))
			return true;
	}
	return false;
}

/* Fills kind and name from the path; false when nothing can be there. *name_memory to free. */
static bool find_node(struct bus_call *call, char **name_memory)
{
	const struct bus_service_options *options = &call->service->options;

	for (size_t i = 0; i < options->kind_count; i++) {
		const struct bus_kind *kind = options->kinds[i];
		if (kind->is_single ? strcmp(kind->path, call->path) != 0
				    : !(*name_memory = path_child_name(kind->path, call->path)))
			continue;
		call->kind = kind;
		call->name = *name_memory;
		return true;
	}
	return leads_to_objects(call->service, call->path);
}

/* --- interfaces and methods --- */

bool node_has_interface(const struct bus_call *call, const struct bus_interface *interface)
{
	if (interface == &interface_properties)
		return call->kind != NULL;
	if (interface == &interface_object_manager)
		return call->kind && strcmp(call->path, call->service->options.root) == 0;
	return !interface->private_only || call->caller->is_private;
}

const struct bus_interface *node_interface(const struct bus_call *call, size_t index)
{
	for (size_t i = 0; i < ARRAY_SIZE(standard_interfaces); i++) {
		if (node_has_interface(call, standard_interfaces[i]) && index-- == 0)
			return standard_interfaces[i];
	}
	for (size_t i = 0; call->kind && call->kind->interfaces[i]; i++) {
		if (node_has_interface(call, call->kind->interfaces[i]) && index-- == 0)
			return call->kind->interfaces[i];
	}
	return NULL;
}

static const struct bus_method *find_method(
	const struct bus_interface *interface, const char *member)
{
	for (const struct bus_method *method = interface->methods; method && method->name;
		method++) {
		if (strcmp(method->name, member) == 0)
			return method;
	}
	return NULL;
}

/* Fills interface and method; without an interface in the message the first method of that name. */
static void find_interface(struct bus_call *call, const char *name, const char *member)
{
	const struct bus_interface *interface;

	for (size_t i = 0; !call->method && (interface = node_interface(call, i)); i++) {
		if (name && strcmp(interface->name, name) != 0)
			continue;
		call->interface = interface;
		call->method = find_method(interface, member);
	}
}

static void signature_of(const struct bus_argument *arguments, char signature[SIGNATURE_MAX])
{
	signature[0] = '\0';
	for (; arguments && arguments->name; arguments++)
		strncat(signature, arguments->type, SIGNATURE_MAX - strlen(signature) - 1);
}

bool caller_may(const struct bus_service *service, const struct bus_caller *caller,
	unsigned permission, struct error *error)
{
	if (permission < BUS_FIRST_RIGHT)
		return true;
	return caller && service->options.may(service->options.context, caller, permission, error);
}

static bool may_object(const struct bus_call *call)
{
	const struct bus_service_options *options = &call->service->options;

	return options->may_object && call->kind && options->may_object(call->context, call);
}

/* --- one call --- */

bool bus_call_refuse(struct bus_call *call, const char *error_name, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	char *text = xvasprintf(format, arguments);
	va_end(arguments);
	if (call->reply)
		dbus_message_unref(call->reply);
	call->reply = message_error(call->message, error_name, text);
	free(text);
	return true;
}

static void refuse_access(struct bus_call *call, const struct error *error)
{
	if (call->service->options.denied)
		call->service->options.denied(call->context, call, error);
	call->reply = message_error_of(call->message, error);
}

static void tell_done(struct bus_call *call, const struct error *error)
{
	const struct bus_service_options *options = &call->service->options;

	if (options->done && !call->audited)
		options->done(call->context, call, error);
}

bool call_may_read(
	struct bus_call *call, const struct bus_interface *interface, struct error *error)
{
	const struct bus_service_options *options = &call->service->options;

	if (caller_may(call->service, call->caller, interface->read, error))
		return true;
	if (!call->kind || !options->may_read_object ||
		!options->may_read_object(call->context, call))
		return false;
	if (error)
		error_clear(error);
	return true;
}

static bool may_read(struct bus_call *call, struct error *error)
{
	return call_may_read(call, call->kind->interfaces[0], error);
}

/* A peer is there wherever it is asked; and who may not read a kind is told how its objects are. */
static bool needs_object(struct bus_call *call)
{
	return call->kind && call->interface != &interface_peer &&
	       (call->interface != &interface_introspectable || may_read(call, NULL));
}

/* Who may not read a kind does not learn from calls that need no right what objects there are. */
static bool may_know(struct bus_call *call, struct error *error)
{
	const struct bus_service_options *options = &call->service->options;

	if (call->method->permission >= BUS_FIRST_RIGHT || may_read(call, error))
		return true;
	if (call->interface == &interface_properties)
		return false;
	error_clear(error);
	return !options->may_know || options->may_know(call->context, call, error);
}

static void refuse_object(struct bus_call *call, const struct error *error)
{
	if (error->code == ERROR_ACCESS_DENIED) {
		refuse_access(call, error);
		return;
	}
	tell_done(call, error);
	if (error->code == ERROR_NOT_FOUND)
		bus_call_refuse(call, DBUS_ERROR_UNKNOWN_OBJECT, "%s", error_message(error));
	else
		call->reply = message_error_of(call->message, error);
}

/* Looks up the object and runs the handler. */
static void run_method(struct bus_call *call)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	void *object = NULL;

	if (needs_object(call) &&
		(!may_know(call, &error) ||
			!kind_find(call->kind, call->context, call->name, &object, &error))) {
		refuse_object(call, &error);
		return;
	}
	call->object = object;
	call->reply = dbus_message_new_method_return(call->message);
	if (!call->reply)
		abort();
	dbus_message_iter_init(call->message, &call->in);
	dbus_message_iter_init_append(call->reply, &call->out);
	bool done = call->method->handle(call, &error);
	if (!done) {
		dbus_message_unref(call->reply);
		call->reply = message_error_of(call->message, &error);
	}
	tell_done(call, done ? NULL : &error);
	kind_release(call->kind, object);
}

static void dispatch(struct bus_call *call, const char *interface, const char *member)
{
	struct error refusal _cleanup_error_ = ERROR_INIT;
	char signature[SIGNATURE_MAX];

	if (!call->method) {
		if (interface && !call->interface)
			bus_call_refuse(call, DBUS_ERROR_UNKNOWN_INTERFACE,
				"%s has no interface %s", call->path, interface);
		else
			bus_call_refuse(call, DBUS_ERROR_UNKNOWN_METHOD, "%s has no method %s",
				call->path, member);
		return;
	}
	signature_of(call->method->in, signature);
	if (strcmp(signature, dbus_message_get_signature(call->message)) != 0)
		bus_call_refuse(call, DBUS_ERROR_INVALID_ARGS,
			"%s takes arguments of signature \"%s\", not \"%s\"", member, signature,
			dbus_message_get_signature(call->message));
	else if (!caller_may(call->service, call->caller, call->method->permission, &refusal) &&
		 !may_object(call))
		refuse_access(call, &refusal);
	else
		run_method(call);
}

static void answer(struct bus_call *call, const char *interface, const char *member)
{
	const struct bus_service_options *options = &call->service->options;

	if (call->method && options->begin)
		call->who = options->begin(call->context, call);
	dispatch(call, interface, member);
	if (call->who)
		options->end(call->who);
	if (!dbus_message_get_no_reply(call->message))
		call->caller->send(call->caller, call->reply);
	dbus_message_unref(call->reply);
}

/* Resolves path, interface and method. */
static bool resolve(struct bus_call *call, char **name_memory)
{
	bool found = find_node(call, name_memory);

	if (found || dbus_message_has_interface(call->message, interface_peer.name))
		find_interface(call, dbus_message_get_interface(call->message),
			dbus_message_get_member(call->message));
	return found || call->method;
}

void bus_service_handle(
	struct bus_service *service, const struct bus_caller *caller, DBusMessage *message)
{
	_cleanup_free_ char *name = NULL;
	struct bus_call call = {.service = service,
		.context = service->options.context,
		.caller = caller,
		.message = message,
		.path = dbus_message_get_path(message)};

	if (dbus_message_get_type(message) != DBUS_MESSAGE_TYPE_METHOD_CALL)
		return;
	if (!resolve(&call, &name)) {
		bus_call_refuse(
			&call, DBUS_ERROR_UNKNOWN_OBJECT, "there is no object %s", call.path);
		if (!dbus_message_get_no_reply(message))
			caller->send(caller, call.reply);
		dbus_message_unref(call.reply);
		return;
	}
	bool ordered = call.method && (call.method->flags & BUS_ORDERED);
	if (ordered)
		pthread_mutex_lock(&service->order);
	answer(&call, dbus_message_get_interface(message), dbus_message_get_member(message));
	if (ordered)
		pthread_mutex_unlock(&service->order);
	if (call.method && (call.method->flags & BUS_SECRET) && !call.holds_no_secret)
		message_wipe(message);
}

bool bus_service_is_slow(struct bus_service *service, const DBusMessage *message)
{
	static const struct bus_caller anyone = {.is_private = true};
	_cleanup_free_ char *name = NULL;
	struct bus_call call = {.service = service,
		.caller = &anyone,
		.message = (DBusMessage *)(uintptr_t)message,
		.path = dbus_message_get_path((DBusMessage *)(uintptr_t)message)};

	return dbus_message_get_type(call.message) == DBUS_MESSAGE_TYPE_METHOD_CALL &&
	       resolve(&call, &name) && call.method && (call.method->flags & BUS_SLOW);
}
