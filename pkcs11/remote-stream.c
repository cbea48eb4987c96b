/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Uses of keys whose input comes in parts. */
#include "pkcs11/remote-channel.h"
#include "pkcs11/remote-connection.h"

#define BYTES(holder) DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &(holder)->data, (int)(holder)->length

bool remote_begin_use(
	struct remote *remote, const struct remote_use *use, uint32_t *number, struct error *error)
{
	_cleanup_message_ DBusMessage *message =
		remote_message_new("BeginUse", DBUS_TYPE_UINT32, &use->slot, DBUS_TYPE_UINT32,
			&use->key, DBUS_TYPE_STRING, &use->operation, DBUS_TYPE_UINT32,
			&use->mechanism, BYTES(use->parameter), BYTES(use->pin), DBUS_TYPE_INVALID);
	_cleanup_message_ DBusMessage *reply =
		remote_call(remote, message, remote_timeout_ms(), "u", error);
	dbus_uint32_t told = 0;

	if (!reply)
		return false;
	dbus_message_get_args(reply, NULL, DBUS_TYPE_UINT32, &told, DBUS_TYPE_INVALID);
	*number = told;
	return told != 0 ||
	       error_set(error, ERROR_FAILED, "tesserad answered something unexpected");
}

/* --- a part --- */

static bool continue_over_connection(struct remote *remote, uint32_t slot, uint32_t number,
	const void *input, size_t length, struct buffer *output, struct error *error)
{
	_cleanup_message_ DBusMessage *message = remote_message_new("ContinueUse", DBUS_TYPE_ARRAY,
		DBUS_TYPE_BYTE, &input, (int)length, DBUS_TYPE_UINT32, &slot, DBUS_TYPE_UINT32,
		&number, DBUS_TYPE_INVALID);
	_cleanup_message_ DBusMessage *reply =
		remote_call(remote, message, remote_timeout_ms(), "ay", error);
	const void *data = NULL;
	int count = 0;

	if (!reply)
		return false;
	dbus_message_get_args(
		reply, NULL, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &data, &count, DBUS_TYPE_INVALID);
	buffer_append(output, data, (size_t)count);
	return !output->failed || remote_out_of_memory(error);
}

/* What a question on a channel has; the bytes stay the caller's. */
struct part {
	struct buffer input, parameter;
	struct secret pin;
	struct remote_use use;
};

static void fill_part(struct part *part, const char *operation, uint32_t slot, uint32_t number)
{
	part->pin = (struct secret)SECRET_INIT;
	part->use = (struct remote_use){.slot = slot,
		.key = number,
		.operation = operation,
		.parameter = &part->parameter,
		.pin = &part->pin,
		.input = &part->input};
}

static struct buffer view_of(const void *data, size_t length)
{
	return (struct buffer){
		.data = (uint8_t *)(uintptr_t)data, .length = length, .capacity = length};
}

bool remote_continue_use(struct remote *remote, uint32_t slot, uint32_t number, const void *input,
	size_t length, struct buffer *output, struct error *error)
{
	struct part part = {.input = view_of(input, length)};
	bool done;

	fill_part(&part, "continue", slot, number);
	return remote_channel_use(remote, &part.use, output, NULL, &done, error)
		       ? done
		       : continue_over_connection(
				 remote, slot, number, input, length, output, error);
}

/* --- the end --- */

static bool end_over_connection(struct remote *remote, uint32_t slot, uint32_t number,
	const struct buffer *signature, struct buffer *output, bool *has_more, struct error *error)
{
	_cleanup_message_ DBusMessage *message = remote_message_new("EndUse", DBUS_TYPE_UINT32,
		&slot, DBUS_TYPE_UINT32, &number, BYTES(signature), DBUS_TYPE_INVALID);
	_cleanup_message_ DBusMessage *reply =
		remote_call(remote, message, remote_timeout_ms(), "ayb", error);
	dbus_bool_t more = FALSE;
	const void *data = NULL;
	int count = 0;

	if (!reply)
		return false;
	dbus_message_get_args(reply, NULL, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &data, &count,
		DBUS_TYPE_BOOLEAN, &more, DBUS_TYPE_INVALID);
	buffer_append(output, data, (size_t)count);
	*has_more = more && count > 0;
	return !output->failed || remote_out_of_memory(error);
}

/* As much of the output as one answer has. */
static bool end_once(struct remote *remote, uint32_t slot, uint32_t number,
	const struct buffer *signature, struct buffer *output, bool *has_more, struct error *error)
{
	struct part part = {.parameter = *signature};
	size_t before = output->length;
	bool done;

	fill_part(&part, "end", slot, number);
	if (!remote_channel_use(remote, &part.use, output, has_more, &done, error))
		return end_over_connection(
			remote, slot, number, signature, output, has_more, error);
	*has_more = *has_more && output->length > before;
	return done;
}

bool remote_end_use(struct remote *remote, uint32_t slot, uint32_t number,
	const struct buffer *signature, struct buffer *output, struct error *error)
{
	bool has_more = true, done = true;

	while (done && has_more)
		done = end_once(remote, slot, number, signature, output, &has_more, error);
	return done;
}

void remote_cancel_use_quietly(struct remote *remote, uint32_t slot, uint32_t number)
{
	_cleanup_message_ DBusMessage *message = remote_message_new(
		"CancelUse", DBUS_TYPE_UINT32, &slot, DBUS_TYPE_UINT32, &number, DBUS_TYPE_INVALID);

	if (message)
		remote_send_only(remote, message);
}
