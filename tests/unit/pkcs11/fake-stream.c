/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Uses in parts: the fake HSM encrypts as it gets the text, and gives the rest in the end. */
#include <stdlib.h>
#include <string.h>

#include "unit/pkcs11/fake-slot.h"

#define STREAMS_MAXIMUM 8
#define ANSWER_MAXIMUM	32768
#define HELD_MAXIMUM	(1024 * 1024)

static struct stream {
	dbus_uint32_t number; /* 0: none */
	dbus_uint32_t key, mechanism;
	char operation[16];
	struct buffer parameter, input, output;
	size_t given;
	bool has_ended;
} streams[STREAMS_MAXIMUM];

static dbus_uint32_t last_number;

static struct stream *find(dbus_uint32_t number)
{
	for (size_t i = 0; i < STREAMS_MAXIMUM; i++) {
		if (streams[i].number == number)
			return &streams[i];
	}
	return NULL;
}

dbus_uint32_t fake_stream_count(void)
{
	dbus_uint32_t count = 0;

	for (size_t i = 0; i < STREAMS_MAXIMUM; i++)
		count += streams[i].number != 0;
	return count;
}

static void end(struct stream *stream)
{
	buffer_clear(&stream->parameter);
	buffer_clear(&stream->input);
	buffer_clear(&stream->output);
	*stream = (struct stream){0};
}

static DBusMessage *fail(DBusMessage *call, const char *name, dbus_uint32_t rv)
{
	DBusMessage *reply = dbus_message_new_error(call, name, "the test wants this");

	dbus_message_append_args(reply, DBUS_TYPE_UINT32, &rv, DBUS_TYPE_INVALID);
	return reply;
}

static DBusMessage *begin(DBusMessage *call)
{
	struct stream *stream = find(0);
	dbus_uint32_t slot, key, mechanism;
	const char *operation, *parameter, *pin;
	int parameter_length, pin_length;

	if (!stream)
		return fail(call, "org.tessera1.Error.TokenRefused", 0x31 /* CKR_DEVICE_MEMORY */);
	dbus_message_get_args(call, NULL, DBUS_TYPE_UINT32, &slot, DBUS_TYPE_UINT32, &key,
		DBUS_TYPE_STRING, &operation, DBUS_TYPE_UINT32, &mechanism, DBUS_TYPE_ARRAY,
		DBUS_TYPE_BYTE, &parameter, &parameter_length, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE,
		&pin, &pin_length, DBUS_TYPE_INVALID);
	*stream = (struct stream){.number = ++last_number, .key = key, .mechanism = mechanism};
	strncpy(stream->operation, operation, sizeof(stream->operation) - 1);
	buffer_append(&stream->parameter, parameter, (size_t)parameter_length);
	DBusMessage *reply = dbus_message_new_method_return(call);
	dbus_message_append_args(reply, DBUS_TYPE_UINT32, &stream->number, DBUS_TYPE_INVALID);
	return reply;
}

/* What has come of the input so far, without the last bytes, which may be a tag yet to change. */
static bool compute(struct stream *stream)
{
	buffer_clear(&stream->output);
	return fake_slot_compute(stream->key, stream->operation, stream->mechanism,
		reader_of(&stream->parameter), reader_of(&stream->input), &stream->output);
}

static size_t give(struct stream *stream, size_t all, const unsigned char **data)
{
	size_t left = all > stream->given ? all - stream->given : 0;
	size_t now = left < ANSWER_MAXIMUM ? left : ANSWER_MAXIMUM;

	*data = stream->output.data + stream->given;
	stream->given += now;
	return now;
}

static DBusMessage *go_on(DBusMessage *call)
{
	const unsigned char *input, *output;
	dbus_uint32_t slot, number;
	int length;

	dbus_message_get_args(call, NULL, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &input, &length,
		DBUS_TYPE_UINT32, &slot, DBUS_TYPE_UINT32, &number, DBUS_TYPE_INVALID);
	struct stream *stream = number ? find(number) : NULL;
	if (!stream)
		return fail(
			call, "org.tessera1.Error.TokenRefused", 0x91 /* CKR_OPERATION_NOT_... */);
	buffer_append(&stream->input, input, (size_t)length);
	bool held = strcmp(stream->operation, "encrypt") != 0;
	if (held && stream->input.length > HELD_MAXIMUM) {
		end(stream);
		return fail(call, "org.tessera1.Error.DataLength", 0);
	}
	if (!held)
		compute(stream);
	int now = (int)give(stream, held ? 0 : stream->input.length, &output);
	DBusMessage *reply = dbus_message_new_method_return(call);
	dbus_message_append_args(
		reply, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &output, now, DBUS_TYPE_INVALID);
	return reply;
}

static DBusMessage *finish(DBusMessage *call)
{
	const unsigned char *signature, *output;
	dbus_uint32_t slot, number;
	int length;

	dbus_message_get_args(call, NULL, DBUS_TYPE_UINT32, &slot, DBUS_TYPE_UINT32, &number,
		DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &signature, &length, DBUS_TYPE_INVALID);
	struct stream *stream = number ? find(number) : NULL;
	if (!stream)
		return fail(call, "org.tessera1.Error.TokenRefused", 0x91);
	bool verifies = strcmp(stream->operation, "verify") == 0;
	bool done = stream->has_ended || compute(stream);
	stream->has_ended = true;
	if (done && verifies)
		done = (size_t)length == stream->output.length &&
		       memcmp(signature, stream->output.data, (size_t)length) == 0;
	if (!done) {
		end(stream);
		return fail(call,
			verifies ? "org.tessera1.Error.SignatureInvalid"
				 : "org.tessera1.Error.DataInvalid",
			0);
	}
	size_t all = verifies ? 0 : stream->output.length;
	int now = (int)give(stream, all, &output);
	dbus_bool_t more = stream->given < all;
	DBusMessage *reply = dbus_message_new_method_return(call);
	dbus_message_append_args(reply, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &output, now,
		DBUS_TYPE_BOOLEAN, &more, DBUS_TYPE_INVALID);
	if (!more)
		end(stream);
	return reply;
}

static DBusMessage *cancel(DBusMessage *call)
{
	dbus_uint32_t slot, number;

	dbus_message_get_args(
		call, NULL, DBUS_TYPE_UINT32, &slot, DBUS_TYPE_UINT32, &number, DBUS_TYPE_INVALID);
	if (number && find(number))
		end(find(number));
	return dbus_message_new_method_return(call);
}

DBusMessage *fake_stream_answer(DBusMessage *call)
{
	const char *member = dbus_message_get_member(call);

	if (strcmp(member, "BeginUse") == 0)
		return begin(call);
	if (strcmp(member, "ContinueUse") == 0)
		return go_on(call);
	if (strcmp(member, "EndUse") == 0)
		return finish(call);
	return strcmp(member, "CancelUse") == 0 ? cancel(call) : NULL;
}
