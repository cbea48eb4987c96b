/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words and numbers in a PIN: those of its holder, and those that a template forbids. */
#include <string.h>

#include "common/buffer.h"
#include "model/pin-policy.h"

/* A shorter piece is in a PIN by chance. */
#define PIECE_MINIMUM 3

static bool is_digit(uint8_t byte)
{
	return byte >= '0' && byte <= '9';
}

/* A byte of a character beyond ASCII counts as a letter. */
static bool is_letter(uint8_t byte)
{
	return byte >= 0x80 || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static uint8_t lower(uint8_t byte)
{
	return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte - 'A' + 'a') : byte;
}

/* Whether the short one is at a place of the long one; step -1 reads the short one backwards. */
static bool is_at(const uint8_t *place, const uint8_t *piece, size_t length, int step)
{
	const uint8_t *byte = step > 0 ? piece : piece + length - 1;

	for (size_t i = 0; i < length; i++, byte += step) {
		if (lower(place[i]) != lower(*byte))
			return false;
	}
	return true;
}

static bool is_within(const uint8_t *text, size_t text_length, const uint8_t *piece, size_t length)
{
	for (size_t i = 0; i + length <= text_length; i++) {
		if (is_at(text + i, piece, length, 1) || is_at(text + i, piece, length, -1))
			return true;
	}
	return false;
}

static bool is_about(const struct secret *pin, const struct buffer *piece)
{
	if (piece->length < PIECE_MINIMUM || pin->length < PIECE_MINIMUM)
		return false;
	return is_within(pin->data, pin->length, piece->data, piece->length) ||
	       is_within(piece->data, piece->length, pin->data, pin->length);
}

static bool is_word_byte(uint8_t byte)
{
	return is_digit(byte) || is_letter(byte);
}

/* Any run of bytes of the kind in the text. */
static bool has_run(const struct secret *pin, const char *text, bool (*is_kind)(uint8_t byte))
{
	_cleanup_buffer_ struct buffer run = BUFFER_INIT;
	bool found = false;

	for (const char *c = text; *c && !found; c++) {
		if (is_kind((uint8_t)*c))
			buffer_append_u8(&run, (uint8_t)*c);
		else
			buffer_truncate(&run, 0);
		found = !is_kind((uint8_t)c[1]) && is_about(pin, &run);
	}
	return found;
}

/* All digits of the text as one number: 1980-12-24 is 19801224. */
static bool has_number(const struct secret *pin, const char *text)
{
	_cleanup_buffer_ struct buffer number = BUFFER_INIT;

	for (const char *c = text; *c; c++) {
		if (is_digit((uint8_t)*c))
			buffer_append_u8(&number, (uint8_t)*c);
	}
	return is_about(pin, &number);
}

bool pin_tells_of(const struct secret *pin, const char *text)
{
	return has_run(pin, text, is_word_byte) || has_run(pin, text, is_letter) ||
	       has_run(pin, text, is_digit) || has_number(pin, text);
}

bool pin_contains(const struct secret *pin, const char *word)
{
	return is_within(pin->data, pin->length, (const uint8_t *)word, strlen(word));
}
