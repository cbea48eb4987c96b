/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11/mechanism.h"

#include "pkcs11/slot.h"

#define SIGN	(CKF_SIGN | CKF_VERIFY)
#define ENCRYPT (CKF_ENCRYPT | CKF_DECRYPT)
#define RECOVER (CKF_SIGN_RECOVER | CKF_VERIFY_RECOVER)
#define WRAP	(CKF_WRAP | CKF_UNWRAP)
#define PAIR	CKF_GENERATE_KEY_PAIR
#define CURVES	(CKF_EC_F_P | CKF_EC_NAMEDCURVE | CKF_EC_UNCOMPRESS)

/* What public keys do is done here, whatever the token can. */
#define LOCAL (CKF_VERIFY | CKF_VERIFY_RECOVER | CKF_ENCRYPT)
/* What a mechanism may be used for. */
#define USES	(ENCRYPT | SIGN | RECOVER | WRAP | PAIR | CKF_DIGEST | CKF_GENERATE | CKF_DERIVE)
#define ANY_KEY CK_UNAVAILABLE_INFORMATION
#define NONE	CK_UNAVAILABLE_INFORMATION

static const struct {
	CK_KEY_TYPE key;
	CK_MECHANISM_TYPE token; /* NONE: the mechanism itself */
	/* Cards: NONE where they cannot. Sizes are of keys, in bits. */
	CK_MECHANISM_TYPE card;
	CK_ULONG minimum, maximum;
	CK_FLAGS card_flags;
} schemes[] = {
	[SCHEME_DIGEST] = {ANY_KEY, NONE, NONE, 0, 0, 0},
	[SCHEME_RSA_PKCS1] = {CKK_RSA, CKM_RSA_PKCS, CKM_RSA_X_509, 1024, 4096, CKF_HW},
	[SCHEME_RSA_RAW] = {CKK_RSA, CKM_RSA_X_509, CKM_RSA_X_509, 1024, 4096, CKF_HW},
	[SCHEME_RSA_PSS] = {CKK_RSA, CKM_RSA_PKCS_PSS, CKM_RSA_X_509, 1024, 4096, CKF_HW},
	[SCHEME_RSA_OAEP] = {CKK_RSA, CKM_RSA_PKCS_OAEP, CKM_RSA_X_509, 1024, 4096, CKF_HW},
	[SCHEME_ECDSA] = {CKK_EC, CKM_ECDSA, CKM_ECDSA, 256, 384, CKF_HW | CURVES},
	[SCHEME_EDDSA] = {CKK_EC_EDWARDS, CKM_EDDSA, NONE, 0, 0, 0},
	[SCHEME_ECDH] = {CKK_EC, CKM_ECDH1_DERIVE, CKM_ECDH1_DERIVE, 256, 384, CKF_HW | CURVES},
	[SCHEME_AES_ECB] = {CKK_AES, NONE, NONE, 0, 0, 0},
	[SCHEME_AES_CBC] = {CKK_AES, NONE, NONE, 0, 0, 0},
	[SCHEME_AES_CBC_PAD] = {CKK_AES, NONE, NONE, 0, 0, 0},
	[SCHEME_AES_CTR] = {CKK_AES, NONE, NONE, 0, 0, 0},
	[SCHEME_AES_GCM] = {CKK_AES, NONE, NONE, 0, 0, 0},
	[SCHEME_AES_WRAP] = {CKK_AES, NONE, NONE, 0, 0, 0},
	[SCHEME_AES_WRAP_PAD] = {CKK_AES, NONE, NONE, 0, 0, 0},
	[SCHEME_AES_DATA_ECB] = {CKK_AES, NONE, NONE, 0, 0, 0},
	[SCHEME_AES_DATA_CBC] = {CKK_AES, NONE, NONE, 0, 0, 0},
	[SCHEME_AES_CMAC] = {CKK_AES, NONE, NONE, 0, 0, 0},
	[SCHEME_HMAC] = {CKK_GENERIC_SECRET, NONE, NONE, 0, 0, 0},
	[SCHEME_GENERATE] = {ANY_KEY, NONE, NONE, 0, 0, 0},
};

#define HMAC(name, digest)                                                                         \
	{CKM_##name##_HMAC, SCHEME_HMAC, digest, SIGN, false},                                     \
	{                                                                                          \
		CKM_##name##_HMAC_GENERAL, SCHEME_HMAC, digest, SIGN, true                         \
	}

/* The mechanism without a digest comes before those with one: some programs take the first. */
static const struct mechanism mechanisms[] = {
	{CKM_RSA_PKCS, SCHEME_RSA_PKCS1, NO_DIGEST, SIGN | ENCRYPT | RECOVER | WRAP, false},
	{CKM_SHA1_RSA_PKCS, SCHEME_RSA_PKCS1, CKM_SHA_1, SIGN, false},
	{CKM_SHA224_RSA_PKCS, SCHEME_RSA_PKCS1, CKM_SHA224, SIGN, false},
	{CKM_SHA256_RSA_PKCS, SCHEME_RSA_PKCS1, CKM_SHA256, SIGN, false},
	{CKM_SHA384_RSA_PKCS, SCHEME_RSA_PKCS1, CKM_SHA384, SIGN, false},
	{CKM_SHA512_RSA_PKCS, SCHEME_RSA_PKCS1, CKM_SHA512, SIGN, false},
	{CKM_RSA_PKCS_PSS, SCHEME_RSA_PSS, NO_DIGEST, SIGN, false},
	{CKM_SHA1_RSA_PKCS_PSS, SCHEME_RSA_PSS, CKM_SHA_1, SIGN, false},
	{CKM_SHA224_RSA_PKCS_PSS, SCHEME_RSA_PSS, CKM_SHA224, SIGN, false},
	{CKM_SHA256_RSA_PKCS_PSS, SCHEME_RSA_PSS, CKM_SHA256, SIGN, false},
	{CKM_SHA384_RSA_PKCS_PSS, SCHEME_RSA_PSS, CKM_SHA384, SIGN, false},
	{CKM_SHA512_RSA_PKCS_PSS, SCHEME_RSA_PSS, CKM_SHA512, SIGN, false},
	{CKM_RSA_PKCS_OAEP, SCHEME_RSA_OAEP, NO_DIGEST, ENCRYPT | WRAP, false},
	{CKM_RSA_X_509, SCHEME_RSA_RAW, NO_DIGEST, SIGN | ENCRYPT | RECOVER, false},
	{CKM_ECDSA, SCHEME_ECDSA, NO_DIGEST, SIGN, false},
	{CKM_ECDSA_SHA1, SCHEME_ECDSA, CKM_SHA_1, SIGN, false},
	{CKM_ECDSA_SHA224, SCHEME_ECDSA, CKM_SHA224, SIGN, false},
	{CKM_ECDSA_SHA256, SCHEME_ECDSA, CKM_SHA256, SIGN, false},
	{CKM_ECDSA_SHA384, SCHEME_ECDSA, CKM_SHA384, SIGN, false},
	{CKM_ECDSA_SHA512, SCHEME_ECDSA, CKM_SHA512, SIGN, false},
	{CKM_EDDSA, SCHEME_EDDSA, NO_DIGEST, SIGN, false},
	{CKM_ECDH1_DERIVE, SCHEME_ECDH, NO_DIGEST, CKF_DERIVE, false},
	/* The curves have cofactor 1: the same. */
	{CKM_ECDH1_COFACTOR_DERIVE, SCHEME_ECDH, NO_DIGEST, CKF_DERIVE, false},
	{CKM_AES_ECB, SCHEME_AES_ECB, NO_DIGEST, ENCRYPT | WRAP, false},
	{CKM_AES_CBC, SCHEME_AES_CBC, NO_DIGEST, ENCRYPT | WRAP, false},
	{CKM_AES_CBC_PAD, SCHEME_AES_CBC_PAD, NO_DIGEST, ENCRYPT | WRAP, false},
	{CKM_AES_CTR, SCHEME_AES_CTR, NO_DIGEST, ENCRYPT, false},
	{CKM_AES_GCM, SCHEME_AES_GCM, NO_DIGEST, ENCRYPT, false},
	{CKM_AES_KEY_WRAP, SCHEME_AES_WRAP, NO_DIGEST, WRAP, false},
	{CKM_AES_KEY_WRAP_PAD, SCHEME_AES_WRAP_PAD, NO_DIGEST, WRAP, false},
	{CKM_AES_ECB_ENCRYPT_DATA, SCHEME_AES_DATA_ECB, NO_DIGEST, CKF_DERIVE, false},
	{CKM_AES_CBC_ENCRYPT_DATA, SCHEME_AES_DATA_CBC, NO_DIGEST, CKF_DERIVE, false},
	{CKM_AES_CMAC, SCHEME_AES_CMAC, NO_DIGEST, SIGN, false},
	{CKM_AES_CMAC_GENERAL, SCHEME_AES_CMAC, NO_DIGEST, SIGN, true},
	HMAC(SHA_1, CKM_SHA_1),
	HMAC(SHA224, CKM_SHA224),
	HMAC(SHA256, CKM_SHA256),
	HMAC(SHA384, CKM_SHA384),
	HMAC(SHA512, CKM_SHA512),
	{CKM_RSA_PKCS_KEY_PAIR_GEN, SCHEME_GENERATE, NO_DIGEST, PAIR, false},
	{CKM_EC_KEY_PAIR_GEN, SCHEME_GENERATE, NO_DIGEST, PAIR, false},
	{CKM_EC_EDWARDS_KEY_PAIR_GEN, SCHEME_GENERATE, NO_DIGEST, PAIR, false},
	{CKM_EC_MONTGOMERY_KEY_PAIR_GEN, SCHEME_GENERATE, NO_DIGEST, PAIR, false},
	{CKM_AES_KEY_GEN, SCHEME_GENERATE, NO_DIGEST, CKF_GENERATE, false},
	{CKM_GENERIC_SECRET_KEY_GEN, SCHEME_GENERATE, NO_DIGEST, CKF_GENERATE, false},
	{CKM_SHA_1, SCHEME_DIGEST, CKM_SHA_1, CKF_DIGEST, false},
	{CKM_SHA224, SCHEME_DIGEST, CKM_SHA224, CKF_DIGEST, false},
	{CKM_SHA256, SCHEME_DIGEST, CKM_SHA256, CKF_DIGEST, false},
	{CKM_SHA384, SCHEME_DIGEST, CKM_SHA384, CKF_DIGEST, false},
	{CKM_SHA512, SCHEME_DIGEST, CKM_SHA512, CKF_DIGEST, false},
};

const struct mechanism *mechanism_find(CK_MECHANISM_TYPE type)
{
	for (size_t i = 0; i < ARRAY_SIZE(mechanisms); i++) {
		if (mechanisms[i].type == type)
			return &mechanisms[i];
	}
	return NULL;
}

CK_MECHANISM_TYPE mechanism_of_token(const struct mechanism *mechanism)
{
	CK_MECHANISM_TYPE type = schemes[mechanism->scheme].token;

	return type == NONE ? mechanism->type : type;
}

CK_MECHANISM_TYPE mechanism_of_card(const struct mechanism *mechanism)
{
	return schemes[mechanism->scheme].card;
}

bool mechanism_is_symmetric(const struct mechanism *mechanism)
{
	return mechanism->scheme >= SCHEME_AES_ECB && mechanism->scheme <= SCHEME_HMAC;
}

bool mechanism_digests(const struct mechanism *mechanism)
{
	return mechanism->digest != NO_DIGEST && mechanism->scheme != SCHEME_HMAC;
}

/* Keys for an HMAC may be of the type of its digest; X25519 keys agree on secrets, too. */
bool mechanism_takes_key(const struct mechanism *mechanism, CK_KEY_TYPE type)
{
	static const CK_KEY_TYPE of_hmac[] = {CKK_GENERIC_SECRET, CKK_SHA_1_HMAC, CKK_SHA224_HMAC,
		CKK_SHA256_HMAC, CKK_SHA384_HMAC, CKK_SHA512_HMAC};

	if (mechanism->scheme == SCHEME_ECDH)
		return type == CKK_EC || type == CKK_EC_MONTGOMERY || type == CKK_EC_EDWARDS;
	if (mechanism->scheme != SCHEME_HMAC)
		return type == schemes[mechanism->scheme].key;
	for (size_t i = 0; i < ARRAY_SIZE(of_hmac); i++) {
		if (of_hmac[i] == type)
			return true;
	}
	return false;
}

static void describe_card(const struct mechanism *mechanism, CK_MECHANISM_INFO *info)
{
	*info = (CK_MECHANISM_INFO){.ulMinKeySize = schemes[mechanism->scheme].minimum,
		.ulMaxKeySize = schemes[mechanism->scheme].maximum,
		.flags = (mechanism->flags & ~WRAP) | schemes[mechanism->scheme].card_flags};
}

/* Some tokens do not tell what their mechanisms are for. Recovering is signing and verifying. */
static void describe_token(const struct mechanism *mechanism, const struct remote_mechanism *told,
	CK_MECHANISM_INFO *info)
{
	CK_FLAGS uses = told->flags & USES ? told->flags & USES : USES;

	if (!mechanism_is_symmetric(mechanism))
		uses |= LOCAL;
	if (uses & CKF_SIGN)
		uses |= CKF_SIGN_RECOVER;
	*info = (CK_MECHANISM_INFO){.ulMinKeySize = told->minimum,
		.ulMaxKeySize = told->maximum,
		.flags = (told->flags & ~USES) | (mechanism->flags & uses)};
}

bool mechanism_describe(
	const struct mechanism *mechanism, const struct slot *slot, CK_MECHANISM_INFO *info)
{
	if (mechanism->scheme == SCHEME_DIGEST) {
		*info = (CK_MECHANISM_INFO){.flags = mechanism->flags};
		return true;
	}
	if (!(slot->token.flags & TOKEN_FIXED)) {
		describe_card(mechanism, info);
		return schemes[mechanism->scheme].card != NONE;
	}
	CK_MECHANISM_TYPE type = mechanism_of_token(mechanism);
	for (size_t i = 0; i < slot->mechanisms.count; i++) {
		if (slot->mechanisms.items[i].type == type) {
			describe_token(mechanism, &slot->mechanisms.items[i], info);
			return (info->flags & USES) != 0;
		}
	}
	return false;
}

CK_RV mechanism_for(const struct slot *slot, CK_MECHANISM_TYPE type, CK_FLAGS use,
	const struct mechanism **mechanism)
{
	CK_MECHANISM_INFO info;

	*mechanism = mechanism_find(type);
	return *mechanism && mechanism_describe(*mechanism, slot, &info) && info.flags & use
		       ? CKR_OK
		       : CKR_MECHANISM_INVALID;
}

static CK_RV check_slot(CK_SLOT_ID slot_id, const struct slot **slot)
{
	CK_RV rv = slots_update();

	if (rv == CKR_OK)
		rv = slot_learn_mechanisms(slot_id);
	*slot = rv == CKR_OK ? slot_find(slot_id) : NULL;
	return rv;
}

static CK_RV list(CK_SLOT_ID slot_id, CK_MECHANISM_TYPE_PTR types, CK_ULONG_PTR count)
{
	const struct slot *slot;
	CK_MECHANISM_INFO info;
	CK_RV rv = check_slot(slot_id, &slot);
	CK_ULONG found = 0;

	if (rv != CKR_OK)
		return rv;
	if (!count)
		return CKR_ARGUMENTS_BAD;
	for (size_t i = 0; i < ARRAY_SIZE(mechanisms); i++) {
		if (!mechanism_describe(&mechanisms[i], slot, &info))
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
	CK_MECHANISM_INFO found;

	if (rv != CKR_OK)
		return rv;
	if (!info)
		return CKR_ARGUMENTS_BAD;
	if (!mechanism || !mechanism_describe(mechanism, slot, &found))
		return CKR_MECHANISM_INVALID;
	*info = found;
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
