/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Personalising an owned card by a template: keys made on the card, certificates
 * enrolled and written, CHUID and CCC written, PIN blocked. The card is held by
 * the caller and its management key is authenticated.
 */
#ifndef TESSERA_OPERATION_PERSONALISE_H
#define TESSERA_OPERATION_PERSONALISE_H

#include "card/card.h"
#include "card/chuid.h"
#include "model/template.h"
#include "operation/services.h"

/* The step of the intent around the whole. */
#define INTENT_PERSONALISE "personalise"

struct enroll_names;

/* All that is found out before the card is touched; cleared by personalisation_clear. */
struct personalisation {
	struct template *template;
	struct enroll_names *names; /* one per key of the template */
	size_t key_count;
	struct fasc_n fasc_n;
	struct certificates before; /* the credential's older certificates */
	int64_t last_before;	    /* the highest id of them, or 0 */
	bool succeeds; /* the card takes the place of the one that it replaces, once: not when it
			  is reissued later, while that one may have another life */
};
void personalisation_clear(struct personalisation *preparation);

/*
 * Checks everything that can fail without touching the card: the newest version of the template,
 * whether the card can hold it (ERROR_NOT_SUPPORTED, field: the path in the template), the holder's
 * fields (ERROR_INVALID_ARGUMENT), the authorities (ERROR_AUTHORITY_FAILED).
 */
bool personalise_prepare(struct services *services, const struct card *card,
	const struct credential *credential, const char *template_name,
	struct personalisation *preparation, struct error *error);

/*
 * Does it: the credential (its holder is set) is saved as registered before and as issued after;
 * older certificates are revoked as superseded. On failure the card is left to personalise_recover.
 * ERROR_AUTHORITY_*, ERROR_CANCELLED.
 */
bool personalise_card(struct operation *operation, struct card *card, struct credential *credential,
	const struct personalisation *preparation, struct error *error);

/*
 * Writes fresh CHUID and CCC; a card that is known by its GUID keeps it. expires_at: seconds
 * since 1970.
 */
bool personalise_write_chuid(struct card *card, int64_t expires_at, struct error *error);

/* Undoes an interrupted personalise_card: its certificates are revoked, the PIN is blocked, the
 * credential is registered. */
bool personalise_recover(struct services *services, struct card *card, const struct intent *intent,
	struct credential *credential, struct error *error);

#endif
