/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/hsm-serve.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/log.h"
#include "core/thread.h"
#include "token/frame.h"
#include "token/hsm-sync.h"
#include "token/hsm-wire.h"

/* A list that the daemon has a copy of. */
struct outgoing {
	struct hsm_objects *seen; /* as it was looked at last; NULL: never */
	uint64_t seen_serial;	  /* grows when another one is seen */
	struct hsm_objects *sent; /* what the daemon has, when it has sent_serial */
	uint64_t sent_serial;
};

struct owner {
	uint32_t number;
	struct hsm_owner *owner;
	struct outgoing objects;
	struct owner *next;
};

/* The process has one token. */
static struct serving {
	pthread_mutex_t opening;
	_Atomic(struct hsm *) hsm; /* set once, under that lock */
	pthread_mutex_t login;	   /* guards the next one */
	bool is_logged_in;
	pthread_mutex_t lock; /* guards all below; nothing slow happens under it */
	struct outgoing objects;
	struct owner *owners;
} serving = {.opening = PTHREAD_MUTEX_INITIALIZER,
	.login = PTHREAD_MUTEX_INITIALIZER,
	.lock = PTHREAD_MUTEX_INITIALIZER};

/* One question. */
struct question {
	int channel;
	struct reader message;
	struct hsm *hsm; /* NULL until it is open */
	struct owner *owner;
	struct hsm_reply reply;
};

/* --- what the daemon has a copy of --- */

/* Holding what was seen makes each change of the list another list. */
static uint64_t look(struct outgoing *outgoing, struct hsm_objects *now)
{
	if (outgoing->seen == now) {
		hsm_objects_unref(now);
		return outgoing->seen_serial;
	}
	hsm_objects_unref(outgoing->seen);
	outgoing->seen = now;
	return ++outgoing->seen_serial;
}

static void outgoing_clear(struct outgoing *outgoing)
{
	hsm_objects_unref(outgoing->seen);
	hsm_objects_unref(outgoing->sent);
}

static uint64_t token_serial(struct hsm *hsm)
{
	pthread_mutex_lock(&serving.lock);
	uint64_t serial = look(&serving.objects, hsm_objects(hsm));
	pthread_mutex_unlock(&serving.lock);
	return serial;
}

static uint64_t owner_serial(struct owner *owner)
{
	pthread_mutex_lock(&serving.lock);
	uint64_t serial = look(&owner->objects, hsm_owner_objects(owner->owner));
	pthread_mutex_unlock(&serving.lock);
	return serial;
}

static bool send_message(void *context, struct buffer *message)
{
	return frame_send(*(const int *)context, message, FRAME_NO_DEADLINE) == FRAME_DONE;
}

/* The list that was seen last, and the one that the daemon has (NULL: another one). */
static void begin_sync(struct outgoing *outgoing, uint64_t known, struct sync_head *head,
	struct hsm_objects **old, struct hsm_objects **now)
{
	pthread_mutex_lock(&serving.lock);
	*old = known != 0 && known == outgoing->sent_serial ? outgoing->sent : NULL;
	if (!*old)
		hsm_objects_unref(outgoing->sent);
	*now = outgoing->sent = outgoing->seen;
	outgoing->sent->references += 2;
	outgoing->sent_serial = outgoing->seen_serial;
	head->is_whole = *old == NULL;
	head->serial = outgoing->sent_serial;
	pthread_mutex_unlock(&serving.lock);
}

static void read_facts(struct hsm *hsm, struct hsm_facts *facts)
{
	pthread_mutex_lock(&hsm->objects_lock);
	*facts = hsm->facts;
	pthread_mutex_unlock(&hsm->objects_lock);
}

/* The daemon asks for one list at a time. */
static bool answer_sync(struct question *question)
{
	uint64_t known = wire_get_u64(&question->message);
	struct owner *owner = question->owner;
	_cleanup_hsm_objects_ struct hsm_objects *old = NULL;
	_cleanup_hsm_objects_ struct hsm_objects *now = NULL;
	struct hsm_facts facts;
	struct sync_head head = {.facts = owner ? NULL : &facts};

	if (owner)
		owner_serial(owner);
	else
		token_serial(question->hsm);
	begin_sync(owner ? &owner->objects : &serving.objects, known, &head, &old, &now);
	read_facts(question->hsm, &facts);
	return sync_write(&head, old, now, send_message, &question->channel);
}

/* --- owners --- */

/* NULL for nobody. A new one is made. */
static struct owner *find_owner(struct hsm *hsm, uint32_t number)
{
	struct owner *owner;

	if (number == WIRE_NOBODY || !hsm)
		return NULL;
	pthread_mutex_lock(&serving.lock);
	for (owner = serving.owners; owner && owner->number != number; owner = owner->next)
		;
	if (!owner) {
		owner = xnew(struct owner);
		*owner = (struct owner){
			.number = number, .owner = hsm_owner_new(hsm), .next = serving.owners};
		serving.owners = owner;
	}
	pthread_mutex_unlock(&serving.lock);
	return owner;
}

static void end_owner(struct owner *owner)
{
	struct owner **place = &serving.owners;

	pthread_mutex_lock(&serving.lock);
	while (*place != owner)
		place = &(*place)->next;
	*place = owner->next;
	pthread_mutex_unlock(&serving.lock);
	hsm_owner_free(owner->owner);
	outgoing_clear(&owner->objects);
	free(owner);
}

/* --- questions --- */

static bool read_known_objects(struct question *question, struct sync_reader *known)
{
	_cleanup_buffer_ struct buffer message = BUFFER_INIT;
	bool done = false;

	sync_begin(known);
	while (!done) {
		if (frame_receive(question->channel, &message, FRAME_NO_DEADLINE) != FRAME_DONE ||
			!sync_read(known, reader_of(&message), &done))
			return false;
	}
	return true;
}

static bool open_token(struct question *question, struct error *error)
{
	_cleanup_free_ char *module = wire_get_string(&question->message);
	_cleanup_free_ char *label = wire_get_string(&question->message);
	_cleanup_free_ char *serial = wire_get_string(&question->message);
	_cleanup_secret_ struct secret new_pin = SECRET_INIT;
	_cleanup_secret_ struct secret pin = SECRET_INIT;
	struct sync_reader known _cleanup_(sync_clear) = {
		.first = 1, .last = HSM_SESSION_OBJECT - 1};

	wire_get_secret(&question->message, &new_pin);
	wire_get_secret(&question->message, &pin);
	uint32_t last_number = reader_u32(&question->message);
	if (question->message.failed || question->hsm || !module || !label ||
		!read_known_objects(question, &known))
		return error_set(error, ERROR_FAILED, "the token cannot be opened so");
	const struct hsm_options options = {.module = module,
		.label = label,
		.serial = serial,
		.new_pin = secret_is_set(&new_pin) ? &new_pin : NULL,
		.pin = secret_is_set(&pin) ? &pin : NULL,
		.known = known.fresh,
		.last_number = last_number};
	serving.hsm = question->hsm = hsm_open(&options, error);
	serving.is_logged_in = question->hsm && options.pin;
	return question->hsm != NULL;
}

static bool do_open(struct question *question, struct error *error)
{
	pthread_mutex_lock(&serving.opening);
	bool done = open_token(question, error);
	pthread_mutex_unlock(&serving.opening);
	return done;
}

/* Whoever asks wants the PIN proved. */
static bool do_login(struct question *question, struct error *error)
{
	_cleanup_secret_ struct secret pin = SECRET_INIT;
	bool changed;

	wire_get_secret(&question->message, &pin);
	pthread_mutex_lock(&serving.login);
	if (serving.is_logged_in)
		hsm_logout(question->hsm);
	serving.is_logged_in = hsm_login(question->hsm, &pin, &changed, error);
	bool done = serving.is_logged_in;
	pthread_mutex_unlock(&serving.login);
	return done;
}

static bool do_logout(struct question *question, struct error *error)
{
	(void)error;
	pthread_mutex_lock(&serving.login);
	if (serving.is_logged_in)
		hsm_logout(question->hsm);
	serving.is_logged_in = false;
	pthread_mutex_unlock(&serving.login);
	return true;
}

static bool do_refresh(struct question *question, struct error *error)
{
	bool changed;

	return hsm_refresh(question->hsm, &changed, error);
}

static bool do_call(struct question *question, struct error *error)
{
	_cleanup_secret_ struct secret pin = SECRET_INIT;
	_cleanup_secret_ struct secret new_pin = SECRET_INIT;
	struct hsm_request request;

	if (!wire_get_request(&question->message, &request, &pin, &new_pin))
		return error_set(error, ERROR_FAILED, "a request that makes no sense");
	return hsm_call(question->hsm, question->owner ? question->owner->owner : NULL, &request,
		&question->reply, error);
}

static bool do_logout_owner(struct question *question, struct error *error)
{
	(void)error;
	if (question->owner)
		hsm_owner_logout(question->owner->owner);
	return true;
}

static const struct {
	bool (*run)(struct question *question, struct error *error); /* NULL: answered otherwise */
	bool has_owner;
} kinds[] = {
	[WIRE_OPEN] = {do_open, false},
	[WIRE_LOGIN] = {do_login, false},
	[WIRE_LOGOUT] = {do_logout, false},
	[WIRE_REFRESH] = {do_refresh, false},
	[WIRE_SYNC] = {NULL, true},
	[WIRE_CALL] = {do_call, true},
	[WIRE_READY] = {NULL, false},
	[WIRE_END_OWNER] = {NULL, true},
	[WIRE_LOGOUT_OWNER] = {do_logout_owner, true},
	[WIRE_CLOSE] = {NULL, false},
};

static bool answer(struct question *question, enum wire_kind kind)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	_cleanup_buffer_ struct buffer output = BUFFER_INIT_WIPE;
	_cleanup_buffer_ struct buffer message = BUFFER_INIT_WIPE;

	question->reply = (struct hsm_reply){.output = &output};
	bool done = kinds[kind].run(question, &error);
	const struct wire_outcome outcome = {.done = done,
		.token_serial = question->hsm ? token_serial(question->hsm) : 0,
		.owner_serial = question->owner ? owner_serial(question->owner) : 0,
		.reply = question->reply};
	if (!done && error.code == ERROR_NONE)
		error_set(&error, ERROR_FAILED, "no reason was given");
	wire_put_outcome(&message, &outcome, &error);
	return send_message(&question->channel, &message);
}

static void make_ready(struct question *question)
{
	uint32_t object = reader_u32(&question->message);
	enum key_use use = reader_u8(&question->message);
	uint32_t mechanism = reader_u32(&question->message);

	if (!question->message.failed)
		hsm_make_ready(question->hsm, object, use, mechanism);
}

static __attribute__((noreturn)) void close_token(struct hsm *hsm)
{
	while (serving.owners)
		end_owner(serving.owners);
	outgoing_clear(&serving.objects);
	hsm_close(hsm);
	exit(EXIT_SUCCESS);
}

static bool do_otherwise(struct question *question, enum wire_kind kind)
{
	switch (kind) {
	case WIRE_SYNC:
		return answer_sync(question);
	case WIRE_READY:
		make_ready(question);
		return true;
	case WIRE_END_OWNER:
		if (question->owner)
			end_owner(question->owner);
		return true;
	default:
		close_token(question->hsm);
	}
}

static bool serve_question(int channel, const struct buffer *message)
{
	struct question question = {
		.channel = channel, .message = reader_of(message), .hsm = serving.hsm};
	enum wire_kind kind = reader_u8(&question.message);

	if (kind == 0 || kind >= ARRAY_SIZE(kinds) ||
		(!question.hsm && kind != WIRE_OPEN && kind != WIRE_CLOSE))
		return false;
	if (kinds[kind].has_owner)
		question.owner = find_owner(question.hsm, reader_u32(&question.message));
	return kinds[kind].run ? answer(&question, kind) : do_otherwise(&question, kind);
}

static void *serve_channel(void *argument)
{
	int channel = (int)(intptr_t)argument;
	struct buffer message _cleanup_(buffer_clear) = BUFFER_INIT_WIPE;

	while (frame_receive(channel, &message, FRAME_NO_DEADLINE) == FRAME_DONE &&
		serve_question(channel, &message)) {
		if (message.capacity > 2 * FRAME_PACKET)
			buffer_clear(&message);
		else
			explicit_bzero(message.data, message.length);
	}
	close(channel);
	return NULL;
}

/* What the module has started goes, too. */
static __attribute__((noreturn)) void end_group(void)
{
	if (getpgrp() == getpid())
		kill(0, SIGKILL);
	_exit(EXIT_FAILURE);
}

void hsm_serve(int control)
{
	int channel;

	while ((channel = frame_take_socket(control)) >= 0) {
		if (thread_start_detached(NULL, serve_channel, (void *)(intptr_t)channel, 0) == 0)
			continue;
		log_error("no thread that serves the daemon");
		close(channel);
	}
	end_group();
}
