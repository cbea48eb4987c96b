/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/thread.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/crypto.h>

#include "common/alloc.h"

int thread_start_detached(
	pthread_t *thread, void *(*run)(void *argument), void *argument, size_t stack_bytes)
{
	pthread_attr_t attributes;
	pthread_t unwanted;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	if (stack_bytes > 0)
		pthread_attr_setstacksize(&attributes, stack_bytes);
	int result = pthread_create(thread ? thread : &unwanted, &attributes, run, argument);
	pthread_attr_destroy(&attributes);
	return result;
}

/* Of a call that somebody waits for: whoever comes last frees it. */
struct call {
	pthread_mutex_t lock; /* guards the next two */
	bool has_ended, is_left;
	pthread_cond_t moved; /* when has_ended becomes true */
	void (*run)(void *argument);
	void (*drop)(void *argument);
	void *argument;
};

static void call_free(struct call *call)
{
	pthread_cond_destroy(&call->moved);
	pthread_mutex_destroy(&call->lock);
	free(call);
}

static void *run_call(void *argument)
{
	struct call *call = argument;

	call->run(call->argument);
	/* What libcrypto keeps of this thread would otherwise go at some time after its end was
	 * seen. */
	OPENSSL_thread_stop();
	pthread_mutex_lock(&call->lock);
	call->has_ended = true;
	bool is_left = call->is_left;
	pthread_cond_signal(&call->moved);
	pthread_mutex_unlock(&call->lock);
	if (is_left) {
		call->drop(call->argument);
		call_free(call);
	}
	return NULL;
}

static struct timespec after(unsigned timeout_ms)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	time.tv_sec += timeout_ms / 1000;
	time.tv_nsec += timeout_ms % 1000 * 1000000L;
	if (time.tv_nsec >= 1000000000L) {
		time.tv_sec++;
		time.tv_nsec -= 1000000000L;
	}
	return time;
}

static struct call *call_new(void (*run)(void *), void (*drop)(void *), void *argument)
{
	struct call *call = xnew(struct call);
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&call->moved, &attributes);
	pthread_condattr_destroy(&attributes);
	pthread_mutex_init(&call->lock, NULL);
	call->run = run;
	call->drop = drop;
	call->argument = argument;
	return call;
}

/* Whether it has ended in time; it is left alone otherwise. */
static bool wait_for(struct call *call, unsigned timeout_ms)
{
	struct timespec end = after(timeout_ms);
	int result = 0;

	pthread_mutex_lock(&call->lock);
	while (!call->has_ended && result != ETIMEDOUT)
		result = pthread_cond_timedwait(&call->moved, &call->lock, &end);
	bool has_ended = call->has_ended;
	call->is_left = !has_ended;
	pthread_mutex_unlock(&call->lock);
	return has_ended;
}

bool thread_run_within(unsigned timeout_ms, void (*run)(void *argument),
	void (*drop)(void *argument), void *argument)
{
	struct call *call = call_new(run, drop, argument);

	if (thread_start_detached(NULL, run_call, call, 0) != 0) {
		call_free(call);
		run(argument);
		return true;
	}
	if (!wait_for(call, timeout_ms))
		return false;
	call_free(call);
	return true;
}
