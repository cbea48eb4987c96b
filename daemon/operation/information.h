/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Everything legible about a card, for people who have to find out what it is:
 * JSON, as docs/guide/types.md shows it. Nothing of it needs a PIN.
 */
#ifndef TESSERA_OPERATION_INFORMATION_H
#define TESSERA_OPERATION_INFORMATION_H

#include "operation/services.h"

/* The card in a reader, of whatever kind. Heap; NULL with ERROR_NOT_FOUND, ERROR_NO_CARD,
 * ERROR_BUSY. */
char *card_information(struct services *services, unsigned reader, struct error *error);

/*
 * The type that the card was recognised as (*type: heap, NULL when none) and a document for a new
 * type made for cards like it (*document: heap).
 */
bool card_detect_type(struct services *services, unsigned reader, char **type, char **document,
	struct error *error);

#endif
