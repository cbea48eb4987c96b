/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/channel.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "bus/bus-private.h"
#include "common/alloc.h"
#include "core/thread.h"
#include "dbus/channel.h"

#define CHANNELS_OF_A_CONNECTION_MAX 8
#define THREAD_STACK_BYTES	     (1024 * 1024)

struct channel {
	struct channels *channels;
	struct channel *next; /* guarded by the lock of `channels` */
	int descriptor;	      /* closed under that lock */
	struct provider_habit habit;
	struct channel_looks looks;
};

struct channels {
	struct provider_client *client;
	pthread_mutex_t lock; /* guards the list; nothing slow happens under it */
	pthread_cond_t ended;
	struct channel *first;
	atomic_uint count;
};

/* --- one channel, on its thread --- */

/* How many of all channels look for a message now: half of the processors are left to the rest. */
static atomic_int looking;

static bool may_look(void)
{
	static atomic_int most = -1;

	if (most < 0)
		most = (int)sysconf(_SC_NPROCESSORS_ONLN) / 2;
	if (atomic_fetch_add(&looking, 1) < most)
		return true;
	atomic_fetch_sub(&looking, 1);
	return false;
}

/* The length of the next question, which may be longer than there is room for; 0 at the end. */
static size_t receive(struct channel *channel, uint8_t *question)
{
	ssize_t length = -1;

	errno = EAGAIN;
	if (may_look()) {
		length = channel_look(
			channel->descriptor, question, CHANNEL_QUESTION_MAX, &channel->looks);
		atomic_fetch_sub(&looking, 1);
	}
	while (length < 0 && (errno == EAGAIN || errno == EINTR))
		length = recv(channel->descriptor, question, CHANNEL_QUESTION_MAX, MSG_TRUNC);
	return length < 0 ? 0 : (size_t)length;
}

/* Locked memory is dear: most uses of keys come without a PIN. */
static bool read_pin(const struct reader *bytes, struct secret *pin, struct error *error)
{
	return bytes->length == 0 || secret_set(pin, bytes->data, bytes->length) ||
	       error_set(error, ERROR_FAILED, "no memory is left for a secret");
}

static bool use_key(struct channel *channel, const struct channel_question *question,
	struct buffer *output, struct error *error)
{
	struct secret pin _cleanup_secret_ = SECRET_INIT;
	struct provider_use use = {.slot = question->slot,
		.key = question->key,
		.mechanism = question->mechanism,
		.parameter = question->parameter,
		.pin = &pin,
		.input = question->input.data,
		.length = question->input.length,
		.output = output,
		.habit = &channel->habit};

	return provider_read_use((const char *)question->operation.data, question->operation.length,
		       &use.use, error) &&
	       read_pin(&question->pin, &pin, error) &&
	       provider_use_key(channel->channels->client, &use, error);
}

static bool is_named(const struct channel_question *question, const char *name)
{
	return question->operation.length == strlen(name) &&
	       memcmp(question->operation.data, name, strlen(name)) == 0;
}

/* What a question asks for. Of a use in parts only its beginning goes over the connection. */
static bool do_question(struct channel *channel, const struct channel_question *question,
	struct buffer *output, bool *has_more, struct error *error)
{
	struct provider_client *client = channel->channels->client;
	struct provider_stream stream = {.slot = question->slot,
		.number = question->key,
		.input = question->input,
		.signature = question->parameter,
		.output = output,
		.most = CHANNEL_QUESTION_MAX};

	if (is_named(question, "continue"))
		return provider_continue_use(client, &stream, error);
	if (!is_named(question, "end"))
		return use_key(channel, question, output, error);
	bool done = provider_end_use(client, &stream, error);
	*has_more = stream.has_more;
	return done;
}

static void write_error(struct buffer *answer, const struct error *error)
{
	_cleanup_free_ char *text = message_error_text(error);

	channel_write_error(answer,
		error_dbus_name(error->code == ERROR_NONE ? ERROR_FAILED : error->code), text,
		error->ckr);
}

static void answer_question(
	struct channel *channel, const uint8_t *bytes, size_t length, struct buffer *answer)
{
	struct buffer output _cleanup_buffer_ = BUFFER_INIT_WIPE;
	struct error error _cleanup_error_ = ERROR_INIT;
	struct reader reader = READER_INIT(bytes, length);
	struct channel_question question;
	bool has_more = false;
	bool done = length <= CHANNEL_QUESTION_MAX && channel_read_question(&reader, &question)
			    ? do_question(channel, &question, &output, &has_more, &error)
			    : error_set(&error, ERROR_INVALID_ARGUMENT,
				      "this is no question for a channel");

	if (done && output.length >= CHANNEL_ANSWER_MAX)
		done = error_set(&error, ERROR_FAILED, "the answer is too long for a channel");
	if (done)
		channel_write_output(answer, &output, has_more);
	else
		write_error(answer, &error);
	if (answer->failed)
		abort();
}

/* Who asks on without taking answers gets no more: there is room for many. */
static bool send_answer(const struct channel *channel, const struct buffer *answer)
{
	return send(channel->descriptor, answer->data, answer->length,
		       MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)answer->length;
}

static void serve(struct channel *channel)
{
	uint8_t question[CHANNEL_QUESTION_MAX];
	bool open = true;
	size_t length;

	while (open && (length = receive(channel, question)) > 0) {
		struct buffer answer _cleanup_buffer_ = BUFFER_INIT_WIPE;
		answer_question(channel, question, length, &answer);
		explicit_bzero(
			question, length < CHANNEL_QUESTION_MAX ? length : CHANNEL_QUESTION_MAX);
		open = send_answer(channel, &answer);
		if (open)
			provider_client_idle(channel->channels->client, &channel->habit);
	}
}

/* Last of all, since the channels may be freed then. */
static void unlist(struct channel *channel)
{
	struct channels *channels = channel->channels;

	pthread_mutex_lock(&channels->lock);
	struct channel **link = &channels->first;
	while (*link != channel)
		link = &(*link)->next;
	*link = channel->next;
	close(channel->descriptor);
	channels->count--;
	pthread_cond_signal(&channels->ended);
	pthread_mutex_unlock(&channels->lock);
	free(channel);
}

/* channels_free() waits for these threads. */
static void *run_channel(void *argument)
{
	serve(argument);
	OPENSSL_thread_stop(); /* the process may end before this thread has */
	unlist(argument);
	return NULL;
}

/* --- all of a connection --- */

struct channels *channels_new(struct provider_client *client)
{
	struct channels *channels = xnew(struct channels);

	channels->client = client;
	pthread_mutex_init(&channels->lock, NULL);
	pthread_cond_init(&channels->ended, NULL);
	return channels;
}

void channels_free(struct channels *channels)
{
	if (!channels)
		return;
	pthread_mutex_lock(&channels->lock);
	for (struct channel *each = channels->first; each; each = each->next)
		shutdown(each->descriptor, SHUT_RDWR);
	while (channels->count > 0)
		pthread_cond_wait(&channels->ended, &channels->lock);
	pthread_mutex_unlock(&channels->lock);
	pthread_cond_destroy(&channels->ended);
	pthread_mutex_destroy(&channels->lock);
	free(channels);
}

unsigned channels_count(const struct channels *channels)
{
	return channels ? channels->count : 0;
}

static bool start(struct channels *channels, int descriptor)
{
	struct channel *channel = xnew(struct channel);

	channel->channels = channels;
	channel->descriptor = descriptor;
	pthread_mutex_lock(&channels->lock);
	channel->next = channels->first;
	channels->first = channel;
	channels->count++;
	pthread_mutex_unlock(&channels->lock);
	if (thread_start_detached(NULL, run_channel, channel, THREAD_STACK_BYTES) == 0)
		return true;
	unlist(channel);
	return false;
}

int channels_open(struct channels *channels, struct error *error)
{
	int ends[2];

	if (channels->count >= CHANNELS_OF_A_CONNECTION_MAX) {
		error_set(error, ERROR_BUSY, "the connection has %u channels already",
			CHANNELS_OF_A_CONNECTION_MAX);
		return -1;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
		error_set(error, ERROR_FAILED, "no channel can be made: %m");
		return -1;
	}
	if (start(channels, ends[0]))
		return ends[1];
	close(ends[1]);
	error_set(error, ERROR_FAILED, "no thread for a channel");
	return -1;
}
