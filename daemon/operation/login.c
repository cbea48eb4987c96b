/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/login.h"

#include <string.h>
#include <time.h>

#include "audit/audit.h"
#include "common/alloc.h"
#include "common/log.h"
#include "operation/login-private.h"
#include "operation/operators.h"
#include "operation/remaining.h"

#define LOGINS_MAX	   256
#define LOGINS_OF_A_CALLER 16
#define CLOCK_TOLERANCE_US (60 * INT64_C(1000000))

int64_t login_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

struct logins *logins_new(struct services *services, unsigned idle_seconds)
{
	struct logins *logins = xnew(struct logins);

	logins->services = services;
	logins->idle_seconds = idle_seconds;
	pthread_mutex_init(&logins->lock, NULL);
	return logins;
}

/* Under the lock. The others stay in the order in which they came. */
static void remove_entry(struct logins *logins, size_t index)
{
	struct login_entry *entry = &logins->entries[index];

	free(entry->caller);
	free(entry->serial);
	audit_signer_unref(entry->signer);
	memmove(entry, entry + 1, (--logins->count - index) * sizeof(*entry));
}

void logins_free(struct logins *logins)
{
	if (!logins)
		return;
	while (logins->count > 0)
		remove_entry(logins, logins->count - 1);
	free(logins->entries);
	for (size_t i = 0; i < logins->challenge_count; i++)
		login_challenge_clear(&logins->challenges[i]);
	free(logins->challenges);
	pthread_mutex_destroy(&logins->lock);
	free(logins);
}

/* --- the list of logins --- */

/* Whether the login's key may still sign: a clock that was set anew ends logins, too. */
static bool is_in_time(const struct login_entry *entry)
{
	int64_t now = audit_now_us();

	return now >= entry->from_us - CLOCK_TOLERANCE_US &&
	       now < entry->from_us + LOGIN_SECONDS_MAX * INT64_C(1000000);
}

/* Under the lock. */
static void drop_old(struct logins *logins)
{
	for (size_t i = logins->count; i-- > 0;) {
		const struct login_entry *entry = &logins->entries[i];
		if (login_now() - entry->used_at > logins->idle_seconds || !is_in_time(entry))
			remove_entry(logins, i);
	}
}

/* Whether there is room; the caller's own earlier login of the card is replaced. Under the lock. */
static bool make_room(struct logins *logins, const char *caller, int64_t credential_id)
{
	size_t of_caller = 0;

	drop_old(logins);
	for (size_t i = logins->count; i-- > 0;) {
		const struct login_entry *entry = &logins->entries[i];
		if (strcmp(entry->caller, caller) != 0)
			continue;
		if (entry->credential_id == credential_id)
			remove_entry(logins, i);
		else
			of_caller++;
	}
	return logins->count < LOGINS_MAX && of_caller < LOGINS_OF_A_CALLER;
}

/* Adds the login as one that counts for nothing yet. Its number, or 0 when there is no room. */
static uint64_t reserve(struct logins *logins, const struct login_request *request,
	const struct credential *credential, const struct login_attempt *attempt)
{
	uint64_t number = 0;

	pthread_mutex_lock(&logins->lock);
	if (make_room(logins, request->caller, credential->id)) {
		logins->entries =
			xreallocarray(logins->entries, logins->count + 1, sizeof(*logins->entries));
		number = ++logins->last_number;
		logins->entries[logins->count++] = (struct login_entry){.number = number,
			.caller = xstrdup(request->caller),
			.serial = xstrdup(credential->serial),
			.credential_id = credential->id,
			.used_at = login_now(),
			.from_us = attempt->from_us,
			.reader = request->reader,
			.end_on_removal = request->end_on_removal};
	}
	pthread_mutex_unlock(&logins->lock);
	return number;
}

/*
 * The login counts from now on; without a key it is taken back. It may have ended meanwhile. Takes
 * the key.
 */
static void settle(struct logins *logins, uint64_t number, struct audit_signer *signer)
{
	pthread_mutex_lock(&logins->lock);
	for (size_t i = logins->count; i-- > 0;) {
		if (logins->entries[i].number != number)
			continue;
		logins->entries[i].signer = steal_pointer(&signer);
		if (!logins->entries[i].signer)
			remove_entry(logins, i);
	}
	pthread_mutex_unlock(&logins->lock);
	audit_signer_unref(signer);
}

/* As whom the login signs: the operator, or the card of a holder who is none. Heap. */
static char *name_of(struct logins *logins, const struct credential *credential)
{
	struct operator_record record _cleanup_operator_ = OPERATOR_INIT;
	bool is_operator =
		store_operator_get(logins->services->store, credential->id, &record, NULL);

	return xstrdup(is_operator ? record.id : credential->serial);
}

bool login_fail(struct logins *logins, const struct audit_actor *actor, const char *serial,
	struct error *failure, struct error *error)
{
	struct services *services = logins->services;
	struct error unwritten _cleanup_error_ = ERROR_INIT;

	if (!audit_write_refusal(services->store, &services->refusals, actor, AUDIT_LOGIN_OPERATION,
		    serial, 0, failure, NULL, &unwritten))
		log_error("audit record not written: %s", error_message(&unwritten));
	return error_move(error, failure);
}

/* Writes the record, whose number the key needs. */
static bool record_login(struct logins *logins, const struct login_request *request,
	const struct credential *credential, struct login_attempt *attempt, struct error *error)
{
	_cleanup_free_ char *who = operators_note_login(logins->services, credential->id);
	_cleanup_free_ char *name = name_of(logins, credential);
	int64_t record = 0;
	const struct audit_entry entry = {.actor = request->actor,
		.operation = AUDIT_LOGIN_OPERATION,
		.card = credential->serial,
		.detail = who,
		.operator_name = name,
		.proof = &attempt->proof,
		.id = &record};

	if (!audit_write_entry(logins->services->store, &entry, error))
		return false;
	audit_signer_set_login(attempt->signer, name, record);
	return true;
}

bool login_add(struct logins *logins, const struct login_request *request,
	const struct credential *credential, struct login_attempt *attempt, struct error *error)
{
	struct error failure _cleanup_error_ = ERROR_INIT;
	uint64_t number = reserve(logins, request, credential, attempt);

	if (number == 0) {
		error_set(&failure, ERROR_BUSY, "too many operators are logged in");
		return login_fail(logins, request->actor, credential->serial, &failure, error);
	}
	bool recorded = record_login(logins, request, credential, attempt, error);
	settle(logins, number, recorded ? steal_pointer(&attempt->signer) : NULL);
	return recorded;
}

void logins_end(struct logins *logins, const char *caller)
{
	pthread_mutex_lock(&logins->lock);
	for (size_t i = logins->count; i-- > 0;) {
		if (strcmp(logins->entries[i].caller, caller) == 0)
			remove_entry(logins, i);
	}
	pthread_mutex_unlock(&logins->lock);
}

void logins_card_removed(struct logins *logins, unsigned reader, const char *serial)
{
	pthread_mutex_lock(&logins->lock);
	for (size_t i = logins->count; i-- > 0;) {
		if (logins->entries[i].end_on_removal && logins->entries[i].reader == reader &&
			strcmp(logins->entries[i].serial, serial) == 0)
			remove_entry(logins, i);
	}
	pthread_mutex_unlock(&logins->lock);
}

static bool is_login_of(const struct login_entry *entry, const char *caller)
{
	return entry->signer && strcmp(entry->caller, caller) == 0;
}

int64_t *logins_credentials(struct logins *logins, const char *caller, size_t *count)
{
	*count = 0;
	pthread_mutex_lock(&logins->lock);
	drop_old(logins);
	int64_t *ids = xcalloc(logins->count + 1, sizeof(*ids));
	for (size_t i = 0; i < logins->count; i++) {
		if (is_login_of(&logins->entries[i], caller))
			ids[(*count)++] = logins->entries[i].credential_id;
	}
	pthread_mutex_unlock(&logins->lock);
	return ids;
}

/*
 * Of the one who logged in first: the others, who came for a quorum perhaps and left, are not kept
 * logged in by what that one does.
 */
static void note_use(struct logins *logins, const char *caller)
{
	bool found = false;

	pthread_mutex_lock(&logins->lock);
	for (size_t i = 0; i < logins->count && !found; i++) {
		found = strcmp(logins->entries[i].caller, caller) == 0;
		if (found)
			logins->entries[i].used_at = login_now();
	}
	pthread_mutex_unlock(&logins->lock);
}

/* --- what they may --- */

/* The cards of those who may do this; heap array. */
static int64_t *able(
	struct logins *logins, const char *caller, enum permission permission, size_t *count)
{
	size_t found;
	int64_t *ids = logins_credentials(logins, caller, &found);

	*count = 0;
	for (size_t i = 0; i < found; i++) {
		if (operators_permissions(logins->services, ids[i]) & permission_bit(permission))
			ids[(*count)++] = ids[i];
	}
	return ids;
}

unsigned logins_count(struct logins *logins, const char *caller, enum permission permission)
{
	size_t count;
	_cleanup_free_ int64_t *ids = able(logins, caller, permission, &count);

	return (unsigned)count;
}

permission_set logins_permissions(struct logins *logins, const char *caller)
{
	size_t count;
	permission_set permissions = 0;
	_cleanup_free_ int64_t *ids = logins_credentials(logins, caller, &count);

	for (size_t i = 0; i < count; i++)
		permissions |= operators_permissions(logins->services, ids[i]);
	return permissions;
}

bool logins_check_quorum(
	struct logins *logins, const char *caller, enum permission permission, struct error *error)
{
	struct services *services = logins->services;
	unsigned needed = 1, persons;
	size_t count;

	if (!permission_may_have_quorum(permission))
		return true;
	if (!store_quorum_get(services->store, permission, &needed, error))
		return false;
	if (needed <= 1)
		return true;
	_cleanup_free_ int64_t *ids = able(logins, caller, permission, &count);
	if (!remaining_count_persons(services, ids, count, &persons, error))
		return false;
	return persons >= needed ||
	       error_set(error, ERROR_QUORUM_MISSING,
		       "to %s takes %u operators, and %u of them %s logged in: another one has to "
		       "log in, too (tessera login --reader N)",
		       permission_description(permission), needed, persons,
		       persons == 1 ? "is" : "are");
}

static bool refuse(bool is_logged_in, enum permission permission, struct error *error)
{
	if (!is_logged_in)
		return error_set(error, ERROR_ACCESS_DENIED,
			"an operator who may %s must log in first (tessera login)",
			permission_description(permission));
	return error_set(error, ERROR_ACCESS_DENIED, "the operator's roles do not let one %s",
		permission_description(permission));
}

bool logins_may(
	struct logins *logins, const char *caller, enum permission permission, struct error *error)
{
	size_t count;
	_cleanup_free_ int64_t *ids = logins_credentials(logins, caller, &count);

	if (!operators_initialised(logins->services))
		return error_set(error, ERROR_NOT_INITIALIZED,
			"Tessera has no system owner yet: run \"tessera init\" first");
	if (logins_count(logins, caller, permission) == 0)
		return refuse(count > 0, permission, error);
	if (!logins_check_quorum(logins, caller, permission, error))
		return false;
	note_use(logins, caller);
	return true;
}

bool logins_check_other(
	struct logins *logins, const char *caller, int64_t credential_id, struct error *error)
{
	size_t count;
	_cleanup_free_ int64_t *ids = logins_credentials(logins, caller, &count);

	for (size_t i = 0; i < count; i++) {
		if (ids[i] == credential_id)
			return error_set(error, ERROR_ACCESS_DENIED,
				"nobody may do this to the own card: another operator must");
	}
	return true;
}

static bool has_one_of(const struct operator_record *record, char *const *roles, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (operator_has_role(record, roles[i]))
			return true;
	}
	return false;
}

bool logins_have_role(struct logins *logins, const char *caller, char *const *roles, size_t count)
{
	size_t logged_in;
	bool found = false;
	_cleanup_free_ int64_t *ids = logins_credentials(logins, caller, &logged_in);

	for (size_t i = 0; i < logged_in && !found; i++) {
		struct operator_record record _cleanup_operator_ = OPERATOR_INIT;
		found = operators_permissions(logins->services, ids[i]) != 0 &&
			store_operator_get(logins->services->store, ids[i], &record, NULL) &&
			has_one_of(&record, roles, count);
	}
	return found;
}

/* --- for people --- */

struct login_view *logins_list(struct logins *logins, const char *caller, size_t *count)
{
	size_t found;
	_cleanup_free_ int64_t *ids = logins_credentials(logins, caller, &found);
	struct login_view *views = xcalloc(found + 1, sizeof(*views));

	*count = 0;
	for (size_t i = 0; i < found; i++) {
		struct operator_record record _cleanup_operator_ = OPERATOR_INIT;
		struct credential *credential _cleanup_credential_ =
			store_credential_by_id(logins->services->store, ids[i], NULL);
		if (!credential)
			continue;
		struct login_view *view = &views[(*count)++];
		view->serial = xstrdup(credential->serial);
		bool is_operator =
			store_operator_get(logins->services->store, ids[i], &record, NULL);
		view->operator_id = is_operator ? xstrdup(record.id) : NULL;
		view->roles = is_operator ? operator_roles_text(&record) : xstrdup(ROLE_SELF);
	}
	return views;
}

void login_views_free(struct login_view *views, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(views[i].operator_id);
		free(views[i].serial);
		free(views[i].roles);
	}
	free(views);
}

struct audit_actor *logins_actor(struct logins *logins, const char *caller, const char *actor)
{
	struct audit_actor *who = audit_actor_new(actor);

	pthread_mutex_lock(&logins->lock);
	drop_old(logins);
	for (size_t i = 0; i < logins->count; i++) {
		if (is_login_of(&logins->entries[i], caller))
			audit_actor_add(who, logins->entries[i].signer);
	}
	pthread_mutex_unlock(&logins->lock);
	return who;
}
