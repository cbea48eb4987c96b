/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <cmocka.h>

#include "unit/pkcs11/fixture.h"

/*
 * Operations against OpenSSL, which did not make the module's encodings:
 * pkcs11/crypto.c, operation.c, pad.c, public.c, derive.c.
 */

static CK_BYTE text[] = "what is signed";

static CK_RV start_sign(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_BYTE id)
{
	return p11->C_SignInit(session, mechanism, find_object(session, CKO_PRIVATE_KEY, id));
}

/* Verifies with OpenSSL; pss: salt length or -1 for PKCS#1 v1.5. */
static bool openssl_accepts_rsa(
	const char *digest, int pss, const CK_BYTE *signature, size_t length)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *parameters;
	bool valid = EVP_DigestVerifyInit_ex(context, &parameters, digest, NULL, NULL,
			     fake->keys[FAKE_9A], NULL) > 0;

	if (pss >= 0)
		valid = valid &&
			EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) > 0 &&
			EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, pss) > 0;
	valid = valid && EVP_DigestVerify(context, signature, length, text, sizeof(text)) == 1;
	EVP_MD_CTX_free(context);
	return valid;
}

static bool openssl_accepts_ec(
	EVP_PKEY *key, const char *digest, const CK_BYTE *signature, size_t length)
{
	ECDSA_SIG *pair = ECDSA_SIG_new();
	unsigned char *der = NULL;
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	ECDSA_SIG_set0(pair, BN_bin2bn(signature, (int)length / 2, NULL),
		BN_bin2bn(signature + length / 2, (int)length / 2, NULL));
	int size = i2d_ECDSA_SIG(pair, &der);
	bool valid = EVP_DigestVerifyInit_ex(context, NULL, digest, NULL, NULL, key, NULL) > 0 &&
		     EVP_DigestVerify(context, der, (size_t)size, text, sizeof(text)) == 1;
	EVP_MD_CTX_free(context);
	OPENSSL_free(der);
	ECDSA_SIG_free(pair);
	return valid;
}

static const struct {
	CK_MECHANISM_TYPE pkcs1, pss, ecdsa, hash;
	CK_RSA_PKCS_MGF_TYPE mgf;
	const char *name;
	int size;
} digests[] = {
	{CKM_SHA1_RSA_PKCS, CKM_SHA1_RSA_PKCS_PSS, CKM_ECDSA_SHA1, CKM_SHA_1, CKG_MGF1_SHA1, "SHA1",
		20},
	{CKM_SHA224_RSA_PKCS, CKM_SHA224_RSA_PKCS_PSS, CKM_ECDSA_SHA224, CKM_SHA224,
		CKG_MGF1_SHA224, "SHA224", 28},
	{CKM_SHA256_RSA_PKCS, CKM_SHA256_RSA_PKCS_PSS, CKM_ECDSA_SHA256, CKM_SHA256,
		CKG_MGF1_SHA256, "SHA256", 32},
	{CKM_SHA384_RSA_PKCS, CKM_SHA384_RSA_PKCS_PSS, CKM_ECDSA_SHA384, CKM_SHA384,
		CKG_MGF1_SHA384, "SHA384", 48},
	{CKM_SHA512_RSA_PKCS, CKM_SHA512_RSA_PKCS_PSS, CKM_ECDSA_SHA512, CKM_SHA512,
		CKG_MGF1_SHA512, "SHA512", 64},
};

/* Signs at once, verifies with the module, and once more after a flipped bit. */
static CK_ULONG sign_and_verify(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_BYTE id,
	CK_BYTE *signature, CK_ULONG room)
{
	CK_OBJECT_HANDLE public_key = find_object(session, CKO_PUBLIC_KEY, id);
	CK_ULONG length = room;

	assert_ok(start_sign(session, mechanism, id));
	assert_ok(p11->C_Sign(session, text, sizeof(text), signature, &length));
	assert_ok(p11->C_VerifyInit(session, mechanism, public_key));
	assert_ok(p11->C_Verify(session, text, sizeof(text), signature, length));
	signature[length - 1] ^= 1;
	assert_ok(p11->C_VerifyInit(session, mechanism, public_key));
	assert_ckr(p11->C_Verify(session, text, sizeof(text), signature, length),
		CKR_SIGNATURE_INVALID);
	signature[length - 1] ^= 1;
	assert_ok(p11->C_VerifyInit(session, mechanism, public_key));
	assert_ckr(p11->C_Verify(session, text, sizeof(text), signature, length - 1),
		CKR_SIGNATURE_LEN_RANGE);
	return length;
}

static void hashed_signatures_satisfy_openssl(void **state)
{
	CK_BYTE signature[256];

	(void)state;
	CK_SESSION_HANDLE session = open_user_session();
	for (size_t i = 0; i < 5; i++) {
		CK_MECHANISM pkcs1 = {digests[i].pkcs1, NULL, 0};
		CK_MECHANISM ecdsa = {digests[i].ecdsa, NULL, 0};
		CK_ULONG length = sign_and_verify(session, &pkcs1, 1, signature, 256);
		assert_true(openssl_accepts_rsa(digests[i].name, -1, signature, length));
		length = sign_and_verify(session, &ecdsa, 3, signature, 256);
		assert_true(openssl_accepts_ec(
			fake->keys[FAKE_9D], digests[i].name, signature, length));
		length = sign_and_verify(session, &ecdsa, 4, signature, 256);
		assert_true(openssl_accepts_ec(
			fake->keys[FAKE_9E], digests[i].name, signature, length));
	}
}

static void pss_signatures_satisfy_openssl(void **state)
{
	CK_BYTE signature[256];

	(void)state;
	CK_SESSION_HANDLE session = open_user_session();
	for (size_t i = 0; i < 5; i++) {
		const int salts[] = {0, digests[i].size, 256 - digests[i].size - 2};
		for (size_t j = 0; j < 3; j++) {
			CK_RSA_PKCS_PSS_PARAMS pss = {
				digests[i].hash, digests[i].mgf, (CK_ULONG)salts[j]};
			CK_MECHANISM mechanism = {digests[i].pss, &pss, sizeof(pss)};
			CK_ULONG length = sign_and_verify(session, &mechanism, 1, signature, 256);
			assert_true(
				openssl_accepts_rsa(digests[i].name, salts[j], signature, length));
		}
	}
}

static void pss_parameters_are_checked(void **state)
{
	CK_RSA_PKCS_PSS_PARAMS pss = {CKM_SHA256, CKG_MGF1_SHA256, 32};
	CK_MECHANISM mechanism = {CKM_RSA_PKCS_PSS, &pss, sizeof(pss)};
	CK_BYTE signature[256], digest[32] = {0};
	CK_ULONG length = sizeof(signature);

	(void)state;
	CK_SESSION_HANDLE session = open_user_session();
	assert_ok(start_sign(session, &mechanism, 1));
	assert_ckr(p11->C_Sign(session, digest, 31, signature, &length), CKR_DATA_LEN_RANGE);
	pss.sLen = 256 - 32 - 1;
	assert_ok(start_sign(session, &mechanism, 1));
	assert_ckr(p11->C_Sign(session, digest, 32, signature, &length), CKR_KEY_SIZE_RANGE);
	mechanism.mechanism = CKM_SHA1_RSA_PKCS_PSS;
	assert_ckr(start_sign(session, &mechanism, 1), CKR_MECHANISM_PARAM_INVALID);
	mechanism = (CK_MECHANISM){CKM_RSA_PKCS_PSS, NULL, 0};
	assert_ckr(start_sign(session, &mechanism, 1), CKR_MECHANISM_PARAM_INVALID);
}

static void parts_give_the_same_signature(void **state)
{
	CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
	CK_BYTE signature[256];
	CK_ULONG length = 0;

	(void)state;
	CK_SESSION_HANDLE session = open_user_session();
	assert_ok(start_sign(session, &mechanism, 1));
	assert_ok(p11->C_SignUpdate(session, text, 5));
	assert_ok(p11->C_SignUpdate(session, text + 5, sizeof(text) - 5));
	assert_ok(p11->C_SignFinal(session, NULL, &length));
	assert_int_equal(length, 256);
	length = 255;
	assert_ckr(p11->C_SignFinal(session, signature, &length), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(length, 256);
	assert_ok(p11->C_SignFinal(session, signature, &length));
	assert_true(openssl_accepts_rsa("SHA256", -1, signature, length));
	assert_ckr(p11->C_SignFinal(session, signature, &length), CKR_OPERATION_NOT_INITIALIZED);
	/* All at once does not end what was begun in parts, but it is over. */
	assert_ok(start_sign(session, &mechanism, 1));
	assert_ok(p11->C_SignUpdate(session, text, 5));
	assert_ckr(
		p11->C_Sign(session, text, 1, signature, &length), CKR_OPERATION_NOT_INITIALIZED);
	assert_ckr(p11->C_SignFinal(session, signature, &length), CKR_OPERATION_NOT_INITIALIZED);
}

static void operations_keep_their_order(void **state)
{
	CK_MECHANISM rsa = {CKM_RSA_PKCS, NULL, 0}, ec = {CKM_ECDSA, NULL, 0},
		     unknown = {CKM_MD5_RSA_PKCS, NULL, 0};
	CK_BYTE buffer[300] = {0};
	CK_ULONG length = sizeof(buffer);

	(void)state;
	CK_SESSION_HANDLE session = open_user_session();
	CK_OBJECT_HANDLE key = find_object(session, CKO_PRIVATE_KEY, 1);
	assert_ckr(p11->C_Sign(session, text, 4, buffer, &length), CKR_OPERATION_NOT_INITIALIZED);
	assert_ckr(p11->C_SignUpdate(session, text, 4), CKR_OPERATION_NOT_INITIALIZED);
	assert_ckr(p11->C_SignInit(session, NULL, key), CKR_ARGUMENTS_BAD);
	assert_ckr(p11->C_SignInit(session, &rsa, 4711), CKR_KEY_HANDLE_INVALID);
	assert_ckr(p11->C_SignInit(session, &unknown, key), CKR_MECHANISM_INVALID);
	assert_ckr(p11->C_SignInit(session, &ec, key), CKR_KEY_TYPE_INCONSISTENT);
	assert_ckr(p11->C_SignInit(session, &rsa, find_object(session, CKO_PUBLIC_KEY, 1)),
		CKR_KEY_TYPE_INCONSISTENT);
	assert_ok(p11->C_SignInit(session, &rsa, key));
	assert_ckr(p11->C_SignInit(session, &rsa, key), CKR_OPERATION_ACTIVE);
	assert_ckr(p11->C_Sign(session, text, 4, buffer, NULL), CKR_ARGUMENTS_BAD);
	assert_ok(p11->C_SignInit(session, &rsa, key)); /* any error ends it */
	assert_ckr(p11->C_Sign(session, buffer, 246, buffer, &length), CKR_DATA_LEN_RANGE);
	assert_ckr(p11->C_Sign(session, text, 4, buffer, &length), CKR_OPERATION_NOT_INITIALIZED);
}

static void digests_work_in_parts_and_at_once(void **state)
{
	CK_MECHANISM mechanism = {CKM_SHA256, NULL, 0};
	CK_BYTE once[32], parts[32];
	CK_ULONG length = 10;
	static const CK_BYTE abc[] = {0xBA, 0x78, 0x16, 0xBF, 0x8F, 0x01, 0xCF, 0xEA};

	(void)state;
	CK_SESSION_HANDLE session = open_session();
	assert_ok(p11->C_DigestInit(session, &mechanism));
	assert_ckr(p11->C_Digest(session, (CK_BYTE_PTR) "abc", 3, once, &length),
		CKR_BUFFER_TOO_SMALL);
	assert_int_equal(length, 32);
	assert_ok(p11->C_Digest(session, (CK_BYTE_PTR) "abc", 3, once, &length));
	assert_memory_equal(once, abc, sizeof(abc)); /* FIPS 180-2, B.1 */
	assert_ok(p11->C_DigestInit(session, &mechanism));
	assert_ok(p11->C_DigestUpdate(session, (CK_BYTE_PTR) "a", 1));
	assert_ok(p11->C_DigestUpdate(session, (CK_BYTE_PTR) "bc", 2));
	assert_ok(p11->C_DigestFinal(session, parts, &length));
	assert_memory_equal(once, parts, 32);
}

static const CK_BYTE secret_text[] = "meet me at noon";

/* Encrypts with the module's public key and decrypts with the card's. */
static void check_decryption(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism)
{
	CK_BYTE encrypted[256], plain[256];
	CK_ULONG length = sizeof(encrypted), plain_length = 4;
	CK_BYTE_PTR message = (CK_BYTE_PTR)(uintptr_t)secret_text;

	assert_ok(p11->C_EncryptInit(session, mechanism, find_object(session, CKO_PUBLIC_KEY, 1)));
	assert_ok(p11->C_Encrypt(session, message, sizeof(secret_text), encrypted, &length));
	assert_ok(p11->C_DecryptInit(session, mechanism, find_object(session, CKO_PRIVATE_KEY, 1)));
	fake_command(fake, FAKE_COUNT);
	assert_ckr(p11->C_Decrypt(session, encrypted, length, plain, &plain_length),
		CKR_BUFFER_TOO_SMALL);
	assert_int_equal(plain_length, sizeof(secret_text));
	assert_ok(p11->C_Decrypt(session, encrypted, length, plain, &plain_length));
	assert_int_equal(fake_command(fake, FAKE_COUNT), 1); /* the card was asked once */
	assert_int_equal(plain_length, sizeof(secret_text));
	assert_memory_equal(plain, secret_text, plain_length);
	encrypted[100] ^= 1;
	plain_length = sizeof(plain);
	assert_ok(p11->C_DecryptInit(session, mechanism, find_object(session, CKO_PRIVATE_KEY, 1)));
	CK_RV rv = p11->C_Decrypt(session, encrypted, length, plain, &plain_length);
	assert_true(rv == CKR_ENCRYPTED_DATA_INVALID);
}

static void oaep_and_pkcs1_decrypt_what_openssl_encrypted(void **state)
{
	CK_BYTE label[] = "label";

	(void)state;
	CK_SESSION_HANDLE session = open_user_session();
	CK_MECHANISM pkcs1 = {CKM_RSA_PKCS, NULL, 0};
	check_decryption(session, &pkcs1);
	for (size_t i = 0; i < 5; i++) {
		CK_RSA_PKCS_OAEP_PARAMS oaep = {
			digests[i].hash, digests[4 - i].mgf, CKZ_DATA_SPECIFIED, NULL, 0};
		CK_MECHANISM mechanism = {CKM_RSA_PKCS_OAEP, &oaep, sizeof(oaep)};
		check_decryption(session, &mechanism);
		oaep.pSourceData = label;
		oaep.ulSourceDataLen = sizeof(label);
		check_decryption(session, &mechanism);
	}
}

static void raw_rsa_takes_one_block(void **state)
{
	CK_MECHANISM mechanism = {CKM_RSA_X_509, NULL, 0};
	CK_BYTE block[257] = {0}, signature[256];
	CK_ULONG length = sizeof(signature);

	(void)state;
	block[255] = 7;
	CK_SESSION_HANDLE session = open_user_session();
	CK_OBJECT_HANDLE public_key = find_object(session, CKO_PUBLIC_KEY, 1);
	assert_ok(start_sign(session, &mechanism, 1));
	assert_ok(p11->C_Sign(session, block, 256, signature, &length));
	assert_ok(p11->C_VerifyInit(session, &mechanism, public_key));
	assert_ok(p11->C_Verify(session, block, 256, signature, length));
	assert_ok(start_sign(session, &mechanism, 1));
	assert_ckr(p11->C_Sign(session, block, 257, signature, &length), CKR_DATA_LEN_RANGE);
	assert_ok(
		p11->C_DecryptInit(session, &mechanism, find_object(session, CKO_PRIVATE_KEY, 1)));
	assert_ckr(p11->C_Decrypt(session, block, 255, signature, &length),
		CKR_ENCRYPTED_DATA_LEN_RANGE);
}

static void ecdh_agrees_with_openssl(void **state)
{
	CK_BYTE point[97], expected[48], value[48];
	size_t point_length, expected_length = sizeof(expected);
	CK_ECDH1_DERIVE_PARAMS ecdh = {.kdf = CKD_NULL, .pPublicData = point};
	CK_MECHANISM mechanism = {CKM_ECDH1_DERIVE, &ecdh, sizeof(ecdh)};
	CK_ULONG wanted = 32;
	CK_ATTRIBUTE template = {CKA_VALUE_LEN, &wanted, sizeof(wanted)};
	CK_ATTRIBUTE result = {CKA_VALUE, value, sizeof(value)};
	CK_OBJECT_HANDLE secret;

	(void)state;
	CK_SESSION_HANDLE session = open_user_session();
	CK_OBJECT_HANDLE key = find_object(session, CKO_PRIVATE_KEY, 3);
	EVP_PKEY *peer = EVP_EC_gen("P-384");
	assert_int_equal(EVP_PKEY_get_octet_string_param(
				 peer, "encoded-pub-key", point, sizeof(point), &point_length),
		1);
	ecdh.ulPublicDataLen = point_length;
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(peer, NULL);
	EVP_PKEY_derive_init(context);
	EVP_PKEY_derive_set_peer(context, fake->keys[FAKE_9D]);
	assert_int_equal(EVP_PKEY_derive(context, expected, &expected_length), 1);
	EVP_PKEY_CTX_free(context);
	EVP_PKEY_free(peer);
	assert_ok(p11->C_DeriveKey(session, &mechanism, key, NULL, 0, &secret));
	assert_ok(p11->C_GetAttributeValue(session, secret, &result, 1));
	assert_int_equal(result.ulValueLen, 48);
	assert_memory_equal(value, expected, 48);
	assert_ok(p11->C_DeriveKey(session, &mechanism, key, &template, 1, &secret));
	result.ulValueLen = sizeof(value);
	assert_ok(p11->C_GetAttributeValue(session, secret, &result, 1));
	assert_int_equal(result.ulValueLen, 32);
	assert_memory_equal(value, expected + 16, 32);
	wanted = 49;
	assert_ckr(p11->C_DeriveKey(session, &mechanism, key, &template, 1, &secret),
		CKR_TEMPLATE_INCONSISTENT);
	ecdh.kdf = CKD_SHA256_KDF;
	assert_ok(p11->C_DeriveKey(session, &mechanism, key, &template, 1, &secret));
	ecdh.ulPublicDataLen = 65;
	assert_ckr(p11->C_DeriveKey(session, &mechanism, key, &template, 1, &secret),
		CKR_MECHANISM_PARAM_INVALID);
}

static void a_broken_answer_is_a_device_error(void **state)
{
	CK_MECHANISM mechanism = {CKM_ECDSA_SHA256, NULL, 0};
	CK_BYTE signature[96];
	CK_ULONG length = sizeof(signature);

	(void)state;
	CK_SESSION_HANDLE session = open_user_session();
	fake_command(fake, FAKE_SHORT_ANSWERS);
	assert_ok(start_sign(session, &mechanism, 3));
	assert_ckr(p11->C_Sign(session, text, 4, signature, &length), CKR_DEVICE_ERROR);
	fake_command(fake, FAKE_WRONG_SIGNATURE);
	assert_ok(start_sign(session, &mechanism, 3));
	assert_ckr(p11->C_Sign(session, text, 4, signature, &length), CKR_GENERAL_ERROR);
	fake_command(fake, FAKE_NORMAL_ANSWERS);
	assert_ok(start_sign(session, &mechanism, 3));
	assert_ok(p11->C_Sign(session, text, 4, signature, &length));
}

static void a_session_public_key_verifies(void **state)
{
	CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
	CK_KEY_TYPE type = CKK_EC;
	CK_BYTE parameters[20], point[120], signature[96];
	CK_ATTRIBUTE template[] = {
		{CKA_CLASS, &class, sizeof(class)},
		{CKA_KEY_TYPE, &type, sizeof(type)},
		{CKA_EC_PARAMS, parameters, sizeof(parameters)},
		{CKA_EC_POINT, point, sizeof(point)},
	};
	CK_MECHANISM mechanism = {CKM_ECDSA_SHA384, NULL, 0};
	CK_OBJECT_HANDLE copy;

	(void)state;
	CK_SESSION_HANDLE session = open_user_session();
	CK_ULONG length = sign_and_verify(session, &mechanism, 3, signature, sizeof(signature));
	assert_ok(p11->C_GetAttributeValue(
		session, find_object(session, CKO_PUBLIC_KEY, 3), template + 2, 2));
	assert_ok(p11->C_CreateObject(session, template, 4, &copy));
	assert_ok(p11->C_VerifyInit(session, &mechanism, copy));
	assert_ok(p11->C_Verify(session, text, sizeof(text), signature, length));
	assert_ckr(p11->C_CreateObject(session, template, 3, &copy), CKR_TEMPLATE_INCOMPLETE);
}

static void what_was_signed_is_recovered(void **state)
{
	CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0}, pss = {CKM_RSA_PKCS_PSS, NULL, 0};
	CK_BYTE signature[256], recovered[256];
	CK_ULONG length = sizeof(signature), size = 4;

	(void)state;
	CK_SESSION_HANDLE session = open_user_session();
	CK_OBJECT_HANDLE private_key = find_object(session, CKO_PRIVATE_KEY, 1);
	CK_OBJECT_HANDLE public_key = find_object(session, CKO_PUBLIC_KEY, 1);
	assert_ckr(p11->C_SignRecover(session, text, 4, signature, &length),
		CKR_OPERATION_NOT_INITIALIZED);
	assert_ckr(p11->C_SignRecoverInit(session, &pss, private_key), CKR_MECHANISM_INVALID);
	assert_ok(p11->C_SignRecoverInit(session, &mechanism, private_key));
	assert_ok(p11->C_SignRecover(session, text, sizeof(text), signature, &length));
	assert_ok(p11->C_VerifyRecoverInit(session, &mechanism, public_key));
	assert_ckr(p11->C_VerifyRecover(session, signature, length, recovered, &size),
		CKR_BUFFER_TOO_SMALL);
	assert_int_equal(size, sizeof(text));
	assert_ok(p11->C_VerifyRecover(session, signature, length, recovered, &size));
	assert_memory_equal(recovered, text, sizeof(text));
	signature[length - 1] ^= 1;
	size = sizeof(recovered);
	assert_ok(p11->C_VerifyRecoverInit(session, &mechanism, public_key));
	assert_ckr(p11->C_VerifyRecover(session, signature, length, recovered, &size),
		CKR_SIGNATURE_INVALID);
	assert_ok(p11->C_VerifyRecoverInit(session, &mechanism, public_key));
	assert_ckr(p11->C_VerifyRecover(session, signature, 255, recovered, &size),
		CKR_SIGNATURE_LEN_RANGE);
}

static void points_off_the_curve_are_refused(void **state)
{
	CK_BYTE point[97] = {0x04, 1, [96] = 2};
	CK_ECDH1_DERIVE_PARAMS parameters = {.kdf = CKD_NULL, .pPublicData = point};
	CK_MECHANISM mechanism = {CKM_ECDH1_DERIVE, &parameters, sizeof(parameters)};
	CK_OBJECT_HANDLE derived;

	(void)state;
	CK_SESSION_HANDLE session = open_user_session();
	CK_OBJECT_HANDLE key = find_object(session, CKO_PRIVATE_KEY, 3);
	fake_command(fake, FAKE_COUNT);
	parameters.ulPublicDataLen = sizeof(point);
	assert_ckr(p11->C_DeriveKey(session, &mechanism, key, NULL, 0, &derived),
		CKR_MECHANISM_PARAM_INVALID);
	parameters.ulPublicDataLen = 65;
	assert_ckr(p11->C_DeriveKey(session, &mechanism, key, NULL, 0, &derived),
		CKR_MECHANISM_PARAM_INVALID);
	assert_int_equal(fake_command(fake, FAKE_COUNT), 0); /* no card was asked */
}

static void random_numbers_differ(void **state)
{
	CK_BYTE one[32] = {0}, other[32] = {0};

	(void)state;
	CK_SESSION_HANDLE session = open_session();
	assert_ok(p11->C_GenerateRandom(session, one, sizeof(one)));
	assert_ok(p11->C_GenerateRandom(session, other, sizeof(other)));
	assert_memory_not_equal(one, other, sizeof(one));
	assert_ckr(p11->C_GenerateRandom(session, NULL, 5), CKR_ARGUMENTS_BAD);
	assert_ckr(p11->C_SeedRandom(session, one, 5), CKR_RANDOM_SEED_NOT_SUPPORTED);
}

#define STARTED(test) cmocka_unit_test_setup_teardown(test, start_module, stop_module)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STARTED(hashed_signatures_satisfy_openssl),
		STARTED(pss_signatures_satisfy_openssl),
		STARTED(pss_parameters_are_checked),
		STARTED(parts_give_the_same_signature),
		STARTED(operations_keep_their_order),
		STARTED(digests_work_in_parts_and_at_once),
		STARTED(oaep_and_pkcs1_decrypt_what_openssl_encrypted),
		STARTED(raw_rsa_takes_one_block),
		STARTED(ecdh_agrees_with_openssl),
		STARTED(a_broken_answer_is_a_device_error),
		STARTED(a_session_public_key_verifies),
		STARTED(what_was_signed_is_recovered),
		STARTED(points_off_the_curve_are_refused),
		STARTED(random_numbers_differ),
	};

	return cmocka_run_group_tests(tests, load_module, unload_module);
}
