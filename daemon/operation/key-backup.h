/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Backups of the master key: made, looked at, and remembered. */
#ifndef TESSERA_OPERATION_KEY_BACKUP_H
#define TESSERA_OPERATION_KEY_BACKUP_H

#include "model/key-backup.h"
#include "operation/services.h"

/* Who is to open a backup. */
struct key_backup_request {
	char *const *cards; /* serials of operators' cards, or operators' IDs */
	size_t card_count;  /* 0: all system owners and custodians */
	unsigned needed;    /* how many of them together; 1: any one */
};
/*
 * Makes a backup of the embedded token with the master key; *document is heap. The store notes that
 * there is one. Writes the audit record. ERROR_LOCKED, ERROR_NOT_SUPPORTED for an HSM or a card
 * without a key-management certificate, ERROR_NOT_FOUND, ERROR_WRONG_STATE for a card that is not
 * active, ERROR_INVALID_ARGUMENT.
 */
bool operation_back_up_master_key(struct operation *operation,
	const struct key_backup_request *request, char **document, struct error *error);

/* A card of a backup, and whether it still has the key that was sealed to, as far as the store
 * knows. */
struct key_backup_card_view {
	char *serial;
	char *operator_id; /* "" when it is no operator's */
	bool opens;
};
struct key_backup_view {
	int64_t made_at;
	uint32_t newest_version;
	unsigned needed;
	bool is_newest; /* the newest version of the master key is in it */
	struct key_backup_card_view *cards;
	size_t card_count;
};
void key_backup_view_clear(struct key_backup_view *view);
/* What is in a document. ERROR_DATA_INVALID. */
bool key_backup_look(struct services *services, const char *document, struct key_backup_view *view,
	struct error *error);

/* How it is with backups, in one word of key_backup_state_name(). */
enum key_backup_state {
	KEY_BACKUP_NONE,       /* there is no master key yet */
	KEY_BACKUP_HSM,	       /* it is in an HSM: nothing is known */
	KEY_BACKUP_MISSING,    /* the newest version has no backup */
	KEY_BACKUP_UNREADABLE, /* too few of its cards have their keys still */
	KEY_BACKUP_WEAKENED,   /* some of its cards have other keys now */
	KEY_BACKUP_GOOD,
};
const char *key_backup_state_name(enum key_backup_state state);
enum key_backup_state key_backup_state(struct services *services);
/* The last backup that is known of; ERROR_NOT_FOUND. */
bool key_backup_last(struct services *services, struct key_backup_view *view, struct error *error);

/* Notes a backup that exists; one that is known already is no error. */
bool key_backup_note(
	struct services *services, const struct key_backup *backup, struct error *error);
/* "0123...": the id for people and the store; heap. */
char *key_backup_id_text(const struct key_backup *backup);

#endif
