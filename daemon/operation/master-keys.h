/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Versions of the master key, in the token and in the store's memory: the store
 * works with no token whose master key is another one.
 */
#ifndef TESSERA_OPERATION_MASTER_KEYS_H
#define TESSERA_OPERATION_MASTER_KEYS_H

#include "operation/services.h"

/* Whether the store has worked with a master key before: then none is made in its place. */
bool master_keys_known(struct store *store, bool *known, struct error *error);

/*
 * Opens the master key of a token and compares it with what the store remembers; a store that
 * remembers nothing gets to know what the token has, where version 1 is made if there is none.
 * ERROR_TOKEN_FAILED when a version is another one, or is missing that cards still need.
 */
struct master_key *master_keys_open(struct store *store, struct token *token, struct error *error);

/* Makes the next version; earlier ones stay. Writes the audit record. *version: the new one. */
bool operation_rotate_master_key(
	struct operation *operation, uint32_t *version, struct error *error);

/* One version, for people. */
struct master_key_view {
	struct master_key_record record;
	char *token;   /* that holds it; "" when the vault is locked or the version is gone */
	int64_t cards; /* managed ones that have it */
};
/* Ascending; heap array, free with master_key_views_free. */
bool master_keys_list(struct services *services, struct master_key_view **views, size_t *count,
	struct error *error);
void master_key_views_free(struct master_key_view *views, size_t count);

#endif
