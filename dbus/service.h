/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A service: a tree of objects described by tables (interface.h), whichever
 * connections its calls come over. All functions may be called from any thread.
 */
#ifndef TESSERA_DBUS_SERVICE_H
#define TESSERA_DBUS_SERVICE_H

#include "dbus/interface.h"

struct bus_service_options {
	const char *root; /* path of the object that is the ObjectManager */
	const struct bus_kind *const *kinds;
	size_t kind_count;
	void *context; /* given to all functions of the tables */
	/* Sends a signal to whoever wants signals; does not take the message. */
	void (*broadcast)(void *context, DBusMessage *signal);
	/*
	 * Whether the caller has a right (BUS_FIRST_RIGHT and up). On refusal ERROR_ACCESS_DENIED
	 * says what to do; error may be NULL.
	 */
	bool (*may)(void *context, const struct bus_caller *caller, unsigned permission,
		struct error *error);
	/*
	 * Whether a caller who may not read a kind's properties may know that the object is there,
	 * for a method that needs no right. Asked before the object is looked up, so that the error
	 * (ERROR_NOT_FOUND) is the same for what is there and for what is not. May be NULL.
	 */
	bool (*may_know)(void *context, const struct bus_call *call, struct error *error);
	/*
	 * Whether a caller without the method's right may call it on this object all the same: the
	 * holder of a card on the own one. call->object is not there yet. May be NULL.
	 */
	bool (*may_object)(void *context, const struct bus_call *call);
	/*
	 * Takes down who acts before rights are looked at, for call->who: the caller may have lost
	 * them when the method is done. Both may be NULL.
	 */
	void *(*begin)(void *context, const struct bus_call *call);
	void (*end)(void *who);
	/* A method call was refused for lack of rights, which error tells of; may be NULL. */
	void (*denied)(void *context, const struct bus_call *call, const struct error *error);
	/*
	 * A method was called and its handler did not set call->audited; error is NULL when it
	 * succeeded. Before the answer is sent. May be NULL.
	 */
	void (*done)(void *context, const struct bus_call *call, const struct error *error);
};

struct bus_service *bus_service_new(const struct bus_service_options *options);
void bus_service_free(struct bus_service *service);

/* Answers one message; what is no method call is ignored. Wipes a message that held a PIN. */
void bus_service_handle(
	struct bus_service *service, const struct bus_caller *caller, DBusMessage *message);
/* Whether the message calls a method that is marked BUS_SLOW. */
bool bus_service_is_slow(struct bus_service *service, const DBusMessage *message);

/*
 * Sends InterfacesAdded and InterfacesRemoved for what came and went among a kind since the last
 * time.
 */
void bus_service_sync(struct bus_service *service, const struct bus_kind *kind);
/*
 * An object has changed: as bus_service_sync(), and PropertiesChanged for it (name NULL: the single
 * object). Values that not everyone may read are only said to have changed.
 */
void bus_service_changed(
	struct bus_service *service, const struct bus_kind *kind, const char *name);
/*
 * A signal of an object, for the arguments to be appended. The caller sends it with the
 * broadcast that it gave.
 */
DBusMessage *bus_signal_new(
	const struct bus_kind *kind, const char *name, const char *interface, const char *signal);

/* For handlers: answers with an error that is none of ours (DBUS_ERROR_...). Returns true. */
bool bus_call_refuse(struct bus_call *call, const char *error_name, const char *format, ...)
	PRINTF_LIKE(3, 4);

#endif
