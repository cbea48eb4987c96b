/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/agent-reader.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/alloc.h"

#define INS_OFFSET 1

struct agent_reader {
	char *name;
	struct agent_reader_events events;
	void *context;
	pthread_t thread;

	/* Guards what is asked of the thread; no event is called under it. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stops, drops, ends, opens, asks;
	bool has_command;
	struct agent_command command;
	unsigned drop_count; /* tells a slow question that its card has gone */
	bool is_asking;
	bool is_abandoned; /* the thread frees */

	/* of the thread alone: */
	struct transport *card;
	bool is_taken;
	bool is_touched; /* something may have been proven to it */
};

void agent_answer_clear(struct agent_answer *answer)
{
	buffer_clear(&answer->response);
	error_clear(&answer->error);
}

/* --- the card --- */

static void let_go(struct agent_reader *reader)
{
	if (reader->is_taken)
		reader->card->ops->end(reader->card);
	reader->is_taken = false;
}

static void drop_card(struct agent_reader *reader)
{
	if (!reader->card)
		return;
	let_go(reader);
	if (reader->is_touched)
		transport_pcsc_reset_at_end(reader->card);
	reader->card->ops->free(reader->card);
	reader->card = NULL;
	reader->is_touched = false;
}

/* Commands of ISO/IEC 7816-4 that prove something, or change what is proven. */
static bool proves(const struct buffer *command)
{
	static const uint8_t instructions[] = {0x20, 0x24, 0x2C, 0x82, 0x86, 0x87};

	return command->length > INS_OFFSET &&
	       memchr(instructions, command->data[INS_OFFSET], sizeof(instructions));
}

static bool take_card(struct agent_reader *reader, const struct agent_command *command,
	struct agent_answer *answer)
{
	bool was_reset = false;

	if (reader->is_taken || !command->begins)
		return reader->is_taken ||
		       error_set(&answer->error, ERROR_CARD_FAILED, "the card was not taken");
	if (!reader->card->ops->begin(reader->card, &was_reset, &answer->error))
		return false;
	reader->is_taken = true;
	if (was_reset)
		reader->is_touched = false;
	answer->was_reset = was_reset && !command->expects_reset;
	return !answer->was_reset;
}

static void do_command(struct agent_reader *reader, struct agent_command *command)
{
	struct agent_answer answer = {.serial = command->serial, .response = BUFFER_INIT_WIPE};

	if (!reader->card) {
		error_set(&answer.error, ERROR_NO_CARD, "there is no card");
	} else if (take_card(reader, command, &answer)) {
		reader->is_touched = reader->is_touched || proves(&command->bytes);
		reader->card->ops->transmit(reader->card, command->bytes.data,
			command->bytes.length, &answer.response, &answer.error);
	}
	buffer_clear(&command->bytes);
	reader->events.answered(reader->context, reader->name, &answer);
}

/* --- a card that was put in --- */

static const uint8_t select_piv[] = {0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08,
	0x00};							    /* SP 800-73-4 part 1, 2.2 */
static const uint8_t get_serial[] = {0x00, 0xF8, 0x00, 0x00, 0x00}; /* of YubiKeys */

static bool say(
	struct transport *card, const uint8_t *command, size_t length, struct buffer *response)
{
	return card->ops->transmit(card, command, length, response, NULL) &&
	       response->length >= 2 && response->data[response->length - 2] == 0x90 &&
	       response->data[response->length - 1] == 0x00;
}

/* What a person knows the card by, as far as it tells; heap. */
static char *name_card(struct transport *card)
{
	struct buffer response _cleanup_buffer_ = BUFFER_INIT;
	char *name = NULL;
	bool was_reset;

	if (card->ops->begin(card, &was_reset, NULL)) {
		if (say(card, select_piv, sizeof(select_piv), &response) &&
			say(card, get_serial, sizeof(get_serial), &response) &&
			response.length == 6) {
			struct reader reader = reader_of(&response);
			name = xasprintf("YubiKey %u", reader_u32(&reader));
		}
		card->ops->end(card);
	}
	if (name)
		return name;
	_cleanup_free_ char *atr = hex_encode(card->atr, card->atr_length);
	return xasprintf("card with ATR %s", atr ? atr : "");
}

static bool is_allowed(struct agent_reader *reader, bool asks)
{
	_cleanup_free_ char *model = name_card(reader->card);

	if (!asks)
		return true;
	pthread_mutex_lock(&reader->lock);
	reader->is_asking = true;
	pthread_mutex_unlock(&reader->lock);
	bool allowed = reader->events.allows(reader->context, reader->name, model);
	pthread_mutex_lock(&reader->lock);
	reader->is_asking = false;
	pthread_mutex_unlock(&reader->lock);
	return allowed;
}

static void tell_opened(struct agent_reader *reader)
{
	const struct transport *transport = reader->card;
	struct agent_card card = {.atr_length = transport->atr_length,
		.maximum_data = transport->maximum_data,
		.is_t0 = transport->is_t0};

	memcpy(card.atr, transport->atr, transport->atr_length);
	reader->events.opened(reader->context, reader->name, &card);
}

static void open_card(struct agent_reader *reader, bool asks)
{
	struct error error _cleanup_error_ = ERROR_INIT;

	drop_card(reader);
	pthread_mutex_lock(&reader->lock);
	unsigned drops = reader->drop_count;
	pthread_mutex_unlock(&reader->lock);
	reader->card = transport_pcsc_open(reader->name, &error);
	if (reader->card && !is_allowed(reader, asks))
		error_set(&error, ERROR_CANCELLED, "it is not offered");
	pthread_mutex_lock(&reader->lock);
	bool is_current = reader->drop_count == drops && !reader->is_abandoned;
	pthread_mutex_unlock(&reader->lock);
	if (!is_current)
		return;
	if (error.code == ERROR_NONE) {
		tell_opened(reader);
		return;
	}
	drop_card(reader);
	reader->events.refused(reader->context, reader->name, &error);
}

/* --- the thread --- */

enum task { TASK_STOP, TASK_DROP, TASK_END, TASK_OPEN, TASK_COMMAND };

static bool take_flag(bool *flag)
{
	bool was_set = *flag;

	*flag = false;
	return was_set;
}

/* Waits for what is to be done next, in an order in which nothing is done too late. */
static enum task next_task(struct agent_reader *reader, bool *asks, struct agent_command *command)
{
	enum task task = TASK_STOP;

	pthread_mutex_lock(&reader->lock);
	while (!reader->stops && !reader->drops && !reader->ends && !reader->opens &&
		!reader->has_command)
		pthread_cond_wait(&reader->changed, &reader->lock);
	if (reader->stops) {
		task = TASK_STOP;
	} else if (take_flag(&reader->drops)) {
		task = TASK_DROP;
	} else if (take_flag(&reader->ends)) {
		task = TASK_END;
	} else if (take_flag(&reader->opens)) {
		task = TASK_OPEN;
		*asks = reader->asks;
	} else {
		task = TASK_COMMAND;
		*command = reader->command;
		reader->has_command = false;
	}
	pthread_mutex_unlock(&reader->lock);
	return task;
}

static void free_memory(struct agent_reader *reader)
{
	if (reader->has_command)
		buffer_clear(&reader->command.bytes);
	pthread_cond_destroy(&reader->changed);
	pthread_mutex_destroy(&reader->lock);
	free(reader->name);
	free(reader);
}

/* Ends with agent_reader_free(). */
static void *run(void *argument)
{
	struct agent_reader *reader = argument;
	struct agent_command command = {0};
	bool asks = false;
	enum task task;

	while ((task = next_task(reader, &asks, &command)) != TASK_STOP) {
		if (task == TASK_DROP)
			drop_card(reader);
		else if (task == TASK_END)
			let_go(reader);
		else if (task == TASK_OPEN)
			open_card(reader, asks);
		else
			do_command(reader, &command);
	}
	drop_card(reader);
	if (reader->is_abandoned)
		free_memory(reader);
	return NULL;
}

/* --- from outside --- */

struct agent_reader *agent_reader_new(const char *name, const struct agent_reader_events *events,
	void *context, struct error *error)
{
	struct agent_reader *reader = xnew(struct agent_reader);

	reader->name = xstrdup(name);
	reader->events = *events;
	reader->context = context;
	pthread_mutex_init(&reader->lock, NULL);
	pthread_cond_init(&reader->changed, NULL);
	if (pthread_create(&reader->thread, NULL, run, reader) == 0)
		return reader;
	free_memory(reader);
	error_set(error, ERROR_FAILED, "cannot start a thread for the reader %s", name);
	return NULL;
}

bool agent_reader_free(struct agent_reader *reader)
{
	pthread_mutex_lock(&reader->lock);
	reader->stops = true;
	reader->drop_count++;
	bool is_left = reader->is_abandoned = reader->is_asking;
	pthread_t thread = reader->thread;
	pthread_cond_signal(&reader->changed);
	pthread_mutex_unlock(&reader->lock);
	if (is_left) {
		pthread_detach(thread);
		return false;
	}
	pthread_join(thread, NULL);
	free_memory(reader);
	return true;
}

void agent_reader_open(struct agent_reader *reader, bool asks)
{
	pthread_mutex_lock(&reader->lock);
	reader->opens = true;
	reader->asks = asks;
	pthread_cond_signal(&reader->changed);
	pthread_mutex_unlock(&reader->lock);
}

void agent_reader_drop(struct agent_reader *reader)
{
	pthread_mutex_lock(&reader->lock);
	reader->drops = true;
	reader->opens = false;
	reader->drop_count++;
	pthread_cond_signal(&reader->changed);
	pthread_mutex_unlock(&reader->lock);
}

void agent_reader_end(struct agent_reader *reader)
{
	pthread_mutex_lock(&reader->lock);
	reader->ends = true;
	pthread_cond_signal(&reader->changed);
	pthread_mutex_unlock(&reader->lock);
}

void agent_reader_transmit(struct agent_reader *reader, struct agent_command *command)
{
	struct agent_answer answer = {.serial = command->serial};

	pthread_mutex_lock(&reader->lock);
	bool is_free = !reader->has_command;
	if (is_free) {
		reader->command = *command;
		reader->command.bytes = (struct buffer)BUFFER_INIT_WIPE;
		buffer_move(&reader->command.bytes, &command->bytes);
		reader->has_command = true;
		pthread_cond_signal(&reader->changed);
	}
	pthread_mutex_unlock(&reader->lock);
	if (is_free)
		return;
	buffer_clear(&command->bytes);
	error_set(&answer.error, ERROR_BUSY, "one command at a time");
	reader->events.answered(reader->context, reader->name, &answer);
}
