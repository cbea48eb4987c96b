/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CARD arguments: which card is meant. */
#ifndef TESSERA_CLI_CARD_FIND_H
#define TESSERA_CLI_CARD_FIND_H

#include "cli/client.h"
#include "common/error.h"

/*
 * The path of a credential, heap; NULL with error. card: a card's serial, a
 * credential's number, "reader:N", "slot:SLOT/LABEL" (a key in a slot), or NULL for the card in a
 * reader if it is the only managed one. ERROR_NOT_FOUND, ERROR_NO_CARD, ERROR_INVALID_ARGUMENT when
 * it is not clear which one.
 */
char *card_find(struct client *client, const char *card, struct error *error);

/*
 * The path of a reader, heap; NULL with error. number: its number, or NULL for
 * the only reader that has a card.
 */
char *card_find_reader(struct client *client, const char *number, struct error *error);

/*
 * The records of the readers that may be meant by who does not say which: none that another user's
 * agent offers, as a PIN would go there.
 */
json_t *card_find_readers(struct client *client, struct error *error);

#endif
