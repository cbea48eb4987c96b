/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes of what a slot's token has, made by the daemon and followed by what is known here. */
#ifndef TESSERA_PKCS11_CHANGE_H
#define TESSERA_PKCS11_CHANGE_H

#include "pkcs11/errand.h"
#include "pkcs11/remote-object.h"

#define CHANGE_INPUT_MAXIMUM 50000 /* bytes of a wrapped key */

/*
 * Has the daemon make the change (its slot need not be set) and puts what came of it into the
 * slot's list. handles: of the new objects, as many as the kind of change makes, or NULL. The lock
 * is given up meanwhile.
 */
CK_RV change_make(const struct session *session, struct remote_change *change,
	enum ckr_context context, CK_OBJECT_HANDLE *handles);

/* CKA_VALUE of a secret key at the daemon that may be shown. The lock is given up meanwhile. */
CK_RV change_fetch_secret(
	const struct session *session, const struct object *object, struct buffer *secret);

/*
 * A program's template may go to the daemon: CKR_ARGUMENTS_BAD, CKR_ATTRIBUTE_TYPE_INVALID (it has
 * arrays of attributes), CKR_ATTRIBUTE_VALUE_INVALID (too long).
 */
CK_RV change_check_template(const CK_ATTRIBUTE *template, CK_ULONG count);
/*
 * Whether the session may make an object by that template: CKR_SESSION_READ_ONLY,
 * CKR_USER_NOT_LOGGED_IN, and CKR_TOKEN_WRITE_PROTECTED for a token object of a card.
 */
CK_RV change_check_session(
	const struct session *session, const CK_ATTRIBUTE *template, CK_ULONG count);

#endif
