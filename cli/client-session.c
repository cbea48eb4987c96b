/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One connection to tesserad for several programs: a login belongs to a
 * connection, and programs that run one after the other share this one. Calls
 * are passed on with a serial of ours, answers go back to who asked, signals to
 * all. What is passed on is wiped, as it may hold a PIN.
 */
#include "cli/client-session.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client-private.h"
#include "common/alloc.h"
#include "dbus/message.h"

#define PEERS_MAX	       32
#define CALLS_MAX	       256
#define AUTHENTICATION_STEP_MS 5
/* A program that does not read what it is sent is let go. */
#define OUTGOING_BYTES_MAX (4 * 1024 * 1024)

/* A call that tesserad has not answered yet. */
struct pending_call {
	DBusConnection *peer;
	dbus_uint32_t serial; /* the peer's */
	dbus_uint32_t ours;
};

struct peer {
	DBusConnection *connection;
	/* Its first call, Hello, has its answer: some programs take any signal before that for one.
	 */
	bool is_greeted;
};

struct client_session {
	DBusConnection *daemon;
	const char *destination; /* of calls to tesserad over a message bus; else NULL */
	DBusServer *server;
	DBusWatch *watch; /* of the server */
	struct peer peers[PEERS_MAX];
	size_t peer_count;
	struct pending_call calls[CALLS_MAX];
	size_t call_count;
};

/*
 * Sends without waiting for the other end, which may not be reading: the loop writes what is left.
 * What could be written at once, as nearly always, is wiped.
 */
static void send_wiping(DBusConnection *connection, DBusMessage *message, dbus_uint32_t *serial)
{
	if (!dbus_connection_send(connection, message, serial))
		abort();
	dbus_connection_read_write(connection, 0);
	if (!dbus_connection_has_messages_to_send(connection))
		message_wipe(message);
}

static DBusMessage *copy_of(const DBusMessage *message)
{
	DBusMessage *copy = dbus_message_copy(message);

	if (!copy)
		abort();
	return copy;
}

/* --- from a program to tesserad --- */

static void refuse(DBusConnection *peer, DBusMessage *call)
{
	_cleanup_message_ DBusMessage *reply =
		message_error(call, DBUS_ERROR_LIMITS_EXCEEDED, "too many calls are under way");

	send_wiping(peer, reply, NULL);
}

static void pass_call(struct client_session *session, DBusConnection *peer, DBusMessage *call)
{
	_cleanup_message_ DBusMessage *copy = copy_of(call);
	struct pending_call *pending = &session->calls[session->call_count];

	if (dbus_message_get_type(call) != DBUS_MESSAGE_TYPE_METHOD_CALL)
		return;
	if (session->call_count == CALLS_MAX) {
		refuse(peer, call);
		return;
	}
	if (session->destination && !dbus_message_get_destination(copy) &&
		!dbus_message_set_destination(copy, session->destination))
		abort();
	*pending = (struct pending_call){.peer = peer, .serial = dbus_message_get_serial(call)};
	send_wiping(session->daemon, copy, &pending->ours);
	if (!dbus_message_get_no_reply(call))
		session->call_count++;
	message_wipe(call);
}

static void serve_peer(struct client_session *session, DBusConnection *peer)
{
	DBusMessage *message;

	/* While it authenticates, libdbus reads in one round and answers in the next. */
	for (int round = 0; round < 4; round++)
		dbus_connection_read_write(peer, 0);
	while ((message = dbus_connection_pop_message(peer))) {
		pass_call(session, peer, message);
		dbus_message_unref(message);
	}
}

static void drop_peer(struct client_session *session, size_t index)
{
	DBusConnection *peer = session->peers[index].connection;

	for (size_t i = session->call_count; i-- > 0;) {
		if (session->calls[i].peer == peer)
			session->calls[i].peer = NULL;
	}
	dbus_connection_close(peer);
	dbus_connection_unref(peer);
	session->peers[index] = session->peers[--session->peer_count];
}

/* --- from tesserad to the programs --- */

static void note_greeted(struct client_session *session, const DBusConnection *peer)
{
	for (size_t i = 0; i < session->peer_count; i++) {
		if (session->peers[i].connection == peer)
			session->peers[i].is_greeted = true;
	}
}

static void pass_answer(struct client_session *session, DBusMessage *answer)
{
	dbus_uint32_t ours = dbus_message_get_reply_serial(answer);

	for (size_t i = 0; i < session->call_count; i++) {
		struct pending_call call = session->calls[i];
		if (call.ours != ours)
			continue;
		session->calls[i] = session->calls[--session->call_count];
		if (!call.peer)
			return;
		_cleanup_message_ DBusMessage *copy = copy_of(answer);
		if (!dbus_message_set_reply_serial(copy, call.serial))
			abort();
		send_wiping(call.peer, copy, NULL);
		note_greeted(session, call.peer);
		return;
	}
}

static void pass_signal(struct client_session *session, const DBusMessage *signal)
{
	for (size_t i = 0; i < session->peer_count; i++) {
		if (!session->peers[i].is_greeted)
			continue;
		_cleanup_message_ DBusMessage *copy = copy_of(signal);
		send_wiping(session->peers[i].connection, copy, NULL);
	}
}

/* False when tesserad has gone. */
static bool serve_daemon(struct client_session *session)
{
	DBusMessage *message;

	dbus_connection_read_write(session->daemon, 0);
	while ((message = dbus_connection_pop_message(session->daemon))) {
		if (dbus_message_get_type(message) == DBUS_MESSAGE_TYPE_SIGNAL)
			pass_signal(session, message);
		else
			pass_answer(session, message);
		message_wipe(message);
		dbus_message_unref(message);
	}
	return dbus_connection_get_is_connected(session->daemon);
}

/* --- the socket --- */

static void accept_peer(DBusServer *server, DBusConnection *connection, void *data)
{
	struct client_session *session = data;

	(void)server;
	if (session->peer_count == PEERS_MAX)
		return; /* libdbus closes what nobody keeps */
	dbus_connection_set_exit_on_disconnect(connection, FALSE);
	session->peers[session->peer_count++] =
		(struct peer){.connection = dbus_connection_ref(connection)};
}

static dbus_bool_t keep_watch(DBusWatch *watch, void *data)
{
	struct client_session *session = data;

	session->watch = watch;
	return TRUE;
}

static void lose_watch(DBusWatch *watch, void *data)
{
	struct client_session *session = data;

	(void)watch;
	session->watch = NULL;
}

static bool listen_at(struct client_session *session, const char *path, struct error *error)
{
	DBusError dbus_error = DBUS_ERROR_INIT;
	char *escaped = dbus_address_escape_value(path);
	_cleanup_free_ char *address = xasprintf("unix:path=%s", escaped ? escaped : "");

	dbus_free(escaped);
	session->server = dbus_server_listen(address, &dbus_error);
	if (!session->server) {
		error_set(error, ERROR_FAILED, "cannot listen at %s: %s", path, dbus_error.message);
		dbus_error_free(&dbus_error);
		return false;
	}
	dbus_server_set_new_connection_function(session->server, accept_peer, session, NULL);
	return dbus_server_set_watch_functions(
		       session->server, keep_watch, lose_watch, NULL, session, NULL) ||
	       error_set(error, ERROR_FAILED, "out of memory");
}

struct client_session *client_session_new(
	struct client *client, const char *path, struct error *error)
{
	struct client_session *session = xnew(struct client_session);

	session->daemon = client_connection(client);
	session->destination = client_destination(client);
	if (listen_at(session, path, error))
		return session;
	client_session_free(session);
	return NULL;
}

void client_session_free(struct client_session *session)
{

	while (session->peer_count > 0)
		drop_peer(session, session->peer_count - 1);
	if (session->server) {
		dbus_server_disconnect(session->server);
		dbus_server_unref(session->server);
	}
	free(session);
}

/* --- the loop --- */

static struct pollfd watch_connection(DBusConnection *connection)
{
	struct pollfd watched = {.fd = -1, .events = POLLIN};

	if (!dbus_connection_get_unix_fd(connection, &watched.fd))
		watched.fd = -1;
	if (dbus_connection_has_messages_to_send(connection))
		watched.events |= POLLOUT;
	return watched;
}

static void serve_peers(struct client_session *session)
{
	for (size_t i = session->peer_count; i-- > 0;) {
		DBusConnection *peer = session->peers[i].connection;
		serve_peer(session, peer);
		if (!dbus_connection_get_is_connected(peer) ||
			dbus_connection_get_outgoing_size(peer) > OUTGOING_BYTES_MAX)
			drop_peer(session, i);
	}
}

/* Writing to one end reads from it, too: a message may be there that poll() knows nothing of. */
static bool has_waiting(const struct client_session *session)
{
	bool waiting =
		dbus_connection_get_dispatch_status(session->daemon) == DBUS_DISPATCH_DATA_REMAINS;

	for (size_t i = 0; i < session->peer_count && !waiting; i++)
		waiting = dbus_connection_get_dispatch_status(session->peers[i].connection) ==
			  DBUS_DISPATCH_DATA_REMAINS;
	return waiting;
}

/* While a program authenticates, libdbus does not tell whether it has something to say. */
static int wait_ms(const struct client_session *session)
{
	if (has_waiting(session))
		return 0;
	for (size_t i = 0; i < session->peer_count; i++) {
		if (!dbus_connection_get_is_authenticated(session->peers[i].connection))
			return AUTHENTICATION_STEP_MS;
	}
	return -1;
}

bool client_session_serve(struct client_session *session, int until, struct error *error)
{
	struct pollfd watched[3 + PEERS_MAX];

	for (;;) {
		watched[0] = (struct pollfd){.fd = until, .events = POLLIN};
		watched[1] = watch_connection(session->daemon);
		watched[2] = (struct pollfd){
			.fd = session->watch ? dbus_watch_get_unix_fd(session->watch) : -1,
			.events = POLLIN};
		for (size_t i = 0; i < session->peer_count; i++)
			watched[3 + i] = watch_connection(session->peers[i].connection);
		int timeout = wait_ms(session);
		if (poll(watched, 3 + session->peer_count, timeout) < 0 && errno != EINTR)
			return error_set(error, ERROR_FAILED, "poll: %m");
		if (watched[0].revents)
			return true;
		if (watched[2].revents && session->watch)
			dbus_watch_handle(session->watch, DBUS_WATCH_READABLE);
		serve_peers(session);
		if (!serve_daemon(session))
			return error_set(error, ERROR_NO_SERVICE,
				"tesserad went away, and the login with it");
	}
}
