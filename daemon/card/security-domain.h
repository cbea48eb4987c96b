/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A card's security domain (GlobalPlatform Card Specification, 7): the key that a card agrees on
 * secure channels with, and the certificates that say whose it is. */
#ifndef TESSERA_CARD_SECURITY_DOMAIN_H
#define TESSERA_CARD_SECURITY_DOMAIN_H

#include <openssl/x509.h>

#include "card/card.h"
#include "card/scp11.h"

/* Certificates of CAs whose cards are trusted to be cards; counted. PEM, at least one. */
X509_STORE *security_domain_trust_load(const char *path, struct error *error);

/*
 * Reads SCP11b's key of the card, which the caller clears, by the way of certificates to one of
 * trust. Dates do not count: a card's certificates cannot be renewed. Another application is
 * selected afterwards. ERROR_NOT_SUPPORTED for a card without security domain or without such a
 * key, ERROR_CARD_FOREIGN when no trusted CA vouches for it.
 */
bool security_domain_read_key(
	struct card *card, X509_STORE *trust, struct scp11_key *key, struct error *error);

#endif
