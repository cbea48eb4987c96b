/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads that nobody joins: who starts them waits for their end in another way, or not at all. */
#ifndef TESSERA_CORE_THREAD_H
#define TESSERA_CORE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Starts a detached thread. stack_bytes: 0 for the system's default. thread (NULL: not wanted) is
 * set before it returns, which may be after the thread has ended. 0, or an errno value.
 */
int thread_start_detached(
	pthread_t *thread, void *(*run)(void *argument), void *argument, size_t stack_bytes);

/*
 * Calls a library that may wait longer than its caller can: run(argument) on a thread of its own,
 * for at most timeout_ms. True: it has ended, and the argument is the caller's again. False: it has
 * not, and goes on alone; the argument is drop()ped when it ends. When there is no thread to be had
 * it runs on this one.
 */
bool thread_run_within(unsigned timeout_ms, void (*run)(void *argument),
	void (*drop)(void *argument), void *argument);

#endif
