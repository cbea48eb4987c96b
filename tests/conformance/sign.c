/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signatures (5.11, 5.12): arguments and states, ECDSA, MACs, keys that want the PIN each time. */
#include "conformance/operation.h"

#include <stdlib.h>
#include <string.h>

#include "conformance/reference.h"
#include "conformance/verify.h"

static CK_BYTE data[200];

/* --- arguments and states --- */

static void recover_functions(CK_MECHANISM *mechanism, const struct pair *pair)
{
	CK_BYTE bytes[1024] = {0};
	CK_ULONG length = sizeof(bytes);
	CK_MECHANISM unknown = {NO_MECHANISM, NULL, 0};

	section("5.11");
	EXPECT("C_SignRecoverInit.unknown_session",
		P11->C_SignRecoverInit(NO_SESSION, mechanism, pair->private),
		CKR_SESSION_HANDLE_INVALID, CKR_FUNCTION_NOT_SUPPORTED);
	EXPECT("C_SignRecoverInit.unknown_mechanism",
		P11->C_SignRecoverInit(suite.session, &unknown, pair->private),
		CKR_MECHANISM_INVALID, CKR_FUNCTION_NOT_SUPPORTED);
	EXPECT("C_SignRecover.not_initialized_operation",
		P11->C_SignRecover(suite.session, bytes, 16, bytes, &length),
		CKR_OPERATION_NOT_INITIALIZED, CKR_FUNCTION_NOT_SUPPORTED);
	section("5.12");
	EXPECT("C_VerifyRecoverInit.unknown_session",
		P11->C_VerifyRecoverInit(NO_SESSION, mechanism, pair->public),
		CKR_SESSION_HANDLE_INVALID, CKR_FUNCTION_NOT_SUPPORTED);
	EXPECT("C_VerifyRecoverInit.unknown_mechanism",
		P11->C_VerifyRecoverInit(suite.session, &unknown, pair->public),
		CKR_MECHANISM_INVALID, CKR_FUNCTION_NOT_SUPPORTED);
	length = sizeof(bytes);
	EXPECT("C_VerifyRecover.not_initialized_operation",
		P11->C_VerifyRecover(suite.session, bytes, 16, bytes, &length),
		CKR_OPERATION_NOT_INITIALIZED, CKR_FUNCTION_NOT_SUPPORTED);
}

void sign_arguments(void)
{
	CK_MECHANISM plain, hashed = {CKM_ECDSA_SHA256, NULL, 0}, other = {CKM_RSA_PKCS, NULL, 0};
	struct pair pair;

	section("5.11");
	memset(data, 's', sizeof(data));
	if (!pair_that_signs("C_Sign.works", &pair, &plain))
		return;
	if (plain.mechanism == CKM_RSA_PKCS) {
		hashed.mechanism = CKM_SHA256_RSA_PKCS;
		other.mechanism = CKM_ECDSA;
	}
	family_check(&family_sign, &plain, pair.private, data, 32);
	if (offers("C_SignUpdate.works", hashed.mechanism, CKF_SIGN))
		family_check_parts(&family_sign, &hashed, pair.private, data, sizeof(data));
	EXPECT("C_SignInit.public_key", init_elsewhere(&family_sign, &plain, pair.public),
		CKR_KEY_TYPE_INCONSISTENT, CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_KEY_HANDLE_INVALID);
	if (has(other.mechanism, CKF_SIGN))
		EXPECT("C_SignInit.key_of_another_type",
			init_elsewhere(&family_sign, &other, pair.private),
			CKR_KEY_TYPE_INCONSISTENT);
	section("5.12");
	verify_check(&plain, &pair, data, 32);
	if (has(hashed.mechanism, CKF_VERIFY))
		verify_check_parts(&hashed, &pair, data, sizeof(data));
	recover_functions(&plain, &pair);
}

/* --- ECDSA --- */

static const struct {
	const char *name, *digest;
	CK_MECHANISM_TYPE type;
} curves[] = {
	{"ECDSA", NULL, CKM_ECDSA},
	{"ECDSA_SHA1", "SHA1", CKM_ECDSA_SHA1},
	{"ECDSA_SHA224", "SHA224", CKM_ECDSA_SHA224},
	{"ECDSA_SHA256", "SHA256", CKM_ECDSA_SHA256},
	{"ECDSA_SHA384", "SHA384", CKM_ECDSA_SHA384},
	{"ECDSA_SHA512", "SHA512", CKM_ECDSA_SHA512},
};

static void ecdsa(size_t i, const struct pair *pair, EVP_PKEY *public)
{
	CK_MECHANISM mechanism = {curves[i].type, NULL, 0};
	const char *digest = curves[i].digest;
	CK_BYTE signature[256];
	CK_ULONG length = sizeof(signature), size = digest ? sizeof(data) : 32;
	size_t order = (size_t)(EVP_PKEY_get_bits(public) + 7) / 8;

	if (!offers(join(curves[i].name, ".sign"), curves[i].type, CKF_SIGN))
		return;
	EXPECT(join(curves[i].name, ".sign"),
		run_one(&family_sign, &mechanism, pair->private, data, size, signature, &length),
		CKR_OK);
	EXPECT_THAT(join(curves[i].name, ".two_numbers"), length == 2 * order);
	EXPECT_THAT(join(curves[i].name, ".sign_is_right"),
		reference_verify_ecdsa(
			public, digest, digest != NULL, data, size, signature, length));
	if (digest) {
		length = sizeof(signature);
		EXPECT(join(curves[i].name, ".sign_in_parts"),
			run_parts(&family_sign, &mechanism, pair->private, data, size, 33,
				signature, &length),
			CKR_OK);
		EXPECT_THAT(join(curves[i].name, ".sign_in_parts_is_right"),
			reference_verify_ecdsa(
				public, digest, true, data, size, signature, length));
	}
	verify_signature(curves[i].name, &mechanism, pair->public, data, size, signature, length);
}

void sign_ec(void)
{
	struct pair pair;

	section("M 2.3");
	memset(data, 'e', sizeof(data));
	if (!offers("ECDSA.sign", CKM_ECDSA, CKF_SIGN) ||
		!pair_of("ECDSA.sign", CKK_EC, CKA_SIGN, &pair))
		return;
	EVP_PKEY *public = pair_public(&pair);
	NEED(public ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID);
	for (size_t i = 0; i < ARRAY_SIZE(curves); i++)
		ecdsa(i, &pair, public);
	EVP_PKEY_free(public);
}

/* --- MACs --- */

static const struct {
	const char *name, *mac, *of;
	CK_MECHANISM_TYPE type;
	CK_KEY_TYPE key;
} macs[] = {
	{"SHA_1_HMAC", "HMAC", "SHA1", CKM_SHA_1_HMAC, CKK_GENERIC_SECRET},
	{"SHA224_HMAC", "HMAC", "SHA224", CKM_SHA224_HMAC, CKK_GENERIC_SECRET},
	{"SHA256_HMAC", "HMAC", "SHA256", CKM_SHA256_HMAC, CKK_GENERIC_SECRET},
	{"SHA384_HMAC", "HMAC", "SHA384", CKM_SHA384_HMAC, CKK_GENERIC_SECRET},
	{"SHA512_HMAC", "HMAC", "SHA512", CKM_SHA512_HMAC, CKK_GENERIC_SECRET},
	{"AES_CMAC", "CMAC", "AES-256-CBC", CKM_AES_CMAC, CKK_AES},
};

static void mac(size_t i)
{
	static const CK_BYTE value[64] = "thirty-two bytes of a secret key, and as many once more";
	size_t size = macs[i].key == CKK_AES ? 32 : sizeof(value);
	CK_MECHANISM mechanism = {macs[i].type, NULL, 0};
	CK_BYTE expected[64], made[64];
	size_t expected_length;
	CK_ULONG length = sizeof(made);
	CK_OBJECT_HANDLE key;

	if (!offers(join(macs[i].name, ".sign"), macs[i].type, CKF_SIGN | CKF_VERIFY))
		return;
	NEED(login());
	NEED(secret_key(macs[i].key, value, size, &key, USAGES(CKA_SIGN, CKA_VERIFY)));
	reference_mac(macs[i].mac, macs[i].of, value, size, data, sizeof(data), expected,
		&expected_length);
	EXPECT(join(macs[i].name, ".sign"),
		run_one(&family_sign, &mechanism, key, data, sizeof(data), made, &length), CKR_OK);
	EXPECT_THAT(join(macs[i].name, ".sign_is_right"),
		length == expected_length && !memcmp(made, expected, length));
	length = sizeof(made);
	EXPECT(join(macs[i].name, ".sign_in_parts"),
		run_parts(&family_sign, &mechanism, key, data, sizeof(data), 13, made, &length),
		CKR_OK);
	EXPECT_THAT(join(macs[i].name, ".sign_in_parts_is_right"),
		length == expected_length && !memcmp(made, expected, length));
	verify_signature(
		macs[i].name, &mechanism, key, data, sizeof(data), expected, expected_length);
}

static void mac_keys(void)
{
	static const CK_BYTE value[32] = {1};
	CK_MECHANISM hmac = {CKM_SHA256_HMAC, NULL, 0};
	CK_OBJECT_HANDLE key;

	if (!has(CKM_SHA256_HMAC, CKF_SIGN))
		return;
	NEED(secret_key(CKK_GENERIC_SECRET, value, sizeof(value), &key, USAGES(CKA_VERIFY)));
	section("5.11");
	EXPECT("C_SignInit.key_not_for_this", init_elsewhere(&family_sign, &hmac, key),
		CKR_KEY_FUNCTION_NOT_PERMITTED);
	NEED(secret_key(CKK_GENERIC_SECRET, value, sizeof(value), &key, USAGES(CKA_SIGN)));
	section("5.12");
	EXPECT("C_VerifyInit.key_not_for_this", init_elsewhere(&family_verify, &hmac, key),
		CKR_KEY_FUNCTION_NOT_PERMITTED);
}

void sign_mac(void)
{
	section("M 2.7");
	memset(data, 'm', sizeof(data));
	for (size_t i = 0; i < ARRAY_SIZE(macs); i++) {
		if (macs[i].key == CKK_AES)
			section("M 2.12");
		mac(i);
	}
	mac_keys();
}

/* --- CKA_ALWAYS_AUTHENTICATE (4.9, C_Login) --- */

static CK_RV login_for_key(void)
{
	return P11->C_Login(
		suite.session, CKU_CONTEXT_SPECIFIC, (CK_UTF8CHAR_PTR)suite.pin, strlen(suite.pin));
}

static CK_RV sign_now(CK_BYTE *signature)
{
	CK_ULONG length = 1024;

	return P11->C_Sign(suite.session, data, 32, signature, &length);
}

static void sign_with_pin(CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	CK_BYTE signature[1024];

	NEED(P11->C_SignInit(suite.session, mechanism, key));
	EXPECT("always_authenticate.without_pin", sign_now(signature), CKR_USER_NOT_LOGGED_IN);
	/* Whether that ended the operation the standard does not say. */
	CK_RV rv = P11->C_SignInit(suite.session, mechanism, key);
	NEED(rv == CKR_OPERATION_ACTIVE ? CKR_OK : rv);
	EXPECT("always_authenticate.C_Login", login_for_key(), CKR_OK);
	EXPECT("always_authenticate.C_Sign", sign_now(signature), CKR_OK);
	NEED(P11->C_SignInit(suite.session, mechanism, key));
	EXPECT("always_authenticate.again_without_pin", sign_now(signature),
		CKR_USER_NOT_LOGGED_IN);
	rv = P11->C_SignInit(suite.session, mechanism, key);
	NEED(rv == CKR_OPERATION_ACTIVE ? CKR_OK : rv);
	NEED(login_for_key());
	EXPECT("always_authenticate.again", sign_now(signature), CKR_OK);
}

void sign_always_authenticate(void)
{
	struct template like = {.count = 0};
	CK_OBJECT_HANDLE key;

	section("4.9");
	NEED(login());
	template_number(&like, CKA_CLASS, CKO_PRIVATE_KEY);
	template_boolean(&like, CKA_ALWAYS_AUTHENTICATE, true);
	template_boolean(&like, CKA_SIGN, true);
	if (!find(suite.session, &like, &key, 1)) {
		check_skip("always_authenticate.C_Sign", "the token has no such key");
		return;
	}
	CK_MECHANISM mechanism = {
		attribute_number(key, CKA_KEY_TYPE) == CKK_RSA ? CKM_RSA_PKCS : CKM_ECDSA, NULL, 0};
	sign_with_pin(&mechanism, key);
}
