/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/thread.h"

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
