/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/self-limits.h"

#include <string.h>
#include <time.h>

#include <openssl/sha.h>

#include "common/alloc.h"
#include "common/buffer.h"

void self_limits_init(struct self_limits *limits, struct store *store)
{
	*limits = (struct self_limits){.store = store};
	pthread_mutex_init(&limits->lock, NULL);
	for (size_t i = 0; i < SELF_USERS_REMEMBERED; i++)
		limits->users[i].user = (uid_t)-1;
}

void self_limits_clear(struct self_limits *limits)
{
	pthread_mutex_destroy(&limits->lock);
}

/* Under the lock. */
static struct rate_limit *tries_of(struct self_limits *limits, uid_t user)
{
	for (size_t i = 0; i < SELF_USERS_REMEMBERED; i++) {
		if (limits->users[i].user == user)
			return &limits->users[i].tries;
	}
	struct self_user *place = &limits->users[limits->next++ % SELF_USERS_REMEMBERED];
	*place = (struct self_user){.user = user};
	return &place->tries;
}

bool self_limits_try(struct self_limits *limits, uid_t user, struct error *error)
{
	pthread_mutex_lock(&limits->lock);
	bool passes = rate_limit_pass(tries_of(limits, user), SELF_TRIES_A_MINUTE_OF_USER) &&
		      rate_limit_pass(&limits->tries, SELF_TRIES_A_MINUTE);
	pthread_mutex_unlock(&limits->lock);
	return passes ||
	       error_set(error, ERROR_BUSY,
		       "there were too many tries within a minute; wait for the next one");
}

char *self_limits_subject(struct self_limits *limits, const char *kind, const char *name)
{
	_cleanup_free_ char *text = xasprintf("%s %s %s", store_id(limits->store), kind, name);
	uint8_t digest[SHA256_DIGEST_LENGTH];

	SHA256((const unsigned char *)text, strlen(text), digest);
	return hex_encode(digest, sizeof(digest));
}

/* Under the lock. */
static bool count_failure(struct self_limits *limits, const char *subject, struct lock_out *before,
	bool *locked, struct error *error)
{
	int64_t now = time(NULL);

	if (!store_lock_out_purge(limits->store, now - LOCK_OUT_FORGIVE_AFTER, now, error) ||
		!store_lock_out_get(limits->store, subject, before, error))
		return false;
	struct lock_out after = *before;
	*locked = lock_out_holds(before, now);
	if (*locked)
		return true;
	lock_out_fail(&after, now);
	return store_lock_out_set(limits->store, subject, &after, error);
}

bool self_limits_begin(struct self_limits *limits, const char *subject, struct lock_out *before,
	bool *locked, struct error *error)
{
	pthread_mutex_lock(&limits->lock);
	bool done = count_failure(limits, subject, before, locked, error);
	pthread_mutex_unlock(&limits->lock);
	return done;
}

bool self_limits_take_back(struct self_limits *limits, const char *subject,
	const struct lock_out *before, struct error *error)
{
	if (before->failures == 0)
		return self_limits_forgive(limits, subject, NULL, error);
	return store_lock_out_set(limits->store, subject, before, error);
}

bool self_limits_forgive(
	struct self_limits *limits, const char *subject, bool *was_there, struct error *error)
{
	return store_lock_out_remove(limits->store, subject, was_there, error);
}
