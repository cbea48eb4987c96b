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

struct slot;

/* References: one of the slot's list, one of each operation under way. */
struct object {
	unsigned references;
	CK_OBJECT_HANDLE handle;
	CK_OBJECT_CLASS class;
	CK_SESSION_HANDLE session; /* that it ends with; 0 for a token's object */
	bool is_private;	   /* hidden before login */
	struct buffer id, label;
	struct key *key; /* certificate, public and private key; NULL where none can be made */

	/* What a token that is no card told; NULL for a card's, whose attributes are known. */
	uint32_t number, key_flags;
	struct remote_attribute *told;
	size_t told_count;
	struct buffer told_values;

	/* Secret keys and data that a program made. */
	CK_KEY_TYPE key_type;
	bool sensitive, extractable;
	struct secret value;
	struct buffer application;
};

struct objects {
	struct object **items;
	size_t count;
	bool loaded; /* what the token has is in the list */
	uint64_t generation;
};

/* An attribute that was told; data NULL where it was not. */
struct view object_told(const struct object *object, CK_ATTRIBUTE_TYPE type);

/* NULL when out of memory. */
struct object *object_new(CK_OBJECT_CLASS class);
struct object *object_ref(struct object *object);
void object_unref(struct object *object);
DEFINE_CLEANUP(struct object *, object_unref);
#define _cleanup_object_ _cleanup_(object_unrefp)

/* Adds a new object and gives it a handle; takes the reference over even when out of memory. */
CK_RV objects_add(struct objects *objects, struct object *object);
/* NULL for an unknown handle. */
struct object *objects_find(struct objects *objects, CK_OBJECT_HANDLE handle);
void objects_remove(struct objects *objects, struct object *object);
/* Removes what a session made; 0 stands for the token. */
void objects_remove_of_session(struct objects *objects, CK_SESSION_HANDLE session);
void objects_clear(struct objects *objects);

/*
 * Puts the token's keys in place of those known: an object that has not changed keeps its
 * handle. Keys that cannot be understood are left out.
 */
CK_RV objects_replace(struct objects *objects, struct remote_keys *keys);

/*
 * Asks the daemon for the slot's objects unless they are known. Gives the lock up meanwhile;
 * pointers into slots and sessions must be found again. wait: false keeps what was known while
 * another thread's call is under way.
 */
CK_RV objects_load(CK_SLOT_ID slot_id, bool wait);

#endif
