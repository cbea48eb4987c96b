/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card/transport-remote.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"

#define ANSWER_MS	      30000
#define GENERATION_FACTOR     6 /* a key pair takes longer */
#define HOLD_MS		      (30 * 60 * 1000)
#define INS_GENERATE_KEY_PAIR 0x47 /* ISO/IEC 7816-8, 11.2 */
#define INS_OFFSET	      1

/* The answer that a thread waits for. */
struct pending {
	uint32_t serial;
	bool is_awaited; /* nothing has come yet */
	bool was_reset;
	struct buffer response; /* wiped */
	struct error error;
};

struct remote_reader {
	const struct remote_reader_ops *ops;
	void *context;
	/* Guards all below; only ops are called under it. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned references;
	unsigned patience_ms;
	bool is_open; /* ops may be called */
	bool card_present;
	unsigned insertion; /* counts cards: who knows another one has no card any more */
	unsigned resets;    /* of this card, as the agent told */
	bool is_held;	    /* by one transport, from begin to end */
	struct pending pending;
	uint8_t atr[TRANSPORT_ATR_MAXIMUM];
	size_t atr_length;
	size_t maximum_data;
	bool is_t0;
};

struct transport_remote {
	struct transport transport;
	struct remote_reader *reader;
	unsigned insertion;
	unsigned resets;    /* that this transport knows of */
	bool used;	    /* begun before: the first time counts as after a reset */
	bool is_told;	    /* the agent has been told to take the card ... */
	bool is_taken;	    /* ... and has done so */
	bool expects_reset; /* whoever begins has been told that the state is lost */
	struct timespec held_until;
};

/* --- the reader --- */

struct remote_reader *remote_reader_new(const struct remote_reader_ops *ops, void *context)
{
	struct remote_reader *reader = xnew(struct remote_reader);
	pthread_condattr_t monotonic;

	reader->ops = ops;
	reader->context = context;
	reader->references = 1;
	reader->is_open = true;
	reader->patience_ms = ANSWER_MS;
	reader->pending.response.wipe = true;
	pthread_mutex_init(&reader->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&reader->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return reader;
}

struct remote_reader *remote_reader_ref(struct remote_reader *reader)
{
	pthread_mutex_lock(&reader->lock);
	reader->references++;
	pthread_mutex_unlock(&reader->lock);
	return reader;
}

void remote_reader_unref(struct remote_reader *reader)
{
	if (!reader)
		return;
	pthread_mutex_lock(&reader->lock);
	bool was_last = --reader->references == 0;
	pthread_mutex_unlock(&reader->lock);
	if (!was_last)
		return;
	buffer_clear(&reader->pending.response);
	error_clear(&reader->pending.error);
	pthread_cond_destroy(&reader->changed);
	pthread_mutex_destroy(&reader->lock);
	free(reader);
}

void remote_reader_set_patience(struct remote_reader *reader, unsigned milliseconds)
{
	reader->patience_ms = milliseconds;
}

/* Whoever waits for the card that was there finds that it has gone. Under the lock. */
static void forget_card(struct remote_reader *reader)
{
	reader->card_present = false;
	reader->insertion++;
	reader->resets = 0;
	pthread_cond_broadcast(&reader->changed);
}

bool remote_reader_insert(
	struct remote_reader *reader, const struct remote_card *card, struct error *error)
{
	if (card->atr_length == 0 || card->atr_length > sizeof(reader->atr))
		return error_set_field(error, ERROR_INVALID_ARGUMENT, "atr",
			"an answer to reset has 1 to %zu bytes", sizeof(reader->atr));
	pthread_mutex_lock(&reader->lock);
	forget_card(reader);
	reader->card_present = reader->is_open;
	memcpy(reader->atr, card->atr, card->atr_length);
	reader->atr_length = card->atr_length;
	reader->maximum_data =
		card->maximum_data < UINT16_MAX ? card->maximum_data : (size_t)UINT16_MAX;
	reader->is_t0 = card->is_t0;
	pthread_mutex_unlock(&reader->lock);
	return true;
}

void remote_reader_remove(struct remote_reader *reader)
{
	pthread_mutex_lock(&reader->lock);
	forget_card(reader);
	pthread_mutex_unlock(&reader->lock);
}

void remote_reader_close(struct remote_reader *reader)
{
	pthread_mutex_lock(&reader->lock);
	forget_card(reader);
	reader->is_open = false;
	pthread_mutex_unlock(&reader->lock);
}

/* --- answers, which come on other threads --- */

/* Whether somebody waits for it. Under the lock. */
static bool is_expected(const struct remote_reader *reader, uint32_t serial)
{
	return reader->pending.is_awaited && reader->pending.serial == serial;
}

void remote_reader_answer(struct remote_reader *reader, uint32_t serial, bool was_reset,
	const uint8_t *response, size_t length)
{
	pthread_mutex_lock(&reader->lock);
	if (is_expected(reader, serial)) {
		struct pending *pending = &reader->pending;
		pending->is_awaited = false;
		pending->was_reset = was_reset;
		if (was_reset)
			reader->resets++;
		else if (length > REMOTE_RESPONSE_MAXIMUM)
			error_set(&pending->error, ERROR_CARD_FAILED, "the answer is too long");
		else
			buffer_append(&pending->response, response, length);
		pthread_cond_broadcast(&reader->changed);
	}
	pthread_mutex_unlock(&reader->lock);
}

void remote_reader_fail(struct remote_reader *reader, uint32_t serial, const struct error *error)
{
	pthread_mutex_lock(&reader->lock);
	if (is_expected(reader, serial)) {
		reader->pending.is_awaited = false;
		error_set(&reader->pending.error, error->code, "%s", error_message(error));
		pthread_cond_broadcast(&reader->changed);
	}
	pthread_mutex_unlock(&reader->lock);
}

/* --- the transport --- */

/* Under the lock, as all that follows up to the vtable. */
static bool is_there(const struct transport_remote *remote)
{
	return remote->reader->card_present && remote->reader->insertion == remote->insertion;
}

static bool set_gone(struct error *error)
{
	return error_set(error, ERROR_NO_CARD, "the card was removed");
}

static struct timespec after_ms(unsigned milliseconds)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += milliseconds / 1000;
	until.tv_nsec += milliseconds % 1000 * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	return until;
}

static bool is_earlier(const struct timespec *one, const struct timespec *other)
{
	return one->tv_sec != other->tv_sec ? one->tv_sec < other->tv_sec
					    : one->tv_nsec < other->tv_nsec;
}

static struct timespec answer_deadline(
	const struct transport_remote *remote, const struct remote_command *command)
{
	bool generates =
		command->length > INS_OFFSET && command->bytes[INS_OFFSET] == INS_GENERATE_KEY_PAIR;
	struct timespec until =
		after_ms(remote->reader->patience_ms * (generates ? GENERATION_FACTOR : 1));

	return is_earlier(&remote->held_until, &until) ? remote->held_until : until;
}

static bool send_command(
	struct transport_remote *remote, const struct remote_command *command, struct error *error)
{
	struct remote_reader *reader = remote->reader;
	struct pending *pending = &reader->pending;

	buffer_truncate(&pending->response, 0);
	error_clear(&pending->error);
	pending->was_reset = false;
	pending->is_awaited =
		is_there(remote) && reader->ops->send(reader->context, command, &pending->serial);
	remote->is_told |= pending->is_awaited;
	return pending->is_awaited || set_gone(error);
}

/* A card whose agent is silent is a card that was pulled. */
static void give_up(struct remote_reader *reader)
{
	forget_card(reader);
	if (reader->is_open)
		reader->ops->lost(reader->context);
}

static bool await_answer(
	struct transport_remote *remote, const struct remote_command *command, struct error *error)
{
	struct remote_reader *reader = remote->reader;
	const struct timespec until = answer_deadline(remote, command);
	int status = 0;

	while (reader->pending.is_awaited && is_there(remote) && status == 0)
		status = pthread_cond_clockwait(
			&reader->changed, &reader->lock, CLOCK_MONOTONIC, &until);
	if (!reader->pending.is_awaited)
		return true;
	reader->pending.is_awaited = false;
	if (!is_there(remote))
		return set_gone(error);
	give_up(reader);
	return error_set(
		error, ERROR_NO_CARD, "the agent that has the card did not answer in time");
}

/* The card is as after a reset: whoever uses it makes it as it was, and asks again. */
static bool note_reset(struct transport_remote *remote, struct error *error)
{
	remote->resets = remote->reader->resets;
	remote->is_taken = true;
	remote->expects_reset = true;
	remote->transport.was_reset = true;
	return error_set(error, ERROR_CARD_FAILED, "the card was reset");
}

static bool take_answer(
	struct transport_remote *remote, struct buffer *response, struct error *error)
{
	struct pending *pending = &remote->reader->pending;

	if (pending->was_reset)
		return note_reset(remote, error);
	if (pending->error.code != ERROR_NONE) {
		remote->used = false; /* whatever was reset or lost: the next begin has to look */
		return error_move(error, &pending->error);
	}
	remote->is_taken = true;
	buffer_append(response, pending->response.data, pending->response.length);
	explicit_bzero(pending->response.data, pending->response.length);
	buffer_truncate(&pending->response, 0);
	return true;
}

static bool remote_begin(struct transport *transport, bool *was_reset, struct error *error)
{
	struct transport_remote *remote = (struct transport_remote *)transport;
	struct remote_reader *reader = remote->reader;

	pthread_mutex_lock(&reader->lock);
	while (reader->is_held && is_there(remote))
		pthread_cond_wait(&reader->changed, &reader->lock);
	bool there = is_there(remote);
	if (there) {
		reader->is_held = true;
		remote->held_until = after_ms(HOLD_MS);
		remote->is_told = remote->is_taken = false;
		remote->expects_reset = !remote->used || remote->resets != reader->resets;
		remote->resets = reader->resets;
		remote->used = true;
		*was_reset |= remote->expects_reset;
	}
	pthread_mutex_unlock(&reader->lock);
	return there || set_gone(error);
}

static bool remote_transmit(struct transport *transport, const uint8_t *command, size_t length,
	struct buffer *response, struct error *error)
{
	struct transport_remote *remote = (struct transport_remote *)transport;
	const struct remote_command message = {.begins = !remote->is_taken,
		.expects_reset = remote->expects_reset,
		.bytes = command,
		.length = length};

	buffer_truncate(response, 0);
	pthread_mutex_lock(&remote->reader->lock);
	bool done = send_command(remote, &message, error) &&
		    await_answer(remote, &message, error) && take_answer(remote, response, error);
	pthread_mutex_unlock(&remote->reader->lock);
	return done;
}

/* Whoever began ends, also when the card has gone and another one waits for its turn. */
static void remote_end(struct transport *transport)
{
	struct transport_remote *remote = (struct transport_remote *)transport;
	struct remote_reader *reader = remote->reader;

	pthread_mutex_lock(&reader->lock);
	if (remote->is_told && is_there(remote) && reader->is_open)
		reader->ops->end(reader->context);
	reader->is_held = false;
	pthread_cond_broadcast(&reader->changed);
	pthread_mutex_unlock(&reader->lock);
}

static void remote_free(struct transport *transport)
{
	remote_reader_unref(((struct transport_remote *)transport)->reader);
	free(transport);
}

static const struct transport_ops remote_ops = {
	.begin = remote_begin,
	.end = remote_end,
	.transmit = remote_transmit,
	.free = remote_free,
};

struct transport *transport_remote_open(struct remote_reader *reader, struct error *error)
{
	struct transport_remote *remote = xnew(struct transport_remote);

	remote->transport.ops = &remote_ops;
	remote->transport.is_remote = true;
	remote->reader = remote_reader_ref(reader);
	pthread_mutex_lock(&reader->lock);
	bool there = reader->card_present;
	remote->insertion = reader->insertion;
	remote->resets = reader->resets;
	memcpy(remote->transport.atr, reader->atr, sizeof(reader->atr));
	remote->transport.atr_length = reader->atr_length;
	remote->transport.maximum_data = reader->maximum_data;
	remote->transport.is_t0 = reader->is_t0;
	pthread_mutex_unlock(&reader->lock);
	if (there)
		return &remote->transport;
	remote_free(&remote->transport);
	error_set(error, ERROR_NO_CARD, "there is no card in the reader");
	return NULL;
}
