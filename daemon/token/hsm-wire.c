/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/hsm-wire.h"

#include <string.h>

#include "common/alloc.h"
#include "token/hsm-private.h"
#include "token/attributes.h"

#define STRING_MAX     4096 /* bytes */
#define SECRET_MAX     4096 /* bytes */
#define ATTRIBUTES_MAX 128

void wire_put_u64(struct buffer *message, uint64_t value)
{
	buffer_append_u32(message, (uint32_t)(value >> 32));
	buffer_append_u32(message, (uint32_t)value);
}

uint64_t wire_get_u64(struct reader *message)
{
	uint64_t high = reader_u32(message);

	return high << 32 | reader_u32(message);
}

void wire_put_bytes(struct buffer *message, const void *data, size_t length)
{
	buffer_append_u32(message, (uint32_t)length);
	buffer_append(message, data, length);
}

struct reader wire_get_bytes(struct reader *message)
{
	return reader_sub(message, reader_u32(message));
}

static void put_reader(struct buffer *message, const struct reader *bytes)
{
	wire_put_bytes(message, bytes->data, bytes->length);
}

void wire_put_string(struct buffer *message, const char *string)
{
	buffer_append_u8(message, string != NULL);
	if (string)
		wire_put_bytes(message, string, strnlen(string, STRING_MAX));
}

/* Text that makes its way to journals and over the bus: what is not plain is "?". */
char *wire_get_string(struct reader *message)
{
	if (reader_u8(message) == 0)
		return NULL;
	struct reader bytes = wire_get_bytes(message);
	if (message->failed || bytes.length > STRING_MAX) {
		message->failed = true;
		return NULL;
	}
	char *string = xcalloc(bytes.length + 1, 1);
	memcpy(string, bytes.data, bytes.length);
	return string;
}

void wire_put_secret(struct buffer *message, const struct secret *secret)
{
	bool is_set = secret && secret_is_set(secret);

	buffer_append_u8(message, is_set);
	if (is_set)
		wire_put_bytes(message, secret->data, secret->length);
}

void wire_get_secret(struct reader *message, struct secret *secret)
{
	if (reader_u8(message) == 0)
		return;
	struct reader bytes = wire_get_bytes(message);
	if (message->failed || bytes.length > SECRET_MAX ||
		!secret_set(secret, bytes.data, bytes.length))
		message->failed = true;
}

/* --- outcomes --- */

static void put_failure(struct buffer *message, const struct error *failure)
{
	buffer_append_u32(message, failure->code);
	wire_put_u64(message, failure->ckr);
	wire_put_u64(message, (uint64_t)failure->detail);
	wire_put_string(message, failure->message);
	wire_put_string(message, failure->field);
}

void wire_put_outcome(
	struct buffer *message, const struct wire_outcome *outcome, const struct error *failure)
{
	buffer_append_u8(message, outcome->done);
	wire_put_u64(message, outcome->token_serial);
	wire_put_u64(message, outcome->owner_serial);
	if (!outcome->done) {
		put_failure(message, failure);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(outcome->reply.numbers); i++)
		buffer_append_u32(message, outcome->reply.numbers[i]);
	const struct buffer *output = outcome->reply.output;
	wire_put_bytes(message, output ? output->data : NULL, output ? output->length : 0);
}

/* Messages are shown to people and sent over the bus: printable ASCII. */
static void make_plain(char *text)
{
	for (; text && *text; text++) {
		if (*text < ' ' || *text > '~')
			*text = '?';
	}
}

static void get_failure(struct reader *message, struct error *failure)
{
	uint32_t code = reader_u32(message);
	uint64_t ckr = wire_get_u64(message);
	uint64_t detail = wire_get_u64(message);
	_cleanup_free_ char *text = wire_get_string(message);
	_cleanup_free_ char *field = wire_get_string(message);

	if (code == ERROR_NONE || code >= ERROR_CODE_COUNT)
		message->failed = true;
	if (message->failed || !failure)
		return;
	make_plain(text);
	make_plain(field);
	if (field)
		error_set_field(failure, code, field, "%s", text ? text : "");
	else
		error_set(failure, code, "%s", text ? text : "");
	failure->ckr = ckr;
	failure->detail = (long)detail;
}

bool wire_get_outcome(struct reader message, struct wire_outcome *outcome, struct error *failure)
{
	uint8_t done = reader_u8(&message);

	outcome->done = done == 1;
	outcome->token_serial = wire_get_u64(&message);
	outcome->owner_serial = wire_get_u64(&message);
	if (done == 0) {
		get_failure(&message, failure);
	} else {
		for (size_t i = 0; i < ARRAY_SIZE(outcome->reply.numbers); i++)
			outcome->reply.numbers[i] = reader_u32(&message);
		struct reader output = wire_get_bytes(&message);
		if (outcome->reply.output)
			buffer_append(outcome->reply.output, output.data, output.length);
	}
	return done <= 1 && !message.failed && reader_left(&message) == 0;
}

/* --- requests --- */

void wire_put_request(struct buffer *message, const struct hsm_request *request)
{
	buffer_append_u8(message, (uint8_t)request->operation);
	buffer_append_u8(message, (uint8_t)request->use);
	buffer_append_u32(message, request->stream);
	buffer_append_u32(message, request->object);
	buffer_append_u32(message, request->second);
	buffer_append_u32(message, request->mechanism);
	buffer_append_u32(message, request->length);
	put_reader(message, &request->parameter);
	put_reader(message, &request->input);
	put_reader(message, &request->signature);
	for (size_t i = 0; i < ARRAY_SIZE(request->templates); i++)
		put_reader(message, &request->templates[i]);
	wire_put_secret(message, request->pin);
	wire_put_secret(message, request->new_pin);
}

bool wire_get_request(struct reader *message, struct hsm_request *request, struct secret *pin,
	struct secret *new_pin)
{
	uint8_t operation = reader_u8(message);
	uint8_t use = reader_u8(message);

	*request = (struct hsm_request){
		.operation = operation, .use = use, .pin = pin, .new_pin = new_pin};
	request->stream = reader_u32(message);
	request->object = reader_u32(message);
	request->second = reader_u32(message);
	request->mechanism = reader_u32(message);
	request->length = reader_u32(message);
	request->parameter = wire_get_bytes(message);
	request->input = wire_get_bytes(message);
	request->signature = wire_get_bytes(message);
	for (size_t i = 0; i < ARRAY_SIZE(request->templates); i++)
		request->templates[i] = wire_get_bytes(message);
	wire_get_secret(message, pin);
	wire_get_secret(message, new_pin);
	return operation < HSM_OPERATION_COUNT && use < HSM_OPERATION_COUNT && !message->failed &&
	       reader_left(message) == 0;
}

/* --- objects --- */

void wire_put_object(struct buffer *message, const struct hsm_object *object)
{
	buffer_append_u32(message, object->number);
	buffer_append_u32(message, (uint32_t)object->attribute_count);
	for (size_t i = 0; i < object->attribute_count; i++) {
		const struct hsm_attribute *attribute = &object->attributes[i];
		wire_put_u64(message, attribute->type);
		wire_put_bytes(message, object->values.data + attribute->offset, attribute->length);
	}
}

static bool get_attributes(struct reader *message, struct hsm_object *object)
{
	uint32_t count = reader_u32(message);

	if (message->failed || count > ATTRIBUTES_MAX)
		return false;
	object->attributes = xcalloc(count + 1, sizeof(*object->attributes));
	for (uint32_t i = 0; i < count; i++) {
		CK_ATTRIBUTE_TYPE type = wire_get_u64(message);
		struct reader value = wire_get_bytes(message);
		object->attributes[i] =
			(struct hsm_attribute){type, object->values.length, value.length};
		buffer_append(&object->values, value.data, value.length);
	}
	object->attribute_count = count;
	return !message->failed && !object->values.failed;
}

struct hsm_object *wire_get_object(struct reader *message)
{
	_cleanup_hsm_object_ struct hsm_object *object = xnew(struct hsm_object);

	object->references = 1;
	object->number = reader_u32(message);
	object->handle = CK_INVALID_HANDLE;
	if (!get_attributes(message, object) || object->number == 0)
		return NULL;
	hsm_object_describe(object);
	return steal_pointer(&object);
}
