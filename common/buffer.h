/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The two bounds-checked cursors through which all binary data is built and
 * parsed: struct buffer grows, struct reader consumes. Both remember failure,
 * so that a sequence of calls is checked once, at its end.
 */
#ifndef TESSERA_COMMON_BUFFER_H
#define TESSERA_COMMON_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/macros.h"

/*
 * Invariants: length <= capacity; data is NULL only while capacity is 0. Once
 * failed (out of memory), every further append is ignored. With wipe set, the
 * bytes are wiped before memory is given back: for data that may hold a secret.
 */
struct buffer {
	uint8_t *data;
	size_t length;
	size_t capacity;
	bool failed;
	bool wipe;
};

#define BUFFER_INIT                                                                                \
	{                                                                                          \
		0                                                                                  \
	}
#define BUFFER_INIT_WIPE                                                                           \
	{                                                                                          \
		.wipe = true                                                                       \
	}
#define _cleanup_buffer_ _cleanup_(buffer_clear)

void buffer_append(struct buffer *buffer, const void *data, size_t length);
void buffer_append_u8(struct buffer *buffer, uint8_t value);
void buffer_append_u16(struct buffer *buffer, uint16_t value);	      /* big-endian */
void buffer_append_u32(struct buffer *buffer, uint32_t value);	      /* big-endian */
void buffer_append_string(struct buffer *buffer, const char *string); /* without the NUL */
/* Appends length copies of a byte. */
void buffer_fill(struct buffer *buffer, uint8_t value, size_t length);
/* Appends uninitialised room and returns it, or NULL when out of memory. */
uint8_t *buffer_extend(struct buffer *buffer, size_t length);
/* Drops everything from length on; a length beyond the end is ignored. */
void buffer_truncate(struct buffer *buffer, size_t length);
/* Frees the memory (wiping it first if asked); the buffer may be used again. */
void buffer_clear(struct buffer *buffer);
/* Moves *from to *to, freeing what *to held. */
void buffer_move(struct buffer *to, struct buffer *from);

/* A view of bytes that someone else owns. Once failed, every read answers 0 or NULL. */
struct reader {
	const uint8_t *data;
	size_t length;
	size_t position;
	bool failed;
};

#define READER_INIT(bytes, count)                                                                  \
	{                                                                                          \
		.data = (bytes), .length = (count)                                                 \
	}

static inline struct reader reader_of(const struct buffer *buffer)
{
	return (struct reader)READER_INIT(buffer->data, buffer->length);
}

size_t reader_left(const struct reader *reader);
uint8_t reader_u8(struct reader *reader);
uint16_t reader_u16(struct reader *reader); /* big-endian */
uint32_t reader_u32(struct reader *reader); /* big-endian */
/* The next length bytes, inside the reader's data; NULL (and failed) if there are fewer. */
const uint8_t *reader_bytes(struct reader *reader, size_t length);
/* A reader of the next length bytes. */
struct reader reader_sub(struct reader *reader, size_t length);

/* Appends lower-case hex digits and no NUL. */
void buffer_append_hex(struct buffer *buffer, const void *data, size_t length);
/* Heap string of lower-case hex, or NULL when out of memory. */
char *hex_encode(const void *data, size_t length);
/* Appends the bytes of a hex string. Returns false for odd length or another character. */
bool hex_decode(const char *hex, struct buffer *buffer);

#endif
