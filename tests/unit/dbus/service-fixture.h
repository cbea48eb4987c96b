/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A service with one root object and things by name, at the end of a real peer-to-peer connection.
 */
#ifndef TESSERA_TESTS_DBUS_SERVICE_FIXTURE_H
#define TESSERA_TESTS_DBUS_SERVICE_FIXTURE_H

#include <dbus/dbus.h>

#include "dbus/service.h"

#define ROOT	       "/test"
#define CHILD	       ROOT "/thing/one_2dtwo"
#define MAIN	       "test.Main"
#define THING	       "test.Thing"
#define OUR_NAME(name) "org.tessera1.Error." name

struct fixture {
	DBusServer *server;
	DBusConnection *client, *peer; /* two ends of one connection */
	struct bus_service *service;
	struct bus_caller caller;
	const char *things[3]; /* names of what is there now */
	bool has_right;	       /* what the caller may */
	unsigned denials, signals;
	unsigned begun, under_way; /* methods */
	char *last_signal;	   /* "MEMBER SIGNATURE PATH" */
	char secret_seen[16];
	const char *secret_place;
};

/* The kind of the things below ROOT "/thing". */
extern const struct bus_kind thing_kind;

/* For cmocka: *state is a struct fixture with the one thing "one-two". */
int service_fixture_setup(void **state);
int service_fixture_teardown(void **state);

/* Sends the call (taking it), lets the service answer, and gives the answer. */
DBusMessage *exchange(struct fixture *fixture, DBusMessage *call);
/* A call whose arguments are strings; either may be NULL. */
DBusMessage *call_strings(struct fixture *fixture, const char *path, const char *interface,
	const char *method, const char *first, const char *second);

/* Both take the reply. */
void expect_refusal(DBusMessage *reply, const char *name);
void expect_text(DBusMessage *reply, const char *expected);

#endif
