/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A reader on another machine, and the transport to the card in it. Commands go to an agent and its
 * answers come back on other threads; nobody here waits for the agent but the thread that uses the
 * card. One command costs one round trip: taking the card rides with the first command, letting it
 * go is told and not asked. The agent is a stranger: its lengths are checked, it has a time to
 * answer in, and going away at any moment it is a card that was pulled.
 */
#ifndef TESSERA_CARD_TRANSPORT_REMOTE_H
#define TESSERA_CARD_TRANSPORT_REMOTE_H

#include "pcsc/transport.h"

/* Longest answer: extended length (ISO/IEC 7816-4, 5.1) and the status word. */
#define REMOTE_RESPONSE_MAXIMUM (64 * 1024 + 2)

struct remote_command {
	bool begins; /* takes the card for us alone, if it is not yet, before the command */
	/*
	 * With begins: the command is sent although the card was reset since it was last taken.
	 * Otherwise such a card gets no command, and the answer says so.
	 */
	bool expects_reset;
	const uint8_t *bytes;
	size_t length;
};

/* How the agent is reached. Called under the reader's lock: they neither wait nor call back. */
struct remote_reader_ops {
	/* Sends it on its way; *serial is what the answer will name. False when the agent is gone.
	 */
	bool (*send)(void *context, const struct remote_command *command, uint32_t *serial);
	/* Has the agent let the card go; there is no answer. */
	void (*end)(void *context);
	/* The agent did not answer in time: the card counts as pulled, and is to be reported so. */
	void (*lost)(void *context);
};

/* What was put in. */
struct remote_card {
	const uint8_t *atr;
	size_t atr_length;   /* at most TRANSPORT_ATR_MAXIMUM */
	size_t maximum_data; /* as in struct transport */
	bool is_t0;
};

struct remote_reader;

/* Counted. ops must outlive it, context until remote_reader_close(). */
struct remote_reader *remote_reader_new(const struct remote_reader_ops *ops, void *context);
struct remote_reader *remote_reader_ref(struct remote_reader *reader);
void remote_reader_unref(struct remote_reader *reader);
DEFINE_CLEANUP(struct remote_reader *, remote_reader_unref);

/* How long the agent has for an answer, in place of 30 seconds; before there is a card. */
void remote_reader_set_patience(struct remote_reader *reader, unsigned milliseconds);

/* A card was put in, and the one before it has gone. ERROR_INVALID_ARGUMENT for what is no ATR. */
bool remote_reader_insert(
	struct remote_reader *reader, const struct remote_card *card, struct error *error);
/* The card has gone: who waits for it, or uses it later, gets ERROR_NO_CARD. */
void remote_reader_remove(struct remote_reader *reader);
/* The same for good: after it returns ops are not called any more. */
void remote_reader_close(struct remote_reader *reader);

/*
 * The answer to the command that was given this serial; any other is ignored. was_reset: the card
 * was reset, and was not sent the command. The response is copied.
 */
void remote_reader_answer(struct remote_reader *reader, uint32_t serial, bool was_reset,
	const uint8_t *response, size_t length);
/* The agent could not: error is copied. */
void remote_reader_fail(struct remote_reader *reader, uint32_t serial, const struct error *error);

/*
 * The transport to the card that is in the reader now. Several of one card take turns.
 * ERROR_NO_CARD. transmit() gives an agent 30 seconds, and three minutes for making a key pair; a
 * card is held for half an hour at most.
 */
struct transport *transport_remote_open(struct remote_reader *reader, struct error *error);

#endif
