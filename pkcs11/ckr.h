/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an error of the daemon means to a program (PKCS#11 2.40, 5.1). */
#ifndef TESSERA_PKCS11_CKR_H
#define TESSERA_PKCS11_CKR_H

#include <p11-kit/pkcs11.h>

#include "common/error.h"

enum ckr_context {
	CKR_CONTEXT_TOKEN,
	CKR_CONTEXT_LOGIN,
	CKR_CONTEXT_SIGN,
	CKR_CONTEXT_DECRYPT,
	CKR_CONTEXT_INIT_PIN
};

/*
 * The code that the standard lists for this kind of call. A suspended or revoked card answers
 * CKR_KEY_FUNCTION_NOT_PERMITTED to the use of a key and CKR_FUNCTION_FAILED to a login.
 */
CK_RV ckr_of(const struct error *error, enum ckr_context context);

#endif
