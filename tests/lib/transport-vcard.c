/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/transport-vcard.h"

#include <string.h>

#include "common/alloc.h"

struct transport_vcard {
	struct transport transport;
	struct vcard *vcard;
	bool was_reset;
};

static bool vcard_begin(struct transport *transport, bool *was_reset, struct error *error)
{
	struct transport_vcard *self = (struct transport_vcard *)transport;

	if (vcard_is_gone(self->vcard))
		return error_set(error, ERROR_NO_CARD, "the card was removed");
	if (self->was_reset)
		*was_reset = true;
	self->was_reset = false;
	return true;
}

static void vcard_end(struct transport *transport)
{
	(void)transport;
}

static bool vcard_send(struct transport *transport, const uint8_t *command, size_t length,
	struct buffer *response, struct error *error)
{
	struct transport_vcard *self = (struct transport_vcard *)transport;

	if (!vcard_transmit(self->vcard, command, length, response))
		return error_set(error, ERROR_NO_CARD, "the card was removed");
	return true;
}

static void vcard_transport_free(struct transport *transport)
{
	free(transport);
}

static const struct transport_ops vcard_ops = {
	.begin = vcard_begin,
	.end = vcard_end,
	.transmit = vcard_send,
	.free = vcard_transport_free,
};

struct transport *transport_vcard_new(struct vcard *vcard)
{
	struct transport_vcard *self = xnew(struct transport_vcard);
	const struct buffer *atr = vcard_atr(vcard);

	self->transport.ops = &vcard_ops;
	self->transport.atr_length =
		atr->length < TRANSPORT_ATR_MAXIMUM ? atr->length : TRANSPORT_ATR_MAXIMUM;
	memcpy(self->transport.atr, atr->data, self->transport.atr_length);
	self->transport.maximum_data = UINT16_MAX;
	self->vcard = vcard;
	self->was_reset = true;
	return &self->transport;
}

void transport_vcard_set_short(struct transport *transport)
{
	transport->maximum_data = TRANSPORT_SHORT_DATA;
}

void transport_vcard_power_cycle(struct transport *transport)
{
	struct transport_vcard *self = (struct transport_vcard *)transport;

	vcard_reset(self->vcard);
	self->was_reset = true;
}
