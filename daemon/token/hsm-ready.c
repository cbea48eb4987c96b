/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The thread of an HSM that prepares signatures while others are under way. */
#include <unistd.h>

#include <openssl/crypto.h>

#include "common/alloc.h"
#include "token/hsm-private.h"

#define AHEAD_MAX 4

/* A signature that is likely to come. */
struct task {
	bool is_end; /* there is nothing more to do */
	uint32_t object, mechanism;
	enum key_use use;
};

struct hsm_preparer {
	struct hsm *hsm;
	pthread_t thread;
	size_t processors;
	atomic_bool is_working;
	pthread_mutex_t lock; /* guards all below; nothing is locked under it */
	pthread_cond_t asked;
	unsigned wanted; /* how many times */
	struct task task;
};

static struct task await(struct hsm_preparer *preparer)
{
	pthread_mutex_lock(&preparer->lock);
	while (preparer->wanted == 0 && !preparer->task.is_end)
		pthread_cond_wait(&preparer->asked, &preparer->lock);
	struct task task = preparer->task;
	if (preparer->wanted > 0)
		preparer->wanted--;
	pthread_mutex_unlock(&preparer->lock);
	return task;
}

/* hsm_preparer_free() waits for it. */
static void *run(void *argument)
{
	struct hsm_preparer *preparer = argument;
	struct task task;

	while (!(task = await(preparer)).is_end) {
		preparer->is_working = true;
		hsm_make_ready(preparer->hsm, task.object, task.use, task.mechanism);
		preparer->is_working = false;
	}
	OPENSSL_thread_stop();
	return NULL;
}

struct hsm_preparer *hsm_preparer_new(struct hsm *hsm)
{
	struct hsm_preparer *preparer = xnew(struct hsm_preparer);

	preparer->hsm = hsm;
	pthread_mutex_init(&preparer->lock, NULL);
	pthread_cond_init(&preparer->asked, NULL);
	preparer->processors = (size_t)sysconf(_SC_NPROCESSORS_ONLN);
	if (preparer->processors > 1 && pthread_create(&preparer->thread, NULL, run, preparer) == 0)
		return preparer;
	preparer->hsm = NULL;
	hsm_preparer_free(preparer);
	return NULL;
}

void hsm_preparer_free(struct hsm_preparer *preparer)
{
	if (!preparer)
		return;
	pthread_mutex_lock(&preparer->lock);
	preparer->task.is_end = true;
	pthread_cond_signal(&preparer->asked);
	pthread_mutex_unlock(&preparer->lock);
	if (preparer->hsm)
		pthread_join(preparer->thread, NULL);
	pthread_cond_destroy(&preparer->asked);
	pthread_mutex_destroy(&preparer->lock);
	free(preparer);
}

/*
 * Not on a single processor, nor when others sign, too: it would only take the time of who signs.
 * The caller is about to sign, its program waits or looks for the answer.
 */
static bool has_time(const struct hsm_preparer *preparer)
{
	size_t others = session_pool_lent(preparer->hsm->sessions);

	if (others > 0 && preparer->is_working)
		others--;
	return 2 * (others + 1) <= preparer->processors;
}

bool hsm_make_ready_aside(struct hsm *hsm, uint32_t object, enum key_use use, uint32_t mechanism)
{
	struct hsm_preparer *preparer = hsm->preparer;

	if (!preparer || !has_time(preparer))
		return false;
	pthread_mutex_lock(&preparer->lock);
	const struct task *before = &preparer->task;
	bool same =
		before->object == object && before->use == use && before->mechanism == mechanism;
	preparer->wanted = !same			  ? 1
			   : preparer->wanted < AHEAD_MAX ? preparer->wanted + 1
							  : AHEAD_MAX;
	preparer->task = (struct task){.object = object, .mechanism = mechanism, .use = use};
	pthread_cond_signal(&preparer->asked);
	pthread_mutex_unlock(&preparer->lock);
	return true;
}
