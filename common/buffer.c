/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/buffer.h"

#include <string.h>

#define MINIMUM_CAPACITY 64

static void release(uint8_t *data, size_t capacity, bool wipe)
{
	if (wipe && data)
		explicit_bzero(data, capacity);
	free(data);
}

/* Not realloc(): the old copy must be wiped where it may hold a secret. */
static bool reserve(struct buffer *buffer, size_t more)
{
	if (buffer->failed)
		return false;
	if (more <= buffer->capacity - buffer->length)
		return true;
	size_t capacity = buffer->capacity ? buffer->capacity : MINIMUM_CAPACITY;
	while (capacity - buffer->length < more && capacity <= SIZE_MAX / 4)
		capacity *= 2;
	uint8_t *data = capacity - buffer->length < more ? NULL : malloc(capacity);
	if (!data) {
		buffer->failed = true;
		return false;
	}
	if (buffer->length)
		memcpy(data, buffer->data, buffer->length);
	release(buffer->data, buffer->capacity, buffer->wipe);
	buffer->data = data;
	buffer->capacity = capacity;
	return true;
}

uint8_t *buffer_extend(struct buffer *buffer, size_t length)
{
	if (!reserve(buffer, length))
		return NULL;
	if (!buffer->data && !reserve(buffer, 1))
		return NULL;
	uint8_t *room = buffer->data + buffer->length;
	buffer->length += length;
	return room;
}

void buffer_append(struct buffer *buffer, const void *data, size_t length)
{
	if (length == 0)
		return;
	uint8_t *room = buffer_extend(buffer, length);
	if (room)
		memcpy(room, data, length);
}

void buffer_append_u8(struct buffer *buffer, uint8_t value)
{
	buffer_append(buffer, &value, 1);
}

void buffer_append_u16(struct buffer *buffer, uint16_t value)
{
	buffer_append(buffer, (uint8_t[]){value >> 8, value & 0xFF}, 2);
}

void buffer_append_u32(struct buffer *buffer, uint32_t value)
{
	buffer_append_u16(buffer, value >> 16);
	buffer_append_u16(buffer, value & 0xFFFF);
}

void buffer_append_string(struct buffer *buffer, const char *string)
{
	buffer_append(buffer, string, strlen(string));
}

void buffer_fill(struct buffer *buffer, uint8_t value, size_t length)
{
	uint8_t *room = buffer_extend(buffer, length);

	if (room)
		memset(room, value, length);
}

void buffer_truncate(struct buffer *buffer, size_t length)
{
	if (length >= buffer->length)
		return;
	if (buffer->wipe)
		explicit_bzero(buffer->data + length, buffer->length - length);
	buffer->length = length;
}

void buffer_clear(struct buffer *buffer)
{
	release(buffer->data, buffer->capacity, buffer->wipe);
	*buffer = (struct buffer){.wipe = buffer->wipe};
}

void buffer_move(struct buffer *to, struct buffer *from)
{
	buffer_clear(to);
	*to = *from;
	*from = (struct buffer){.wipe = to->wipe};
}

size_t reader_left(const struct reader *reader)
{
	return reader->failed ? 0 : reader->length - reader->position;
}

const uint8_t *reader_bytes(struct reader *reader, size_t length)
{
	if (length > reader_left(reader)) {
		reader->failed = true;
		return NULL;
	}
	if (length == 0 && !reader->data)
		return NULL; /* an empty reader's data; adding to it is undefined */
	const uint8_t *bytes = reader->data + reader->position;
	reader->position += length;
	return bytes;
}

uint8_t reader_u8(struct reader *reader)
{
	const uint8_t *bytes = reader_bytes(reader, 1);

	return bytes ? bytes[0] : 0;
}

uint16_t reader_u16(struct reader *reader)
{
	const uint8_t *bytes = reader_bytes(reader, 2);

	return bytes ? (uint16_t)(bytes[0] << 8 | bytes[1]) : 0;
}

uint32_t reader_u32(struct reader *reader)
{
	uint32_t high = reader_u16(reader);

	return high << 16 | reader_u16(reader);
}

struct reader reader_sub(struct reader *reader, size_t length)
{
	const uint8_t *bytes = reader_bytes(reader, length);

	return (struct reader){
		.data = bytes, .length = bytes ? length : 0, .failed = reader->failed};
}

void buffer_append_hex(struct buffer *buffer, const void *data, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *bytes = data;

	for (size_t i = 0; i < length; i++) {
		buffer_append_u8(buffer, digits[bytes[i] >> 4]);
		buffer_append_u8(buffer, digits[bytes[i] & 15]);
	}
}

char *hex_encode(const void *data, size_t length)
{
	_cleanup_buffer_ struct buffer buffer = BUFFER_INIT;

	buffer_append_hex(&buffer, data, length);
	buffer_append_u8(&buffer, 0);
	if (buffer.failed)
		return NULL;
	return (char *)steal_pointer(&buffer.data);
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c) : NULL;

	return found ? (int)(found - digits) : -1;
}

bool hex_decode(const char *hex, struct buffer *buffer)
{
	for (; hex[0]; hex += 2) {
		int high = hex_digit(hex[0]);
		int low = high < 0 ? -1 : hex_digit(hex[1]);
		if (low < 0)
			return false;
		buffer_append_u8(buffer, (uint8_t)(high << 4 | low));
	}
	return !buffer->failed;
}
