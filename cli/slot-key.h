/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys in slots, as they are named on the command line. */
#ifndef TESSERA_CLI_SLOT_KEY_H
#define TESSERA_CLI_SLOT_KEY_H

#include "cli/arguments.h"
#include "cli/client.h"

/* The keys of a slot: label, state, credential (number or null) and so on. ERROR_NOT_FOUND. */
json_t *slot_key_list(struct client *client, const char *slot, struct error *error);
/* The slot's PIN, where tesserad has it not, as the options say; path: the slot's. */
bool slot_key_pin(struct invocation *invocation, struct client *client, const char *path,
	struct secret *pin, struct error *error);

/*
 * The path of the credential that "SLOT/LABEL" means; heap. NULL with ERROR_NOT_FOUND or
 * ERROR_INVALID_ARGUMENT.
 */
char *slot_key_find(struct client *client, const char *text, struct error *error);

#endif
