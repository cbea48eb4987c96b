/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys in slots, as they are named on the command line. */
#ifndef TESSERA_CLI_SLOT_KEY_H
#define TESSERA_CLI_SLOT_KEY_H

#include "cli/client.h"

/*
 * The path of the credential that "SLOT/LABEL" means; heap. NULL with ERROR_NOT_FOUND or
 * ERROR_INVALID_ARGUMENT.
 */
char *slot_key_find(struct client *client, const char *text, struct error *error);

#endif
