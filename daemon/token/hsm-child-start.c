/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The process of an HSM: its start, its end, and one question to it. */
#include <string.h>

#include "common/alloc.h"
#include "common/log.h"
#include "token/frame.h"
#include "token/hsm-child-private.h"
#include "token/hsm-sync.h"

#define ENDS_TIME_MS 60000

/* --- one question --- */

static bool exchange(struct asking *asking, const struct buffer *question, struct buffer *answer,
	struct error *error)
{
	struct child_channel channel _cleanup_(child_return) = {0};

	return child_take(asking->child, &channel, &asking->dead, error) &&
	       child_send(&channel, question, &asking->dead, error) &&
	       child_receive(&channel, answer, error);
}

bool asking_ask(struct asking *asking, const struct buffer *question, struct wire_outcome *outcome,
	struct error *error)
{
	_cleanup_buffer_ struct buffer answer = BUFFER_INIT_WIPE;

	if (!exchange(asking, question, &answer, error))
		return false;
	if (!wire_get_outcome(reader_of(&answer), outcome, error))
		return child_refuse_answer(asking->child, error);
	return outcome->done;
}

/* --- the start --- */

/* Of a process that has ended by itself, or was ended as it did not answer. */
static void note_end(struct hsm_child *child, struct child *process)
{
	memmove(child->ends, child->ends + 1, sizeof(child->ends) - sizeof(child->ends[0]));
	child->ends[HSM_CHILD_ENDS_MAX - 1] = frame_now_ms();
	free(child->last_end);
	child->last_end = child_end_text(process);
}

static bool may_start(const struct hsm_child *child, struct error *error)
{
	int64_t wait_ms = child->ends[0] + ENDS_TIME_MS - frame_now_ms();

	if (child->ends[0] == 0 || wait_ms <= 0)
		return true;
	return error_set(error, ERROR_TOKEN_FAILED,
		"%s; that was %d times within a minute, and it is started again in %d seconds",
		child->last_end, HSM_CHILD_ENDS_MAX, (int)(wait_ms + 999) / 1000);
}

static bool send_known(void *context, struct buffer *message)
{
	return child_send(context, message, NULL, NULL);
}

/* It gets the objects that programs know, so that they keep their numbers. */
static bool send_options(
	struct hsm_child *child, struct child_channel *channel, struct error *error)
{
	_cleanup_hsm_objects_ struct hsm_objects *known = hsm_objects(child->hsm);
	_cleanup_buffer_ struct buffer question = BUFFER_INIT_WIPE;
	const struct sync_head head = {.is_whole = true};

	buffer_append_u8(&question, WIRE_OPEN);
	wire_put_string(&question, child->module);
	wire_put_string(&question, child->label);
	wire_put_string(&question, child->serial);
	wire_put_secret(&question, &child->new_pin);
	wire_put_secret(&question, &child->pin);
	buffer_append_u32(&question, child->hsm->last_number);
	return child_send(channel, &question, NULL, error) &&
	       (sync_write(&head, NULL, known, send_known, channel) ||
		       error_set(
			       error, ERROR_TOKEN_FAILED, "the PKCS#11 module's process has gone"));
}

static bool open_token(struct hsm_child *child, struct child *process, struct error *error)
{
	struct child_channel channel _cleanup_(child_return) = {0};
	_cleanup_buffer_ struct buffer answer = BUFFER_INIT;
	struct wire_outcome outcome = {0};
	bool dead;

	if (!child_take(process, &channel, &dead, error) || !send_options(child, &channel, error) ||
		!child_receive(&channel, &answer, error))
		return false;
	if (!wire_get_outcome(reader_of(&answer), &outcome, error))
		return child_refuse_answer(process, error);
	return outcome.done;
}

/* Called with the lock. NULL with error. */
static struct child *start_once(struct hsm_child *child, struct error *error)
{
	const struct child_options options = {.program = child->program,
		.name = child->name,
		.variables = child->variables,
		.timeout_ms = child->timeout_ms};

	if (!may_start(child, error))
		return NULL;
	_cleanup_child_ struct child *process = child_start(&options, error);
	if (!process || open_token(child, process, error))
		return steal_pointer(&process);
	if (child_has_ended(process))
		note_end(child, process);
	return NULL;
}

/* A PIN that does not fit any more is not tried again: the token counts. Called with the lock. */
static bool start(struct hsm_child *child, struct error *error)
{
	struct error failure _cleanup_error_ = ERROR_INIT;

	child->running = start_once(child, &failure);
	if (!child->running && secret_is_set(&child->pin) &&
		(failure.code == ERROR_PIN_WRONG || failure.code == ERROR_PIN_BLOCKED)) {
		log_error("the PIN does not fit any more: %s slot=%s", error_message(&failure),
			child->name);
		secret_clear(&child->pin);
		error_clear(&failure);
		child->running = start_once(child, &failure);
	}
	if (!child->running)
		return error_move(error, &failure);
	secret_clear(&child->new_pin);
	child->generation++;
	return true;
}

bool hsm_child_begin(struct hsm_child *child, struct asking *asking, struct error *error)
{
	*asking = (struct asking){0};
	pthread_mutex_lock(&child->lock);
	if (child->running && child_has_ended(child->running)) {
		note_end(child, child->running);
		child_unref(steal_pointer(&child->running));
	}
	if (child->running || start(child, error)) {
		asking->child = child_ref(child->running);
		asking->generation = child->generation;
	}
	pthread_mutex_unlock(&child->lock);
	return asking->child != NULL;
}

bool hsm_child_find_running(struct hsm_child *child, struct asking *asking)
{
	*asking = (struct asking){0};
	pthread_mutex_lock(&child->lock);
	if (child->running && !child_has_ended(child->running))
		asking->child = child_ref(child->running);
	asking->generation = child->generation;
	pthread_mutex_unlock(&child->lock);
	return asking->child != NULL;
}
