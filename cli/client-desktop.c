/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/client-desktop.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dbus/dbus.h>

#include "common/alloc.h"
#include "dbus/message.h"

#define NAME	   "org.freedesktop.Notifications"
#define PATH	   "/org/freedesktop/Notifications"
#define TIMEOUT_MS 5000
#define NEVER	   0
#define AS_USUAL   (-1)

enum urgency { URGENCY_NORMAL = 1, URGENCY_CRITICAL = 2 };

struct client_desktop {
	DBusConnection *connection; /* or NULL */
	char *owner;		    /* the server's unique name; ids are its own */
	unsigned servers;	    /* how many there have been */
};

struct client_desktop *client_desktop_new(void)
{
	return xnew(struct client_desktop);
}

static void disconnect(struct client_desktop *desktop)
{
	if (desktop->connection) {
		dbus_connection_close(desktop->connection);
		dbus_connection_unref(desktop->connection);
	}
	desktop->connection = NULL;
	free(steal_pointer(&desktop->owner));
}

void client_desktop_free(struct client_desktop *desktop)
{
	if (!desktop)
		return;
	disconnect(desktop);
	free(desktop);
}

/* libdbus would start a bus of its own where there is none. Heap; NULL for no session bus. */
static char *session_address(void)
{
	const char *address = secure_getenv("DBUS_SESSION_BUS_ADDRESS");
	const char *runtime = secure_getenv("XDG_RUNTIME_DIR");

	if (address && address[0])
		return xstrdup(address);
	if (!runtime || !runtime[0])
		return NULL;
	_cleanup_free_ char *path = xasprintf("%s/bus", runtime);
	char *escaped = dbus_address_escape_value(path);
	if (!escaped)
		abort();
	char *found = access(path, F_OK) == 0 ? xasprintf("unix:path=%s", escaped) : NULL;
	dbus_free(escaped);
	return found;
}

static bool connect_session(struct client_desktop *desktop)
{
	if (desktop->connection && dbus_connection_get_is_connected(desktop->connection))
		return true;
	disconnect(desktop);
	_cleanup_free_ char *address = session_address();
	if (address)
		desktop->connection = dbus_connection_open_private(address, NULL);
	if (!desktop->connection)
		return false;
	dbus_connection_set_exit_on_disconnect(desktop->connection, FALSE);
	if (dbus_bus_register(desktop->connection, NULL))
		return true;
	disconnect(desktop);
	return false;
}

/* Takes the call; NULL for no answer. What else has come is of no interest. */
static DBusMessage *ask(struct client_desktop *desktop, DBusMessage *call)
{
	DBusMessage *message;

	DBusMessage *answer = dbus_connection_send_with_reply_and_block(
		desktop->connection, call, TIMEOUT_MS, NULL);
	dbus_message_unref(call);
	while ((message = dbus_connection_pop_message(desktop->connection)))
		dbus_message_unref(message);
	return answer;
}

static DBusMessage *call_new(const char *name, const char *path, const char *method)
{
	DBusMessage *call = dbus_message_new_method_call(name, path, name, method);

	if (!call)
		abort();
	return call;
}

/* Another server knows nothing of the numbers that one before gave. */
static void note_server(struct client_desktop *desktop)
{
	const char *name = NAME, *owner = NULL;
	DBusMessage *call = call_new(DBUS_SERVICE_DBUS, DBUS_PATH_DBUS, "GetNameOwner");

	dbus_message_append_args(call, DBUS_TYPE_STRING, &name, DBUS_TYPE_INVALID);
	_cleanup_message_ DBusMessage *answer = ask(desktop, call);
	if (answer)
		dbus_message_get_args(answer, NULL, DBUS_TYPE_STRING, &owner, DBUS_TYPE_INVALID);
	if (owner && desktop->owner && strcmp(owner, desktop->owner) == 0)
		return;
	free(desktop->owner);
	desktop->owner = xstrdup(owner);
	desktop->servers++;
}

static bool is_there(const struct client_desktop *desktop, const struct client_shown *shown)
{
	return shown->id != 0 && desktop->owner && shown->server == desktop->servers;
}

static void append_urgency(DBusMessageIter *arguments, enum urgency urgency)
{
	DBusMessageIter hints, entry, variant;
	uint8_t value = (uint8_t)urgency;

	message_open(arguments, DBUS_TYPE_ARRAY, "{sv}", &hints);
	message_open(&hints, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
	message_append_string(&entry, "urgency");
	message_open(&entry, DBUS_TYPE_VARIANT, "y", &variant);
	if (!dbus_message_iter_append_basic(&variant, DBUS_TYPE_BYTE, &value))
		abort();
	message_close(&entry, &variant);
	message_close(&hints, &entry);
	message_close(arguments, &hints);
}

/* Notify(susssasa{sv}i) */
static DBusMessage *notify_call(const struct client_notification *notification, uint32_t replaces)
{
	DBusMessage *call = call_new(NAME, PATH, "Notify");
	dbus_int32_t expires = notification->is_critical ? NEVER : AS_USUAL;
	DBusMessageIter arguments, actions;

	dbus_message_iter_init_append(call, &arguments);
	message_append_string(&arguments, "Tessera");
	message_append_u32(&arguments, replaces);
	message_append_string(&arguments, "auth-smartcard-symbolic");
	message_append_string(&arguments, notification->summary);
	message_append_string(&arguments, notification->body);
	message_open(&arguments, DBUS_TYPE_ARRAY, "s", &actions);
	message_close(&arguments, &actions);
	append_urgency(&arguments, notification->is_critical ? URGENCY_CRITICAL : URGENCY_NORMAL);
	if (!dbus_message_iter_append_basic(&arguments, DBUS_TYPE_INT32, &expires))
		abort();
	return call;
}

bool client_desktop_show(struct client_desktop *desktop,
	const struct client_notification *notification, struct client_shown *shown)
{
	dbus_uint32_t id = 0;

	if (!connect_session(desktop))
		return false;
	note_server(desktop);
	_cleanup_message_ DBusMessage *answer =
		ask(desktop, notify_call(notification, is_there(desktop, shown) ? shown->id : 0));
	if (!answer ||
		!dbus_message_get_args(answer, NULL, DBUS_TYPE_UINT32, &id, DBUS_TYPE_INVALID))
		return false;
	if (!desktop->owner) /* the bus started it for us */
		note_server(desktop);
	*shown = (struct client_shown){.id = id, .server = desktop->servers};
	return true;
}

void client_desktop_close(struct client_desktop *desktop, struct client_shown *shown)
{
	dbus_uint32_t id = shown->id;

	if (id == 0 || !desktop->connection)
		return;
	note_server(desktop);
	if (is_there(desktop, shown)) {
		DBusMessage *call = call_new(NAME, PATH, "CloseNotification");
		dbus_message_append_args(call, DBUS_TYPE_UINT32, &id, DBUS_TYPE_INVALID);
		_cleanup_message_ DBusMessage *answer = ask(desktop, call);
	}
	*shown = (struct client_shown){0};
}
