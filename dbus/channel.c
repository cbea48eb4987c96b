/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dbus/channel.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define LOOK_US		   60
#define LOOKS_LEFT_OUT_MAX 1000
#define RELAXATIONS	   16

enum { ANSWER_OUTPUT, ANSWER_ERROR, ANSWER_MORE };

static void write_length(struct buffer *buffer, const struct reader *bytes)
{
	buffer_append_u32(buffer, (uint32_t)reader_left(bytes));
}

static void write_bytes(struct buffer *buffer, const struct reader *bytes)
{
	buffer_append(buffer, bytes->data + bytes->position, reader_left(bytes));
}

void channel_write_question(struct buffer *buffer, const struct channel_question *question)
{
	buffer_append_u32(buffer, question->slot);
	buffer_append_u32(buffer, question->key);
	buffer_append_u32(buffer, question->mechanism);
	write_length(buffer, &question->parameter);
	write_length(buffer, &question->pin);
	write_length(buffer, &question->input);
	buffer_append_u8(buffer, (uint8_t)reader_left(&question->operation));
	write_bytes(buffer, &question->operation);
	write_bytes(buffer, &question->parameter);
	write_bytes(buffer, &question->pin);
	write_bytes(buffer, &question->input);
}

bool channel_read_question(struct reader *reader, struct channel_question *question)
{
	question->slot = reader_u32(reader);
	question->key = reader_u32(reader);
	question->mechanism = reader_u32(reader);
	size_t parameter = reader_u32(reader);
	size_t pin = reader_u32(reader);
	size_t input = reader_u32(reader);
	question->operation = reader_sub(reader, reader_u8(reader));
	question->parameter = reader_sub(reader, parameter);
	question->pin = reader_sub(reader, pin);
	question->input = reader_sub(reader, input);
	return !reader->failed && reader_left(reader) == 0;
}

void channel_write_output(struct buffer *buffer, const struct buffer *output, bool has_more)
{
	buffer_append_u8(buffer, has_more ? ANSWER_MORE : ANSWER_OUTPUT);
	buffer_append(buffer, output->data, output->length);
}

void channel_write_error(
	struct buffer *buffer, const char *name, const char *text, unsigned long refusal)
{
	size_t length = strlen(name) > UINT8_MAX ? UINT8_MAX : strlen(name);
	size_t text_length = strlen(text);

	if (text_length > CHANNEL_ANSWER_MAX - UINT8_MAX - 6)
		text_length = CHANNEL_ANSWER_MAX - UINT8_MAX - 6;
	buffer_append_u8(buffer, ANSWER_ERROR);
	buffer_append_u32(buffer, (uint32_t)refusal);
	buffer_append_u8(buffer, (uint8_t)length);
	buffer_append(buffer, name, length);
	buffer_append(buffer, text, text_length);
}

static bool read_error(struct reader *reader, struct error *error)
{
	char name[UINT8_MAX + 1] = "";

	unsigned long refusal = reader_u32(reader);
	size_t length = reader_u8(reader);
	const uint8_t *bytes = reader_bytes(reader, length);
	if (bytes)
		memcpy(name, bytes, length);
	size_t text_length = reader_left(reader);
	const char *text = (const char *)reader_bytes(reader, text_length);
	error_set(error, error_from_dbus_name(name), "%.*s", (int)text_length, text ? text : "");
	if (error)
		error->ckr = refusal;
	return false;
}

bool channel_read_answer(
	struct reader *reader, struct buffer *output, bool *has_more, struct error *error)
{
	uint8_t kind = reader_u8(reader);
	bool is_output = kind == ANSWER_OUTPUT || (kind == ANSWER_MORE && has_more);

	if (!reader->failed && kind == ANSWER_ERROR)
		return read_error(reader, error);
	if (reader->failed || !is_output)
		return error_set(error, ERROR_FAILED, "tesserad answered something unexpected");
	if (has_more)
		*has_more = kind == ANSWER_MORE;
	size_t length = reader_left(reader);
	buffer_append(output, reader_bytes(reader, length), length);
	return !output->failed || error_set(error, ERROR_FAILED, "out of memory");
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static ssize_t receive(int descriptor, void *data, size_t size)
{
	return recv(descriptor, data, size, MSG_DONTWAIT | MSG_TRUNC);
}

static bool came(ssize_t length)
{
	return length >= 0 || (errno != EAGAIN && errno != EINTR);
}

/* About a microsecond, in which a processor that shares this one's core has it to itself. */
static void relax(void)
{
	for (int i = 0; i < RELAXATIONS; i++) {
#if defined(__x86_64__) || defined(__i386__)
		__builtin_ia32_pause();
#elif defined(__aarch64__)
		__asm__ volatile("isb");
#endif
	}
}

ssize_t channel_look(int descriptor, void *data, size_t size, struct channel_looks *looks)
{
	ssize_t length = receive(descriptor, data, size);

	if (came(length))
		return length;
	if (looks->left_out > 0) {
		looks->left_out--;
		return length;
	}
	for (int64_t start = now_us(); now_us() - start < LOOK_US;) {
		relax();
		sched_yield(); /* the other side may be waiting for this processor */
		length = receive(descriptor, data, size);
		if (came(length)) {
			looks->to_leave_out = 1;
			return length;
		}
	}
	if (looks->to_leave_out < LOOKS_LEFT_OUT_MAX)
		looks->to_leave_out = 2 * looks->to_leave_out + 1;
	looks->left_out = looks->to_leave_out;
	errno = EAGAIN;
	return -1;
}
