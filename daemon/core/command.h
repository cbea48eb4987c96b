/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Commands that a document may name: programs that the machine's administrator has put, or linked,
 * into one folder. Run with arguments and without a shell, with nothing of the daemon's
 * environment or descriptors, for a limited time; whatever they start ends with them.
 */
#ifndef TESSERA_CORE_COMMAND_H
#define TESSERA_CORE_COMMAND_H

#include "common/buffer.h"
#include "common/error.h"

struct command {
	const char *folder; /* NULL: no command may be run */
	/* The first is the program's name in the folder; NULL at the end. */
	char *const *arguments;
	unsigned timeout_ms;
	size_t output_max; /* bytes of its standard output */
};

struct command_outcome {
	int status;	       /* that it exited with */
	struct buffer output;  /* standard output */
	struct buffer errors;  /* the beginning of its standard error */
	bool may_have_done_it; /* after a failure: it was started */
};
#define COMMAND_OUTCOME_INIT                                                                       \
	{                                                                                          \
		0                                                                                  \
	}
void command_outcome_clear(struct command_outcome *outcome);
#define _cleanup_command_outcome_ _cleanup_(command_outcome_clear)

/* Whether a text is a name that a program in the folder can have. */
bool command_name_is_valid(const char *name);

/*
 * Runs it and waits. True when it exited, whatever its status. ERROR_NOT_FOUND when there is no
 * such program, ERROR_ACCESS_DENIED when others than root and the daemon could have written it,
 * ERROR_TIMEOUT, ERROR_FAILED when it was killed or wrote too much.
 */
bool command_run(
	const struct command *command, struct command_outcome *outcome, struct error *error);

/* Heap: the last line of what it wrote as an error, or else as output; printable and not long. */
char *command_last_line(const struct command_outcome *outcome);

#endif
