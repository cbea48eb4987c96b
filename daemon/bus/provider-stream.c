/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The methods of org.tessera1.Provider for uses of keys whose input comes in parts. */
#include <string.h>

#include "bus/provider-private.h"

static struct reader read_bytes(DBusMessageIter *iter)
{
	const uint8_t *data;
	size_t length;

	message_read_bytes(iter, &data, &length);
	return (struct reader)READER_INIT(data, length);
}

/* As UseKey, or "verify". */
static bool read_operation(
	const char *name, struct provider_use *use, bool *verifies, struct error *error)
{
	*verifies = strcmp(name, "verify") == 0;
	use->use = KEY_USE_SIGN;
	return *verifies || provider_read_use(name, strlen(name), &use->use, error);
}

bool begin_use_call(struct bus_call *call, struct error *error)
{
	struct secret pin _cleanup_secret_ = SECRET_INIT;
	struct provider_use use = {.pin = &pin};
	bool verifies;
	uint32_t number;

	call->audited = true; /* the operation writes its own record */
	use.slot = message_read_u32(&call->in);
	use.key = message_read_u32(&call->in);
	if (!read_operation(message_read_string(&call->in), &use, &verifies, error))
		return false;
	use.mechanism = message_read_u32(&call->in);
	use.parameter = read_bytes(&call->in);
	if (!provider_read_pin(call, &pin, error) ||
		!provider_begin_use(provider_client_of(call), &use, verifies, &number, error))
		return false;
	message_append_u32(&call->out, number);
	return true;
}

static struct provider_stream read_stream(struct bus_call *call)
{
	struct provider_stream stream = {.slot = message_read_u32(&call->in)};

	call->audited = true; /* no change: a part of what was recorded when it was begun */
	stream.number = message_read_u32(&call->in);
	return stream;
}

bool continue_use_call(struct bus_call *call, struct error *error)
{
	struct buffer output _cleanup_buffer_ = BUFFER_INIT_WIPE;
	struct reader input = read_bytes(&call->in);
	struct provider_stream stream = read_stream(call);

	stream.input = input;
	stream.output = &output;
	if (!provider_continue_use(provider_client_of(call), &stream, error))
		return false;
	message_append_bytes(&call->out, output.data, output.length);
	return true;
}

bool end_use_call(struct bus_call *call, struct error *error)
{
	struct buffer output _cleanup_buffer_ = BUFFER_INIT_WIPE;
	struct provider_stream stream = read_stream(call);

	stream.signature = read_bytes(&call->in);
	stream.output = &output;
	if (!provider_end_use(provider_client_of(call), &stream, error))
		return false;
	message_append_bytes(&call->out, output.data, output.length);
	message_append_bool(&call->out, stream.has_more);
	return true;
}

bool cancel_use_call(struct bus_call *call, struct error *error)
{
	const struct provider_stream stream = read_stream(call);

	return provider_cancel_use(provider_client_of(call), &stream, error);
}
