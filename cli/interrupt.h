/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ctrl-C, SIGTERM and SIGHUP: remembered, and acted on where it is safe. */
#ifndef TESSERA_CLI_INTERRUPT_H
#define TESSERA_CLI_INTERRUPT_H

#include <signal.h>
#include <sys/types.h>

/* From now on the signals only count; system calls that wait return with EINTR. */
void interrupt_install(void);
/* SIG_BLOCK or SIG_UNBLOCK for them, in this thread; before: the mask that it had, or NULL. */
void interrupt_mask(int how, sigset_t *before);
/* How many came since then. */
int interrupt_count(void);
/* As read(2); EINTR too when one of them came at any time before there was something to read. */
ssize_t interrupt_read(int descriptor, void *data, size_t size);

#endif
