/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the subcommands about a reader share. */
#ifndef TESSERA_CLI_READER_H
#define TESSERA_CLI_READER_H

#include <jansson.h>

#include "cli/arguments.h"
#include "cli/client.h"
#include "common/error.h"

/* The record of the reader that the first argument numbers, or of the only one there is. */
json_t *reader_find(struct invocation *invocation, struct client *client, struct error *error);

#endif
