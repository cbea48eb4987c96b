/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The object cache: what the daemon told about a token's keys, and what the
 * program made in its sessions. All under the module lock.
 */
#ifndef TESSERA_PKCS11_OBJECT_H
#define TESSERA_PKCS11_OBJECT_H

#include "common/secret.h"
#include "pkcs11/key.h"
#include "pkcs11/module.h"
#include "pkcs11/values.h"

struct slot;

/*
 * Three kinds: the key of a card, whose attributes follow from the key (the only kind with
 * is_of_card); an object that the daemon has a number of, in a token that is no card or in the
 * client's session with it; and one that lives in this process alone. The latter two are lists of
 * attributes.
 *
 * References: one of the slot's list, one of each operation under way.
 */
struct object {
	unsigned references;
	CK_OBJECT_HANDLE handle;
	CK_OBJECT_CLASS class;
	CK_SESSION_HANDLE session; /* that it ends with; 0 for a token's object */
	CK_SLOT_ID slot_id;
	bool is_of_card;
	bool is_private; /* hidden before login */

	struct key *key;     /* see object_key() */
	unsigned key_looked; /* the list's `additions` when it was looked for in vain, plus one */

	struct buffer id, label; /* of a card's key */

	uint32_t number; /* at the daemon, or 0 */
	uint32_t copy;	 /* number of a copy that was made there for a use, or 0 */
	bool pin_always; /* the key wants the PIN for each use */
	CK_KEY_TYPE key_type;
	struct values values;
};

/* By ascending handle. */
struct objects {
	struct object **items;
	size_t count;
	unsigned additions; /* counts them */
	bool loaded;	    /* what the token has is in the list */
	uint64_t generation;
};

/* NULL when out of memory. */
struct object *object_new(CK_OBJECT_CLASS class, CK_SLOT_ID slot_id);
struct object *object_ref(struct object *object);
void object_unref(struct object *object);
DEFINE_CLEANUP(struct object *, object_unref);
#define _cleanup_object_ _cleanup_(object_unrefp)

/*
 * The public part that it computes with; NULL where there is none. Of an object that is a list of
 * attributes it is made when first asked for.
 */
struct key *object_key(const struct object *object);
/* What the daemon knows it by: its number, or the reference of a card's key. */
uint32_t object_number(const struct object *object);

/* Adds a new object and gives it a handle; takes the reference over even when out of memory. */
CK_RV objects_add(struct objects *objects, struct object *object);
/* NULL for an unknown handle. */
struct object *objects_find(struct objects *objects, CK_OBJECT_HANDLE handle);
struct object *objects_find_number(struct objects *objects, uint32_t number);
void objects_remove(struct objects *objects, struct object *object);
/*
 * Removes what a session made (0: what the token has), here and, without waiting for it, at the
 * daemon.
 */
void objects_remove_of_session(struct objects *objects, CK_SESSION_HANDLE session);
/*
 * After a logout: private session objects are gone, and the handles of other private objects mean
 * nothing any more (PKCS#11 2.40, C_Logout).
 */
void objects_forget_private(struct objects *objects);
void objects_clear(struct objects *objects);

/*
 * Puts the token's keys in place of those known: an object that has not changed keeps its
 * handle. Keys that cannot be understood are left out.
 */
CK_RV objects_replace(struct objects *objects, CK_SLOT_ID slot_id, struct remote_keys *keys);

/*
 * Asks the daemon for the slot's objects unless they are known. Gives the lock up meanwhile;
 * pointers into slots and sessions must be found again. wait: false keeps what was known while
 * another thread's call is under way.
 */
CK_RV objects_load(CK_SLOT_ID slot_id, bool wait);

#endif
