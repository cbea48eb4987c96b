/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The private socket: a D-Bus server for peers, without a message bus between
 * them and the daemon. The loop accepts connections; each has a thread that
 * reads a call, does it and answers (design, decision 3). The thread never
 * waits inside libdbus, so that signals from other threads go out at once.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "bus/bus-private.h"
#include "common/alloc.h"
#include "common/log.h"
#include "core/rate-limit.h"
#include "operation/key-restore.h"
#include "operation/login.h"
#include "operation/provider.h"

#define CONNECTIONS_MAX 512
/* Those who are no managers leave room for those who are. */
#define GUESTS_MAX		 448
#define CONNECTIONS_OF_A_UID_MAX 128
#define AUTHENTICATION_ROUNDS	 4
#define AUTHENTICATION_STEP_MS	 5 /* at first; doubles while the peer is silent */
#define AUTHENTICATION_MS	 10000
#define SLOW_READER_MS		 30000
/* Above this no further call is read until the caller has taken its answers. */
#define OUTGOING_BYTES_HIGH (128 * 1024)
/* What a guest makes us keep, times its connections, is memory: a PIN and 512 bytes are little. */
#define GUEST_MESSAGE_BYTES_MAX	 (64 * 1024)
#define GUEST_OUTGOING_BYTES_MAX (1024 * 1024)
#define REFUSALS_A_MINUTE_MAX	 30
#define THREAD_STACK_BYTES	 (1024 * 1024)

struct private_connection {
	struct private_door *door;
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
	bool is_listed_guest; /* guarded by the door's lock */
	atomic_bool watches_all, watches_tokens, is_closing;
	atomic_bool is_running; /* thread is set */
	pthread_t thread;
	struct provider_client *client; /* made when it is first needed, by the thread */
};

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

/* --- one connection --- */

struct provider_client *private_connection_client(struct private_connection *connection)
{
	if (!connection->client)
		connection->client = provider_client_new(connection->door->bus->services,
			connection->actor, connection->uid, connection->is_manager);
	return connection->client;
}

void private_connection_watch_tokens(struct private_connection *connection)
{
	connection->watches_tokens = true;
}

void private_connection_watch_all(struct private_connection *connection)
{
	connection->watches_all = true;
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

/* From any thread; the connection's thread ends it. */
static void cut_connection(struct private_connection *connection)
{
	connection->is_closing = true;
	wake_connection(connection);
}

static void send_message(struct private_connection *connection, DBusMessage *message)
{
	if (!dbus_message_set_sender(message, BUS_NAME) ||
		!dbus_connection_send(connection->connection, message, NULL))
		abort();
	long maximum = connection->is_manager ? OUTGOING_BYTES_MAX : GUEST_OUTGOING_BYTES_MAX;
	if (dbus_connection_get_outgoing_size(connection->connection) > maximum)
		cut_connection(connection);
}

static void send_reply(const struct bus_caller *caller, DBusMessage *reply)
{
	send_message(caller->connection, reply);
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

	if (!driver_handle(&caller, message))
		bus_service_handle(connection->door->bus->service, &caller, message);
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

static void serve(struct private_connection *connection)
{
	struct patience patience = {0};

	while (serve_pending(connection)) {
		if (connection->client)
			provider_client_idle(connection->client);
		if (!wait_for_event(connection, &patience)) {
			log_notice("private connection cut: it does not take its answers or "
				   "authenticate %s",
				connection->actor);
			return;
		}
	}
}

/* --- life of a connection --- */

static void connection_free(struct private_connection *connection)
{
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
	dbus_connection_set_max_message_size(connection->connection, GUEST_MESSAGE_BYTES_MAX);
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
		serve(connection);
	logins_end(door->bus->services->logins, connection->caller);
	key_restore_end(door->bus->services->restorer, connection->caller);
	pthread_mutex_lock(&door->lock);
	unlist(door, connection);
	pthread_mutex_unlock(&door->lock);
	connection_free(connection);
	OPENSSL_thread_stop(); /* the process may end before this thread has */
	pthread_mutex_lock(&door->lock);
	if (--door->count == 0)
		pthread_cond_broadcast(&door->idle);
	pthread_mutex_unlock(&door->lock);
	return NULL;
}

static bool start_thread(struct private_connection *connection)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES);
	bool started = pthread_create(&thread, &attributes, run_connection, connection) == 0;
	pthread_attr_destroy(&attributes);
	return started;
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

static void accept_connection(DBusServer *server, DBusConnection *peer, void *data)
{
	struct private_connection *connection = xnew(struct private_connection);

	(void)server;
	connection->door = data;
	connection->connection = dbus_connection_ref(peer);
	connection->descriptor = connection->wake = -1;
	if (!prepare_connection(connection) || !list_connection(connection)) {
		log_refusal(connection->door, connection->uid);
		connection_free(connection);
		return;
	}
	connection->name = xasprintf(":1.%u", connection->number);
	connection->caller = xasprintf("private %s", connection->name);
	limit_connection(connection);
	if (!start_thread(connection)) {
		log_error("no thread for a private connection");
		unlist_failed(connection);
		connection_free(connection);
	}
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
		cut_connection(each);
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
	send_message(connection, copy);
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
