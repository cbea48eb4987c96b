/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Watches PC/SC readers on a thread: readers that come and go, cards that are
 * inserted and removed, pcscd itself stopping and starting.
 */
#ifndef TESSERA_PCSC_READER_WATCH_H
#define TESSERA_PCSC_READER_WATCH_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

struct reader_watch;

/* All are called on the watch's thread, one at a time. reader_name is PC/SC's. */
struct reader_events {
	void (*reader_added)(void *context, const char *reader_name);
	void (*reader_removed)(void *context, const char *reader_name); /* after card_removed */
	void (*card_inserted)(
		void *context, const char *reader_name, const uint8_t *atr, size_t atr_length);
	void (*card_removed)(void *context, const char *reader_name);
	/* available: pcscd answers; false also at start when it is not there. */
	void (*service_changed)(void *context, bool available);
};

/* Starts the thread, which waits for pcscd as long as it takes. NULL with ERROR_FAILED. */
struct reader_watch *reader_watch_start(
	const struct reader_events *events, void *context, struct error *error);
/* Ends the thread and frees. */
void reader_watch_stop(struct reader_watch *watch);

#endif
