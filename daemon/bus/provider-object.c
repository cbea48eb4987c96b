/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.tessera1.Provider: objects of slots, and what is done with them beside the uses of keys. */
#include "bus/provider-private.h"
#include "token/attributes.h"

/* One call: the arguments, as far as its method has them, and what goes back. */
struct request {
	uint32_t slot;
	struct hsm_request hsm;
	struct buffer templates[2]; /* may hold keys */
	struct buffer output;
	struct provider_reply reply;
};

#define REQUEST_INIT(what)                                                                         \
	{                                                                                          \
		.hsm = {.operation = (what)}, .templates = {BUFFER_INIT_WIPE, BUFFER_INIT_WIPE},   \
		.output = BUFFER_INIT_WIPE                                                         \
	}
#define _cleanup_request_ _cleanup_(request_clear)

static void request_clear(struct request *request)
{
	buffer_clear(&request->templates[0]);
	buffer_clear(&request->templates[1]);
	buffer_clear(&request->output);
}

/* --- arguments --- */

static struct reader read_bytes(DBusMessageIter *iter)
{
	const uint8_t *data;
	size_t length;

	message_read_bytes(iter, &data, &length);
	return (struct reader)READER_INIT(data, length);
}

static void read_mechanism(DBusMessageIter *iter, struct request *request)
{
	request->hsm.mechanism = message_read_u32(iter);
	request->hsm.parameter = read_bytes(iter);
}

/* a(uay) */
static void read_template(DBusMessageIter *iter, struct request *request, size_t which)
{
	DBusMessageIter items, item;

	dbus_message_iter_recurse(iter, &items);
	dbus_message_iter_next(iter);
	for (; dbus_message_iter_get_arg_type(&items) == DBUS_TYPE_STRUCT;
		dbus_message_iter_next(&items)) {
		dbus_message_iter_recurse(&items, &item);
		uint32_t type = message_read_u32(&item);
		struct reader value = read_bytes(&item);
		attributes_append(&request->templates[which], type, value.data, value.length);
	}
	request->hsm.templates[which] = reader_of(&request->templates[which]);
}

/* --- answers --- */

/* The operation writes its own audit records. */
static bool run(struct bus_call *call, struct request *request, struct error *error)
{
	call->audited = true;
	request->reply.hsm.output = &request->output;
	return provider_call(
		provider_client_of(call), request->slot, &request->hsm, &request->reply, error);
}

static bool answer_numbers(
	struct bus_call *call, struct request *request, size_t count, struct error *error)
{
	if (!run(call, request, error))
		return false;
	for (size_t i = 0; i < count; i++)
		message_append_u32(&call->out, request->reply.hsm.numbers[i]);
	message_append_u64(&call->out, request->reply.generation_before);
	message_append_u64(&call->out, request->reply.generation);
	return true;
}

static bool answer_output(struct bus_call *call, struct request *request, struct error *error)
{
	if (!run(call, request, error))
		return false;
	message_append_bytes(&call->out, request->output.data, request->output.length);
	return true;
}

/* --- methods --- */

bool get_mechanisms_call(struct bus_call *call, struct error *error)
{
	struct hsm_information information _cleanup_(hsm_information_clear) = {0};
	DBusMessageIter array, item;

	if (!provider_information(
		    provider_client_of(call), message_read_u32(&call->in), &information, error))
		return false;
	message_open(&call->out, DBUS_TYPE_ARRAY, "(uuuu)", &array);
	for (size_t i = 0; i < information.mechanism_count; i++) {
		const struct hsm_mechanism *mechanism = &information.mechanisms[i];
		message_open(&array, DBUS_TYPE_STRUCT, NULL, &item);
		message_append_u32(&item, (uint32_t)mechanism->type);
		message_append_u32(&item, (uint32_t)mechanism->info.ulMinKeySize);
		message_append_u32(&item, (uint32_t)mechanism->info.ulMaxKeySize);
		message_append_u32(&item, (uint32_t)mechanism->info.flags);
		message_close(&array, &item);
	}
	message_close(&call->out, &array);
	return true;
}

bool verify_with_key_call(struct bus_call *call, struct error *error)
{
	struct request request _cleanup_request_ = REQUEST_INIT(HSM_VERIFY);

	request.hsm.input = read_bytes(&call->in);
	request.hsm.signature = read_bytes(&call->in);
	request.slot = message_read_u32(&call->in);
	request.hsm.object = message_read_u32(&call->in);
	read_mechanism(&call->in, &request);
	return run(call, &request, error);
}

bool create_object_call(struct bus_call *call, struct error *error)
{
	struct request request _cleanup_request_ = REQUEST_INIT(HSM_CREATE);

	request.slot = message_read_u32(&call->in);
	read_template(&call->in, &request, 0);
	return answer_numbers(call, &request, 1, error);
}

bool copy_object_call(struct bus_call *call, struct error *error)
{
	struct request request _cleanup_request_ = REQUEST_INIT(HSM_COPY);

	request.slot = message_read_u32(&call->in);
	request.hsm.object = message_read_u32(&call->in);
	read_template(&call->in, &request, 0);
	return answer_numbers(call, &request, 1, error);
}

bool set_attributes_call(struct bus_call *call, struct error *error)
{
	struct request request _cleanup_request_ = REQUEST_INIT(HSM_SET_ATTRIBUTES);

	request.slot = message_read_u32(&call->in);
	request.hsm.object = message_read_u32(&call->in);
	read_template(&call->in, &request, 0);
	return answer_numbers(call, &request, 0, error);
}

bool destroy_object_call(struct bus_call *call, struct error *error)
{
	struct request request _cleanup_request_ = REQUEST_INIT(HSM_DESTROY);

	request.slot = message_read_u32(&call->in);
	request.hsm.object = message_read_u32(&call->in);
	return answer_numbers(call, &request, 0, error);
}

bool generate_key_call(struct bus_call *call, struct error *error)
{
	struct request request _cleanup_request_ = REQUEST_INIT(HSM_GENERATE_KEY);

	request.slot = message_read_u32(&call->in);
	read_mechanism(&call->in, &request);
	read_template(&call->in, &request, 0);
	return answer_numbers(call, &request, 1, error);
}

bool generate_key_pair_call(struct bus_call *call, struct error *error)
{
	struct request request _cleanup_request_ = REQUEST_INIT(HSM_GENERATE_PAIR);

	request.slot = message_read_u32(&call->in);
	read_mechanism(&call->in, &request);
	read_template(&call->in, &request, 0);
	read_template(&call->in, &request, 1);
	return answer_numbers(call, &request, 2, error);
}

bool wrap_key_call(struct bus_call *call, struct error *error)
{
	struct request request _cleanup_request_ = REQUEST_INIT(HSM_WRAP);

	request.slot = message_read_u32(&call->in);
	request.hsm.object = message_read_u32(&call->in);
	read_mechanism(&call->in, &request);
	request.hsm.second = message_read_u32(&call->in);
	return answer_output(call, &request, error);
}

bool unwrap_key_call(struct bus_call *call, struct error *error)
{
	struct request request _cleanup_request_ = REQUEST_INIT(HSM_UNWRAP);

	request.slot = message_read_u32(&call->in);
	request.hsm.object = message_read_u32(&call->in);
	read_mechanism(&call->in, &request);
	request.hsm.input = read_bytes(&call->in);
	read_template(&call->in, &request, 0);
	return answer_numbers(call, &request, 1, error);
}

bool derive_key_call(struct bus_call *call, struct error *error)
{
	struct request request _cleanup_request_ = REQUEST_INIT(HSM_DERIVE_KEY);

	request.slot = message_read_u32(&call->in);
	request.hsm.object = message_read_u32(&call->in);
	read_mechanism(&call->in, &request);
	request.hsm.input = read_bytes(&call->in);
	read_template(&call->in, &request, 0);
	return answer_numbers(call, &request, 1, error);
}

bool get_secret_value_call(struct bus_call *call, struct error *error)
{
	struct request request _cleanup_request_ = REQUEST_INIT(HSM_GET_VALUE);

	request.slot = message_read_u32(&call->in);
	request.hsm.object = message_read_u32(&call->in);
	return answer_output(call, &request, error);
}

bool get_random_call(struct bus_call *call, struct error *error)
{
	struct request request _cleanup_request_ = REQUEST_INIT(HSM_GET_RANDOM);

	request.slot = message_read_u32(&call->in);
	request.hsm.length = message_read_u32(&call->in);
	return answer_output(call, &request, error);
}

bool seed_random_call(struct bus_call *call, struct error *error)
{
	struct request request _cleanup_request_ = REQUEST_INIT(HSM_SEED_RANDOM);

	request.slot = message_read_u32(&call->in);
	request.hsm.input = read_bytes(&call->in);
	return run(call, &request, error);
}

bool init_token_call(struct bus_call *call, struct error *error)
{
	struct secret pin _cleanup_secret_ = SECRET_INIT;
	uint32_t slot = message_read_u32(&call->in);

	call->audited = true;
	if (!message_read_secret(&call->in, &pin, error))
		return false;
	return provider_init_token(
		provider_client_of(call), slot, &pin, message_read_string(&call->in), error);
}
