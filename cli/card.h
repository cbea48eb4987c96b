/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cards as records, and lists of them. */
#ifndef TESSERA_CLI_CARD_H
#define TESSERA_CLI_CARD_H

#include <jansson.h>

#include "cli/arguments.h"
#include "cli/client.h"

/* A credential with its certificates; NULL with error. */
json_t *card_get(struct client *client, const char *path, struct error *error);
/* Those at the paths, a JSON array of strings; NULL with error. */
json_t *card_get_all(struct client *client, const json_t *paths, struct error *error);
/* All cards whose secrets are of a version of the master key. */
json_t *card_list_of_key(struct client *client, uint32_t version, struct error *error);
/* The fields of --holder NAME=VALUE; NULL with error. */
json_t *card_holder_fields(const struct invocation *invocation, struct error *error);
/* Adds --expires, if it was given, to the options of an issuance. */
bool card_add_end_date(const struct invocation *invocation, json_t *options, struct error *error);
void card_print_list(const struct invocation *invocation, const json_t *cards);

/* card revoke with one card. */
bool card_revoke_one(struct invocation *invocation, struct error *error);

#endif
