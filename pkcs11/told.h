/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Objects of tokens that are no cards: their attributes are what the token told, and the key to
 * compute with is made from them. All under the module lock.
 */
#ifndef TESSERA_PKCS11_TOLD_H
#define TESSERA_PKCS11_TOLD_H

#include "pkcs11/object.h"

/* Adds an object with what was told of it, which is taken; an unchanged one keeps its handle. */
CK_RV told_add(struct objects *fresh, const struct objects *old, struct remote_key *remote);
/*
 * Makes the keys that are still missing, once all objects are there: an EC private key tells no
 * point, its public key or certificate of the same CKA_ID, or else CKA_LABEL, does.
 */
CK_RV told_complete(struct objects *objects);

#endif
