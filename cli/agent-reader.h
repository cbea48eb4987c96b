/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One reader of this machine, for tessera agent: a thread that has the card say what it is asked,
 * so that a slow card (a key pair may take a minute) stops nothing else. What comes of it is told
 * on that thread.
 */
#ifndef TESSERA_CLI_AGENT_READER_H
#define TESSERA_CLI_AGENT_READER_H

#include <stdint.h>

#include "common/buffer.h"
#include "common/error.h"
#include "pcsc/transport.h"

struct agent_reader;

/* A card that may be offered. */
struct agent_card {
	uint8_t atr[TRANSPORT_ATR_MAXIMUM];
	size_t atr_length;
	size_t maximum_data; /* as in struct transport */
	bool is_t0;
};

/* What a server wants said to the card. */
struct agent_command {
	uint32_t serial; /* that the answer names */
	bool begins;	 /* takes the card first, if it is not taken */
	bool expects_reset;
	struct buffer bytes;
};

struct agent_answer {
	uint32_t serial;
	bool was_reset; /* nothing was sent */
	struct buffer response;
	struct error error; /* set: neither of the above */
};
void agent_answer_clear(struct agent_answer *answer);

struct agent_reader_events {
	/* Whether the card may be offered; may ask a person. model: "YubiKey 12345678", or the ATR.
	 */
	bool (*allows)(void *context, const char *reader_name, const char *model);
	/* A card was opened and may be offered. */
	void (*opened)(void *context, const char *reader_name, const struct agent_card *card);
	/* It may not, or cannot: error says why. */
	void (*refused)(void *context, const char *reader_name, const struct error *error);
	/* The answer is the listener's. */
	void (*answered)(void *context, const char *reader_name, struct agent_answer *answer);
};

/* Starts the thread. NULL with ERROR_FAILED. */
struct agent_reader *agent_reader_new(const char *name, const struct agent_reader_events *events,
	void *context, struct error *error);
/*
 * Drops the card and ends the thread. False for one that still asks a person: it ends by itself,
 * and needs its context until then.
 */
bool agent_reader_free(struct agent_reader *reader);

/* None of these waits. */
/* Opens the card that is in it; asks: whether it may be offered is to be found out. */
void agent_reader_open(struct agent_reader *reader, bool asks);
/* Gives the card up, and resets it if something may have been proven to it. */
void agent_reader_drop(struct agent_reader *reader);
/* Answered in any case; takes the command's bytes. One at a time: otherwise ERROR_BUSY. */
void agent_reader_transmit(struct agent_reader *reader, struct agent_command *command);
/* Lets other programs have the card. */
void agent_reader_end(struct agent_reader *reader);

#endif
