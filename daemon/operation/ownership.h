/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who owns a card: whose management key and PUK it holds. A key version of 0
 * means the factory's values, 1 and up those derived from that version of the
 * master key. In all functions the card is held by the caller.
 */
#ifndef TESSERA_OPERATION_OWNERSHIP_H
#define TESSERA_OPERATION_OWNERSHIP_H

#include "card/card.h"
#include "operation/services.h"

/*
 * Whether the master key still gives what the store remembers of the card's management key, if the
 * card is of that version. ERROR_TOKEN_FAILED. Done by all that derive a secret.
 */
bool ownership_check_key(
	struct services *services, const char *serial, uint32_t version, struct error *error);
/* Refuses a value for a card that is the factory's. */
bool ownership_check_fresh(const struct card *card, enum card_secret which,
	const struct secret *fresh, struct error *error);

/* The card's secret of a key version; a PUK is of the generation that the store knows. */
bool ownership_secret(struct services *services, const struct card *card, enum card_secret which,
	uint32_t version, struct secret *value, struct error *error);

/*
 * Proves the management key of a key version to the card. ERROR_CARD_FOREIGN when the card
 * holds another one.
 */
bool ownership_authenticate(
	struct services *services, struct card *card, uint32_t version, struct error *error);

/*
 * Finds out whose card it is: *version is 0 for a factory card, or the version
 * of the master key. expected: the version to try first. ERROR_CARD_FOREIGN when it is
 * neither. The management key is authenticated after success.
 */
bool ownership_find(struct services *services, struct card *card, uint32_t expected,
	uint32_t *version, struct error *error);

/* The step of the intent that covers both changes of ownership_take. */
#define INTENT_OWNERSHIP "ownership"

/*
 * Takes a factory card (its management key is authenticated) into ownership: management key,
 * then PUK become those of the master key's current version, the PIN is blocked when the verb is
 * register, and the credential is saved as registered; the intent is on disk before. A derived
 * value that equals the factory's is refused. ERROR_CARD_FOREIGN, before anything is changed, when
 * the PUK is not the factory's. ERROR_LIMIT_REACHED, before anything is changed, too.
 */
bool ownership_take(struct operation *operation, struct card *card, struct credential *credential,
	enum lifecycle_verb verb, struct error *error);
/* The same for a card that holds the secrets of a key version already, as after the loss of a
 * store. */
bool ownership_retake(struct operation *operation, struct card *card, uint32_t version,
	struct credential *credential, struct error *error);

/*
 * Settles an interrupted ownership_take: finishes it when the management key was changed already,
 * otherwise nothing has happened to the card. A PUK that is neither the factory's nor ours keeps
 * the card from being issued, not from being retired. The intent is removed.
 */
bool ownership_recover(struct services *services, struct card *card, const struct intent *intent,
	struct credential *credential, struct error *error);

/* The PUK, which is the factory's, becomes that of a key version. */
bool ownership_set_puk(
	struct services *services, struct card *card, uint32_t version, struct error *error);
/* The same for a PUK that may be that of the key version already. */
bool ownership_complete_puk(
	struct services *services, struct card *card, uint32_t version, struct error *error);

/* Fills kdf, key_version, key_check_value and admin_algorithm of a credential for a version. */
bool ownership_describe(struct services *services, const struct card *card, uint32_t version,
	struct credential *credential, struct error *error);

#endif
