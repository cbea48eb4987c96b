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
/*
 * Calls a method of that reader, without arguments, whose last result is a JSON document. The three
 * are the caller's when it succeeds.
 */
bool reader_ask(struct invocation *invocation, const char *method, json_t **reader, json_t **answer,
	json_t **document, struct error *error);

#endif
