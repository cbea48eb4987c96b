/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A connection at the private socket: its thread reads a call, does it and answers (design,
 * decision 3). The thread never waits inside libdbus, so that signals from other threads go out at
 * once. Who lets connections in and starts the threads is private-door.c.
 */
#ifndef TESSERA_BUS_PRIVATE_CONNECTION_H
#define TESSERA_BUS_PRIVATE_CONNECTION_H

#include <pthread.h>
#include <stdatomic.h>

#include "bus/bus-private.h"
#include "bus/channel.h"
#include "bus/reader-agent.h"

struct private_connection {
	struct private_door *door;
	struct bus *bus;
	struct private_connection *next; /* guarded by the door's lock */
	DBusConnection *connection;
	int descriptor; /* a duplicate of libdbus's, for poll() */
	int wake;	/* eventfd */
	unsigned number;
	char *name;   /* ":1.NUMBER" */
	char *caller; /* "private :1.NUMBER": what logins know it by */
	char *actor;
	uid_t uid;
	pid_t pid;
	bool is_manager;
	bool is_listed_guest; /* the same */
	atomic_bool watches_all, watches_tokens, is_closing;
	atomic_bool is_running; /* thread is set */
	pthread_t thread;
	struct provider_client *client; /* made when it is first needed, by the thread */
	struct provider_habit habit;
	_Atomic(struct channels *) channels; /* the same */
	struct reader_agent *agent;	     /* the same */
};

/* Takes a reference of the peer; NULL when nobody can be told from it. */
struct private_connection *private_connection_new(
	struct private_door *door, struct bus *bus, DBusConnection *peer);
void private_connection_free(struct private_connection *connection);
/* Serves it to its end. */
void private_connection_serve(struct private_connection *connection);
/* What a guest is allowed to cost. */
void private_connection_restrict(struct private_connection *connection);

/* From any thread; the connection's thread ends it. */
void private_connection_cut(struct private_connection *connection);
void private_connection_send(struct private_connection *connection, DBusMessage *message);

#endif
