/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11/remote-channel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "pkcs11/module.h"
#include "pkcs11/remote-connection.h"

#define QUESTION_OVERHEAD 64
#define OPEN_TIMEOUT_MS	  10000
#define REFUSED_MS	  10000 /* for so long no channel is asked for again */
#define SLEEP_MS	  1000

void remote_channels_init(struct remote_channels *channels)
{
	*channels = (struct remote_channels){0};
	pthread_mutex_init(&channels->lock, NULL);
	pthread_cond_init(&channels->idle, NULL);
	for (size_t i = 0; i < REMOTE_CHANNELS; i++)
		channels->items[i].descriptor = -1;
}

static void set_descriptor(struct remote_channel *channel, int descriptor)
{
	remote_bus_lock();
	if (channel->descriptor >= 0)
		close(channel->descriptor);
	channel->descriptor = descriptor;
	remote_bus_unlock();
	channel->looks = (struct channel_looks){0};
}

void remote_channels_clear(struct remote_channels *channels)
{
	for (size_t i = 0; i < REMOTE_CHANNELS; i++)
		set_descriptor(&channels->items[i], -1);
	pthread_cond_destroy(&channels->idle);
	pthread_mutex_destroy(&channels->lock);
}

void remote_channels_wake(struct remote_channels *channels)
{
	pthread_mutex_lock(&channels->lock);
	pthread_cond_broadcast(&channels->idle);
	pthread_mutex_unlock(&channels->lock);
}

void remote_channels_forget(struct remote_channels *channels)
{
	for (size_t i = 0; i < REMOTE_CHANNELS; i++) {
		if (channels->items[i].descriptor >= 0)
			close(channels->items[i].descriptor);
	}
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- which channel; all under the channels' lock --- */

/* Those of an earlier connection are of no use. */
static void follow_connection(struct remote_channels *channels, uint64_t connection)
{
	if (channels->connection == connection)
		return;
	for (size_t i = 0; i < REMOTE_CHANNELS; i++) {
		if (!channels->items[i].is_busy)
			set_descriptor(&channels->items[i], -1);
	}
	channels->connection = connection;
	channels->uses = 0;
	channels->refused_until = 0;
}

static struct remote_channel *find_idle(struct remote_channels *channels, bool is_open)
{
	for (size_t i = 0; i < REMOTE_CHANNELS; i++) {
		struct remote_channel *channel = &channels->items[i];
		if (!channel->is_busy && (channel->descriptor >= 0) == is_open)
			return channel;
	}
	return NULL;
}

static bool has_open(const struct remote_channels *channels)
{
	for (size_t i = 0; i < REMOTE_CHANNELS; i++) {
		if (channels->items[i].descriptor >= 0)
			return true;
	}
	return false;
}

/* One round trip over the connection, which this thread has to itself; -1 when there is none. */
static int ask_for_channel(struct remote *remote, uint64_t connection)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_message_ DBusMessage *message =
		remote_message_new("OpenChannel", DBUS_TYPE_INVALID);
	_cleanup_message_ DBusMessage *reply =
		remote_call_locked(remote, message, OPEN_TIMEOUT_MS, "h", &error);
	int descriptor = -1;

	if (!reply || remote_number(remote) != connection)
		return -1;
	remote_bus_lock();
	if (!dbus_message_get_args(reply, NULL, DBUS_TYPE_UNIX_FD, &descriptor, DBUS_TYPE_INVALID))
		descriptor = -1;
	remote_bus_unlock();
	return descriptor;
}

/* Gives the lock up meanwhile. NULL when there is none to be had now. */
static struct remote_channel *open_one(struct remote *remote, struct remote_channel *channel)
{
	struct remote_channels *channels = remote_channels(remote);
	uint64_t connection = channels->connection;

	channel->is_busy = true;
	pthread_mutex_unlock(&channels->lock);
	int descriptor = ask_for_channel(remote, connection);
	remote_end(remote);
	pthread_mutex_lock(&channels->lock);
	if (descriptor >= 0 && channels->connection == connection) {
		set_descriptor(channel, descriptor);
		return channel;
	}
	if (descriptor >= 0)
		close(descriptor);
	else
		channels->refused_until = now_ms() + REFUSED_MS;
	channel->is_busy = false;
	pthread_cond_signal(&channels->idle);
	return NULL;
}

/* NULL: the connection itself is to be used. */
static struct remote_channel *choose(struct remote *remote, uint64_t connection)
{
	struct remote_channels *channels = remote_channels(remote);

	follow_connection(channels, connection);
	for (;;) {
		struct remote_channel *channel = find_idle(channels, true);
		if (channel) {
			channel->is_busy = true;
			return channel;
		}
		channel = channels->uses > 0 && now_ms() >= channels->refused_until
				  ? find_idle(channels, false)
				  : NULL;
		if (channel && remote_begin(remote, false))
			return open_one(remote, channel);
		if (!has_open(channels) || remote_is_stopped(remote) ||
			channels->connection != connection)
			return NULL;
		pthread_cond_wait(&channels->idle, &channels->lock);
	}
}

static struct remote_channel *take(struct remote *remote, uint64_t connection)
{
	struct remote_channels *channels = remote_channels(remote);

	pthread_mutex_lock(&channels->lock);
	struct remote_channel *channel = choose(remote, connection);
	if (!channel)
		channels->uses++;
	pthread_mutex_unlock(&channels->lock);
	return channel;
}

static void give_back(
	struct remote *remote, uint64_t connection, struct remote_channel *channel, bool is_broken)
{
	struct remote_channels *channels = remote_channels(remote);

	pthread_mutex_lock(&channels->lock);
	if (is_broken || channels->connection != connection)
		set_descriptor(channel, -1);
	channel->is_busy = false;
	pthread_cond_signal(&channels->idle);
	pthread_mutex_unlock(&channels->lock);
}

/* --- one question and its answer --- */

struct exchange {
	struct remote *remote;
	struct remote_channel *channel;
	uint64_t connection;
	bool is_broken; /* the channel is of no use any more */
};

static struct reader view_of(const void *data, size_t length)
{
	return (struct reader)READER_INIT(data, length);
}

static void write_question(struct buffer *question, const struct remote_use *use)
{
	const struct channel_question arguments = {.slot = use->slot,
		.key = use->key,
		.mechanism = use->mechanism,
		.operation = view_of(use->operation, strlen(use->operation)),
		.parameter = reader_of(use->parameter),
		.pin = view_of(use->pin->data, use->pin->length),
		.input = reader_of(use->input)};

	channel_write_question(question, &arguments);
}

static bool came(ssize_t length)
{
	return length >= 0 || (errno != EAGAIN && errno != EINTR);
}

/* -1: the channel, the patience or the connection has ended; error is set. */
static ssize_t await(
	struct exchange *exchange, uint8_t *answer, int timeout_ms, struct error *error)
{
	int descriptor = exchange->channel->descriptor;
	ssize_t length =
		channel_look(descriptor, answer, CHANNEL_ANSWER_MAX, &exchange->channel->looks);
	int64_t deadline = came(length) ? 0 : now_ms() + timeout_ms;

	while (!came(length)) {
		int64_t left = deadline - now_ms();
		if (left <= 0) {
			error_set(error, ERROR_TIMEOUT, "tesserad did not answer in time");
			return -1;
		}
		if (remote_is_stopped(exchange->remote)) {
			remote_no_service(error);
			return -1;
		}
		remote_sleep(exchange->remote, descriptor, left < SLEEP_MS ? (int)left : SLEEP_MS);
		length = recv(descriptor, answer, CHANNEL_ANSWER_MAX, MSG_DONTWAIT | MSG_TRUNC);
	}
	if (length > 0)
		return length;
	remote_lose(exchange->remote, exchange->connection);
	remote_no_service(error);
	return -1;
}

static bool finish(
	struct exchange *exchange, struct buffer *output, bool *has_more, struct error *error)
{
	uint8_t answer[CHANNEL_ANSWER_MAX];
	ssize_t length = await(exchange, answer, remote_timeout_ms(), error);

	exchange->is_broken = length < 0;
	if (length < 0)
		return false;
	bool is_whole = (size_t)length <= sizeof(answer);
	struct reader reader = READER_INIT(answer, is_whole ? (size_t)length : 0);
	bool done = channel_read_answer(&reader, output, has_more, error);
	if (!done && error)
		module_debug("daemon: %s: %s", error_name(error->code), error_message(error));
	explicit_bzero(answer, is_whole ? (size_t)length : sizeof(answer));
	return done || !output->failed ? done : remote_out_of_memory(error);
}

bool remote_channel_use(struct remote *remote, const struct remote_use *use, struct buffer *output,
	bool *has_more, bool *done, struct error *error)
{
	_cleanup_buffer_ struct buffer question = BUFFER_INIT_WIPE;
	size_t size = use->parameter->length + use->pin->length + use->input->length;
	struct exchange exchange = {.remote = remote, .connection = remote_connected(remote)};

	if (exchange.connection == 0 || size > CHANNEL_QUESTION_MAX - QUESTION_OVERHEAD)
		return false;
	write_question(&question, use);
	if (question.failed || !(exchange.channel = take(remote, exchange.connection)))
		return false;
	bool sent = send(exchange.channel->descriptor, question.data, question.length,
			    MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)question.length;
	if (sent)
		*done = finish(&exchange, output, has_more, error);
	give_back(remote, exchange.connection, exchange.channel, !sent || exchange.is_broken);
	return sent;
}
