/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/client-agent.h"

#include <poll.h>
#include <signal.h>
#include <string.h>

#include "cli/client-private.h"
#include "common/alloc.h"
#include "dbus/message.h"

#define AGENT_INTERFACE	 "org.tessera1.ReaderAgent"
#define REMOTE_INTERFACE "org.tessera1.RemoteReader"

/* --- to tesserad --- */

static DBusMessage *call_new(const struct client *client, const char *method, DBusMessageIter *in)
{
	DBusMessage *call = dbus_message_new_method_call(
		client_destination(client), CLIENT_ROOT, AGENT_INTERFACE, method);

	if (!call)
		abort();
	dbus_message_iter_init_append(call, in);
	return call;
}

static uint32_t send(struct client *client, DBusMessage *message)
{
	uint32_t serial = 0;

	if (!dbus_connection_send(client_connection(client), message, &serial))
		abort();
	return serial;
}

uint32_t client_agent_offer(struct client *client, const char *machine, const char *name)
{
	DBusMessageIter in;
	_cleanup_message_ DBusMessage *call = call_new(client, "OfferReader", &in);

	message_append_string(&in, machine);
	message_append_string(&in, name);
	return send(client, call);
}

uint32_t client_agent_insert(struct client *client, const char *path, const struct agent_card *card)
{
	DBusMessageIter in;
	_cleanup_message_ DBusMessage *call = call_new(client, "InsertCard", &in);

	message_append_path(&in, path);
	message_append_bytes(&in, card->atr, card->atr_length);
	message_append_u32(&in, (uint32_t)card->maximum_data);
	message_append_bool(&in, card->is_t0);
	return send(client, call);
}

static uint32_t call_about(struct client *client, const char *method, const char *path)
{
	DBusMessageIter in;
	_cleanup_message_ DBusMessage *call = call_new(client, method, &in);

	message_append_path(&in, path);
	return send(client, call);
}

uint32_t client_agent_remove(struct client *client, const char *path)
{
	return call_about(client, "RemoveCard", path);
}

uint32_t client_agent_withdraw(struct client *client, const char *path)
{
	return call_about(client, "WithdrawReader", path);
}

static void fill_answer(DBusMessage *message, const struct agent_answer *answer)
{
	DBusMessageIter out;

	if (answer->error.code != ERROR_NONE &&
		!dbus_message_set_error_name(message, error_dbus_name(answer->error.code)))
		abort();
	dbus_message_iter_init_append(message, &out);
	if (answer->error.code != ERROR_NONE) {
		message_append_string(&out, error_message(&answer->error));
		return;
	}
	message_append_bool(&out, answer->was_reset);
	message_append_bytes(&out, answer->response.data, answer->response.length);
}

void client_agent_answer(struct client *client, struct agent_answer *answer)
{
	DBusConnection *connection = client_connection(client);
	_cleanup_message_ DBusMessage *message =
		dbus_message_new(answer->error.code == ERROR_NONE ? DBUS_MESSAGE_TYPE_METHOD_RETURN
								  : DBUS_MESSAGE_TYPE_ERROR);

	if (!message || !dbus_message_set_reply_serial(message, answer->serial))
		abort();
	dbus_message_set_no_reply(message, TRUE);
	fill_answer(message, answer);
	send(client, message);
	/* What could be written at once, as nearly always, is wiped. */
	if (!dbus_connection_has_messages_to_send(connection))
		message_wipe(message);
	agent_answer_clear(answer);
}

/* --- from tesserad --- */

static void take_command(
	DBusMessage *message, const struct client_agent_events *events, void *context)
{
	struct agent_command command = {
		.serial = dbus_message_get_serial(message), .bytes = BUFFER_INIT_WIPE};
	DBusMessageIter in;
	const uint8_t *bytes;
	size_t length;

	if (!dbus_message_has_signature(message, "bbay") || !dbus_message_iter_init(message, &in))
		return;
	command.begins = message_read_bool(&in);
	command.expects_reset = message_read_bool(&in);
	message_read_bytes(&in, &bytes, &length);
	buffer_append(&command.bytes, bytes, length);
	events->transmit(context, dbus_message_get_path(message), &command);
}

static void take_answer(
	DBusMessage *message, const struct client_agent_events *events, void *context)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	bool failed = dbus_message_get_type(message) == DBUS_MESSAGE_TYPE_ERROR;
	const char *text = NULL;
	DBusMessageIter out;

	if (dbus_message_iter_init(message, &out)) {
		int type = dbus_message_iter_get_arg_type(&out);
		if (type == (failed ? DBUS_TYPE_STRING : DBUS_TYPE_OBJECT_PATH))
			dbus_message_iter_get_basic(&out, &text);
	}
	if (failed)
		client_take_error(dbus_message_get_error_name(message), text, &error);
	events->answered(context, dbus_message_get_reply_serial(message), failed ? NULL : text,
		failed ? &error : NULL);
}

static void take_message(
	DBusMessage *message, const struct client_agent_events *events, void *context)
{
	int type = dbus_message_get_type(message);
	const char *path = dbus_message_get_path(message);

	if (type == DBUS_MESSAGE_TYPE_METHOD_RETURN || type == DBUS_MESSAGE_TYPE_ERROR)
		take_answer(message, events, context);
	else if (dbus_message_is_method_call(message, REMOTE_INTERFACE, "Transmit"))
		take_command(message, events, context);
	else if (dbus_message_is_method_call(message, REMOTE_INTERFACE, "End"))
		events->end(context, path);
	else if (dbus_message_is_method_call(message, REMOTE_INTERFACE, "Lost"))
		events->lost(context, path);
}

/* Whether there was any. */
static bool take_all(struct client *client, const struct client_agent_events *events, void *context)
{
	DBusMessage *message;
	bool any = false;

	while ((message = dbus_connection_pop_message(client_connection(client)))) {
		take_message(message, events, context);
		message_wipe(message);
		dbus_message_unref(message);
		any = true;
	}
	return any;
}

/* Signals come only while it waits (cli/agent.c blocks them), so that none is missed. */
bool client_agent_wait(struct client *client, int until, const struct client_agent_events *events,
	void *context, struct error *error)
{
	DBusConnection *connection = client_connection(client);
	struct pollfd watched[2] = {{.fd = -1, .events = POLLIN}, {.fd = until, .events = POLLIN}};
	sigset_t none;

	sigemptyset(&none);
	if (!dbus_connection_get_unix_fd(connection, &watched[0].fd))
		watched[0].fd = -1;
	dbus_connection_read_write(connection, 0);
	/* What came may have been the last that the caller waits for. */
	if (take_all(client, events, context))
		return true;
	if (!dbus_connection_get_is_connected(connection))
		return error_set(error, ERROR_NO_SERVICE, "tesserad went away");
	if (dbus_connection_has_messages_to_send(connection))
		watched[0].events |= POLLOUT;
	ppoll(watched, 2, NULL, &none);
	dbus_connection_read_write(connection, 0);
	take_all(client, events, context);
	return true;
}
