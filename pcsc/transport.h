/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How command APDUs reach a card: one small vtable, behind which stand PC/SC, a reader on another
 * machine (daemon/card/transport-remote.h) and, for tests, a card in the same process.
 */
#ifndef TESSERA_PCSC_TRANSPORT_H
#define TESSERA_PCSC_TRANSPORT_H

#include "common/buffer.h"
#include "common/error.h"

struct transport;

struct transport_ops {
	/*
	 * Takes the card for this transport alone (PC/SC transaction). *was_reset is
	 * set when the card lost its state since the last time (reset or powered off
	 * by another program, or first use) and left alone otherwise. ERROR_NO_CARD,
	 * ERROR_NO_READER_SERVICE, ERROR_BUSY.
	 */
	bool (*begin)(struct transport *, bool *was_reset, struct error *);
	void (*end)(struct transport *);
	/*
	 * One command APDU out; the response with its status word replaces what the
	 * buffer held. The transport keeps no copy of either. There is no timeout: a
	 * key pair may take a minute. ERROR_NO_CARD, ERROR_NO_READER_SERVICE,
	 * ERROR_CARD_FAILED.
	 *
	 * A transport that is told of a reset only when it sends the first command after begin()
	 * sets was_reset, and answers ERROR_CARD_FAILED without having sent the command.
	 */
	bool (*transmit)(struct transport *, const uint8_t *command, size_t length,
		struct buffer *response, struct error *);
	void (*free)(struct transport *);
};

/* ISO/IEC 7816-3, 8.1: TS and at most 32 more */
#define TRANSPORT_ATR_MAXIMUM 33
/* What a short command APDU carries (ISO/IEC 7816-4, 5.1). */
#define TRANSPORT_SHORT_DATA 255

/* Implementations embed this as their first member. */
struct transport {
	const struct transport_ops *ops;
	uint8_t atr[TRANSPORT_ATR_MAXIMUM];
	size_t atr_length; /* 0 when there is none */
	/* Bytes of data that reader and protocol can carry in one command APDU: at most
	 * TRANSPORT_SHORT_DATA means that extended length cannot be used. */
	size_t maximum_data;
	bool is_t0;	/* the card is spoken to with T=0, which leaves parts of a command out */
	bool is_remote; /* what is said to the card passes another machine */
	bool was_reset; /* see transmit(); whoever has acted on it clears it */
};

/* PC/SC: connects to the named reader in shared mode. ERROR_NO_CARD, ERROR_NO_READER_SERVICE,
 * ERROR_BUSY when another program holds the card exclusively. */
struct transport *transport_pcsc_open(const char *reader_name, struct error *error);
/* The card is reset when the transport is freed, so that nothing proven to it outlasts that. */
void transport_pcsc_reset_at_end(struct transport *transport);

#endif
