/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/private-connection.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/log.h"
#include "operation/provider.h"

#define AUTHENTICATION_ROUNDS  4
#define AUTHENTICATION_STEP_MS 5 /* at first; doubles while the peer is silent */
#define AUTHENTICATION_MS      10000
#define SLOW_READER_MS	       30000
/* Above this no further call is read until the caller has taken its answers. */
#define OUTGOING_BYTES_HIGH (128 * 1024)
/* What a guest makes us keep, times its connections, is memory: a PIN and 512 bytes are little. */
#define GUEST_MESSAGE_BYTES_MAX	 (64 * 1024)
#define GUEST_OUTGOING_BYTES_MAX (1024 * 1024)

struct provider_client *private_connection_client(struct private_connection *connection)
{
	if (!connection->client)
		connection->client = provider_client_new(connection->bus->services,
			connection->actor, connection->uid, connection->is_manager);
	return connection->client;
}

struct provider_habit *private_connection_habit(struct private_connection *connection)
{
	return &connection->habit;
}

void private_connection_watch_tokens(struct private_connection *connection)
{
	connection->watches_tokens = true;
}

void private_connection_watch_all(struct private_connection *connection)
{
	connection->watches_all = true;
}

struct reader_agent *private_connection_agent(struct private_connection *connection, bool make)
{
	if (!connection->agent && make)
		connection->agent = reader_agent_new(connection->bus, connection, connection->uid);
	return connection->agent;
}

const char *private_connection_name(const struct private_connection *connection)
{
	return connection->name;
}

/* The connection's own thread is awake: it looks at all there is before it sleeps. */
static void wake_connection(void *context)
{
	struct private_connection *connection = context;

	if (!connection->is_running || !pthread_equal(connection->thread, pthread_self()))
		eventfd_write(connection->wake, 1);
}

void private_connection_cut(struct private_connection *connection)
{
	connection->is_closing = true;
	wake_connection(connection);
}

void private_connection_wake(struct private_connection *connection)
{
	eventfd_write(connection->wake, 1);
}

void private_connection_call(
	struct private_connection *connection, DBusMessage *call, uint32_t *serial)
{
	if (!dbus_message_set_sender(call, BUS_NAME) ||
		!dbus_connection_send(connection->connection, call, serial))
		abort();
	long maximum = connection->is_manager ? OUTGOING_BYTES_MAX : GUEST_OUTGOING_BYTES_MAX;
	if (dbus_connection_get_outgoing_size(connection->connection) > maximum)
		private_connection_cut(connection);
}

bool private_connection_has_outgoing(const struct private_connection *connection)
{
	return dbus_connection_has_messages_to_send(connection->connection);
}

void private_connection_send(struct private_connection *connection, DBusMessage *message)
{
	private_connection_call(connection, message, NULL);
}
static void send_reply(const struct bus_caller *caller, DBusMessage *reply)
{
	private_connection_send(caller->connection, reply);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void handle_message(struct private_connection *connection, DBusMessage *message)
{
	struct bus_caller caller = {.uid = connection->uid,
		.pid = connection->pid,
		.is_manager = connection->is_manager,
		.is_private = true,
		.actor = connection->actor,
		.name = connection->caller,
		.connection = connection,
		.send = send_reply};

	if (connection->agent && reader_agent_take_answer(connection->agent, message))
		return;
	if (!driver_handle(&caller, message))
		bus_service_handle(connection->bus->service, &caller, message);
}

static bool has_room(const struct private_connection *connection)
{
	return dbus_connection_get_outgoing_size(connection->connection) < OUTGOING_BYTES_HIGH;
}

/* While it authenticates, libdbus reads in one round and answers in the next. */
static void read_and_write(DBusConnection *connection)
{
	int rounds = dbus_connection_get_is_authenticated(connection) ? 1 : AUTHENTICATION_ROUNDS;

	while (rounds-- > 0)
		dbus_connection_read_write(connection, 0);
}

/* Reads, writes and answers all that can be without waiting. False at the end. */
static bool serve_pending(struct private_connection *connection)
{
	DBusMessage *message;

	read_and_write(connection->connection);
	while (!connection->is_closing && has_room(connection) &&
		(message = dbus_connection_pop_message(connection->connection))) {
		handle_message(connection, message);
		dbus_message_unref(message);
	}
	return !connection->is_closing && dbus_connection_get_is_connected(connection->connection);
}

/* Since when the connection has been waiting for its peer, and how long it may. */
struct patience {
	int64_t deadline_ms; /* 0: nothing is awaited */
	bool for_reading;    /* until the peer has read; else until it has authenticated */
	int step_ms;	     /* of an authentication: when to look again */
};

static void set_patience(struct patience *patience, bool for_reading, int64_t milliseconds)
{
	if (patience->deadline_ms == 0 || patience->for_reading != for_reading)
		*patience = (struct patience){
			now_ms() + milliseconds, for_reading, AUTHENTICATION_STEP_MS};
}

/* Sleeps until something can be done. False when the peer let us wait too long. */
static bool wait_for_event(struct private_connection *connection, struct patience *patience)
{
	struct pollfd descriptors[2] = {
		{.fd = connection->descriptor}, {.fd = connection->wake, .events = POLLIN}};
	int64_t left = -1;
	eventfd_t count;

	if (has_room(connection))
		descriptors[0].events |= POLLIN;
	if (dbus_connection_has_messages_to_send(connection->connection))
		descriptors[0].events |= POLLOUT;
	if (!dbus_connection_get_is_authenticated(connection->connection))
		set_patience(patience, false, AUTHENTICATION_MS);
	else if (descriptors[0].events & POLLOUT)
		set_patience(patience, true, SLOW_READER_MS);
	else
		patience->deadline_ms = 0;
	if (patience->deadline_ms != 0 && (left = patience->deadline_ms - now_ms()) <= 0)
		return false;
	/* libdbus does not tell whether it has something to say while it authenticates. */
	bool authenticates = patience->deadline_ms != 0 && !patience->for_reading;
	if (authenticates && left > patience->step_ms)
		left = patience->step_ms;
	poll(descriptors, 2, (int)left);
	if (authenticates)
		patience->step_ms =
			descriptors[0].revents ? AUTHENTICATION_STEP_MS : patience->step_ms * 2;
	if (descriptors[1].revents)
		eventfd_read(connection->wake, &count);
	/* Who has gone takes no more answers; where there is room, libdbus notes it by reading. */
	return has_room(connection) || !(descriptors[0].revents & (POLLHUP | POLLERR));
}

void private_connection_serve(struct private_connection *connection)
{
	struct patience patience = {0};

	while (serve_pending(connection)) {
		if (connection->agent)
			reader_agent_tend(connection->agent);
		if (connection->client)
			provider_client_idle(connection->client, &connection->habit);
		if (!wait_for_event(connection, &patience)) {
			log_notice("private connection cut: it does not take its answers or "
				   "authenticate %s",
				connection->actor);
			return;
		}
	}
}

/* --- its life --- */

void private_connection_free(struct private_connection *connection)
{
	reader_agent_free(connection->agent);
	channels_free(connection->channels);
	if (connection->client)
		provider_client_free(connection->client);
	dbus_connection_set_wakeup_main_function(connection->connection, NULL, NULL, NULL);
	dbus_connection_close(connection->connection);
	dbus_connection_unref(connection->connection);
	if (connection->descriptor >= 0)
		close(connection->descriptor);
	if (connection->wake >= 0)
		close(connection->wake);
	free(connection->name);
	free(connection->caller);
	free(connection->actor);
	free(connection);
}

static dbus_bool_t allow_any_user(DBusConnection *connection, unsigned long uid, void *data)
{
	(void)connection;
	(void)uid;
	(void)data;
	return TRUE;
}

/* Who is at the other end, as the kernel says, and the descriptors that the thread needs. */
static bool prepare_connection(struct private_connection *connection)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);
	int descriptor;

	if (!dbus_connection_get_unix_fd(connection->connection, &descriptor) ||
		getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
		return false;
	connection->uid = peer.uid;
	connection->pid = peer.pid;
	connection->descriptor = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
	connection->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return connection->descriptor >= 0 && connection->wake >= 0;
}

static void limit_connection(struct private_connection *connection)
{
	DBusConnection *peer = connection->connection;

	dbus_connection_set_exit_on_disconnect(peer, FALSE);
	dbus_connection_set_allow_anonymous(peer, FALSE);
	dbus_connection_set_unix_user_function(peer, allow_any_user, NULL, NULL);
	dbus_connection_set_max_message_size(peer, MESSAGE_BYTES_MAX);
	dbus_connection_set_max_received_size(peer, RECEIVED_BYTES_MAX);
	dbus_connection_set_max_message_unix_fds(peer, 0);
	dbus_connection_set_wakeup_main_function(peer, wake_connection, connection, NULL);
}

void private_connection_restrict(struct private_connection *connection)
{
	dbus_connection_set_max_message_size(connection->connection, GUEST_MESSAGE_BYTES_MAX);
}

struct private_connection *private_connection_new(
	struct private_door *door, struct bus *bus, DBusConnection *peer)
{
	struct private_connection *connection = xnew(struct private_connection);

	connection->door = door;
	connection->bus = bus;
	connection->connection = dbus_connection_ref(peer);
	connection->descriptor = connection->wake = -1;
	if (prepare_connection(connection)) {
		limit_connection(connection);
		return connection;
	}
	private_connection_free(connection);
	return NULL;
}
