/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/hsm-child.h"

#include <string.h>

#include "common/alloc.h"
#include "token/hsm-child-private.h"

/* How long a token may take to be closed. */
#define CLOSE_TIMEOUT_MS 3000

static char **copy_variables(char *const *variables)
{
	size_t count = 0;

	while (variables && variables[count])
		count++;
	char **copy = xcalloc(count + 1, sizeof(*copy));
	for (size_t i = 0; i < count; i++)
		copy[i] = xstrdup(variables[i]);
	return copy;
}

struct hsm_child *hsm_child_new(struct hsm *hsm, const struct hsm_options *options)
{
	struct hsm_child *child = xnew(struct hsm_child);

	*child = (struct hsm_child){.hsm = hsm,
		.module = xstrdup(options->module),
		.label = xstrdup(options->label),
		.serial = xstrdup(options->serial),
		.program = xstrdup(options->process->program),
		.name = xstrdup(options->process->name),
		.variables = copy_variables(options->process->variables),
		.timeout_ms = options->process->timeout_ms};
	if (options->new_pin)
		secret_copy(&child->new_pin, options->new_pin);
	pthread_mutex_init(&child->lock, NULL);
	pthread_mutex_init(&child->sync_lock, NULL);
	return child;
}

static void end_process(struct child *process)
{
	_cleanup_buffer_ struct buffer message = BUFFER_INIT;
	struct child_channel channel _cleanup_(child_return) = {0};
	bool dead;

	buffer_append_u8(&message, WIRE_CLOSE);
	if (!child_has_ended(process) && child_take(process, &channel, &dead, NULL) &&
		child_send(&channel, &message, &dead, NULL))
		child_await_end(process, CLOSE_TIMEOUT_MS);
}

void hsm_child_free(struct hsm_child *child)
{
	if (!child)
		return;
	if (child->running)
		end_process(child->running);
	child_unref(child->running);
	secret_clear(&child->new_pin);
	secret_clear(&child->pin);
	for (char **variable = child->variables; *variable; variable++)
		free(*variable);
	free(child->variables);
	free(child->module);
	free(child->label);
	free(child->serial);
	free(child->program);
	free(child->name);
	free(child->last_end);
	pthread_mutex_destroy(&child->lock);
	pthread_mutex_destroy(&child->sync_lock);
	free(child);
}

/* --- questions --- */

/* What nobody heard, as the process had ended before, is asked of the next one. */
static bool ask(struct hsm_child *child, const struct buffer *question,
	struct wire_outcome *outcome, struct asking *asking, struct error *error)
{
	for (unsigned tries = 0;; tries++) {
		if (!hsm_child_begin(child, asking, error))
			return false;
		if (asking_ask(asking, question, outcome, error))
			return true;
		if (!asking->dead || tries > 0)
			return false;
		asking_clear(asking);
		error_clear(error);
	}
}

static bool ask_and_follow(
	struct hsm_child *child, const struct buffer *question, bool *changed, struct error *error)
{
	struct asking asking _cleanup_asking_ = {0};
	struct wire_outcome outcome = {0};

	return ask(child, question, &outcome, &asking, error) &&
	       hsm_child_follow_token(child, &asking, outcome.token_serial, changed, error);
}

bool hsm_child_refresh(struct hsm_child *child, bool *changed, struct error *error)
{
	_cleanup_buffer_ struct buffer question = BUFFER_INIT;

	buffer_append_u8(&question, WIRE_REFRESH);
	return ask_and_follow(child, &question, changed, error);
}

bool hsm_child_open(struct hsm_child *child, struct error *error)
{
	struct asking asking _cleanup_asking_ = {0};
	bool changed;

	return hsm_child_begin(child, &asking, error) &&
	       hsm_child_follow_token(child, &asking, UINT64_MAX, &changed, error);
}

/* False when the process that was logged in has ended meanwhile. */
static bool keep_pin(struct hsm_child *child, const struct secret *pin, unsigned generation)
{
	pthread_mutex_lock(&child->lock);
	bool is_current = child->generation == generation;
	bool done = is_current && secret_copy(&child->pin, pin);
	pthread_mutex_unlock(&child->lock);
	return done;
}

bool hsm_child_login(
	struct hsm_child *child, const struct secret *pin, bool *changed, struct error *error)
{
	_cleanup_buffer_ struct buffer question = BUFFER_INIT_WIPE;
	struct asking asking _cleanup_asking_ = {0};
	struct wire_outcome outcome = {0};

	buffer_append_u8(&question, WIRE_LOGIN);
	wire_put_secret(&question, pin);
	if (!ask(child, &question, &outcome, &asking, error))
		return false;
	if (!keep_pin(child, pin, asking.generation))
		return error_set(error, ERROR_TOKEN_FAILED,
			"the PKCS#11 module's process ended during the login");
	return hsm_child_follow_token(child, &asking, outcome.token_serial, changed, error);
}

bool hsm_child_is_logged_in(struct hsm_child *child)
{
	pthread_mutex_lock(&child->lock);
	bool is_set = secret_is_set(&child->pin);
	pthread_mutex_unlock(&child->lock);
	return is_set;
}

void hsm_child_logout(struct hsm_child *child)
{
	_cleanup_buffer_ struct buffer question = BUFFER_INIT;
	struct asking asking _cleanup_asking_ = {0};
	struct wire_outcome outcome = {0};

	pthread_mutex_lock(&child->lock);
	secret_clear(&child->pin);
	pthread_mutex_unlock(&child->lock);
	buffer_append_u8(&question, WIRE_LOGOUT);
	if (hsm_child_find_running(child, &asking))
		asking_ask(&asking, &question, &outcome, NULL);
}

/* A question that gets no answer. */
static void tell(struct asking *asking, const struct buffer *question)
{
	struct child_channel channel _cleanup_(child_return) = {0};
	bool dead;

	if (child_take(asking->child, &channel, &dead, NULL))
		child_send(&channel, question, &dead, NULL);
}

void hsm_child_make_ready(
	struct hsm_child *child, uint32_t object, enum key_use use, uint32_t mechanism)
{
	_cleanup_buffer_ struct buffer question = BUFFER_INIT;
	struct asking asking _cleanup_asking_ = {0};

	buffer_append_u8(&question, WIRE_READY);
	buffer_append_u32(&question, object);
	buffer_append_u8(&question, (uint8_t)use);
	buffer_append_u32(&question, mechanism);
	if (hsm_child_find_running(child, &asking))
		tell(&asking, &question);
}

/* --- calls --- */

/* What names or may make session objects. */
static bool wants_owner(const struct hsm_request *request)
{
	switch (request->operation) {
	case HSM_CREATE:
	case HSM_COPY:
	case HSM_GENERATE_KEY:
	case HSM_GENERATE_PAIR:
	case HSM_UNWRAP:
	case HSM_DERIVE_KEY:
	case HSM_BEGIN:
		return true;
	default:
		return request->object >= HSM_SESSION_OBJECT ||
		       request->second >= HSM_SESSION_OBJECT;
	}
}

/*
 * A token that gets another label may have either of them when its process has ended: the next one
 * finds it by its serial number.
 */
static void note_serial(struct hsm_child *child, const struct hsm_request *request)
{
	struct hsm_information token _cleanup_(hsm_information_clear) = {0};

	if (request->operation != HSM_INIT_TOKEN || request->input.length == 0)
		return;
	hsm_information(child->hsm, &token);
	pthread_mutex_lock(&child->lock);
	if (!child->serial && token.serial[0])
		child->serial = steal_pointer(&token.serial);
	pthread_mutex_unlock(&child->lock);
}

/* The new PIN is that of those who are logged in, as in token/hsm-pin.c. */
static void follow_pin(struct hsm_child *child, const struct hsm_request *request)
{
	struct hsm *hsm = child->hsm;

	if (request->operation != HSM_SET_PIN || !request->new_pin)
		return;
	pthread_mutex_lock(&hsm->login_lock);
	if (hsm->logins > 0)
		secret_copy(&hsm->pin, request->new_pin);
	pthread_mutex_lock(&child->lock);
	if (secret_is_set(&child->pin))
		secret_copy(&child->pin, request->new_pin);
	pthread_mutex_unlock(&child->lock);
	pthread_mutex_unlock(&hsm->login_lock);
}

/* What a stream that was begun is asked; not one that went with its process. */
static bool is_of_stream(const struct hsm_request *request)
{
	return request->operation == HSM_CONTINUE || request->operation == HSM_END ||
	       request->operation == HSM_CANCEL;
}

static void put_call(
	struct buffer *question, const struct hsm_owner *owner, const struct hsm_request *request)
{
	buffer_append_u8(question, WIRE_CALL);
	buffer_append_u32(question, owner ? owner->number : WIRE_NOBODY);
	wire_put_request(question, request);
}

/* Streams of one owner do not wait for each other, nor do they change its objects. */
static bool call_stream(struct hsm_child *child, const struct hsm_owner *owner,
	const struct hsm_request *request, struct hsm_reply *reply, struct error *error)
{
	_cleanup_buffer_ struct buffer question = BUFFER_INIT_WIPE;
	struct asking asking _cleanup_asking_ = {0};
	struct wire_outcome outcome = {.reply = {.output = reply->output}};
	bool is_there = hsm_child_find_running(child, &asking) &&
			(!owner || owner->generation == asking.generation);

	if (!is_there)
		return request->operation == HSM_CANCEL ||
		       error_set_refused(error, CKR_OPERATION_NOT_INITIALIZED,
			       "the operation has ended with the PKCS#11 module's process");
	put_call(&question, owner, request);
	bool done = asking_ask(&asking, &question, &outcome, error);
	if (done)
		memcpy(reply->numbers, outcome.reply.numbers, sizeof(reply->numbers));
	return done;
}

static bool call(struct hsm_child *child, struct hsm_owner *owner,
	const struct hsm_request *request, struct hsm_reply *reply, struct error *error)
{
	_cleanup_buffer_ struct buffer question = BUFFER_INIT_WIPE;
	struct asking asking _cleanup_asking_ = {0};
	struct wire_outcome outcome = {.reply = {.output = reply->output}};
	struct error failure _cleanup_error_ = ERROR_INIT;

	put_call(&question, owner, request);
	bool done = ask(child, &question, &outcome, &asking, &failure);
	if (done)
		memcpy(reply->numbers, outcome.reply.numbers, sizeof(reply->numbers));
	/* A login that was lost and made again may show other objects even where it fails. */
	if (outcome.token_serial > 0 && !hsm_child_follow_token(child, &asking,
						outcome.token_serial, &reply->changed, error))
		return false;
	if (owner && outcome.owner_serial > 0 &&
		!hsm_child_follow_owner(&asking, owner, outcome.owner_serial, error))
		return false;
	return done || error_move(error, &failure);
}

bool hsm_child_call(struct hsm_child *child, struct hsm_owner *owner,
	const struct hsm_request *request, struct hsm_reply *reply, struct error *error)
{
	bool done;

	if (is_of_stream(request))
		return call_stream(child, owner, request, reply, error);
	note_serial(child, request);
	if (!owner || !wants_owner(request)) {
		done = call(child, NULL, request, reply, error);
	} else {
		pthread_mutex_lock(&owner->session_lock);
		if (owner->number == WIRE_NOBODY)
			owner->number = ++child->last_owner;
		done = call(child, owner, request, reply, error);
		pthread_mutex_unlock(&owner->session_lock);
	}
	if (done)
		follow_pin(child, request);
	return done;
}

/* --- owners --- */

bool hsm_child_has_lost(struct hsm_child *child, const struct hsm_owner *owner)
{
	pthread_mutex_lock(&child->lock);
	bool lost = owner->generation != child->generation || !child->running ||
		    child_has_ended(child->running);
	pthread_mutex_unlock(&child->lock);
	return lost;
}

void hsm_child_end_owner(struct hsm_child *child, struct hsm_owner *owner)
{
	_cleanup_buffer_ struct buffer question = BUFFER_INIT;
	struct asking asking _cleanup_asking_ = {0};

	buffer_append_u8(&question, WIRE_END_OWNER);
	buffer_append_u32(&question, owner->number);
	if (owner->number != WIRE_NOBODY && hsm_child_find_running(child, &asking) &&
		asking.generation == owner->generation)
		tell(&asking, &question);
}

void hsm_child_logout_owner(struct hsm_child *child, struct hsm_owner *owner)
{
	_cleanup_buffer_ struct buffer question = BUFFER_INIT;
	struct asking asking _cleanup_asking_ = {0};
	struct wire_outcome outcome = {0};

	pthread_mutex_lock(&owner->session_lock);
	buffer_append_u8(&question, WIRE_LOGOUT_OWNER);
	buffer_append_u32(&question, owner->number);
	if (owner->number != WIRE_NOBODY && hsm_child_find_running(child, &asking) &&
		asking.generation == owner->generation &&
		asking_ask(&asking, &question, &outcome, NULL))
		hsm_child_follow_owner(&asking, owner, outcome.owner_serial, NULL);
	pthread_mutex_unlock(&owner->session_lock);
}
