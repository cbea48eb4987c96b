/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pcsc/reader-watch.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include <winscard.h>

#include "common/alloc.h"

#define PNP_READER "\\\\?PnP?\\Notification" /* reports readers that come and go */

/* How often pcscd is looked for while it is not there. */
#define SERVICE_RETRY_MS 250
/* How often a wait is cancelled again at the end: SCardCancel does not reach one that has not
 * begun. */
#define CANCEL_RETRY_MS 10

#define EVENT_COUNT(state) ((state) >> 16)

struct watched_reader {
	char *name;
	DWORD state;	   /* as pcscd last told, with its count of events in the upper half */
	bool card_present; /* as our listener was last told */
};

struct reader_watch {
	struct reader_events events;
	void *context;
	pthread_t thread;

	/* Guards what follows; no event is called under it. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	SCARDCONTEXT pcsc; /* valid while connected */
	bool connected;
	bool stopping;
	bool ended;

	/* of the thread alone: */
	struct watched_reader *readers;
	size_t reader_count;
	DWORD pnp_state;
};

static struct timespec after_ms(long ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += ms * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	return until;
}

static bool is_stopping(struct reader_watch *watch)
{
	pthread_mutex_lock(&watch->lock);
	bool stopping = watch->stopping;
	pthread_mutex_unlock(&watch->lock);
	return stopping;
}

/* Waits before the next try; ends early when the watch is stopped. */
static void pause_thread(struct reader_watch *watch)
{
	struct timespec until = after_ms(SERVICE_RETRY_MS);

	pthread_mutex_lock(&watch->lock);
	while (!watch->stopping &&
		pthread_cond_timedwait(&watch->changed, &watch->lock, &until) == 0)
		;
	pthread_mutex_unlock(&watch->lock);
}

static void tell_removed(struct reader_watch *watch, struct watched_reader *reader)
{
	if (!reader->card_present)
		return;
	reader->card_present = false;
	watch->events.card_removed(watch->context, reader->name);
}

static void tell_inserted(
	struct reader_watch *watch, struct watched_reader *reader, const SCARD_READERSTATE *seen)
{
	size_t length = seen->cbAtr < sizeof(seen->rgbAtr) ? seen->cbAtr : sizeof(seen->rgbAtr);

	reader->card_present = true;
	watch->events.card_inserted(watch->context, reader->name, seen->rgbAtr, length);
}

static void drop_reader(struct reader_watch *watch, size_t index)
{
	struct watched_reader reader = watch->readers[index];

	watch->reader_count--;
	memmove(&watch->readers[index], &watch->readers[index + 1],
		(watch->reader_count - index) * sizeof(*watch->readers));
	tell_removed(watch, &reader);
	watch->events.reader_removed(watch->context, reader.name);
	free(reader.name);
}

static void drop_all_readers(struct reader_watch *watch)
{
	while (watch->reader_count)
		drop_reader(watch, watch->reader_count - 1);
	free(watch->readers);
	watch->readers = NULL;
}

static void add_reader(struct reader_watch *watch, const char *name)
{
	watch->readers =
		xreallocarray(watch->readers, watch->reader_count + 1, sizeof(*watch->readers));
	watch->readers[watch->reader_count++] =
		(struct watched_reader){.name = xstrdup(name), .state = SCARD_STATE_UNAWARE};
	watch->events.reader_added(watch->context, name);
}

static bool is_watched(const struct reader_watch *watch, const char *name)
{
	for (size_t i = 0; i < watch->reader_count; i++) {
		if (strcmp(watch->readers[i].name, name) == 0)
			return true;
	}
	return false;
}

/* names: NUL-terminated strings, one after the other, ended by an empty one. */
static bool is_listed(const char *names, const char *name)
{
	for (; *names; names += strlen(names) + 1) {
		if (strcmp(names, name) == 0)
			return true;
	}
	return false;
}

/* Heap list of readers' names as in is_listed(); NULL when pcscd went. */
static char *list_readers(SCARDCONTEXT pcsc)
{
	for (;;) {
		DWORD length = 0;
		LONG status = SCardListReaders(pcsc, NULL, NULL, &length);
		if (status == SCARD_E_NO_READERS_AVAILABLE)
			return xcalloc(1, 1);
		if (status != SCARD_S_SUCCESS)
			return NULL;
		_cleanup_free_ char *names = xcalloc(length + 2, 1);
		status = SCardListReaders(pcsc, NULL, names, &length);
		if (status == SCARD_S_SUCCESS)
			return steal_pointer(&names);
		if (status != SCARD_E_INSUFFICIENT_BUFFER && status != SCARD_E_NO_READERS_AVAILABLE)
			return NULL;
	}
}

static bool update_readers(struct reader_watch *watch)
{
	_cleanup_free_ char *names = list_readers(watch->pcsc);

	if (!names)
		return false;
	for (size_t i = watch->reader_count; i-- > 0;) {
		if (!is_listed(names, watch->readers[i].name))
			drop_reader(watch, i);
	}
	for (const char *name = names; *name; name += strlen(name) + 1) {
		if (!is_watched(watch, name))
			add_reader(watch, name);
	}
	/* pcscd's count of readers: one that comes from here on is a change (pcsc-lite). */
	watch->pnp_state = (DWORD)watch->reader_count << 16;
	return true;
}

/* What pcscd saw, told to the listener. A card that was changed between two looks went and came. */
static void update_card(
	struct reader_watch *watch, struct watched_reader *reader, const SCARD_READERSTATE *seen)
{
	bool present = seen->dwEventState & SCARD_STATE_PRESENT;
	bool exchanged = reader->card_present && present &&
			 EVENT_COUNT(seen->dwEventState) != EVENT_COUNT(reader->state);

	reader->state = seen->dwEventState & ~(DWORD)SCARD_STATE_CHANGED;
	if (!present || exchanged)
		tell_removed(watch, reader);
	if (present && !reader->card_present)
		tell_inserted(watch, reader, seen);
}

/* Waits for the next change. False when pcscd went or the watch is stopped. */
static bool wait_for_change(struct reader_watch *watch)
{
	size_t count = watch->reader_count;
	_cleanup_free_ SCARD_READERSTATE *states = xcalloc(count + 1, sizeof(*states));

	for (size_t i = 0; i < count; i++) {
		states[i].szReader = watch->readers[i].name;
		states[i].dwCurrentState = watch->readers[i].state;
	}
	states[count].szReader = PNP_READER;
	states[count].dwCurrentState = watch->pnp_state;
	LONG status = SCardGetStatusChange(watch->pcsc, INFINITE, states, count + 1);
	/* A reader that went while we looked is seen in the list. */
	if (status == SCARD_E_UNKNOWN_READER || status == SCARD_E_READER_UNAVAILABLE)
		return true;
	if (status == SCARD_E_CANCELLED)
		return !is_stopping(watch);
	if (status != SCARD_S_SUCCESS)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!(states[i].dwEventState & (SCARD_STATE_UNKNOWN | SCARD_STATE_UNAVAILABLE)))
			update_card(watch, &watch->readers[i], &states[i]);
	}
	return true;
}

static bool connect_service(struct reader_watch *watch)
{
	SCARDCONTEXT pcsc;

	if (SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &pcsc) != SCARD_S_SUCCESS)
		return false;
	pthread_mutex_lock(&watch->lock);
	watch->pcsc = pcsc;
	watch->connected = true;
	pthread_mutex_unlock(&watch->lock);
	return true;
}

static void disconnect_service(struct reader_watch *watch)
{
	pthread_mutex_lock(&watch->lock);
	watch->connected = false;
	pthread_mutex_unlock(&watch->lock);
	SCardReleaseContext(watch->pcsc);
}

static void watch_readers(struct reader_watch *watch)
{
	while (!is_stopping(watch) && update_readers(watch) && wait_for_change(watch))
		;
	drop_all_readers(watch);
}

static void *run(void *argument)
{
	struct reader_watch *watch = argument;
	bool told_absent = false;

	while (!is_stopping(watch)) {
		if (connect_service(watch)) {
			watch->events.service_changed(watch->context, true);
			watch_readers(watch);
			disconnect_service(watch);
			told_absent = false;
		}
		if (is_stopping(watch))
			break;
		if (!told_absent) {
			watch->events.service_changed(watch->context, false);
			told_absent = true;
		}
		pause_thread(watch);
	}
	pthread_mutex_lock(&watch->lock);
	watch->ended = true;
	pthread_cond_broadcast(&watch->changed);
	pthread_mutex_unlock(&watch->lock);
	return NULL;
}

static struct reader_watch *watch_new(const struct reader_events *events, void *context)
{
	struct reader_watch *watch = xnew(struct reader_watch);
	pthread_condattr_t monotonic;

	watch->events = *events;
	watch->context = context;
	pthread_mutex_init(&watch->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&watch->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return watch;
}

static void watch_free(struct reader_watch *watch)
{
	pthread_cond_destroy(&watch->changed);
	pthread_mutex_destroy(&watch->lock);
	free(watch);
}

struct reader_watch *reader_watch_start(
	const struct reader_events *events, void *context, struct error *error)
{
	struct reader_watch *watch = watch_new(events, context);

	if (pthread_create(&watch->thread, NULL, run, watch) != 0) {
		watch_free(watch);
		error_set(error, ERROR_FAILED, "cannot start a thread to watch the readers");
		return NULL;
	}
	return watch;
}

void reader_watch_stop(struct reader_watch *watch)
{
	if (!watch)
		return;
	pthread_mutex_lock(&watch->lock);
	watch->stopping = true;
	pthread_cond_broadcast(&watch->changed);
	while (!watch->ended) {
		struct timespec until = after_ms(CANCEL_RETRY_MS);
		if (watch->connected)
			SCardCancel(watch->pcsc);
		pthread_cond_timedwait(&watch->changed, &watch->lock, &until);
	}
	pthread_mutex_unlock(&watch->lock);
	pthread_join(watch->thread, NULL);
	watch_free(watch);
}
