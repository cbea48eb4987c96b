/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one table of mechanisms. */
#ifndef TESSERA_PKCS11_MECHANISM_H
#define TESSERA_PKCS11_MECHANISM_H

#include "pkcs11/digest.h"

/* How a mechanism turns its input into what the key works on. */
enum scheme {
	SCHEME_DIGEST,
	SCHEME_RSA_PKCS1,
	SCHEME_RSA_RAW,
	SCHEME_RSA_PSS,
	SCHEME_RSA_OAEP,
	SCHEME_ECDSA,
	SCHEME_ECDH,
};

struct mechanism {
	CK_MECHANISM_TYPE type;
	enum scheme scheme;
	CK_MECHANISM_TYPE digest; /* that the module makes of the input first, or NO_DIGEST */
	CK_FLAGS flags;		  /* CKF_SIGN and so on */
};

#define NO_DIGEST CK_UNAVAILABLE_INFORMATION

/* NULL for one that the module does not have. */
const struct mechanism *mechanism_find(CK_MECHANISM_TYPE type);
/* CKK_RSA or CKK_EC; CK_UNAVAILABLE_INFORMATION for a digest. */
CK_KEY_TYPE mechanism_key_type(const struct mechanism *mechanism);

#endif
