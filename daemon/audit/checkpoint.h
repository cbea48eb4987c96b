/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checkpoints: the token signs, now and then, what the trail is. A trail that is
 * computed anew afterwards, from some record on to its end, shows by them.
 */
#ifndef TESSERA_AUDIT_CHECKPOINT_H
#define TESSERA_AUDIT_CHECKPOINT_H

#include "store/store.h"
#include "token/token.h"

/* Label of the signing key (EC P-256) in the token. */
#define AUDIT_KEY_LABEL "tessera-audit"

/*
 * Signs the trail as it is now and stores that. The key is made at its first
 * use, which is recorded. A trail that has no record since the last checkpoint, or none
 * at all, is left as it is. *checkpoint (NULL: not asked for): the last one then; its id is 0
 * when there is none. ERROR_TOKEN_FAILED, also for a token that is not open (NULL); ERROR_STORE_*.
 */
bool audit_checkpoint_write(struct store *store, struct token *token,
	struct audit_checkpoint *checkpoint, struct error *error);

/*
 * The same where it is due: when so many records have come since the last one, or
 * any and the last one is that old. With a token that is not open it waits.
 */
bool audit_checkpoint_write_due(struct store *store, struct token *token, struct error *error);

/* The public key that the token signs with; empty when there is none yet or no token. */
bool audit_checkpoint_key(struct token *token, struct buffer *der, struct error *error);

#endif
