/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of "tessera card batch" share. */
#ifndef TESSERA_CLI_BATCH_PRIVATE_H
#define TESSERA_CLI_BATCH_PRIVATE_H

#include <jansson.h>

#include "cli/arguments.h"
#include "cli/batch-result.h"
#include "cli/client.h"
#include "common/secret.h"

/* The column that says which card is meant; all others are fields of the holder. */
#define BATCH_SERIAL_COLUMN "serial"

/* The column of those that are issued to people of a directory: who it is, by login name. */
#define BATCH_PERSON_COLUMN "person"

/* First PINs: set later by activating, typed for each row, or made by the service. */
enum batch_pins { BATCH_PINS_LATER, BATCH_PINS_TYPED, BATCH_PINS_MADE };

struct batch {
	struct invocation *invocation;
	struct client *client;
	const char *template; /* NULL: cards are registered alone */
	json_t *options;      /* for each card */
	enum batch_pins pins;
	char *reader; /* path */
	struct csv_table input;
	struct batch_results results;
	char *useless;	      /* serial of a card that was refused: it is waited for another one */
	bool is_of_directory; /* the template: rows name people */
	const char *person;   /* of this row, or NULL */
	bool told_busy, told_again; /* in this row */
	struct secret pin;	    /* that was typed for this row */
};

/* "issued", "registered", or "active" with its first PIN set. */
const char *batch_outcome(const struct batch *batch);

/* --- cards (batch-card.c) --- */

/* What there is for a row. */
enum batch_found {
	BATCH_FOUND_BLANK,    /* a card in the reader that can be taken */
	BATCH_FOUND_ISSUED,   /* the row's card was issued: its first PIN is missing */
	BATCH_FOUND_UNKNOWN,  /* the row's card is active with a PIN that perhaps nobody knows */
	BATCH_FOUND_FINISHED, /* the row's card is as it shall be */
};
/*
 * Waits until there is something for the row; *serial (heap) is the card's. A row that was begun
 * before is looked at first: what has become of its card? ERROR_CANCELLED on Ctrl-C.
 */
bool batch_await(struct batch *batch, size_t row, const json_t *holder, enum batch_found *found,
	char **serial, struct error *error);
/* Waits until the card with that serial is in the reader. */
bool batch_await_serial(struct batch *batch, size_t row, const char *serial, struct error *error);

/* --- PINs (batch-pin.c) --- */

/* Whether and how the template wants first PINs. ERROR_INVALID_ARGUMENT, also without a terminal
 * for them. */
bool batch_pins_choose(struct batch *batch, struct error *error);
/* Asks for the row's PIN, if PINs are typed and there is none yet. */
bool batch_pin_ask(struct batch *batch, size_t row, const json_t *holder, struct error *error);
/* Fetches the PIN that a job has made and shows it on the terminal until it is noted. */
bool batch_pin_show(struct batch *batch, size_t row, const json_t *holder, const char *serial,
	const char *job, struct error *error);

/* --- rows (batch-row.c) --- */

/* Works off a row. False only for what ends the batch: a row's own failure is in the results. */
bool batch_row(struct batch *batch, size_t row, struct error *error);

#endif
