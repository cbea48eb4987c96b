/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an error of the daemon means to a program (PKCS#11 2.40, 5.1). */
#ifndef TESSERA_PKCS11_CKR_H
#define TESSERA_PKCS11_CKR_H

#include "pkcs11/cryptoki.h"

#include "common/error.h"

/* Groups of functions that may answer the same. */
enum ckr_context {
	CKR_CONTEXT_TOKEN,
	CKR_CONTEXT_LOGIN,
	CKR_CONTEXT_SIGN, /* and encrypt */
	CKR_CONTEXT_DECRYPT,
	CKR_CONTEXT_VERIFY,
	CKR_CONTEXT_INIT_PIN,
	CKR_CONTEXT_OBJECT,  /* create, copy, change */
	CKR_CONTEXT_DESTROY, /* and read */
	CKR_CONTEXT_GENERATE,
	CKR_CONTEXT_WRAP,
	CKR_CONTEXT_UNWRAP,
	CKR_CONTEXT_DERIVE,
	CKR_CONTEXT_RANDOM,
};

/*
 * The code that the standard lists for this kind of call. A suspended or revoked card answers
 * CKR_KEY_FUNCTION_NOT_PERMITTED to the use of a key and CKR_FUNCTION_FAILED to a login. What a
 * token itself answered is passed on where the function may answer it, else it is CKR_DEVICE_ERROR.
 */
CK_RV ckr_of(const struct error *error, enum ckr_context context);

#endif
