/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/transport-bytes.h"

#include "common/alloc.h"

#define PATIENCE 3000 /* commands after the last answer */

#define FORM_STATUS  0x03
#define FORM_LONG    0x04
#define FORM_FAILURE 0xF8

struct transport_bytes {
	struct transport transport;
	struct reader answers;
	unsigned unanswered;
	bool was_reset;
};

static bool bytes_begin(struct transport *transport, bool *was_reset, struct error *error)
{
	struct transport_bytes *self = (struct transport_bytes *)transport;

	(void)error;
	if (self->was_reset)
		*was_reset = true;
	self->was_reset = false;
	return true;
}

static void bytes_end(struct transport *transport)
{
	(void)transport;
}

static void append_status(struct buffer *response, uint8_t form)
{
	static const uint16_t words[] = {0, 0x9000, 0x6100, 0x63C0};
	uint16_t status = words[form & FORM_STATUS];

	if (status == 0x63C0)
		status |= form >> 4;
	if (status)
		buffer_append_u16(response, status);
}

static bool bytes_transmit(struct transport *transport, const uint8_t *command, size_t length,
	struct buffer *response, struct error *error)
{
	struct transport_bytes *self = (struct transport_bytes *)transport;

	(void)command;
	(void)length;
	buffer_truncate(response, 0);
	if (reader_left(&self->answers) == 0) {
		buffer_append_u16(response, 0x6D00);
		return self->unanswered++ < PATIENCE ||
		       error_set(error, ERROR_NO_CARD, "the card was removed");
	}
	uint8_t form = reader_u8(&self->answers);
	size_t wanted = form & FORM_LONG ? reader_u16(&self->answers) : reader_u8(&self->answers);
	size_t left = reader_left(&self->answers);
	size_t count = wanted < left ? wanted : left;
	if (count)
		buffer_append(response, reader_bytes(&self->answers, count), count);
	append_status(response, form);
	return form < FORM_FAILURE || error_set(error, ERROR_CARD_FAILED, "the reader failed");
}

static void bytes_free(struct transport *transport)
{
	free(transport);
}

static const struct transport_ops bytes_ops = {
	.begin = bytes_begin,
	.end = bytes_end,
	.transmit = bytes_transmit,
	.free = bytes_free,
};

struct transport *transport_bytes_new(const uint8_t *bytes, size_t length)
{
	struct transport_bytes *self = xnew(struct transport_bytes);

	self->transport.ops = &bytes_ops;
	self->transport.maximum_data = UINT16_MAX;
	self->answers = (struct reader)READER_INIT(bytes, length);
	self->was_reset = true;
	return &self->transport;
}

void transport_bytes_reset(struct transport *transport)
{
	((struct transport_bytes *)transport)->was_reset = true;
}
