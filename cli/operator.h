/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options about operators that several subcommands take. */
#ifndef TESSERA_CLI_OPERATOR_H
#define TESSERA_CLI_OPERATOR_H

#include <jansson.h>

#include "cli/arguments.h"

/* The names of --roles as a JSON array; never NULL. */
json_t *operator_roles_option(const struct invocation *invocation);

/* "auditor,normal" as an array; NULL is an empty one. */
json_t *operator_split(const char *text);

#endif
