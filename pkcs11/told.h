/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Objects of tokens that are no cards: their attributes are what the token told, and the key to
 * compute with is made from them. All under the module lock.
 */
#ifndef TESSERA_PKCS11_TOLD_H
#define TESSERA_PKCS11_TOLD_H

#include "pkcs11/object.h"

/* Numbers from here on are those of objects of the client's own session with the token. */
#define SESSION_NUMBERS (1U << 31)

/*
 * Adds an object with what was told of it, which is taken; an unchanged one keeps its handle, one
 * of a session its session (unknown ones are left out).
 */
CK_RV told_add(struct objects *fresh, const struct objects *old, CK_SLOT_ID slot_id,
	struct remote_key *remote);
/*
 * Adds one that the daemon has just made, or puts what is told now in the place of what was.
 * session: that it ends with, or 0. Answers its handle in *handle (if not NULL).
 */
CK_RV told_put(struct objects *objects, CK_SLOT_ID slot_id, CK_SESSION_HANDLE session,
	struct remote_key *remote, CK_OBJECT_HANDLE *handle);
/* Reads the members that follow from the attributes. False for an object of no known class. */
bool told_read(struct object *object);
/*
 * The key of an object that is a list of attributes, or NULL. An EC private key tells no point: its
 * public key or certificate of the same CKA_ID, or else CKA_LABEL, does.
 */
struct key *told_key(const struct objects *objects, const struct object *object);

#endif
