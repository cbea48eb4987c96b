/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Uses of keys: over a channel where there is one, or over the connection. */
#include "pkcs11/remote-channel.h"
#include "pkcs11/remote-connection.h"

static bool use_over_connection(struct remote *remote, const struct remote_use *use,
	struct buffer *output, struct error *error)
{
	_cleanup_message_ DBusMessage *message = remote_message_new("UseKey", DBUS_TYPE_ARRAY,
		DBUS_TYPE_BYTE, &use->input->data, (int)use->input->length, DBUS_TYPE_UINT32,
		&use->slot, DBUS_TYPE_UINT32, &use->key, DBUS_TYPE_STRING, &use->operation,
		DBUS_TYPE_UINT32, &use->mechanism, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE,
		&use->parameter->data, (int)use->parameter->length, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE,
		&use->pin->data, (int)use->pin->length, DBUS_TYPE_INVALID);
	_cleanup_message_ DBusMessage *reply =
		remote_call(remote, message, remote_timeout_ms(), "ay", error);
	DBusMessageIter arguments, bytes;
	const void *data = NULL;
	int length = 0;

	if (!reply)
		return false;
	dbus_message_iter_init(reply, &arguments);
	dbus_message_iter_recurse(&arguments, &bytes);
	dbus_message_iter_get_fixed_array(&bytes, &data, &length);
	buffer_append(output, data, (size_t)length);
	return !output->failed || remote_out_of_memory(error);
}

bool remote_use_key(struct remote *remote, const struct remote_use *use, struct buffer *output,
	struct error *error)
{
	bool done;

	return remote_channel_use(remote, use, output, NULL, &done, error)
		       ? done
		       : use_over_connection(remote, use, output, error);
}
