/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a D-Bus service offers, as const tables. From them come dispatch, the
 * check of arguments and rights, properties, signals and introspection; a
 * handler sees only calls that its table allows.
 */
#ifndef TESSERA_DBUS_INTERFACE_H
#define TESSERA_DBUS_INTERFACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <dbus/dbus.h>

#include "common/error.h"

struct bus_service;

/*
 * What a call needs is a number that the service's `may` understands; these two need no right:
 * HOLDER is who can prove the PIN, and the card checks that.
 */
enum { BUS_ANYONE, BUS_HOLDER, BUS_FIRST_RIGHT };

/* Who calls; lives as long as the call. */
struct bus_caller {
	uid_t uid;
	pid_t pid;
	bool is_manager;
	bool is_private;   /* through the private socket */
	const char *actor; /* for the audit trail */
	const char *name;  /* of the connection; no other caller ever has it */
	void *connection;  /* what `send` and the handlers know the caller's connection by */
	/* Sends a reply; does not take the message. */
	void (*send)(const struct bus_caller *caller, DBusMessage *reply);
};

struct bus_argument {
	const char *name;
	const char *type; /* one complete type */
};
/* A list of arguments; no list at all is NULL. */
#define BUS_ARGUMENTS(...)                                                                         \
	(const struct bus_argument[])                                                              \
	{                                                                                          \
		__VA_ARGS__,                                                                       \
		{                                                                                  \
			NULL, NULL                                                                 \
		}                                                                                  \
	}

struct bus_kind;
struct bus_interface;
struct bus_method;

/* One call under way. */
struct bus_call {
	struct bus_service *service;
	void *context; /* the service's */
	const struct bus_caller *caller;
	DBusMessage *message;
	const char *path;
	const struct bus_kind *kind; /* NULL for a path that only leads to objects */
	const char *name;	     /* of the object among its kind; NULL for a single one */
	const struct bus_interface *interface;
	const struct bus_method *method;
	void *who;	      /* what the service's `begin` gave */
	bool audited;	      /* set by a handler: what came of it is, or will be, recorded */
	bool holds_no_secret; /* set by a handler of a BUS_SECRET method: nothing is to be wiped */
	const void *object;   /* what the kind's find() gave */
	DBusMessageIter in;   /* at the first argument */
	DBusMessage *reply;   /* of the method, or an error reply instead */
	DBusMessageIter out;  /* append the results here */
};

enum bus_method_flag {
	BUS_SLOW = 1,	 /* may take longer than a moment: not for a thread that serves others */
	BUS_SECRET = 2,	 /* arguments hold a PIN: wiped after the call */
	BUS_ORDERED = 4, /* shows the objects' state: answered in order with the signals about it */
};

struct bus_method {
	const char *name;
	const struct bus_argument *in, *out;
	unsigned permission;
	unsigned flags;
	/* Reads call->in, appends to call->out. An error takes the place of the reply. */
	bool (*handle)(struct bus_call *call, struct error *error);
};

struct bus_property {
	const char *name;
	const char *type;
	/* Appends the value; object is what the kind's find() gave. */
	void (*get)(void *context, const void *object, DBusMessageIter *value);
};

struct bus_signal {
	const char *name;
	const struct bus_argument *arguments;
};

/* The three lists end with an entry without a name; a list may be NULL. */
struct bus_interface {
	const char *name;
	unsigned read;	   /* the permission that reading the properties needs */
	bool private_only; /* served on the private socket only */
	const struct bus_method *methods;
	const struct bus_property *properties;
	const struct bus_signal *signals;
};

/* Objects of one kind, at PATH/NAME, or one single object at PATH. */
struct bus_kind {
	const char *path;
	bool is_single;
	const struct bus_interface *const *interfaces; /* ends with NULL */
	/*
	 * A copy of the object as it is now, for release(). NULL with ERROR_NOT_FOUND. find may be
	 * NULL for a single object without data.
	 */
	void *(*find)(void *context, const char *name, struct error *error);
	void (*release)(void *object);
	/* Names of the objects that ObjectManager lists; heap array of heap strings. */
	char **(*list)(void *context, size_t *count);
};

#endif
