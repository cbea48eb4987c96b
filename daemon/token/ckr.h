/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PKCS#11 return values as errors. */
#ifndef TESSERA_TOKEN_CKR_H
#define TESSERA_TOKEN_CKR_H

#include <p11-kit/pkcs11.h>

#include "common/error.h"

/* "CKR_PIN_INCORRECT" (PKCS#11 2.40, section 11.1); NULL for a value that has no name. */
const char *ckr_name(CK_RV value);

/*
 * Fills error from a failed call: ERROR_PIN_WRONG, ERROR_PIN_BLOCKED,
 * ERROR_NOT_SUPPORTED for a mechanism the token lacks, else ERROR_TOKEN_FAILED.
 * what: a few words for the message ("making the key"). Returns false.
 */
bool ckr_error(CK_RV value, const char *what, struct error *error);

#endif
