/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The document of a backup of the master key (docs/security.md, "Backup of the
 * master key"): what it holds, which cards open it, and what they open.
 */
#ifndef TESSERA_MODEL_KEY_BACKUP_H
#define TESSERA_MODEL_KEY_BACKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/error.h"
#include "common/macros.h"

#define KEY_BACKUP_ID_LENGTH	   16		/* bytes */
#define KEY_BACKUP_SIZE_MAXIMUM	   (900 * 1024) /* bytes of the document: a D-Bus message has more */
#define KEY_BACKUP_CARDS_MAXIMUM   64
#define KEY_BACKUP_VERSION_MAXIMUM 1000

/* A version of the master key that is in it. */
struct key_backup_version {
	uint32_t version;
	uint8_t key_check_value[3];
};

/* A card that opens it, alone or with others. */
struct key_backup_card {
	char *serial;
	char *operator_id;
	struct buffer certificate; /* DER, of the key-management key that was sealed to */
	struct buffer sealed;	   /* the share (keys/shares.h) for this card (keys/seal.h) */
};

struct key_backup {
	uint8_t id[KEY_BACKUP_ID_LENGTH]; /* random */
	char *store_id;			  /* of the store that it was made from */
	char *token_label;
	int64_t made_at;		     /* seconds since 1970 */
	unsigned needed;		     /* how many of the cards; 1: any one */
	struct key_backup_version *versions; /* ascending, one at least */
	size_t version_count;
	struct key_backup_card *cards; /* share number - 1 is the index */
	size_t card_count;
	struct buffer data; /* wrapped (keys/wrap.h): the token */
};
#define KEY_BACKUP_INIT                                                                            \
	{                                                                                          \
		0                                                                                  \
	}
#define _cleanup_key_backup_ _cleanup_(key_backup_clear)
void key_backup_clear(struct key_backup *backup);

/*
 * Reads a document. ERROR_DATA_INVALID; the field is the path in the document. Nothing is said
 * about what is sealed and wrapped.
 */
bool key_backup_parse(const char *text, struct key_backup *backup, struct error *error);
/* The document; heap. NULL when it becomes larger than KEY_BACKUP_SIZE_MAXIMUM. */
char *key_backup_format(const struct key_backup *backup, struct error *error);
/* All of the document but the data, in one way of writing it: what the data is bound to. Heap. */
char *key_backup_associated(const struct key_backup *backup);

/* The newest version of the master key in it. */
uint32_t key_backup_newest(const struct key_backup *backup);
/* The index of a card's serial; card_count when there is none. */
size_t key_backup_find_card(const struct key_backup *backup, const char *serial);
/* "yubikey-1 (K7M2P), yubikey-2 (8XQ3W)": the cards for people; heap. */
char *key_backup_cards_text(const struct key_backup *backup);

#endif
