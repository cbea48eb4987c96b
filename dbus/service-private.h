/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by the files of the service: standard interfaces and what they need. */
#ifndef TESSERA_DBUS_SERVICE_PRIVATE_H
#define TESSERA_DBUS_SERVICE_PRIVATE_H

#include <pthread.h>

#include "dbus/service.h"

struct bus_service {
	struct bus_service_options options;
	/*
	 * Held from looking at objects to sending what was seen, so that an answer never overtakes
	 * a signal about a later state, or the other way round. Guards known. Taken before any lock
	 * of what the tables' functions look at.
	 */
	pthread_mutex_t order;
	char **known; /* paths announced by InterfacesAdded */
	size_t known_count;
};

extern const struct bus_interface interface_introspectable;
extern const struct bus_interface interface_peer;
extern const struct bus_interface interface_properties;
extern const struct bus_interface interface_object_manager;

/* The standard interfaces' const rules: which one is at which node. */
bool node_has_interface(const struct bus_call *call, const struct bus_interface *interface);
/* The index-th interface of the node that the call is for, standard ones first; NULL at the end. */
const struct bus_interface *node_interface(const struct bus_call *call, size_t index);

/* Whether the caller (NULL: everyone) has that right; error may be NULL. */
bool caller_may(const struct bus_service *service, const struct bus_caller *caller,
	unsigned permission, struct error *error);
/*
 * Whether the call's caller may read the properties of its object in an interface, by right or as
 * may_read_object says.
 */
bool call_may_read(
	struct bus_call *call, const struct bus_interface *interface, struct error *error);

/* Appends a{sv}: all properties of the object. */
void append_properties(void *context, const struct bus_interface *interface, const void *object,
	DBusMessageIter *iter);
/* A new signal message; never NULL. */
DBusMessage *signal_new(const char *path, const char *interface, const char *name);
/* Looks an object up; *object may be NULL for a single one without data. */
bool kind_find(const struct bus_kind *kind, void *context, const char *name, void **object,
	struct error *error);
void kind_release(const struct bus_kind *kind, void *object);
char *kind_path(const struct bus_kind *kind, const char *name);

#endif
