/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The private socket: a D-Bus server for peers, without a message bus between
 * them and the daemon. The loop accepts connections, as many as each may have;
 * each is served on a thread (private-connection.c).
 */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "bus/private-connection.h"
#include "common/alloc.h"
#include "common/log.h"
#include "core/rate-limit.h"
#include "core/thread.h"
#include "operation/key-restore.h"
#include "operation/login.h"
#include "operation/self.h"

#define CONNECTIONS_MAX 2048
/* Those who are no managers leave room for those who are. */
#define GUESTS_MAX		 1792
#define CONNECTIONS_OF_A_UID_MAX 512
/* The same of channels, each of which is a thread, too. */
#define CHANNELS_MAX	       1024
#define CHANNELS_OF_GUESTS_MAX 896
#define CHANNELS_OF_A_UID_MAX  256
#define REFUSALS_A_MINUTE_MAX  30
#define THREAD_STACK_BYTES     (1024 * 1024)

struct private_door {
	struct bus *bus;
	DBusServer *server;
	uv_poll_t *listener;
	DBusWatch *watch;
	struct stat socket; /* as we made it: device and inode */
	struct rate_limit refusals;
	pthread_mutex_t lock; /* guards the five below; libdbus may be called under it */
	pthread_cond_t idle;
	struct private_connection *first;
	unsigned count;
	unsigned guest_count;
	unsigned last_number;
};

/* --- life of a connection --- */

static void log_refusal(struct private_door *door, uid_t uid)
{
	if (rate_limit_pass(&door->refusals, REFUSALS_A_MINUTE_MAX))
		log_warning("private connection refused: too many are open uid=%lu",
			(unsigned long)uid);
}

static void unlist(struct private_door *door, const struct private_connection *connection)
{
	for (struct private_connection **link = &door->first; *link; link = &(*link)->next) {
		if (*link == connection) {
			*link = connection->next;
			door->guest_count -= connection->is_listed_guest;
			return;
		}
	}
}

/* Who calls, and what that one is allowed to cost. False when there are too many of its kind. */
static bool admit(struct private_connection *connection)
{
	struct private_door *door = connection->door;
	bool admitted = true;

	connection->is_manager = caller_is_manager(door->bus, connection->uid);
	connection->actor = caller_actor(connection->uid, connection->pid);
	if (connection->is_manager)
		return true;
	private_connection_restrict(connection);
	pthread_mutex_lock(&door->lock);
	if (door->guest_count < GUESTS_MAX) {
		connection->is_listed_guest = true;
		door->guest_count++;
	} else {
		admitted = false;
	}
	pthread_mutex_unlock(&door->lock);
	if (!admitted)
		log_refusal(door, connection->uid);
	return admitted;
}

/* private_door_close() waits for these threads through count. */
static void *run_connection(void *argument)
{
	struct private_connection *connection = argument;
	struct private_door *door = connection->door;

	connection->thread = pthread_self();
	connection->is_running = true;
	if (admit(connection))
		private_connection_serve(connection);
	logins_end(door->bus->services->logins, connection->caller);
	jobs_owner_gone(door->bus->services->jobs, connection->caller);
	selves_end(door->bus->services->selves, connection->caller);
	key_restore_end(door->bus->services->restorer, connection->caller);
	pthread_mutex_lock(&door->lock);
	unlist(door, connection);
	pthread_mutex_unlock(&door->lock);
	private_connection_free(connection);
	OPENSSL_thread_stop(); /* the process may end before this thread has */
	pthread_mutex_lock(&door->lock);
	if (--door->count == 0)
		pthread_cond_broadcast(&door->idle);
	pthread_mutex_unlock(&door->lock);
	return NULL;
}

/* Whether the user may have one more connection. Under the lock. */
static bool is_within_quota(const struct private_door *door, uid_t uid)
{
	unsigned of_uid = 0;

	for (const struct private_connection *other = door->first; other; other = other->next)
		of_uid += other->uid == uid;
	return door->count < CONNECTIONS_MAX && (of_uid < CONNECTIONS_OF_A_UID_MAX || uid == 0);
}

static bool list_connection(struct private_connection *connection)
{
	struct private_door *door = connection->door;

	pthread_mutex_lock(&door->lock);
	bool allowed = is_within_quota(door, connection->uid);
	if (allowed) {
		connection->number = ++door->last_number;
		connection->next = door->first;
		door->first = connection;
		door->count++;
	}
	pthread_mutex_unlock(&door->lock);
	return allowed;
}

static void unlist_failed(struct private_connection *connection)
{
	struct private_door *door = connection->door;

	pthread_mutex_lock(&door->lock);
	unlist(door, connection);
	door->count--;
	pthread_mutex_unlock(&door->lock);
}

static void accept_connection(DBusServer *server, DBusConnection *peer, void *data)
{
	struct private_door *door = data;
	struct private_connection *connection = private_connection_new(door, door->bus, peer);

	(void)server;
	if (!connection)
		return;
	if (!list_connection(connection)) {
		log_refusal(door, connection->uid);
		private_connection_free(connection);
		return;
	}
	connection->name = xasprintf(":1.%u", connection->number);
	connection->caller = xasprintf("private %s", connection->name);
	if (thread_start_detached(NULL, run_connection, connection, THREAD_STACK_BYTES) != 0) {
		log_error("no thread for a private connection");
		unlist_failed(connection);
		private_connection_free(connection);
	}
}

/* --- channels of connections --- */

/* Whether the connection may have one more. Under the lock. */
static bool has_room_for_channel(
	const struct private_door *door, const struct private_connection *connection)
{
	unsigned of_all = 0, of_guests = 0, of_uid = 0;

	for (const struct private_connection *each = door->first; each; each = each->next) {
		unsigned count = channels_count(each->channels);
		of_all += count;
		of_guests += each->is_manager ? 0 : count;
		of_uid += each->uid == connection->uid ? count : 0;
	}
	return of_all < CHANNELS_MAX &&
	       (connection->is_manager || of_guests < CHANNELS_OF_GUESTS_MAX) &&
	       (connection->uid == 0 || of_uid < CHANNELS_OF_A_UID_MAX);
}

int private_connection_open_channel(struct private_connection *connection, struct error *error)
{
	struct private_door *door = connection->door;
	struct provider_client *client = private_connection_client(connection);
	int descriptor = -1;

	if (!dbus_connection_can_send_type(connection->connection, DBUS_TYPE_UNIX_FD)) {
		error_set(error, ERROR_NOT_SUPPORTED, "the connection takes no descriptors");
		return -1;
	}
	if (!connection->channels)
		connection->channels = channels_new(client);
	pthread_mutex_lock(&door->lock);
	if (has_room_for_channel(door, connection))
		descriptor = channels_open(connection->channels, error);
	else
		error_set(error, ERROR_BUSY, "too many channels are open");
	pthread_mutex_unlock(&door->lock);
	return descriptor;
}

/* --- the listening socket, in the loop --- */

static void listener_ready(uv_poll_t *listener, int status, int events)
{
	struct private_door *door = listener->data;

	(void)events;
	if (status == 0 && door->watch)
		dbus_watch_handle(door->watch, DBUS_WATCH_READABLE);
}

static dbus_bool_t add_watch(DBusWatch *watch, void *data)
{
	struct private_door *door = data;

	door->watch = watch;
	door->listener = xnew(uv_poll_t);
	door->listener->data = door;
	if (uv_poll_init(door->bus->loop, door->listener, dbus_watch_get_unix_fd(watch)) != 0 ||
		uv_poll_start(door->listener, UV_READABLE, listener_ready) != 0)
		abort();
	return TRUE;
}

static void listener_closed(uv_handle_t *handle)
{
	free(handle);
}

static void remove_watch(DBusWatch *watch, void *data)
{
	struct private_door *door = data;

	(void)watch;
	door->watch = NULL;
	uv_close((uv_handle_t *)door->listener, listener_closed);
	door->listener = NULL;
}

static bool start_listening(struct private_door *door, struct error *error)
{
	static const char *mechanisms[] = {"EXTERNAL", NULL};
	const char *path = door->bus->options->socket;

	if (!(door->server = private_socket_listen(path, error)))
		return false;
	dbus_server_set_new_connection_function(door->server, accept_connection, door, NULL);
	if (!dbus_server_set_auth_mechanisms(door->server, mechanisms) ||
		!dbus_server_set_watch_functions(
			door->server, add_watch, remove_watch, NULL, door, NULL))
		abort();
	/* Everyone may connect: rights are checked call by call. */
	if (chmod(path, 0666) != 0 || stat(path, &door->socket) != 0)
		return error_set(error, ERROR_FAILED, "cannot open %s to its users: %m", path);
	return true;
}

/* --- the door --- */

struct private_door *private_door_open(struct bus *bus, struct error *error)
{
	struct private_door *door = xnew(struct private_door);

	door->bus = bus;
	pthread_mutex_init(&door->lock, NULL);
	pthread_cond_init(&door->idle, NULL);
	dbus_threads_init_default();
	if (!start_listening(door, error)) {
		private_door_close(door);
		private_door_free(door);
		return NULL;
	}
	return door;
}

/* Removes the socket unless someone else has put another one there. */
static void remove_socket(const struct private_door *door)
{
	const char *path = door->bus->options->socket;
	struct stat status;

	if (stat(path, &status) == 0 && status.st_dev == door->socket.st_dev &&
		status.st_ino == door->socket.st_ino)
		unlink(path);
}

void private_door_close(struct private_door *door)
{
	if (!door || !door->server)
		return;
	dbus_server_disconnect(door->server);
	dbus_server_unref(door->server);
	door->server = NULL;
	remove_socket(door);
	pthread_mutex_lock(&door->lock);
	for (struct private_connection *each = door->first; each; each = each->next)
		private_connection_cut(each);
	while (door->count > 0)
		pthread_cond_wait(&door->idle, &door->lock);
	pthread_mutex_unlock(&door->lock);
}

void private_door_free(struct private_door *door)
{
	if (!door)
		return;
	pthread_cond_destroy(&door->idle);
	pthread_mutex_destroy(&door->lock);
	free(door);
}

static void send_copy(struct private_connection *connection, DBusMessage *signal)
{
	DBusMessage *copy = dbus_message_copy(signal);

	if (!copy)
		abort();
	private_connection_send(connection, copy);
	dbus_message_unref(copy);
}

void private_door_broadcast(struct private_door *door, DBusMessage *signal)
{
	if (!door)
		return;
	pthread_mutex_lock(&door->lock);
	for (struct private_connection *each = door->first; each; each = each->next) {
		if (each->watches_all)
			send_copy(each, signal);
	}
	pthread_mutex_unlock(&door->lock);
}

void private_door_send_tokens_changed(struct private_door *door, DBusMessage *signal)
{
	if (!door)
		return;
	pthread_mutex_lock(&door->lock);
	for (struct private_connection *each = door->first; each; each = each->next) {
		if (each->watches_all || each->watches_tokens)
			send_copy(each, signal);
	}
	pthread_mutex_unlock(&door->lock);
}
