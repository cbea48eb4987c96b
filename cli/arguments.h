/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line, read by the table of subcommands. */
#ifndef TESSERA_CLI_ARGUMENTS_H
#define TESSERA_CLI_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/command.h"
#include "common/error.h"

#define HOLDER_FIELDS_MAXIMUM 64
#define VARIABLES_MAXIMUM     64
#define ALLOWED_MAXIMUM	      16
#define ARGUMENTS_MAXIMUM     1000 /* the most that a row of the table in command.c has */

struct client;
struct signer;

/* What was asked for. All strings belong to argv. */
struct invocation {
	const struct command *command; /* NULL: help or the version was asked for, or nothing */
	const char *subject;	       /* NULL when none was given */
	const char *arguments[ARGUMENTS_MAXIMUM];
	size_t argument_count;
	char **program; /* what followed "--" for a subcommand that runs it; NULL */
	const char *values[OPTION_COUNT]; /* NULL: not given; "" for an option without value */
	const char *holder[HOLDER_FIELDS_MAXIMUM];
	size_t holder_count;
	const char *variables[VARIABLES_MAXIMUM]; /* of OPTION_ENVIRONMENT */
	size_t variable_count;
	const char *allowed[ALLOWED_MAXIMUM]; /* of OPTION_ALLOW */
	size_t allowed_count;
	struct client *client; /* once connected; owned */
	struct signer *signer; /* once a job has wanted a signature (cli/signer.h); owned */
	bool wants_pin;	       /* of an issuance: it is known that the first PIN is given with it */
	bool in_session;       /* it is that of a login, whose other programs share it */
};

/*
 * Reads the command line (argv[0] is the program's name and skipped) into
 * *invocation, which must be zeroed. ERROR_INVALID_ARGUMENT says what is wrong
 * and, where something known is near, what was probably meant.
 */
bool arguments_parse(int argc, char **argv, struct invocation *invocation, struct error *error);

static inline bool invocation_has(const struct invocation *invocation, enum option option)
{
	return invocation->values[option] != NULL;
}

/* An option's or argument's text as a number from least to most. */
bool number_parse(const char *text, const char *what, int64_t least, int64_t most, int64_t *number,
	struct error *error);

/* The other machine that is meant, by --host or the environment; NULL for this one. */
const char *invocation_host(const struct invocation *invocation);

/* The private socket of this machine that is meant; NULL for the default one. */
const char *invocation_socket(const struct invocation *invocation);

/* The client, connected at the first call; NULL with error. It stays the invocation's. */
struct client *invocation_client(struct invocation *invocation, struct error *error);

#endif
