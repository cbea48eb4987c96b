/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the commands about the master key share. */
#ifndef TESSERA_CLI_KEY_H
#define TESSERA_CLI_KEY_H

#include "cli/arguments.h"
#include "cli/client.h"

/* What is in a backup: made_at, version, newest, needed, cards with serial, operator and opens. */
json_t *key_backup_of_document(struct client *client, const char *document, struct error *error);
/* The same of the last backup that tesserad knows of. ERROR_NOT_FOUND. */
json_t *key_backup_last(struct client *client, struct error *error);
void key_backup_print(const struct invocation *invocation, const json_t *record);

/* What there is to be said of backups, from the Manager's MasterKeyBackup; NULL: nothing. */
const char *key_backup_warning(const char *state);

#endif
