/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of "tessera slot batch" share. */
#ifndef TESSERA_CLI_SLOT_BATCH_H
#define TESSERA_CLI_SLOT_BATCH_H

#include <jansson.h>

#include "cli/arguments.h"
#include "cli/batch-result.h"
#include "cli/client.h"

/* The column that names the key; all others are fields of the holder. */
#define SLOT_BATCH_COLUMN "label"
/* tesserad runs 64 jobs at a time for all who ask. */
#define SLOT_BATCH_AT_ONCE_MAX	   48
#define SLOT_BATCH_AT_ONCE_DEFAULT 24

struct slot_batch {
	struct invocation *invocation;
	struct client *client;
	const char *slot, *template;
	char *path;	 /* of the slot */
	json_t *options; /* for each key */
	struct secret pin;
	struct csv_table input;
	size_t label_column;
	struct batch_results results;
	bool has_news; /* results that are not written yet */
	json_t *known; /* by label: the record of each key that the slot had at the beginning */
	struct flight {
		size_t row;
		char *job;     /* path */
		bool has_news; /* it is to be looked at */
	} flights[SLOT_BATCH_AT_ONCE_MAX];
	size_t flight_count, at_once;
	size_t room; /* for so many at a time, until the moment below */
	int64_t room_until_ms;
	size_t next;	   /* row */
	size_t setbacks;   /* failures one after the other that are not of their rows */
	struct error fate; /* what ends the batch once all that is under way has ended */
};

const char *slot_batch_label(const struct slot_batch *batch, size_t row);
/* Says what has become of a row, and notes it. */
void slot_batch_say(struct slot_batch *batch, size_t row, const char *outcome, const char *serial,
	const char *credential, const char *message);

/*
 * Begins a row, if there is anything to be done. *busy: it is to be tried again, as tesserad has
 * too much to do. What ends the batch is its fate.
 */
void slot_batch_begin(struct slot_batch *batch, size_t row, bool *busy);
/* Notes how a row's job has ended; `job` is its record. */
void slot_batch_take(struct slot_batch *batch, size_t row, const json_t *job);

#endif
