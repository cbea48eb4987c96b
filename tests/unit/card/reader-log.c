/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Prints what the reader watch sees, a line per event, until SIGTERM. With an argument, each card
 * that comes is connected too, its model and serial number are printed, and it stays open: with
 * "hold", it is taken every 50 ms until it goes.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "card/card.h"
#include "pcsc/reader-watch.h"
#include "common/alloc.h"
#include "lib/types-fixture.h"

#define TIMEOUT_MS	 5000
#define TAKE_INTERVAL_US 50000

static bool wants_card, wants_hold;
static atomic_bool ending;
static atomic_uint holders; /* threads that hold a card */

static void reader_added(void *context, const char *name)
{
	(void)context;
	printf("reader-added %s\n", name);
}

static void reader_removed(void *context, const char *name)
{
	(void)context;
	printf("reader-removed %s\n", name);
}

static void *hold_card(void *argument)
{
	struct card *card _cleanup_card_ = argument;
	struct error error _cleanup_error_ = ERROR_INIT;

	while (!ending) {
		unsigned epoch = card->epoch;
		if (!card_begin(card, TIMEOUT_MS, &error))
			break;
		struct card_secret_state told;
		bool works = card->driver->secret_state(card, CARD_SECRET_PIN, &told, &error);
		if (card->epoch != epoch)
			printf("card-reset\n");
		card_end(card);
		if (!works)
			break;
		usleep(TAKE_INTERVAL_US);
	}
	if (error.code != ERROR_NONE)
		printf("card-lost %s\n", error_name(error.code));
	card_unref(steal_pointer(&card));
	atomic_fetch_sub(&holders, 1);
	return NULL;
}

static void show_card(const char *name)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct transport *transport = transport_pcsc_open(name, &error);
	struct card *card _cleanup_card_ =
		transport ? card_connect(transport, types_fixture(), NULL, NULL, &error) : NULL;
	pthread_t thread;

	if (!card) {
		printf("card-unusable %s: %s\n", error_name(error.code), error_message(&error));
		return;
	}
	printf("card %s serial=%s\n", card->info.model,
		card->info.serial ? card->info.serial : "none");
	if (!wants_hold)
		return;
	atomic_fetch_add(&holders, 1);
	if (pthread_create(&thread, NULL, hold_card, card_ref(card)) != 0)
		exit(1);
	pthread_detach(thread);
}

static void card_inserted(void *context, const char *name, const uint8_t *atr, size_t length)
{
	_cleanup_free_ char *hex = hex_encode(atr, length);

	(void)context;
	printf("card-inserted %s atr=%s\n", name, hex);
	if (wants_card)
		show_card(name);
}

static void card_removed(void *context, const char *name)
{
	(void)context;
	printf("card-removed %s\n", name);
}

static void service_changed(void *context, bool available)
{
	(void)context;
	printf("service %s\n", available ? "available" : "absent");
}

int main(int argc, char **argv)
{
	static const struct reader_events events = {
		.reader_added = reader_added,
		.reader_removed = reader_removed,
		.card_inserted = card_inserted,
		.card_removed = card_removed,
		.service_changed = service_changed,
	};
	sigset_t signals;
	int number;

	wants_card = argc > 1;
	wants_hold = argc > 1 && strcmp(argv[1], "hold") == 0;
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL); /* for the threads, too */
	struct reader_watch *watch = reader_watch_start(&events, NULL, NULL);
	if (!watch)
		return 1;
	sigwait(&signals, &number);
	reader_watch_stop(watch);
	ending = true;
	while (holders)
		usleep(TAKE_INTERVAL_US);
	printf("stopped\n");
	return 0;
}
