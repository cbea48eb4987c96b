/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include "common/macros.h"

static volatile sig_atomic_t interrupts;

static void count_interrupt(int signal_number)
{
	(void)signal_number;
	interrupts++;
}

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

void interrupt_install(void)
{
	struct sigaction action = {.sa_handler = count_interrupt};

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, NULL);
}

void interrupt_mask(int how, sigset_t *before)
{
	sigset_t held;

	sigemptyset(&held);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&held, signals[i]);
	pthread_sigmask(how, &held, before);
}

int interrupt_count(void)
{
	return interrupts;
}

/* False with errno set to EINTR when a signal has come, before the wait or in it. */
static bool await_input(int descriptor)
{
	struct pollfd input = {.fd = descriptor, .events = POLLIN};
	sigset_t before;

	/* A signal between a look at the count and the wait would be waited out. */
	interrupt_mask(SIG_BLOCK, &before);
	bool ready = interrupts == 0 && ppoll(&input, 1, NULL, &before) >= 0;
	if (!ready && interrupts > 0)
		errno = EINTR;
	int reason = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = reason;
	return ready;
}

ssize_t interrupt_read(int descriptor, void *data, size_t size)
{
	return await_input(descriptor) ? read(descriptor, data, size) : -1;
}
