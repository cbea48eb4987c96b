/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unblock codes, for people. */
#ifndef TESSERA_CLI_CARD_CODE_H
#define TESSERA_CLI_CARD_CODE_H

#include <jansson.h>

#include "cli/arguments.h"

/*
 * Prints an unblock code in groups, the check digits last, and adds it to the record that --json
 * prints.
 */
void card_code_print(const struct invocation *invocation, json_t *record, const char *code);

#endif
