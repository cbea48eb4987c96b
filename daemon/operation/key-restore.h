/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Restoring a backup of the master key on a machine that has none: the document
 * first, then one card after the other, and at the end the token is put in its
 * place. Nothing is changed before that end, which does all or nothing. One
 * restoration at a time; it is forgotten with its caller.
 */
#ifndef TESSERA_OPERATION_KEY_RESTORE_H
#define TESSERA_OPERATION_KEY_RESTORE_H

#include "operation/services.h"

struct key_restorer;

struct key_restorer *key_restorer_new(struct services *services);
void key_restorer_free(struct key_restorer *restorer);

/*
 * Begins with a document, in place of any restoration before. ERROR_DATA_INVALID; ERROR_EXISTS when
 * there is a token; ERROR_NOT_SUPPORTED for an HSM; ERROR_WRONG_STATE for a backup that is not this
 * store's, or lacks its newest master key.
 */
bool key_restore_begin(struct key_restorer *restorer, const char *caller, const char *document,
	struct error *error);
/* Calls each(context, ...) for every card that can open a share. */
void key_restore_cards(struct key_restorer *restorer,
	void (*each)(void *context, const char *serial, const char *operator_id), void *context);
/* How many cards have opened their share, and how many have to. */
void key_restore_progress(struct key_restorer *restorer, unsigned *opened, unsigned *needed);
/*
 * Has the card in a reader open its share. ERROR_NOT_FOUND for a card that opens nothing of this
 * backup, ERROR_EXISTS for one that has been here, ERROR_DATA_INVALID when it has another key now
 * or the share is damaged, ERROR_WRONG_STATE without a beginning, and the PIN's errors.
 */
bool key_restore_open(struct key_restorer *restorer, const char *caller, unsigned reader,
	const struct secret *pin, struct error *error);
/*
 * Puts the token in its place and unlocks it. After a failure it can be called again. Writes the
 * audit record. ERROR_WRONG_STATE when shares are missing, ERROR_DATA_INVALID for a damaged
 * document, ERROR_STORE_FULL, ERROR_TOKEN_FAILED.
 */
bool key_restore_finish(struct key_restorer *restorer, const char *caller,
	const struct audit_actor *actor, struct error *error);
/* The caller is gone, and so is what it began. */
void key_restore_end(struct key_restorer *restorer, const char *caller);

/*
 * Whether the token came from a backup and could not be opened any more, as nobody knows its PIN:
 * an installation that was restored, but not initialised before the service ended.
 * ERROR_WRONG_STATE, saying what to do.
 */
bool key_restore_check_usable(struct services *services, struct error *error);
/* Removes what a restoration that was cut off has left. */
void key_restore_discard(struct services *services);

#endif
