/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pkcs11: URIs (RFC 7512) that name a card and its keys for programs. */
#ifndef TESSERA_CLI_CARD_URI_H
#define TESSERA_CLI_CARD_URI_H

#include <jansson.h>

/*
 * A JSON string that names the card's token, or the key and certificate in a slot
 * ("authentication", "retired-1"). It stays the same as long as the card does: it has neither
 * the holder's name nor the card's model. JSON null without a serial, or for an unknown slot.
 */
json_t *card_uri(const char *serial, const char *slot);

/* The same for a private key of an HSM's token, by both their labels. */
json_t *slot_key_uri(const char *token, const char *key);

#endif
