/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Command APDUs (ISO/IEC 7816-4): built in one place, as short, extended or
 * chained commands, and their answers put together from GET RESPONSE.
 */
#ifndef TESSERA_CARD_APDU_H
#define TESSERA_CARD_APDU_H

#include "pcsc/transport.h"

/* Every answer that fits a short response, and the longest that a card may give at all. */
#define APDU_ANSWER_SHORT 256
#define APDU_ANSWER_LONG  65536

struct apdu {
	uint8_t cla, ins, p1, p2;
	const uint8_t *data; /* may be NULL when length is 0 */
	size_t length;
	size_t answer; /* bytes that the answer may have; 0 when the command has none (no Le) */
};

/* A card as the exchange sees it. */
struct apdu_channel {
	struct transport *transport; /* borrowed */
	bool extended;		     /* card and reader take extended length */
};

/*
 * Sends a command and collects its whole answer, whatever it takes: extended
 * length or command chaining for long data, GET RESPONSE after 61xx, the right
 * Le after 6Cxx. Copies of the command are wiped.
 *
 * response: replaced by the answer's data without status word; may be NULL.
 * status: the last status word; 61xx and 6Cxx never appear.
 * Errors: the transport's; ERROR_CARD_FAILED for an answer without end or form.
 */
bool apdu_exchange(struct apdu_channel *channel, const struct apdu *command,
	struct buffer *response, uint16_t *status, struct error *error);

/*
 * The same as one command of extended length, whatever its length, for commands that may not be
 * cut: ERROR_DATA_LENGTH when card or reader cannot carry it. 6700 is the caller's to understand.
 */
bool apdu_exchange_whole(struct apdu_channel *channel, const struct apdu *command,
	struct buffer *response, uint16_t *status, struct error *error);

/* Whether it can carry so much data: ERROR_DATA_LENGTH. */
bool apdu_check_whole(const struct apdu_channel *channel, size_t length, struct error *error);

#endif
