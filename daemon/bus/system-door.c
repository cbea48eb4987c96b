/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The system bus. The connection lives in the loop: the loop reads calls and
 * answers those that are done in a moment; the others are done on libuv's
 * worker threads. Nothing here waits for the bus daemon: what is asked of it is
 * answered by message. When the bus goes away, the loop tries to come back.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "bus/bus-private.h"
#include "bus/sender.h"
#include "common/alloc.h"
#include "common/log.h"
#include "operation/key-restore.h"
#include "operation/login.h"
#include "operation/self.h"

#define DEFAULT_ADDRESS "unix:path=/run/dbus/system_bus_socket"
#define RETRY_FIRST_MS	500
#define RETRY_LAST_MS	30000
#define WORK_MAX	32
/* Connections that leave the bus: their name gets no new owner. */
#define GONE_MATCH "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg2=''"

struct system_door {
	struct bus *bus;
	uv_async_t wake;
	uv_timer_t retry;
	uint64_t retry_ms;
	bool complained; /* that the bus is not there */
	/* Guards connection and ready: set by the loop's thread, used by all to send signals. */
	pthread_mutex_t lock;
	DBusConnection *connection; /* NULL while there is none */
	bool ready;		    /* the name is ours */
	/* The rest is the loop's alone. */
	uv_poll_t *poll;
	int descriptor; /* a duplicate of libdbus's */
	dbus_uint32_t hello_serial, name_serial;
	struct senders senders;
	unsigned work_count;
	bool is_closing;
};

/* A call that is done on a worker thread. */
struct work {
	uv_work_t request;
	struct system_door *door;
	DBusConnection *connection;
	DBusMessage *message;
	struct bus_caller caller;
	char *actor, *name;
};

static void lose_connection(struct system_door *door);
static void update_poll(struct system_door *door);

/* --- sending --- */

static void send_on(DBusConnection *connection, DBusMessage *message)
{
	if (!dbus_connection_send(connection, message, NULL))
		abort();
}

static void send_reply(const struct bus_caller *caller, DBusMessage *reply)
{
	send_on(caller->connection, reply);
}

/* Asks the bus daemon; its answer comes as a message with that serial. */
static dbus_uint32_t ask_bus(struct system_door *door, const char *method, const char *name)
{
	_cleanup_message_ DBusMessage *message = dbus_message_new_method_call(
		DBUS_SERVICE_DBUS, DBUS_PATH_DBUS, DBUS_INTERFACE_DBUS, method);
	dbus_uint32_t serial = 0;
	DBusMessageIter iter;

	if (!message)
		abort();
	dbus_message_iter_init_append(message, &iter);
	if (name)
		message_append_string(&iter, name);
	if (name && strcmp(method, "RequestName") == 0)
		message_append_u32(&iter, DBUS_NAME_FLAG_DO_NOT_QUEUE);
	if (!dbus_connection_send(door->connection, message, &serial))
		abort();
	return serial;
}

void system_door_broadcast(struct system_door *door, DBusMessage *signal)
{
	if (!door)
		return;
	pthread_mutex_lock(&door->lock);
	DBusConnection *connection = door->ready ? dbus_connection_ref(door->connection) : NULL;
	pthread_mutex_unlock(&door->lock);
	if (!connection)
		return;
	DBusMessage *copy = dbus_message_copy(signal);
	if (!copy)
		abort();
	send_on(connection, copy);
	dbus_message_unref(copy);
	dbus_connection_unref(connection);
}

/* --- calls --- */

static void run_work(uv_work_t *request)
{
	struct work *work = request->data;

	bus_service_handle(work->door->bus->service, &work->caller, work->message);
	OPENSSL_thread_stop(); /* the loop's threads end after OpenSSL has */
}

static void end_work(uv_work_t *request, int status)
{
	struct work *work = request->data;

	(void)status;
	work->door->work_count--;
	dbus_message_unref(work->message);
	dbus_connection_unref(work->connection);
	free(work->actor);
	free(work->name);
	free(work);
}

static void refuse_work(struct system_door *door, DBusMessage *message)
{
	_cleanup_message_ DBusMessage *reply =
		message_error(message, DBUS_ERROR_LIMITS_EXCEEDED, "too many calls are under way");

	send_on(door->connection, reply);
}

static void start_work(
	struct system_door *door, const struct bus_caller *caller, DBusMessage *message)
{
	if (door->work_count == WORK_MAX) {
		refuse_work(door, message);
		return;
	}
	struct work *work = xnew(struct work);
	work->request.data = work;
	work->door = door;
	work->connection = dbus_connection_ref(door->connection);
	work->message = dbus_message_ref(message);
	work->caller = *caller;
	work->caller.actor = work->actor = xstrdup(caller->actor);
	work->caller.name = work->name = xstrdup(caller->name);
	door->work_count++;
	if (uv_queue_work(door->bus->loop, &work->request, run_work, end_work) != 0)
		abort();
}

static void handle_call(struct system_door *door, const struct sender *sender, DBusMessage *message)
{
	struct bus_caller caller = {.uid = sender->uid,
		.pid = sender->pid,
		.is_manager = sender->is_manager,
		.actor = sender->actor,
		.name = sender->caller,
		.connection = door->connection,
		.send = send_reply};

	if (bus_service_is_slow(door->bus->service, message))
		start_work(door, &caller, message);
	else
		bus_service_handle(door->bus->service, &caller, message);
}

static void receive_call(struct system_door *door, DBusMessage *message)
{
	const char *name = dbus_message_get_sender(message);
	struct sender *sender = name ? senders_find(&door->senders, name) : NULL;

	if (!name)
		return;
	if (sender && sender->is_known) {
		handle_call(door, sender, message);
		return;
	}
	if (!sender) {
		sender = senders_add(&door->senders, name);
		sender->serial = ask_bus(door, "GetConnectionCredentials", name);
	}
	if (!sender_keep(sender, message))
		refuse_work(door, message);
}

/* The bus has said who a sender is: its calls are done now. */
static void meet_sender(struct system_door *door, struct sender *sender, DBusMessage *reply)
{
	if (!credentials_read(reply, &sender->uid, &sender->pid)) {
		senders_remove(&door->senders, sender);
		return;
	}
	sender->is_known = true;
	sender->is_manager = caller_is_manager(door->bus, sender->uid);
	sender->actor = caller_actor(sender->uid, sender->pid);
	DBusMessage **waiting = steal_pointer(&sender->waiting);
	size_t count = sender->waiting_count;
	sender->waiting_count = 0;
	for (size_t i = 0; i < count; i++) {
		handle_call(door, sender, waiting[i]);
		dbus_message_unref(waiting[i]);
	}
	free(waiting);
}

/* --- messages of the bus daemon --- */

static void handle_hello(struct system_door *door, DBusMessage *reply)
{
	if (dbus_message_get_type(reply) == DBUS_MESSAGE_TYPE_ERROR) {
		lose_connection(door);
		return;
	}
	ask_bus(door, "AddMatch", GONE_MATCH);
	door->name_serial = ask_bus(door, "RequestName", BUS_NAME);
}

static void handle_name(struct system_door *door, DBusMessage *reply)
{
	dbus_uint32_t result = 0;
	const char *text = NULL;

	if (dbus_message_get_type(reply) == DBUS_MESSAGE_TYPE_ERROR) {
		dbus_message_get_args(reply, NULL, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID);
		log_error("the system bus refuses the name " BUS_NAME ": %s", text ? text : "");
	} else if (dbus_message_get_args(
			   reply, NULL, DBUS_TYPE_UINT32, &result, DBUS_TYPE_INVALID) &&
		   (result == DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER ||
			   result == DBUS_REQUEST_NAME_REPLY_ALREADY_OWNER)) {
		pthread_mutex_lock(&door->lock);
		door->ready = true;
		pthread_mutex_unlock(&door->lock);
		door->retry_ms = RETRY_FIRST_MS;
		door->complained = false;
		log_info("serving " BUS_NAME " on the system bus");
		return;
	} else {
		log_error("another program is " BUS_NAME " on the system bus");
	}
	lose_connection(door);
}

static void handle_answer(struct system_door *door, DBusMessage *reply)
{
	dbus_uint32_t serial = dbus_message_get_reply_serial(reply);
	struct sender *sender = senders_find_question(&door->senders, serial);

	if (serial == door->hello_serial)
		handle_hello(door, reply);
	else if (serial == door->name_serial)
		handle_name(door, reply);
	else if (sender)
		meet_sender(door, sender, reply);
}

/* A connection has left the bus: whoever logged in over it is logged out. */
static void forget_sender(struct system_door *door, DBusMessage *signal)
{
	const char *name = NULL, *old = NULL, *new = NULL;

	if (!dbus_message_get_args(signal, NULL, DBUS_TYPE_STRING, &name, DBUS_TYPE_STRING, &old,
		    DBUS_TYPE_STRING, &new, DBUS_TYPE_INVALID) ||
		name[0] != ':' || new[0] != '\0')
		return;
	_cleanup_free_ char *caller = xasprintf("system %s", name);
	logins_end(door->bus->services->logins, caller);
	jobs_owner_gone(door->bus->services->jobs, caller);
	selves_end(door->bus->services->selves, caller);
	key_restore_end(door->bus->services->restorer, caller);
	struct sender *sender = senders_find(&door->senders, name);
	if (sender)
		senders_remove(&door->senders, sender);
}

static void handle_message(struct system_door *door, DBusMessage *message)
{
	switch (dbus_message_get_type(message)) {
	case DBUS_MESSAGE_TYPE_METHOD_RETURN:
	case DBUS_MESSAGE_TYPE_ERROR:
		handle_answer(door, message);
		break;
	case DBUS_MESSAGE_TYPE_METHOD_CALL:
		receive_call(door, message);
		break;
	default:
		if (dbus_message_is_signal(message, DBUS_INTERFACE_DBUS, "NameOwnerChanged") &&
			dbus_message_has_sender(message, DBUS_SERVICE_DBUS))
			forget_sender(door, message);
		else if (dbus_message_is_signal(message, DBUS_INTERFACE_DBUS, "NameLost") &&
			 door->ready)
			lose_connection(door);
	}
}

/* --- the connection in the loop --- */

static void serve_pending(struct system_door *door)
{
	DBusMessage *message;

	if (!door->connection)
		return;
	dbus_connection_read_write(door->connection, 0);
	while (door->connection && (message = dbus_connection_pop_message(door->connection))) {
		handle_message(door, message);
		dbus_message_unref(message);
	}
	if (door->connection && !dbus_connection_get_is_connected(door->connection))
		lose_connection(door);
	update_poll(door);
}

static void socket_ready(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	serve_pending(poll->data);
}

static void woken(uv_async_t *wake)
{
	serve_pending(wake->data);
}

static void wake_loop(void *context)
{
	struct system_door *door = context;

	uv_async_send(&door->wake);
}

static void update_poll(struct system_door *door)
{
	int events = UV_READABLE;

	if (!door->connection)
		return;
	if (dbus_connection_has_messages_to_send(door->connection))
		events |= UV_WRITABLE;
	if (uv_poll_start(door->poll, events, socket_ready) != 0)
		abort();
}

static void poll_closed(uv_handle_t *handle)
{
	free(handle);
}

static void retry_now(uv_timer_t *timer);

static void drop_connection(struct system_door *door)
{
	pthread_mutex_lock(&door->lock);
	DBusConnection *connection = steal_pointer(&door->connection);
	door->ready = false;
	pthread_mutex_unlock(&door->lock);
	if (!connection)
		return;
	uv_close((uv_handle_t *)steal_pointer(&door->poll), poll_closed);
	close(door->descriptor);
	dbus_connection_set_wakeup_main_function(connection, NULL, NULL, NULL);
	dbus_connection_close(connection);
	dbus_connection_unref(connection);
	senders_clear(&door->senders);
	door->hello_serial = door->name_serial = 0;
}

static void retry_later(struct system_door *door)
{
	uv_timer_start(&door->retry, retry_now, door->retry_ms, 0);
	door->retry_ms = door->retry_ms * 2 > RETRY_LAST_MS ? RETRY_LAST_MS : door->retry_ms * 2;
}

static void lose_connection(struct system_door *door)
{
	if (door->ready)
		log_warning("the system bus is gone: trying to come back");
	drop_connection(door);
	retry_later(door);
}

static DBusConnection *connect_bus(struct system_door *door)
{
	const char *address = getenv("DBUS_SYSTEM_BUS_ADDRESS");
	DBusError failure = DBUS_ERROR_INIT;
	DBusConnection *connection = dbus_connection_open_private(
		address && address[0] ? address : DEFAULT_ADDRESS, &failure);

	if (!connection && !door->complained) {
		log_warning("no system bus: serving the private socket only until it is there: %s",
			failure.message);
		door->complained = true;
	}
	dbus_error_free(&failure);
	return connection;
}

static bool watch_connection(struct system_door *door, DBusConnection *connection)
{
	int descriptor;

	if (!dbus_connection_get_unix_fd(connection, &descriptor) ||
		(door->descriptor = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)) < 0)
		return false;
	door->poll = xnew(uv_poll_t);
	door->poll->data = door;
	if (uv_poll_init(door->bus->loop, door->poll, door->descriptor) != 0)
		abort();
	dbus_connection_set_wakeup_main_function(connection, wake_loop, door, NULL);
	return true;
}

static void connect_door(struct system_door *door)
{
	DBusConnection *connection = connect_bus(door);

	if (!connection) {
		retry_later(door);
		return;
	}
	dbus_connection_set_exit_on_disconnect(connection, FALSE);
	dbus_connection_set_max_message_size(connection, MESSAGE_BYTES_MAX);
	dbus_connection_set_max_received_size(connection, RECEIVED_BYTES_MAX);
	if (!watch_connection(door, connection)) {
		dbus_connection_close(connection);
		dbus_connection_unref(connection);
		retry_later(door);
		return;
	}
	pthread_mutex_lock(&door->lock);
	door->connection = connection;
	pthread_mutex_unlock(&door->lock);
	door->hello_serial = ask_bus(door, "Hello", NULL);
	serve_pending(door);
}

static void retry_now(uv_timer_t *timer)
{
	connect_door(timer->data);
}

/* --- the door --- */

struct system_door *system_door_open(struct bus *bus)
{
	struct system_door *door = xnew(struct system_door);

	door->bus = bus;
	door->retry_ms = RETRY_FIRST_MS;
	pthread_mutex_init(&door->lock, NULL);
	uv_async_init(bus->loop, &door->wake, woken);
	uv_timer_init(bus->loop, &door->retry);
	door->wake.data = door->retry.data = door;
	connect_door(door);
	return door;
}

/* Calls on worker threads end while the loop runs out. */
void system_door_close(struct system_door *door)
{
	if (!door || door->is_closing)
		return;
	door->is_closing = true;
	if (door->connection)
		dbus_connection_read_write(door->connection, 0);
	drop_connection(door);
	uv_close((uv_handle_t *)&door->wake, NULL);
	uv_close((uv_handle_t *)&door->retry, NULL);
}

void system_door_free(struct system_door *door)
{
	if (!door)
		return;
	senders_clear(&door->senders);
	pthread_mutex_destroy(&door->lock);
	free(door);
}
