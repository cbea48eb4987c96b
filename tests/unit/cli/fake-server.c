/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/fake-server.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <dbus/dbus.h>

#include "common/alloc.h"

struct fake_server {
	struct fake_script script;
	DBusServer *server;
	DBusConnection *connection;
	DBusWatch *watch; /* of the server: readable when a client connects */
	pthread_t thread;
	atomic_bool stop;
	atomic_int cancels;
	int looks;
	char argument[128];
};

static void append_variant(DBusMessageIter *array, const char *name, const char *value)
{
	DBusMessageIter entry, variant;

	dbus_message_iter_open_container(array, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
	dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &name);
	dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, "s", &variant);
	dbus_message_iter_append_basic(&variant, DBUS_TYPE_STRING, &value);
	dbus_message_iter_close_container(&entry, &variant);
	dbus_message_iter_close_container(array, &entry);
}

static void append_job(struct fake_server *server, DBusMessageIter *array)
{
	const struct fake_script *script = &server->script;
	const char *state = server->cancels		      ? "cancelled"
			    : server->looks++ < script->looks ? "running"
							      : script->state;

	append_variant(array, "Operation", "issue");
	append_variant(array, "Subject", "yubikey-1");
	append_variant(array, "State", state);
	append_variant(array, "Step", "working");
	append_variant(array, "ErrorName", script->error_name);
	append_variant(array, "ErrorMessage", script->error_message);
}

static DBusMessage *answer_properties(struct fake_server *server, DBusMessage *call)
{
	DBusMessageIter iterator, array;

	if (!strstr(dbus_message_get_path(call), "/job/1"))
		return dbus_message_new_error(
			call, "org.tessera1.Error.NotFound", "there is no such object");
	DBusMessage *reply = dbus_message_new_method_return(call);
	dbus_message_iter_init_append(reply, &iterator);
	dbus_message_iter_open_container(&iterator, DBUS_TYPE_ARRAY, "{sv}", &array);
	append_job(server, &array);
	dbus_message_iter_close_container(&iterator, &array);
	return reply;
}

static DBusMessage *answer_with_job(struct fake_server *server, DBusMessage *call)
{
	const char *path = "/org/tessera1/job/1";
	const char *argument = "";

	dbus_message_get_args(call, NULL, DBUS_TYPE_STRING, &argument, DBUS_TYPE_INVALID);
	snprintf(server->argument, sizeof(server->argument), "%s", argument);
	DBusMessage *reply = dbus_message_new_method_return(call);
	dbus_message_append_args(reply, DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_INVALID);
	return reply;
}

static DBusMessage *answer(struct fake_server *server, DBusMessage *call)
{
	if (dbus_message_has_member(call, "GetAll"))
		return answer_properties(server, call);
	if (dbus_message_has_interface(call, "org.tessera1.Credential"))
		return answer_with_job(server, call);
	if (dbus_message_has_member(call, "Cancel"))
		server->cancels++;
	return dbus_message_new_method_return(call);
}

static void serve(struct fake_server *server)
{
	DBusMessage *call;

	dbus_connection_read_write(server->connection, 10);
	while ((call = dbus_connection_pop_message(server->connection))) {
		if (server->script.hang_up &&
			dbus_message_get_type(call) == DBUS_MESSAGE_TYPE_METHOD_CALL) {
			dbus_connection_close(server->connection);
		} else if (dbus_message_get_type(call) == DBUS_MESSAGE_TYPE_METHOD_CALL) {
			DBusMessage *reply = answer(server, call);
			dbus_connection_send(server->connection, reply, NULL);
			dbus_message_unref(reply);
		}
		dbus_message_unref(call);
	}
}

static void *run(void *data)
{
	struct fake_server *server = data;

	while (!server->stop) {
		if (server->connection)
			serve(server);
		else
			dbus_watch_handle(server->watch, DBUS_WATCH_READABLE);
	}
	return NULL;
}

static void take_connection(DBusServer *server, DBusConnection *connection, void *data)
{
	struct fake_server *fake = data;

	(void)server;
	fake->connection = dbus_connection_ref(connection);
}

static dbus_bool_t take_watch(DBusWatch *watch, void *data)
{
	((struct fake_server *)data)->watch = watch;
	return TRUE;
}

static void drop_watch(DBusWatch *watch, void *data)
{
	(void)watch;
	(void)data;
}

struct fake_server *fake_server_start(const char *path, const struct fake_script *script)
{
	struct fake_server *fake = xnew(struct fake_server);
	_cleanup_free_ char *address = xasprintf("unix:path=%s", path);

	dbus_threads_init_default();
	fake->script = *script;
	fake->server = dbus_server_listen(address, NULL);
	if (!fake->server)
		abort();
	dbus_server_set_new_connection_function(fake->server, take_connection, fake, NULL);
	dbus_server_set_watch_functions(fake->server, take_watch, drop_watch, NULL, fake, NULL);
	if (pthread_create(&fake->thread, NULL, run, fake) != 0)
		abort();
	return fake;
}

void fake_server_stop(struct fake_server *fake)
{
	fake->stop = true;
	pthread_join(fake->thread, NULL);
	if (fake->connection) {
		dbus_connection_close(fake->connection);
		dbus_connection_unref(fake->connection);
	}
	dbus_server_disconnect(fake->server);
	dbus_server_unref(fake->server);
	free(fake);
}

int fake_server_cancels(const struct fake_server *server)
{
	return server->cancels;
}

const char *fake_server_argument(const struct fake_server *server)
{
	return server->argument;
}
