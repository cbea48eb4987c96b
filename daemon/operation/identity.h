/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a card says it is: CHUID and CCC, by its template. The card is held by the caller. */
#ifndef TESSERA_OPERATION_IDENTITY_H
#define TESSERA_OPERATION_IDENTITY_H

#include "card/card.h"
#include "card/chuid.h"
#include "model/template.h"

/*
 * The FASC-N of /issue/chuid with the holder's values in place of patterns. ERROR_INVALID_ARGUMENT
 * when a field is missing, or what comes of it is not digits or too long.
 */
bool identity_expand(const struct template *template, const struct fields *fields,
	struct fasc_n *fasc_n, struct error *error);

/* When the card expires, seconds since 1970; certificates_until: the last of them ends, or 0. */
int64_t identity_expiry(const struct template *template, int64_t certificates_until);

/*
 * Writes fresh CHUID and CCC; a card that is known by its GUID keeps it. The management key is
 * authenticated.
 */
bool identity_write(
	struct card *card, const struct fasc_n *fasc_n, int64_t expires_at, struct error *error);

#endif
