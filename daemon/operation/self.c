/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/self.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/alloc.h"
#include "common/macros.h"
#include "operation/login-private.h"
#include "operation/self-code.h"
#include "operation/self-private.h"
#include "operation/system-user.h"

struct selves *selves_new(struct services *services)
{
	struct selves *selves = xnew(struct selves);

	selves->services = services;
	selves->refusal_ms = SELF_REFUSAL_MS;
	self_limits_init(&selves->limits, services->store);
	pthread_mutex_init(&selves->lock, NULL);
	return selves;
}

void self_identity_clear(struct self_identity *identity)
{
	free(identity->caller);
	free(identity->label);
	free(identity->id);
	free(identity->connection);
	free(identity->person_id);
	fields_clear(&identity->fields);
	free(identity->selector);
	free(identity->template_name);
	*identity = (struct self_identity){0};
}

void self_identities_free(struct self_identity *identities, size_t count)
{
	for (size_t i = 0; i < count; i++)
		self_identity_clear(&identities[i]);
	free(identities);
}

void selves_free(struct selves *selves)
{
	if (!selves)
		return;
	self_identities_free(selves->identities, selves->count);
	self_limits_clear(&selves->limits);
	pthread_mutex_destroy(&selves->lock);
	free(selves);
}

/* --- the list --- */

/* Under the lock. */
static void remove_at(struct selves *selves, size_t index)
{
	self_identity_clear(&selves->identities[index]);
	memmove(&selves->identities[index], &selves->identities[index + 1],
		(--selves->count - index) * sizeof(*selves->identities));
}

/* Those that have run out, and what `identity` takes the place of. Under the lock. */
static void make_room(struct selves *selves, const char *caller, enum self_way way)
{
	for (size_t i = selves->count; i-- > 0;) {
		const struct self_identity *entry = &selves->identities[i];
		if (login_now() >= entry->until ||
			(entry->way == way && strcmp(entry->caller, caller) == 0))
			remove_at(selves, i);
	}
}

bool selves_add(struct selves *selves, const char *caller, struct self_identity *identity,
	struct error *error)
{
	pthread_mutex_lock(&selves->lock);
	make_room(selves, caller, identity->way);
	bool has_room = selves->count < SELF_IDENTITIES_MAX;
	if (has_room) {
		identity->caller = xstrdup(caller);
		identity->until = login_now() + SELF_SECONDS;
		selves->identities = xreallocarray(
			selves->identities, selves->count + 1, sizeof(*selves->identities));
		selves->identities[selves->count++] = *identity;
		*identity = (struct self_identity){0};
	}
	pthread_mutex_unlock(&selves->lock);
	return has_room || error_set(error, ERROR_BUSY,
				   "too many people are served at this moment; try again later");
}

void selves_end(struct selves *selves, const char *caller)
{
	pthread_mutex_lock(&selves->lock);
	for (size_t i = selves->count; i-- > 0;) {
		if (strcmp(selves->identities[i].caller, caller) == 0)
			remove_at(selves, i);
	}
	pthread_mutex_unlock(&selves->lock);
}

static struct self_identity copy_of(const struct self_identity *identity)
{
	struct self_identity copy = {.caller = xstrdup(identity->caller),
		.way = identity->way,
		.label = xstrdup(identity->label),
		.id = xstrdup(identity->id),
		.connection = xstrdup(identity->connection),
		.person_id = xstrdup(identity->person_id),
		.selector = xstrdup(identity->selector),
		.code = identity->code,
		.purpose = identity->purpose,
		.credential_id = identity->credential_id,
		.template_name = xstrdup(identity->template_name),
		.until = identity->until};

	fields_copy(&copy.fields, &identity->fields);
	return copy;
}

/* Copies; the order of the ways puts codes, which are used up, last. */
static struct self_identity *copy_all(struct selves *selves, const char *caller, size_t *count)
{
	*count = 0;
	pthread_mutex_lock(&selves->lock);
	struct self_identity *copies = xcalloc(selves->count + 1, sizeof(*copies));
	for (size_t way = 0; way < SELF_WAY_COUNT; way++) {
		for (size_t i = 0; i < selves->count; i++) {
			const struct self_identity *entry = &selves->identities[i];
			if (entry->way == way && login_now() < entry->until &&
				strcmp(entry->caller, caller) == 0)
				copies[(*count)++] = copy_of(entry);
		}
	}
	pthread_mutex_unlock(&selves->lock);
	return copies;
}

struct self_identity *selves_of(struct selves *selves, const char *caller, size_t *count)
{
	size_t found, good = 0;

	*count = 0;
	if (!selves)
		return NULL;
	struct self_identity *identities = copy_all(selves, caller, &found);

	for (size_t i = 0; i < found; i++) {
		struct self_identity *identity = &identities[i];
		if (!identity->selector ||
			self_code_is_open(selves->services, identity->selector, time(NULL)))
			identities[good++] = *identity;
		else
			self_identity_clear(identity);
	}
	*count = good;
	return identities;
}

/* --- proofs --- */

/* Whose lock-out a code that there is counts for besides its own. */
static bool count_for_holder(
	struct self_try *attempt, const struct self_code *code, struct error *error)
{
	char id[32];

	if (code->user_id)
		return self_try_subject(attempt, "person", code->user_id, error);
	if (code->credential_id == 0)
		return true;
	snprintf(id, sizeof(id), "%" PRId64, code->credential_id);
	return self_try_subject(attempt, "card", id, error);
}

/* Of "corp:ID"; connections' names have no colon, and user ids neither. */
static void set_person(struct self_identity *identity)
{
	const char *colon = identity->id ? strchr(identity->id, ':') : NULL;

	if (!colon)
		return;
	identity->connection = xasprintf("%.*s", (int)(colon - identity->id), identity->id);
	identity->person_id = xstrdup(colon + 1);
}

static struct self_identity identity_of(struct self_code *code)
{
	struct self_identity identity = {.way = SELF_BY_CODE,
		.label = xasprintf("code %s", code->selector),
		.id = steal_pointer(&code->user_id),
		.fields = code->holder,
		.selector = xstrdup(code->selector),
		.code = code->id,
		.purpose = code->purpose,
		.credential_id = code->credential_id,
		.template_name = steal_pointer(&code->template_name)};

	set_person(&identity);
	return identity;
}

/* Finds the code, which may be none, and tries it. */
static bool try_code(struct self_try *attempt, const struct self_code_typed *typed,
	struct self_code *code, bool *fits, struct error *error)
{
	struct store *store = attempt->selves->services->store;
	struct error absence _cleanup_error_ = ERROR_INIT;

	if (!self_try_subject(attempt, "code", typed->selector, error))
		return false;
	if (!store_self_code_get(store, typed->selector, code, &absence) &&
		absence.code != ERROR_NOT_FOUND)
		return error_move(error, &absence);
	if (!count_for_holder(attempt, code, error))
		return false;
	*fits = self_code_fits(code, typed, time(NULL)) && !attempt->locked;
	return *fits || code->id == 0 || store_self_code_fail(store, code->id, error);
}

bool self_prove_code(struct selves *selves, const struct self_request *request,
	const struct secret *text, struct error *error)
{
	struct self_try attempt _cleanup_self_try_ = {0};
	struct self_code_typed typed _cleanup_self_code_typed_ = {.rest = SECRET_INIT};
	struct self_code code _cleanup_self_code_ = {0};
	bool fits = false;

	if (!self_try_begin(&attempt, selves, request, error) ||
		!self_code_read(text, &typed, error))
		return false;
	attempt.detail = xasprintf("code %s", typed.selector);
	if (!try_code(&attempt, &typed, &code, &fits, error))
		return false;
	if (!fits)
		return self_try_refuse(&attempt, error);
	struct self_identity identity = identity_of(&code);
	code.holder = (struct fields)FIELDS_INIT;
	bool accepted = self_try_accept(&attempt, &identity, error);
	self_identity_clear(&identity);
	return accepted;
}

bool self_prove_system_user(struct selves *selves, const struct self_request *request,
	const struct error *refusal, struct error *error)
{
	struct self_try attempt _cleanup_self_try_ = {0};
	struct self_identity identity = {.way = SELF_BY_SYSTEM_USER};
	struct error failure _cleanup_error_ = ERROR_INIT;

	if (!self_try_begin(&attempt, selves, request, error))
		return false;
	attempt.detail = xstrdup("system-user");
	if (refusal && refusal->code != ERROR_NONE) {
		error_set(&failure, refusal->code, "%s", error_message(refusal));
		return self_try_give_up(&attempt, &failure, error);
	}
	if (!system_user_holder(request->uid, &identity.fields, &failure)) {
		fields_clear(&identity.fields);
		return self_try_give_up(&attempt, &failure, error);
	}
	identity.id = system_user_id(request->uid);
	identity.label = xasprintf("system-user %s", fields_get(&identity.fields, HOLDER_USER));
	bool accepted = self_try_accept(&attempt, &identity, error);
	self_identity_clear(&identity);
	return accepted;
}

bool selves_lift(struct selves *selves, const char *kind, const char *name, bool *was_locked,
	struct error *error)
{
	_cleanup_free_ char *subject = self_limits_subject(&selves->limits, kind, name);

	return self_limits_forgive(&selves->limits, subject, was_locked, error);
}

/* --- who is being asked --- */

/* Under the lock. */
static bool has_room_to_ask(const struct selves *selves, uid_t uid, bool on_shared_thread)
{
	size_t shared = 0;

	for (size_t i = 0; i < selves->asked_count; i++) {
		if (selves->asked[i].uid == uid)
			return false;
		shared += selves->asked[i].on_shared_thread;
	}
	return selves->asked_count < SELF_ASKED_MAX &&
	       (!on_shared_thread || shared < SELF_ASKED_SHARED_MAX);
}

bool selves_ask_begin(struct selves *selves, uid_t uid, bool on_shared_thread, struct error *error)
{
	pthread_mutex_lock(&selves->lock);
	bool has_room = has_room_to_ask(selves, uid, on_shared_thread);
	if (has_room)
		selves->asked[selves->asked_count++] =
			(struct self_asked){.uid = uid, .on_shared_thread = on_shared_thread};
	pthread_mutex_unlock(&selves->lock);
	return has_room ||
	       error_set(error, ERROR_BUSY,
		       "somebody is proving who they are already; try again in a moment");
}

void selves_ask_end(struct selves *selves, uid_t uid)
{
	pthread_mutex_lock(&selves->lock);
	for (size_t i = selves->asked_count; i-- > 0;) {
		if (selves->asked[i].uid == uid)
			selves->asked[i] = selves->asked[--selves->asked_count];
	}
	pthread_mutex_unlock(&selves->lock);
}
