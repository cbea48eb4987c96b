/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which streams there are, how many there may be, and how they end. */
#include <openssl/crypto.h>

#include "common/alloc.h"
#include "token/frame.h"
#include "token/hsm-stream.h"

#define STREAMS_MAX	     256 /* of an HSM */
#define STREAMS_OF_OWNER_MAX 64
#define HELD_MAX	     ((size_t)256 * 1024 * 1024) /* bytes, of all of an HSM */
#define HELD_OF_OWNER_MAX    ((size_t)64 * 1024 * 1024)
#define IDLE_MS		     600000
#define LOOK_MS		     30000 /* how often is looked for idle ones */

struct hsm_streams {
	struct hsm *hsm;
	pthread_mutex_t lock; /* guards all below; nothing slow happens under it */
	pthread_cond_t ending;
	struct stream *first;
	size_t count;
	bool is_ending, has_thread;
	pthread_t thread; /* looks for idle ones; hsm_streams_free() ends it */
};

/* --- one stream's memory and session --- */

void stream_close_session(struct hsm *hsm, struct stream *stream)
{
	if (stream->session == CK_INVALID_HANDLE)
		return;
	module_enter_alone(&hsm->module);
	hsm->module.functions->C_CloseSession(stream->session);
	module_leave(&hsm->module);
	stream->session = CK_INVALID_HANDLE;
}

void stream_free(struct hsm *hsm, struct stream *stream)
{
	stream_close_session(hsm, stream);
	buffer_clear(&stream->parameter);
	buffer_clear(&stream->collected);
	buffer_clear(&stream->output);
	buffer_clear(&stream->room);
	secret_clear(&stream->pin);
	free(stream);
}

static void free_list(struct hsm *hsm, struct stream *first)
{
	while (first) {
		struct stream *next = first->next;
		stream_free(hsm, first);
		first = next;
	}
}

static size_t held_by(const struct stream *stream)
{
	return stream->collected.length + stream->in_token + stream->output.length - stream->taken;
}

/* --- the list --- */

/* Takes those off the list that are to end, and answers them; busy ones end later. */
static struct stream *take_off(struct hsm_streams *streams,
	bool (*is_to_end)(const struct stream *stream, const void *context), const void *context)
{
	struct stream **place = &streams->first, *taken = NULL;

	pthread_mutex_lock(&streams->lock);
	while (*place) {
		struct stream *each = *place;
		bool ends = is_to_end(each, context);
		each->is_unwanted |= ends;
		if (!ends || each->is_busy) {
			place = &each->next;
			continue;
		}
		*place = each->next;
		each->next = taken;
		taken = each;
		streams->count--;
	}
	pthread_mutex_unlock(&streams->lock);
	return taken;
}

struct choice {
	const struct hsm_owner *owner; /* NULL: any */
	bool only_private;
	uint32_t number;   /* 0: any */
	int64_t before_ms; /* not used since then */
};

static bool is_chosen(const struct stream *stream, const void *context)
{
	const struct choice *choice = context;

	return (!choice->owner || stream->owner == choice->owner) &&
	       (!choice->only_private || stream->is_private) &&
	       (!choice->number || stream->number == choice->number) &&
	       (!choice->before_ms || (!stream->is_busy && stream->used_ms <= choice->before_ms));
}

static void end_chosen(struct hsm *hsm, const struct choice *choice)
{
	free_list(hsm, take_off(hsm->streams, is_chosen, choice));
}

void streams_cancel(struct hsm *hsm, const struct hsm_owner *owner, uint32_t number)
{
	const struct choice choice = {.owner = owner, .number = number};

	end_chosen(hsm, &choice);
}

void hsm_streams_end(struct hsm *hsm, const struct hsm_owner *owner, bool only_private)
{
	const struct choice choice = {.owner = owner, .only_private = only_private};

	end_chosen(hsm, &choice);
}

void hsm_streams_end_idle(struct hsm *hsm, int64_t idle_ms)
{
	const struct choice choice = {.before_ms = frame_now_ms() - idle_ms};

	end_chosen(hsm, &choice);
}

size_t hsm_streams_count(struct hsm *hsm)
{
	pthread_mutex_lock(&hsm->streams->lock);
	size_t count = hsm->streams->count;
	pthread_mutex_unlock(&hsm->streams->lock);
	return count;
}

/* --- the thread that ends idle ones --- */

/* False when it is over. */
static bool sleep_until_look(struct hsm_streams *streams)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LOOK_MS / 1000;
	pthread_mutex_lock(&streams->lock);
	while (!streams->is_ending &&
		pthread_cond_timedwait(&streams->ending, &streams->lock, &until) == 0)
		;
	bool goes_on = !streams->is_ending;
	pthread_mutex_unlock(&streams->lock);
	return goes_on;
}

static void *run(void *argument)
{
	struct hsm_streams *streams = argument;

	while (sleep_until_look(streams))
		hsm_streams_end_idle(streams->hsm, IDLE_MS);
	OPENSSL_thread_stop();
	return NULL;
}

/* Under the lock, when the first stream comes. */
static void start_thread(struct hsm_streams *streams)
{
	if (!streams->has_thread)
		streams->has_thread = pthread_create(&streams->thread, NULL, run, streams) == 0;
}

struct hsm_streams *hsm_streams_new(struct hsm *hsm)
{
	struct hsm_streams *streams = xnew(struct hsm_streams);
	pthread_condattr_t attributes;

	streams->hsm = hsm;
	pthread_mutex_init(&streams->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&streams->ending, &attributes);
	pthread_condattr_destroy(&attributes);
	return streams;
}

void hsm_streams_free(struct hsm_streams *streams)
{
	if (!streams)
		return;
	pthread_mutex_lock(&streams->lock);
	streams->is_ending = true;
	pthread_cond_signal(&streams->ending);
	pthread_mutex_unlock(&streams->lock);
	if (streams->has_thread)
		pthread_join(streams->thread, NULL);
	free_list(streams->hsm, streams->first);
	pthread_cond_destroy(&streams->ending);
	pthread_mutex_destroy(&streams->lock);
	free(streams);
}

/* --- a call's stream --- */

static bool too_many(const char *what, struct error *error)
{
	return error_set_refused(error, CKR_DEVICE_MEMORY,
		"%s: end some of what is under way, or try again later", what);
}

/* Under the lock: whether the owner and the HSM may hold that much more. */
static bool has_memory(const struct hsm_streams *streams, const struct hsm_owner *owner,
	size_t more, struct error *error)
{
	size_t all = more, own = more;

	if (more == 0)
		return true;
	for (const struct stream *each = streams->first; each; each = each->next) {
		all += each->held;
		own += each->owner == owner ? each->held : 0;
	}
	return (all <= HELD_MAX && own <= HELD_OF_OWNER_MAX) ||
	       too_many("too much data is held for programs", error);
}

static bool has_place(
	const struct hsm_streams *streams, const struct stream *fresh, struct error *error)
{
	size_t own = 0;

	for (const struct stream *each = streams->first; each; each = each->next) {
		if (each->owner == fresh->owner && each->number == fresh->number)
			return error_set(error, ERROR_EXISTS, "there is such an operation already");
		own += each->owner == fresh->owner;
	}
	return (streams->count < STREAMS_MAX && own < STREAMS_OF_OWNER_MAX) ||
	       too_many("too many operations in parts are under way", error);
}

bool streams_add(struct hsm_streams *streams, struct stream *stream, struct error *error)
{
	pthread_mutex_lock(&streams->lock);
	bool added = has_place(streams, stream, error);
	if (added) {
		stream->is_busy = true;
		stream->next = streams->first;
		streams->first = stream;
		streams->count++;
		start_thread(streams);
	}
	pthread_mutex_unlock(&streams->lock);
	return added;
}

static struct stream *find(const struct hsm_work *work)
{
	struct stream *stream = work->hsm->streams->first;

	while (stream && (stream->owner != work->owner || stream->number != work->request->stream))
		stream = stream->next;
	return stream && !stream->is_unwanted ? stream : NULL;
}

/* Under the lock. */
static bool may_go_on(const struct hsm_work *work, const struct stream *stream, struct error *error)
{
	if (!stream)
		return error_set_refused(error, CKR_OPERATION_NOT_INITIALIZED,
			"there is no such operation, or not any more");
	if (stream->is_busy)
		return error_set(error, ERROR_BUSY, "the operation is under way in another call");
	size_t more = stream_is_text(stream) || stream->collects ? work->request->input.length : 0;
	if (stream->held + more > HSM_STREAM_HELD_MAX)
		return error_set(error, ERROR_DATA_LENGTH,
			"the token does this in one piece, of at most %zu bytes",
			HSM_STREAM_HELD_MAX);
	return has_memory(work->hsm->streams, work->owner, more, error);
}

static bool is_over(const struct stream *stream, const void *context)
{
	(void)context;
	return stream->is_unwanted && !stream->is_busy;
}

static void end_unwanted(struct hsm *hsm)
{
	free_list(hsm, take_off(hsm->streams, is_over, NULL));
}

struct stream *streams_enter(const struct hsm_work *work, struct error *error)
{
	pthread_mutex_lock(&work->hsm->streams->lock);
	struct stream *stream = find(work);
	bool may = may_go_on(work, stream, error);
	if (may)
		stream->is_busy = true;
	else if (stream && !stream->is_busy)
		stream->is_unwanted = true;
	pthread_mutex_unlock(&work->hsm->streams->lock);
	if (!may)
		end_unwanted(work->hsm);
	return may ? stream : NULL;
}

void streams_leave(struct hsm *hsm, struct stream *stream, bool has_ended)
{
	pthread_mutex_lock(&hsm->streams->lock);
	stream->is_busy = false;
	stream->is_unwanted |= has_ended;
	stream->held = held_by(stream);
	stream->used_ms = frame_now_ms();
	pthread_mutex_unlock(&hsm->streams->lock);
	end_unwanted(hsm);
}
