/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Slots and tokens: one slot per reader, and per HSM. All under the module lock. */
#ifndef TESSERA_PKCS11_SLOT_H
#define TESSERA_PKCS11_SLOT_H

#include "pkcs11/object.h"
#include "pkcs11/remote.h"

/*
 * A slot keeps its id as long as the module is initialised, whatever the daemon calls the reader
 * after a restart: readers are known by name.
 */
struct slot {
	CK_SLOT_ID id;
	struct remote_token token; /* reader is always set */
	unsigned life;		   /* counts the cards that were in it */
	bool logged_in;
	struct secret unblock_code; /* set while the security officer is logged in */
	bool event;		    /* C_WaitForSlotEvent has not told it yet */
	struct objects objects;
	/* What a token that is no card can do, once asked for. */
	struct remote_mechanisms mechanisms;
	bool mechanisms_known;
};

/* NULL for an unknown id. */
struct slot *slot_find(CK_SLOT_ID id);
static inline bool slot_has_officer(const struct slot *slot)
{
	return secret_is_set(&slot->unblock_code);
}
/* An HSM's whose PIN the daemon has. */
static inline bool slot_is_without_pin(const struct slot *slot)
{
	return slot->token.flags & TOKEN_FIXED && slot->token.flags & TOKEN_WITHOUT_PIN;
}
/* Whether its private objects may be seen and used. */
static inline bool slot_is_open(const struct slot *slot)
{
	return slot->logged_in || slot_is_without_pin(slot);
}
/* Only a managed card, or an HSM that is there, counts. */
bool slot_has_token(const struct slot *slot);

/*
 * Brings the slots up to what the daemon has told: nothing but a look at the socket while
 * nothing changed, otherwise one call, for which the lock is given up. Sessions of a card that went
 * are closed. A daemon that is away makes all slots empty. CKR_CRYPTOKI_NOT_INITIALIZED (the
 * lock is held) when C_Finalize came meanwhile, CKR_OK in all other cases.
 */
CK_RV slots_update(void);
/* The same, and always asks: what another connection was told may not have arrived on this one. */
CK_RV slots_update_now(void);
/*
 * Has the mechanisms of a slot's token known: one call for a token that is no card, none when they
 * are. Gives the lock up meanwhile. CKR_SLOT_ID_INVALID, CKR_TOKEN_NOT_PRESENT, CKR_DEVICE_ERROR,
 * CKR_CRYPTOKI_NOT_INITIALIZED (the lock is held).
 */
CK_RV slot_learn_mechanisms(CK_SLOT_ID id);
/*
 * A change that this program made led from one generation to the next: unless others changed
 * something before, the objects need not be read again.
 */
void slot_note_change(struct slot *slot, uint64_t before, uint64_t generation);
void slots_free(void);
/* The daemon has ended the login: the card was reset or has another PIN. */
void slot_forget_login(CK_SLOT_ID id);

#endif
