/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Message digests (5.10), and operations of two kinds at once (5.13). */
#include "conformance/operation.h"

#include <string.h>

#include "conformance/reference.h"

static const struct {
	CK_MECHANISM_TYPE type;
	const char *name;
} digests[] = {
	{CKM_SHA_1, "SHA1"},
	{CKM_SHA224, "SHA224"},
	{CKM_SHA256, "SHA256"},
	{CKM_SHA384, "SHA384"},
	{CKM_SHA512, "SHA512"},
};

static CK_BYTE data[1000];

static void digest_is_right(size_t i)
{
	CK_MECHANISM mechanism = {digests[i].type, NULL, 0};
	CK_BYTE expected[64], made[64];
	size_t expected_length;
	CK_ULONG made_length = sizeof(made);

	if (!offers(join(digests[i].name, ".digest"), digests[i].type, CKF_DIGEST))
		return;
	reference_digest(digests[i].name, data, sizeof(data), expected, &expected_length);
	NEED(run_one(&family_digest, &mechanism, 0, data, sizeof(data), made, &made_length));
	EXPECT_THAT(join(digests[i].name, ".digest"),
		made_length == expected_length && !memcmp(made, expected, expected_length));
	made_length = sizeof(made);
	NEED(run_parts(&family_digest, &mechanism, 0, data, sizeof(data), 37, made, &made_length));
	EXPECT_THAT(join(digests[i].name, ".digest_in_parts"),
		made_length == expected_length && !memcmp(made, expected, expected_length));
	reference_digest(digests[i].name, data, 0, expected, &expected_length);
	made_length = sizeof(made);
	NEED(run_parts(&family_digest, &mechanism, 0, data, 0, 37, made, &made_length));
	EXPECT_THAT(join(digests[i].name, ".digest_of_nothing"),
		made_length == expected_length && !memcmp(made, expected, expected_length));
}

static void digest_of_key(void)
{
	static const CK_BYTE value[] = "0123456789abcdef";
	CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};
	CK_BYTE expected[64], made[64];
	size_t expected_length;
	CK_ULONG made_length = sizeof(made);
	CK_OBJECT_HANDLE key;

	EXPECT("C_DigestKey.unknown_session", P11->C_DigestKey(NO_SESSION, NO_OBJECT),
		CKR_SESSION_HANDLE_INVALID);
	EXPECT("C_DigestKey.not_initialized_operation", P11->C_DigestKey(suite.session, NO_OBJECT),
		CKR_OPERATION_NOT_INITIALIZED);
	NEED(P11->C_DigestInit(suite.session, &sha256));
	EXPECT("C_DigestKey.unknown_key", P11->C_DigestKey(suite.session, NO_OBJECT),
		CKR_KEY_HANDLE_INVALID);
	P11->C_DigestFinal(suite.session, made, &made_length);
	made_length = sizeof(made);
	if (!offers("C_DigestKey.works", CKM_AES_ECB, CKF_ENCRYPT))
		return;
	NEED(login());
	NEED(secret_key(CKK_GENERIC_SECRET, value, 16, &key, USAGES(CKA_SIGN)));
	reference_digest("SHA256", value, 16, expected, &expected_length);
	NEED(P11->C_DigestInit(suite.session, &sha256));
	if (!EXPECT("C_DigestKey.works", P11->C_DigestKey(suite.session, key), CKR_OK,
		    CKR_KEY_INDIGESTIBLE))
		return;
	if (P11->C_DigestFinal(suite.session, made, &made_length) == CKR_OK)
		EXPECT_THAT(
			"C_DigestKey.is_right", made_length == 32 && !memcmp(made, expected, 32));
}

void digest_functions(void)
{
	CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};

	section("5.10");
	memset(data, 'd', sizeof(data));
	if (!offers("C_Digest.works", CKM_SHA256, CKF_DIGEST))
		return;
	family_check(&family_digest, &sha256, 0, data, sizeof(data));
	family_check_parts(&family_digest, &sha256, 0, data, sizeof(data));
	digest_of_key();
	for (size_t i = 0; i < ARRAY_SIZE(digests); i++)
		digest_is_right(i);
}

/* --- 5.13 --- */

/* A token that cannot do two kinds at once has no such functions. */
#define DUAL(function, ...)                                                                        \
	do {                                                                                       \
		EXPECT(#function ".unknown_session", P11->function(NO_SESSION, __VA_ARGS__),       \
			CKR_SESSION_HANDLE_INVALID, CKR_FUNCTION_NOT_SUPPORTED);                   \
		EXPECT(#function ".not_initialized_operation",                                     \
			P11->function(suite.session, __VA_ARGS__), CKR_OPERATION_NOT_INITIALIZED,  \
			CKR_FUNCTION_NOT_SUPPORTED);                                               \
	} while (0)

static void dual_digest_encrypt(void)
{
	static const CK_BYTE value[16] = "0123456789abcdef";
	CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0}, ecb = {CKM_AES_ECB, NULL, 0};
	CK_BYTE output[64], digest[32], expected[32];
	CK_ULONG length = sizeof(output), digest_length = sizeof(digest);
	size_t expected_length;
	CK_OBJECT_HANDLE key;

	if (!(suite.info.flags & CKF_DUAL_CRYPTO_OPERATIONS)) {
		check_skip("C_DigestEncryptUpdate.works", "the token does one kind at a time");
		return;
	}
	if (!offers("C_DigestEncryptUpdate.works", CKM_AES_ECB, CKF_ENCRYPT))
		return;
	NEED(login());
	NEED(secret_key(CKK_AES, value, sizeof(value), &key, USAGES(CKA_ENCRYPT)));
	NEED(P11->C_DigestInit(suite.session, &sha256));
	NEED(P11->C_EncryptInit(suite.session, &ecb, key));
	EXPECT("C_DigestEncryptUpdate.works",
		P11->C_DigestEncryptUpdate(suite.session, data, 32, output, &length), CKR_OK);
	NEED(P11->C_DigestFinal(suite.session, digest, &digest_length));
	reference_digest("SHA256", data, 32, expected, &expected_length);
	EXPECT_THAT("C_DigestEncryptUpdate.is_right", !memcmp(digest, expected, 32));
}

void dual_functions(void)
{
	CK_BYTE bytes[64] = {0};
	CK_ULONG length = sizeof(bytes);

	section("5.13");
	DUAL(C_DigestEncryptUpdate, bytes, 16, bytes, &length);
	DUAL(C_DecryptDigestUpdate, bytes, 16, bytes, &length);
	DUAL(C_SignEncryptUpdate, bytes, 16, bytes, &length);
	DUAL(C_DecryptVerifyUpdate, bytes, 16, bytes, &length);
	dual_digest_encrypt();
}
