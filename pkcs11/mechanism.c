/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11/mechanism.h"

#include "pkcs11/slot.h"

#define SIGN	(CKF_SIGN | CKF_VERIFY)
#define ENCRYPT (CKF_ENCRYPT | CKF_DECRYPT)
#define CURVES	(CKF_EC_F_P | CKF_EC_NAMEDCURVE | CKF_EC_UNCOMPRESS)

/* Sizes in bits. */
static const struct {
	CK_KEY_TYPE type;
	CK_ULONG minimum, maximum;
	CK_FLAGS flags;
	uint32_t token_flag; /* of a token that is no card and has it */
} limits[] = {
	[SCHEME_DIGEST] = {CK_UNAVAILABLE_INFORMATION, 0, 0, 0, 0},
	[SCHEME_RSA_PKCS1] = {CKK_RSA, 1024, 4096, CKF_HW, TOKEN_RSA_PKCS1},
	[SCHEME_RSA_RAW] = {CKK_RSA, 1024, 4096, CKF_HW, TOKEN_RSA_RAW},
	[SCHEME_RSA_PSS] = {CKK_RSA, 1024, 4096, CKF_HW, TOKEN_RSA_PSS},
	[SCHEME_RSA_OAEP] = {CKK_RSA, 1024, 4096, CKF_HW, TOKEN_RSA_OAEP},
	[SCHEME_ECDSA] = {CKK_EC, 256, 384, CKF_HW | CURVES, TOKEN_ECDSA},
	[SCHEME_ECDH] = {CKK_EC, 256, 384, CKF_HW | CURVES, TOKEN_ECDH},
};

/* The mechanism without a digest comes before those with one: some programs take the first. */
static const struct mechanism mechanisms[] = {
	{CKM_RSA_PKCS, SCHEME_RSA_PKCS1, NO_DIGEST, SIGN | ENCRYPT},
	{CKM_SHA1_RSA_PKCS, SCHEME_RSA_PKCS1, CKM_SHA_1, SIGN},
	{CKM_SHA224_RSA_PKCS, SCHEME_RSA_PKCS1, CKM_SHA224, SIGN},
	{CKM_SHA256_RSA_PKCS, SCHEME_RSA_PKCS1, CKM_SHA256, SIGN},
	{CKM_SHA384_RSA_PKCS, SCHEME_RSA_PKCS1, CKM_SHA384, SIGN},
	{CKM_SHA512_RSA_PKCS, SCHEME_RSA_PKCS1, CKM_SHA512, SIGN},
	{CKM_RSA_PKCS_PSS, SCHEME_RSA_PSS, NO_DIGEST, SIGN},
	{CKM_SHA1_RSA_PKCS_PSS, SCHEME_RSA_PSS, CKM_SHA_1, SIGN},
	{CKM_SHA224_RSA_PKCS_PSS, SCHEME_RSA_PSS, CKM_SHA224, SIGN},
	{CKM_SHA256_RSA_PKCS_PSS, SCHEME_RSA_PSS, CKM_SHA256, SIGN},
	{CKM_SHA384_RSA_PKCS_PSS, SCHEME_RSA_PSS, CKM_SHA384, SIGN},
	{CKM_SHA512_RSA_PKCS_PSS, SCHEME_RSA_PSS, CKM_SHA512, SIGN},
	{CKM_RSA_PKCS_OAEP, SCHEME_RSA_OAEP, NO_DIGEST, ENCRYPT},
	{CKM_RSA_X_509, SCHEME_RSA_RAW, NO_DIGEST, SIGN | ENCRYPT},
	{CKM_ECDSA, SCHEME_ECDSA, NO_DIGEST, SIGN},
	{CKM_ECDSA_SHA1, SCHEME_ECDSA, CKM_SHA_1, SIGN},
	{CKM_ECDSA_SHA224, SCHEME_ECDSA, CKM_SHA224, SIGN},
	{CKM_ECDSA_SHA256, SCHEME_ECDSA, CKM_SHA256, SIGN},
	{CKM_ECDSA_SHA384, SCHEME_ECDSA, CKM_SHA384, SIGN},
	{CKM_ECDSA_SHA512, SCHEME_ECDSA, CKM_SHA512, SIGN},
	{CKM_ECDH1_DERIVE, SCHEME_ECDH, NO_DIGEST, CKF_DERIVE},
	/* The curves have cofactor 1: the same. */
	{CKM_ECDH1_COFACTOR_DERIVE, SCHEME_ECDH, NO_DIGEST, CKF_DERIVE},
	{CKM_SHA_1, SCHEME_DIGEST, CKM_SHA_1, CKF_DIGEST},
	{CKM_SHA224, SCHEME_DIGEST, CKM_SHA224, CKF_DIGEST},
	{CKM_SHA256, SCHEME_DIGEST, CKM_SHA256, CKF_DIGEST},
	{CKM_SHA384, SCHEME_DIGEST, CKM_SHA384, CKF_DIGEST},
	{CKM_SHA512, SCHEME_DIGEST, CKM_SHA512, CKF_DIGEST},
};

const struct mechanism *mechanism_find(CK_MECHANISM_TYPE type)
{
	for (size_t i = 0; i < ARRAY_SIZE(mechanisms); i++) {
		if (mechanisms[i].type == type)
			return &mechanisms[i];
	}
	return NULL;
}

CK_KEY_TYPE mechanism_key_type(const struct mechanism *mechanism)
{
	return limits[mechanism->scheme].type;
}

static CK_RV check_slot(CK_SLOT_ID slot_id, const struct slot **slot)
{
	CK_RV rv = slots_update();

	*slot = slot_find(slot_id);
	if (rv != CKR_OK)
		return rv;
	if (!*slot)
		return CKR_SLOT_ID_INVALID;
	return slot_has_token(*slot) ? CKR_OK : CKR_TOKEN_NOT_PRESENT;
}

/* Digests are made here, and cards do all. */
static bool slot_does(const struct slot *slot, const struct mechanism *mechanism)
{
	uint32_t flags = slot->token.flags;

	return mechanism->scheme == SCHEME_DIGEST || !(flags & TOKEN_FIXED) ||
	       flags & limits[mechanism->scheme].token_flag;
}

static CK_RV list(CK_SLOT_ID slot_id, CK_MECHANISM_TYPE_PTR types, CK_ULONG_PTR count)
{
	const struct slot *slot;
	CK_RV rv = check_slot(slot_id, &slot);
	CK_ULONG found = 0;

	if (rv != CKR_OK)
		return rv;
	if (!count)
		return CKR_ARGUMENTS_BAD;
	for (size_t i = 0; i < ARRAY_SIZE(mechanisms); i++) {
		if (!slot_does(slot, &mechanisms[i]))
			continue;
		if (types && found < *count)
			types[found] = mechanisms[i].type;
		found++;
	}
	rv = types && found > *count ? CKR_BUFFER_TOO_SMALL : CKR_OK;
	*count = found;
	return rv;
}

static CK_RV describe(CK_SLOT_ID slot_id, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO_PTR info)
{
	const struct slot *slot;
	CK_RV rv = check_slot(slot_id, &slot);
	const struct mechanism *mechanism = mechanism_find(type);

	if (rv != CKR_OK)
		return rv;
	if (!info)
		return CKR_ARGUMENTS_BAD;
	if (!mechanism || !slot_does(slot, mechanism))
		return CKR_MECHANISM_INVALID;
	*info = (CK_MECHANISM_INFO){.ulMinKeySize = limits[mechanism->scheme].minimum,
		.ulMaxKeySize = limits[mechanism->scheme].maximum,
		.flags = mechanism->flags | limits[mechanism->scheme].flags};
	return CKR_OK;
}

CK_RV C_GetMechanismList(CK_SLOT_ID slot_id, CK_MECHANISM_TYPE_PTR types, CK_ULONG_PTR count)
{
	return MODULE_LOCKED(list(slot_id, types, count));
}

CK_RV C_GetMechanismInfo(CK_SLOT_ID slot_id, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO_PTR info)
{
	return MODULE_LOCKED(describe(slot_id, type, info));
}
