/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who the caller of "tessera self" is: asked for, read and proved to tesserad. */
#ifndef TESSERA_CLI_SELF_PROOF_H
#define TESSERA_CLI_SELF_PROOF_H

#include <stdbool.h>

#include "cli/arguments.h"
#include "cli/client.h"

/* Whether the command line says how (--code-file, --stdin, --login, --system-user). */
bool self_proof_is_given(const struct invocation *invocation);

/*
 * Proves it so, or asks at the terminal for a one-time code. With --stdin the code (with --login,
 * the password) is the first line of standard input, and new PINs are the next ones.
 * ERROR_ACCESS_DENIED for whatever is wrong.
 */
bool self_prove(struct invocation *invocation, struct client *client, struct error *error);

#endif
