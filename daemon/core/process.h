/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Programs that the daemon starts: without a shell, with nothing of the daemon's own environment
 * or descriptors, in a process group of their own, and ended as a group.
 */
#ifndef TESSERA_CORE_PROCESS_H
#define TESSERA_CORE_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

struct process_options {
	const char *program; /* absolute path */
	/* With the program's own name first, NULL at the end. */
	char *const *arguments;
	char *const *variables; /* NAME=VALUE, NULL at the end; besides PATH and LANG. Or NULL */
	/* What is its standard output and its standard error; -1: the daemon's standard error. */
	int output, errors;
	int passed;	    /* what it finds as descriptor 3, or -1 */
	const char *folder; /* its current one, or NULL: the daemon's */
};

/* Standard input is empty. 0, or an errno value with nothing started. */
int process_start(const struct process_options *options, pid_t *pid);

/* Waits until it has exited; pid_fd of pidfd_open(). It is not reaped. */
bool process_has_exited(int pid_fd, unsigned timeout_ms);

/*
 * Kills what is left of its group, and reaps it. *status: as waitpid() has it. False when it does
 * not go away (it may be waiting for a device): to be tried again.
 */
bool process_end(pid_t pid, int pid_fd, int *status);

#endif
