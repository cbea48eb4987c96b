/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dbus/dbus.h>

#include "cli/client-host.h"
#include "cli/client-private.h"
#include "common/alloc.h"
#include "dbus/message.h"

#define BUS_NAME	"org.tessera1"
#define CALL_TIMEOUT_MS (90 * 1000) /* an authority's test takes time */
#define LONG_TIMEOUT_MS (30 * 60 * 1000)
#define SIGNAL_MATCH	"type='signal',sender='" BUS_NAME "'"

struct client {
	DBusConnection *connection;
	const char *destination;  /* NULL on the private socket */
	struct client_host *host; /* whose the connection is; NULL on this machine */
	bool watching;		  /* signals were asked for */
	bool fallen_back;	  /* nobody asked for the system bus: no PIN goes there */
	int timeout_ms;
	client_signal heard; /* or NULL */
	void *heard_context;
};

/* A call that was sent. */
struct client_pending {
	struct client *client;
	DBusPendingCall *call; /* NULL: it could not be sent any more */
	DBusMessage *secret;   /* what was sent, to be wiped; or NULL */
};

static bool take_dbus_error(DBusError *dbus_error, struct error *error)
{
	client_take_error(dbus_error->name, dbus_error->message, error);
	dbus_error_free(dbus_error);
	return false;
}

static struct client *client_new(DBusConnection *connection, const char *destination)
{
	struct client *client = xnew(struct client);

	client->connection = connection;
	client->timeout_ms = CALL_TIMEOUT_MS;
	client->destination = destination;
	dbus_connection_set_exit_on_disconnect(connection, FALSE);
	return client;
}

void client_free(struct client *client)
{
	if (!client)
		return;
	if (client->host) {
		client_host_free(client->host);
	} else {
		dbus_connection_close(client->connection);
		dbus_connection_unref(client->connection);
	}
	free(client);
}

static struct client *connect_socket(const char *path, struct error *error)
{
	DBusError dbus_error = DBUS_ERROR_INIT;

	char *escaped = dbus_address_escape_value(path);
	if (!escaped)
		abort();
	_cleanup_free_ char *address = xasprintf("unix:path=%s", escaped);
	dbus_free(escaped);
	DBusConnection *connection = dbus_connection_open_private(address, &dbus_error);
	if (!connection) {
		dbus_error_free(&dbus_error);
		error_set(error, ERROR_NO_SERVICE, "tesserad does not answer on %s", path);
		return NULL;
	}
	return client_new(connection, NULL);
}

/* Has the bus start tesserad if it does not run; a bus cannot start what it has no file for. */
static bool reach_service(struct client *client, struct error *error)
{
	DBusError dbus_error = DBUS_ERROR_INIT;

	if (dbus_bus_name_has_owner(client->connection, BUS_NAME, NULL))
		return true;
	if (!dbus_bus_start_service_by_name(client->connection, BUS_NAME, 0, NULL, &dbus_error))
		return take_dbus_error(&dbus_error, error);
	return true;
}

static struct client *connect_system_bus(struct error *error)
{
	_cleanup_error_ struct error reason = ERROR_INIT;
	DBusError dbus_error = DBUS_ERROR_INIT;

	DBusConnection *connection = dbus_bus_get_private(DBUS_BUS_SYSTEM, &dbus_error);
	if (!connection) {
		error_set(error, ERROR_NO_SERVICE, "the system bus does not answer: %s",
			dbus_error.message);
		dbus_error_free(&dbus_error);
		return NULL;
	}
	_cleanup_client_ struct client *client = client_new(connection, BUS_NAME);
	if (!reach_service(client, &reason)) {
		error_set(error, ERROR_NO_SERVICE, "tesserad is not on the system bus: %s",
			error_message(&reason));
		return NULL;
	}
	return steal_pointer(&client);
}

struct client *client_connect(const char *socket, bool system_bus, struct error *error)
{
	if (system_bus)
		return connect_system_bus(error);
	struct client *client = connect_socket(socket ? socket : CLIENT_DEFAULT_SOCKET, error);
	if (client || socket)
		return client;
	client = connect_system_bus(NULL);
	if (!client)
		return NULL;
	client->fallen_back = true;
	fprintf(stderr, "tessera: warning: %s; using the system bus\n", error_message(error));
	error_clear(error);
	return client;
}

struct client *client_connect_host(const char *name, const char *socket, struct error *error)
{
	struct client_host *host = client_host_open(name, socket, error);

	if (!host)
		return NULL;
	struct client *client = client_new(client_host_connection(host), NULL);
	client->host = host;
	return client;
}

const char *client_host(const struct client *client)
{
	return client->host ? client_host_name(client->host) : NULL;
}

bool client_is_connected(const struct client *client)
{
	return dbus_connection_get_is_connected(client->connection);
}

static bool has_secret(const struct client_argument *arguments, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (arguments[i].type == CLIENT_ARGUMENT_SECRET ||
			arguments[i].type == CLIENT_ARGUMENT_SECRET_BYTES || arguments[i].pin)
			return true;
	}
	return false;
}

static bool take_end(struct client *client, struct error *error)
{
	if (client->host)
		return client_host_ended(client->host, error);
	return error_set(error, ERROR_NO_SERVICE, "tesserad closed the connection");
}

/* A peer that hangs up is reported as a missing reply. */
static bool take_call_error(struct client *client, DBusError *dbus_error, struct error *error)
{
	if (dbus_connection_get_is_connected(client->connection))
		return take_dbus_error(dbus_error, error);
	dbus_error_free(dbus_error);
	return take_end(client, error);
}

bool client_carries_pins(const struct client *client, struct error *error)
{
	return !client->fallen_back ||
	       error_set(error, ERROR_NO_SERVICE,
		       "a PIN is sent on tesserad's private socket only, and that does not answer");
}

struct client_pending *client_begin(struct client *client, const char *path, const char *interface,
	const char *method, const struct client_argument *arguments, size_t count,
	struct error *error)
{
	bool secret = has_secret(arguments, count);

	if (secret && !client_carries_pins(client, error))
		return NULL;
	_cleanup_message_ DBusMessage *message =
		dbus_message_new_method_call(client->destination, path, interface, method);
	if (!message)
		abort();
	/* polkit may ask the person at the terminal or desktop for a password. */
	dbus_message_set_allow_interactive_authorization(message, TRUE);
	if (!client_append(message, arguments, count, error))
		return NULL;
	struct client_pending *pending = xnew(struct client_pending);
	pending->client = client;
	if (!dbus_connection_send_with_reply(
		    client->connection, message, &pending->call, client->timeout_ms))
		abort();
	pending->secret = secret ? steal_pointer(&message) : NULL;
	return pending;
}

bool client_pending_is_done(const struct client_pending *pending)
{
	/* Without a call the connection had ended before. */
	return !pending->call || dbus_pending_call_get_completed(pending->call);
}

void client_pending_free(struct client_pending *pending)
{
	if (!pending)
		return;
	if (pending->call) {
		dbus_pending_call_cancel(pending->call);
		dbus_pending_call_unref(pending->call);
	}
	if (pending->secret) {
		message_wipe(pending->secret);
		dbus_message_unref(pending->secret);
	}
	free(pending);
}

json_t *client_finish(struct client_pending *pending, struct error *error)
{
	_cleanup_(client_pending_freep) struct client_pending *own = pending;
	DBusError dbus_error = DBUS_ERROR_INIT;

	if (!own)
		return NULL;
	if (own->call)
		dbus_pending_call_block(own->call);
	_cleanup_message_ DBusMessage *reply =
		own->call ? dbus_pending_call_steal_reply(own->call) : NULL;
	if (reply && !dbus_set_error_from_message(&dbus_error, reply))
		return client_results(reply);
	take_call_error(own->client, &dbus_error, error);
	return NULL;
}

json_t *client_call(struct client *client, const char *path, const char *interface,
	const char *method, const struct client_argument *arguments, size_t count,
	struct error *error)
{
	return client_finish(
		client_begin(client, path, interface, method, arguments, count, error), error);
}

void client_be_patient(struct client *client)
{
	client->timeout_ms = LONG_TIMEOUT_MS;
}

DBusConnection *client_connection(struct client *client)
{
	return client->connection;
}

const char *client_destination(const struct client *client)
{
	return client->destination;
}

bool client_watch(struct client *client, struct error *error)
{
	if (!dbus_connection_get_is_connected(client->connection))
		return take_end(client, error);
	/* Nobody waits for the answer: what is asked after it is answered after it. */
	if (!client->watching)
		dbus_bus_add_match(client->connection, SIGNAL_MATCH, NULL);
	client->watching = true;
	return true;
}

void client_on_signal(struct client *client, client_signal heard, void *context)
{
	client->heard = heard;
	client->heard_context = context;
}

static void hear(const struct client *client, DBusMessage *signal)
{
	if (client->heard)
		client->heard(client->heard_context, dbus_message_get_path(signal),
			dbus_message_get_interface(signal), dbus_message_get_member(signal));
}

/* Takes all that has come: signals, and answers, which libdbus gives to their calls. */
static void take_messages(struct client *client, bool *any_signal, bool *any)
{
	DBusMessage *message;

	while ((message = dbus_connection_borrow_message(client->connection))) {
		*any = true;
		if (dbus_message_get_type(message) != DBUS_MESSAGE_TYPE_SIGNAL) {
			dbus_connection_return_message(client->connection, message);
			dbus_connection_dispatch(client->connection);
			continue;
		}
		dbus_connection_steal_borrowed_message(client->connection, message);
		*any_signal = true;
		hear(client, message);
		dbus_message_unref(message);
	}
}

bool client_wait(struct client *client, int timeout_ms, bool *changed, struct error *error)
{
	struct pollfd descriptor = {.fd = -1, .events = POLLIN};
	bool any_signal = false, any = false;

	/* Writing reads, too: poll() would know nothing of what came meanwhile. */
	dbus_connection_flush(client->connection);
	take_messages(client, &any_signal, &any);
	if (!any && dbus_connection_get_unix_fd(client->connection, &descriptor.fd)) {
		/* poll() here and not in libdbus, which does not return for a signal. */
		poll(&descriptor, 1, timeout_ms);
		dbus_connection_read_write(client->connection, 0);
		take_messages(client, &any_signal, &any);
	}
	if (!dbus_connection_get_is_connected(client->connection))
		return take_end(client, error);
	if (changed)
		*changed = any_signal;
	return true;
}
