/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ctrl-C, SIGTERM and SIGHUP: remembered, and acted on where it is safe. */
#ifndef TESSERA_CLI_INTERRUPT_H
#define TESSERA_CLI_INTERRUPT_H

/* From now on the signals only count; system calls that wait return with EINTR. */
void interrupt_install(void);
/* How many came since then. */
int interrupt_count(void);

#endif
