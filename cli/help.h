/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --help and the table for completion, both from the table of subcommands. */
#ifndef TESSERA_CLI_HELP_H
#define TESSERA_CLI_HELP_H

#include <stdio.h>

#include "cli/arguments.h"

/* Help for the subcommand or subject that was named, or for the whole command. */
void help_print(FILE *file, const struct invocation *invocation);

/* For shells: a line for each subcommand, "SUBJECT VERB OPTION...", where "=" ends an option that
 * takes a value, and files are arguments where "FILE" stands. */
void help_print_table(FILE *file);

#endif
