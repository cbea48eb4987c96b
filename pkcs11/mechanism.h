/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one table of mechanisms. */
#ifndef TESSERA_PKCS11_MECHANISM_H
#define TESSERA_PKCS11_MECHANISM_H

#include "pkcs11/digest.h"

struct slot;

/* How a mechanism turns its input into what the key works on. */
enum scheme {
	SCHEME_DIGEST,
	SCHEME_RSA_PKCS1,
	SCHEME_RSA_RAW,
	SCHEME_RSA_PSS,
	SCHEME_RSA_OAEP,
	SCHEME_ECDSA,
	SCHEME_EDDSA,
	SCHEME_ECDH,
	/* Secret keys, which only tokens that are no cards have. */
	SCHEME_AES_ECB,
	SCHEME_AES_CBC,
	SCHEME_AES_CBC_PAD,
	SCHEME_AES_CTR,
	SCHEME_AES_GCM,
	SCHEME_AES_WRAP,
	SCHEME_AES_WRAP_PAD,
	SCHEME_AES_DATA_ECB, /* a key of encrypted data */
	SCHEME_AES_DATA_CBC,
	SCHEME_AES_CMAC,
	SCHEME_HMAC,
	SCHEME_GENERATE, /* of keys */
};

struct mechanism {
	CK_MECHANISM_TYPE type;
	enum scheme scheme;
	/*
	 * That the module makes of the input first, or NO_DIGEST; of an HMAC the one that is in it.
	 */
	CK_MECHANISM_TYPE digest;
	CK_FLAGS flags;	   /* CKF_SIGN and so on */
	bool takes_length; /* a MAC's length is its parameter */
};

#define NO_DIGEST CK_UNAVAILABLE_INFORMATION

/* NULL for one that the module does not have. */
const struct mechanism *mechanism_find(CK_MECHANISM_TYPE type);
/* Whether a slot's token has it, and what is to be told of it. Its mechanisms are known. */
bool mechanism_describe(
	const struct mechanism *mechanism, const struct slot *slot, CK_MECHANISM_INFO *info);
/*
 * A mechanism that the slot does for this use (one CKF_ flag). CKR_MECHANISM_INVALID. Its
 * mechanisms are known.
 */
CK_RV mechanism_for(const struct slot *slot, CK_MECHANISM_TYPE type, CK_FLAGS use,
	const struct mechanism **mechanism);
/* What a token that is no card is asked for: mostly itself, without the digest made here. */
CK_MECHANISM_TYPE mechanism_of_token(const struct mechanism *mechanism);
/* What a card's key does: CKM_RSA_X_509, CKM_ECDSA or CKM_ECDH1_DERIVE. */
CK_MECHANISM_TYPE mechanism_of_card(const struct mechanism *mechanism);
/* Whether a key of that type fits. */
bool mechanism_takes_key(const struct mechanism *mechanism, CK_KEY_TYPE type);
/* Whether its keys are secret keys. */
bool mechanism_is_symmetric(const struct mechanism *mechanism);
/* Whether the input is digested before a key sees it. */
bool mechanism_digests(const struct mechanism *mechanism);

#endif
