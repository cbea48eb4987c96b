/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11/remote-connection.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <dbus/dbus.h>

#include "pkcs11/module.h"
#include "pkcs11/remote-channel.h"

#define DEFAULT_SOCKET	    "/run/tessera/bus"
#define OBJECT_PATH	    "/org/tessera1"
#define INTERFACE	    "org.tessera1.Provider"
#define TIMEOUT_MS	    60000
#define TIMEOUT_MAX_MS	    3600000
#define CONNECT_INTERVAL_MS 500
#define CONNECT_TIMEOUT_MS  2000
#define HANDSHAKE_STEP_MS   50
#define POLL_INTERVAL_MS    1000

struct remote {
	atomic_uint references;
	struct remote *owner; /* whose end is this one's too, referenced; or NULL */
	int wake;	      /* eventfd, readable once stopped; -1 with an owner */
	atomic_bool stopped;
	pthread_mutex_t call; /* held through one call; guards the one below */
	int64_t last_attempt; /* ms */

	/* Guarded by the bus lock. */
	struct remote *next; /* in the list of all */
	DBusConnection *connection;
	int descriptor;
	uint64_t number;       /* of the connection */
	uint64_t generation;   /* the highest told over the connection */
	dbus_uint32_t pending; /* serial of the call under way, or 0: who makes it reads */
	DBusMessage *reply;

	struct remote_channels channels;
};

/* Around every use of libdbus; guards the members named above and the list. */
static pthread_mutex_t bus = PTHREAD_MUTEX_INITIALIZER;
static struct remote *all;
static uint64_t last_number;

void remote_fork_prepare(void)
{
	pthread_mutex_lock(&bus);
}

void remote_fork_parent(void)
{
	pthread_mutex_unlock(&bus);
}

void remote_fork_child(void)
{
	pthread_mutex_unlock(&bus); /* this thread took it before the fork */
}

void remote_forget_all(void)
{
	for (struct remote *remote = all; remote; remote = remote->next) {
		if (remote->connection)
			close(remote->descriptor);
		if (remote->wake >= 0)
			close(remote->wake);
		remote_channels_forget(&remote->channels);
		remote->connection = NULL;
	}
	all = NULL;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What C_Initialize found: programs change their environment in other threads. */
static atomic_int patience_ms = TIMEOUT_MS;

static void read_timeout(void)
{
	const char *setting = secure_getenv("TESSERA_PKCS11_TIMEOUT");
	char *end = NULL;
	long seconds = setting ? strtol(setting, &end, 10) : 0;
	bool is_good = setting && end != setting && *end == '\0' && seconds >= 1 &&
		       seconds <= TIMEOUT_MAX_MS / 1000;

	patience_ms = is_good ? (int)seconds * 1000 : TIMEOUT_MS;
}

int remote_timeout_ms(void)
{
	return patience_ms;
}

struct remote *remote_new(struct remote *owner)
{
	struct remote *remote = calloc(1, sizeof(*remote));

	if (!remote)
		return NULL;
	remote->wake = owner ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!owner && remote->wake < 0) {
		free(remote);
		return NULL;
	}
	if (owner)
		remote->owner = remote_ref(owner);
	else
		read_timeout();
	remote->references = 1;
	remote->last_attempt = -CONNECT_INTERVAL_MS;
	pthread_mutex_init(&remote->call, NULL);
	remote_channels_init(&remote->channels);
	pthread_mutex_lock(&bus);
	remote->next = all;
	all = remote;
	pthread_mutex_unlock(&bus);
	return remote;
}

struct remote *remote_ref(struct remote *remote)
{
	remote->references++;
	return remote;
}

/* The bus lock is held. */
static void disconnect(struct remote *remote)
{
	if (!remote->connection)
		return;
	dbus_connection_close(remote->connection);
	dbus_connection_unref(remote->connection);
	remote->connection = NULL;
	remote->generation = 0;
}

static void unlist(struct remote *remote)
{
	for (struct remote **link = &all; *link; link = &(*link)->next) {
		if (*link == remote) {
			*link = remote->next;
			return;
		}
	}
}

void remote_unref(struct remote *remote)
{
	if (!remote || --remote->references > 0)
		return;
	remote_channels_clear(&remote->channels);
	pthread_mutex_lock(&bus);
	disconnect(remote);
	unlist(remote);
	pthread_mutex_unlock(&bus);
	remote_unref(remote->owner);
	if (remote->wake >= 0)
		close(remote->wake);
	pthread_mutex_destroy(&remote->call);
	free(remote);
}

void remote_stop(struct remote *remote)
{
	remote->stopped = true;
	eventfd_write(remote->wake, 1);
	remote_channels_wake(&remote->channels);
}

bool remote_is_stopped(const struct remote *remote)
{
	return remote->stopped || (remote->owner && remote->owner->stopped);
}

struct remote_channels *remote_channels(struct remote *remote)
{
	return &remote->channels;
}

void remote_bus_lock(void)
{
	pthread_mutex_lock(&bus);
}

void remote_bus_unlock(void)
{
	pthread_mutex_unlock(&bus);
}

static int wake_descriptor(const struct remote *remote)
{
	return remote->owner ? remote->owner->wake : remote->wake;
}

static void handle_message(struct remote *remote, DBusMessage *message)
{
	dbus_uint64_t generation = 0;

	if (remote->pending && dbus_message_get_reply_serial(message) == remote->pending) {
		if (!remote->reply)
			remote->reply = dbus_message_ref(message);
	} else if (dbus_message_is_signal(message, INTERFACE, "TokensChanged") &&
		   dbus_message_get_args(
			   message, NULL, DBUS_TYPE_UINT64, &generation, DBUS_TYPE_INVALID)) {
		if (generation > remote->generation)
			remote->generation = generation;
	}
}

/* Writes and reads what can be without waiting. The bus lock is held. */
static void drain(struct remote *remote)
{
	DBusMessage *message;

	if (!remote->connection)
		return;
	bool open = dbus_connection_read_write(remote->connection, 0);
	while ((message = dbus_connection_pop_message(remote->connection))) {
		handle_message(remote, message);
		dbus_message_unref(message);
	}
	if (!open || !dbus_connection_get_is_connected(remote->connection))
		disconnect(remote);
}

/* What came before has been taken: nothing but the socket has more. */
static bool has_news(const struct remote *remote)
{
	struct pollfd descriptor = {.fd = remote->descriptor, .events = POLLIN};

	return remote->connection && poll(&descriptor, 1, 0) != 0;
}

void remote_poll(struct remote *remote, uint64_t *connection, uint64_t *generation)
{
	pthread_mutex_lock(&bus);
	if (!remote->pending && has_news(remote))
		drain(remote);
	*connection = remote->connection ? remote->number : 0;
	*generation = remote->generation;
	pthread_mutex_unlock(&bus);
}

uint64_t remote_connected(struct remote *remote)
{
	pthread_mutex_lock(&bus);
	uint64_t number = remote->connection ? remote->number : 0;
	pthread_mutex_unlock(&bus);
	return number;
}

void remote_lose(struct remote *remote, uint64_t number)
{
	pthread_mutex_lock(&bus);
	if (remote->number == number)
		disconnect(remote);
	pthread_mutex_unlock(&bus);
}

/* One step of the handshake. Answers false when it is over, one way or the other. */
static bool handshake_step(DBusConnection *connection, bool *authenticated)
{
	pthread_mutex_lock(&bus);
	bool open = dbus_connection_read_write(connection, HANDSHAKE_STEP_MS);
	*authenticated = dbus_connection_get_is_authenticated(connection);
	pthread_mutex_unlock(&bus);
	return open && !*authenticated;
}

static char *socket_address(void)
{
	const char *path = secure_getenv("TESSERA_SOCKET");
	char *address = NULL;

	char *escaped = dbus_address_escape_value(path && path[0] ? path : DEFAULT_SOCKET);
	if (!escaped || asprintf(&address, "unix:path=%s", escaped) < 0)
		address = NULL;
	dbus_free(escaped);
	return address;
}

static DBusConnection *open_connection(void)
{
	_cleanup_free_ char *address = NULL;

	pthread_mutex_lock(&bus);
	/* The program's SIGPIPE is its own; libdbus writes with MSG_NOSIGNAL. */
	dbus_connection_set_change_sigpipe(FALSE);
	address = socket_address();
	DBusConnection *connection = address ? dbus_connection_open_private(address, NULL) : NULL;
	if (connection)
		dbus_connection_set_exit_on_disconnect(connection, FALSE);
	pthread_mutex_unlock(&bus);
	return connection;
}

static void adopt(struct remote *remote, DBusConnection *connection, bool authenticated)
{
	pthread_mutex_lock(&bus);
	disconnect(remote);
	remote->connection = connection;
	remote->number = ++last_number;
	remote->generation = 0;
	if (!authenticated || !dbus_connection_get_unix_fd(connection, &remote->descriptor))
		disconnect(remote);
	pthread_mutex_unlock(&bus);
}

/* The call lock is held. */
void remote_connect_if_needed(struct remote *remote)
{
	int64_t start = now_ms();
	bool authenticated = false;

	pthread_mutex_lock(&bus);
	drain(remote);
	bool connected = remote->connection != NULL;
	pthread_mutex_unlock(&bus);
	if (connected || remote_is_stopped(remote) ||
		start - remote->last_attempt < CONNECT_INTERVAL_MS)
		return;
	remote->last_attempt = start;
	DBusConnection *connection = open_connection();
	if (!connection)
		return;
	while (handshake_step(connection, &authenticated) &&
		now_ms() - start < CONNECT_TIMEOUT_MS && !remote_is_stopped(remote))
		;
	adopt(remote, connection, authenticated);
}

bool remote_out_of_memory(struct error *error)
{
	error_set(error, ERROR_FAILED, "out of memory");
	return error_set_detail(error, ENOMEM);
}

bool remote_no_service(struct error *error)
{
	return error_set(error, ERROR_NO_SERVICE, "tesserad does not answer on its socket");
}

/* What is waited for. The bus lock is held, and there is a connection. */
static void describe_wait(const struct remote *remote, struct pollfd *descriptor)
{
	descriptor->fd = remote->descriptor;
	descriptor->events = POLLIN;
	if (dbus_connection_has_messages_to_send(remote->connection))
		descriptor->events |= POLLOUT;
}

/* Queues the message and writes what the socket takes. */
static bool send_message(
	struct remote *remote, DBusMessage *message, struct pollfd *descriptor, struct error *error)
{
	pthread_mutex_lock(&bus);
	bool connected = remote->connection != NULL;
	bool sent =
		connected && dbus_connection_send(remote->connection, message, &remote->pending);
	if (sent)
		describe_wait(remote, descriptor);
	else
		remote->pending = 0;
	pthread_mutex_unlock(&bus);
	if (connected && !sent)
		return remote_out_of_memory(error);
	return connected || remote_no_service(error);
}

/* Reads; answers whether waiting makes sense, and for which events. */
static bool reply_missing(struct remote *remote, struct pollfd *descriptor)
{
	pthread_mutex_lock(&bus);
	drain(remote);
	bool missing = !remote->reply && remote->connection;
	if (missing)
		describe_wait(remote, descriptor);
	pthread_mutex_unlock(&bus);
	return missing;
}

static DBusMessage *take_reply(struct remote *remote, bool late, struct error *error)
{
	pthread_mutex_lock(&bus);
	DBusMessage *reply = steal_pointer(&remote->reply);
	remote->pending = 0;
	pthread_mutex_unlock(&bus);
	if (!reply && late)
		error_set(error, ERROR_TIMEOUT, "tesserad did not answer in time");
	else if (!reply)
		remote_no_service(error);
	return reply;
}

static DBusMessage *exchange(
	struct remote *remote, DBusMessage *message, int timeout_ms, struct error *error)
{
	int64_t deadline = now_ms() + timeout_ms;
	int64_t left = timeout_ms;
	struct pollfd descriptors[2] = {{0}, {.fd = wake_descriptor(remote), .events = POLLIN}};

	if (!send_message(remote, message, &descriptors[0], error))
		return NULL;
	do {
		poll(descriptors, 2, left < POLL_INTERVAL_MS ? (int)left : POLL_INTERVAL_MS);
		left = deadline - now_ms();
	} while (reply_missing(remote, &descriptors[0]) && left > 0 && !remote_is_stopped(remote));
	return take_reply(remote, left <= 0, error);
}

/* PINs, plain texts and shared secrets do not stay in libdbus's memory. */
static void wipe(DBusMessage *message)
{
	DBusMessageIter arguments, bytes;

	if (!message || !dbus_message_iter_init(message, &arguments))
		return;
	do {
		const void *data = NULL;
		int length = 0;
		if (dbus_message_iter_get_arg_type(&arguments) != DBUS_TYPE_ARRAY ||
			dbus_message_iter_get_element_type(&arguments) != DBUS_TYPE_BYTE)
			continue;
		dbus_message_iter_recurse(&arguments, &bytes);
		dbus_message_iter_get_fixed_array(&bytes, &data, &length);
		if (data && length > 0)
			explicit_bzero((void *)(uintptr_t)data, (size_t)length);
	} while (dbus_message_iter_next(&arguments));
}

/* The bus lock guards libdbus's shared memory pools too. */
void remote_message_free(DBusMessage *message)
{
	pthread_mutex_lock(&bus);
	wipe(message);
	dbus_message_unref(message);
	pthread_mutex_unlock(&bus);
}

DBusMessage *remote_message_new(const char *method, int first_type, ...)
{
	va_list arguments;

	pthread_mutex_lock(&bus);
	DBusMessage *message = dbus_message_new_method_call(NULL, OBJECT_PATH, INTERFACE, method);
	va_start(arguments, first_type);
	if (message && !dbus_message_append_args_valist(message, first_type, arguments)) {
		wipe(message);
		dbus_message_unref(message);
		message = NULL;
	}
	va_end(arguments);
	pthread_mutex_unlock(&bus);
	return message;
}

static bool check_reply(DBusMessage *reply, const char *signature, struct error *error)
{
	const char *text = NULL;
	dbus_uint32_t ckr = 0;

	if (dbus_message_get_type(reply) == DBUS_MESSAGE_TYPE_ERROR) {
		dbus_message_get_args(reply, NULL, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID);
		module_debug(
			"daemon: %s: %s", dbus_message_get_error_name(reply), text ? text : "");
		error_set(error, error_from_dbus_name(dbus_message_get_error_name(reply)), "%s",
			text ? text : "");
		if (error && dbus_message_get_args(reply, NULL, DBUS_TYPE_STRING, &text,
				     DBUS_TYPE_UINT32, &ckr, DBUS_TYPE_INVALID))
			error->ckr = ckr;
		return false;
	}
	return dbus_message_has_signature(reply, signature) ||
	       error_set(error, ERROR_FAILED, "tesserad answered something unexpected");
}

/* One round trip; the call lock is held. NULL with error set, or a reply of that signature. */
DBusMessage *remote_call_locked(struct remote *remote, DBusMessage *message, int timeout_ms,
	const char *signature, struct error *error)
{
	_cleanup_message_ DBusMessage *reply = NULL;

	if (!message) {
		remote_out_of_memory(error);
		return NULL;
	}
	reply = exchange(remote, message, timeout_ms, error);
	if (!reply || !check_reply(reply, signature, error))
		return NULL;
	return steal_pointer(&reply);
}

bool remote_begin(struct remote *remote, bool wait)
{
	if (wait)
		pthread_mutex_lock(&remote->call);
	return wait || pthread_mutex_trylock(&remote->call) == 0;
}

void remote_end(struct remote *remote)
{
	pthread_mutex_unlock(&remote->call);
}

uint64_t remote_number(const struct remote *remote)
{
	return remote->number;
}

DBusMessage *remote_call(struct remote *remote, DBusMessage *message, int timeout_ms,
	const char *signature, struct error *error)
{
	remote_begin(remote, true);
	DBusMessage *reply = remote_call_locked(remote, message, timeout_ms, signature, error);
	remote_end(remote);
	return reply;
}

void remote_send_only(struct remote *remote, DBusMessage *message)
{
	pthread_mutex_lock(&bus);
	dbus_message_set_no_reply(message, TRUE);
	if (remote->connection)
		dbus_connection_send(remote->connection, message, NULL);
	pthread_mutex_unlock(&bus);
}

int remote_descriptor(const struct remote *remote)
{
	return remote->descriptor;
}

bool remote_sleep(const struct remote *remote, int descriptor, int timeout_ms)
{
	struct pollfd descriptors[2] = {{.fd = descriptor, .events = POLLIN},
		{.fd = wake_descriptor(remote), .events = POLLIN}};

	return poll(descriptors, 2, timeout_ms) != 0;
}
