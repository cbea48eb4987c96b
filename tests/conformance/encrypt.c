/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Encryption and decryption (5.8, 5.9): arguments and states, and AES (mechanisms, 2.8 to 2.11). */
#include "conformance/operation.h"

#include <string.h>

#include "conformance/reference.h"

/* The example key of NIST SP 800-38A, F.1 to F.5, with the first block of its text. */
static const CK_BYTE aes_key[16] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7,
	0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c};
static const CK_BYTE first_block[16] = {0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96, 0xe9, 0x3d,
	0x7e, 0x11, 0x73, 0x93, 0x17, 0x2a};
static const CK_BYTE ecb_block[16] = {0x3a, 0xd7, 0x7b, 0xb4, 0x0d, 0x7a, 0x36, 0x60, 0xa8, 0x9e,
	0xca, 0xf3, 0x24, 0x66, 0xef, 0x97};
static const CK_BYTE cbc_block[16] = {0x76, 0x49, 0xab, 0xac, 0x81, 0x19, 0xb2, 0x46, 0xce, 0xe9,
	0x8e, 0x9b, 0x12, 0xe9, 0x19, 0x7d};
static CK_BYTE cbc_iv[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static CK_BYTE text[512];

static CK_RV aes(CK_OBJECT_HANDLE *key)
{
	return secret_key(CKK_AES, aes_key, sizeof(aes_key), key, USAGES(CKA_ENCRYPT, CKA_DECRYPT));
}

/* --- arguments and states --- */

static void rsa_arguments(void)
{
	CK_MECHANISM pkcs = {CKM_RSA_PKCS, NULL, 0};
	CK_BYTE cipher[1024];
	CK_ULONG length = sizeof(cipher);
	struct pair pair;

	section("5.8");
	if (!offers("C_Encrypt.rsa", CKM_RSA_PKCS, CKF_ENCRYPT | CKF_DECRYPT) ||
		!pair_of("C_Encrypt.rsa", CKK_RSA, CKA_DECRYPT, &pair))
		return;
	family_check(&family_encrypt, &pkcs, pair.public, text, 20);
	NEED(run_one(&family_encrypt, &pkcs, pair.public, text, 20, cipher, &length));
	section("5.9");
	family_check(&family_decrypt, &pkcs, pair.private, cipher, length);
}

static void aes_parts(void)
{
	CK_MECHANISM cbc = {CKM_AES_CBC_PAD, cbc_iv, sizeof(cbc_iv)};
	CK_BYTE cipher[64];
	CK_ULONG length = sizeof(cipher);
	CK_OBJECT_HANDLE key;

	section("5.8");
	if (!offers("C_EncryptUpdate.works", CKM_AES_CBC_PAD, CKF_ENCRYPT | CKF_DECRYPT))
		return;
	NEED(login());
	NEED(aes(&key));
	family_check_parts(&family_encrypt, &cbc, key, text, 32);
	NEED(run_one(&family_encrypt, &cbc, key, text, 32, cipher, &length));
	section("5.9");
	family_check_parts(&family_decrypt, &cbc, key, cipher, length);
}

/* Keys for something else, and keys of another kind. */
static void wrong_keys(void)
{
	CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0}, pkcs = {CKM_RSA_PKCS, NULL, 0};
	CK_OBJECT_HANDLE key, generic, encrypting;
	struct pair pair;

	section("5.8");
	if (!offers("C_EncryptInit.keys", CKM_AES_ECB, CKF_ENCRYPT))
		return;
	NEED(login());
	NEED(secret_key(CKK_AES, aes_key, 16, &key, USAGES(CKA_SIGN)));
	NEED(secret_key(CKK_AES, aes_key, 16, &encrypting, USAGES(CKA_ENCRYPT)));
	NEED(secret_key(
		CKK_GENERIC_SECRET, aes_key, 16, &generic, USAGES(CKA_ENCRYPT, CKA_DECRYPT)));
	EXPECT("C_EncryptInit.key_not_for_this", init_elsewhere(&family_encrypt, &ecb, key),
		CKR_KEY_FUNCTION_NOT_PERMITTED);
	EXPECT("C_EncryptInit.key_of_another_type", init_elsewhere(&family_encrypt, &ecb, generic),
		CKR_KEY_TYPE_INCONSISTENT);
	EXPECT("C_EncryptInit.rsa_with_aes_key", init_elsewhere(&family_encrypt, &pkcs, encrypting),
		CKR_KEY_TYPE_INCONSISTENT);
	section("5.9");
	EXPECT("C_DecryptInit.key_not_for_this", init_elsewhere(&family_decrypt, &ecb, encrypting),
		CKR_KEY_FUNCTION_NOT_PERMITTED);
	EXPECT("C_DecryptInit.key_of_another_type", init_elsewhere(&family_decrypt, &ecb, generic),
		CKR_KEY_TYPE_INCONSISTENT);
	if (!pair_of("C_DecryptInit.public_key", CKK_RSA, CKA_DECRYPT, &pair))
		return;
	EXPECT("C_DecryptInit.public_key", init_elsewhere(&family_decrypt, &pkcs, pair.public),
		CKR_KEY_TYPE_INCONSISTENT, CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_KEY_HANDLE_INVALID);
	EXPECT("C_DecryptInit.aes_with_rsa_key",
		init_elsewhere(&family_decrypt, &ecb, pair.private), CKR_KEY_TYPE_INCONSISTENT);
}

void encrypt_arguments(void)
{
	rsa_arguments();
	aes_parts();
	wrong_keys();
}

/* --- AES --- */

static void aes_examples(CK_OBJECT_HANDLE key)
{
	CK_AES_CTR_PARAMS counter = {.ulCounterBits = 128};
	CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0}, cbc = {CKM_AES_CBC, cbc_iv, sizeof(cbc_iv)},
		     ctr = {CKM_AES_CTR, &counter, sizeof(counter)};
	CK_BYTE made[64], expected[64];
	CK_ULONG length = sizeof(made);
	size_t expected_length;

	section("M 2.8");
	NEED(run_one(&family_encrypt, &ecb, key, first_block, 16, made, &length));
	EXPECT_THAT("AES_ECB.example", length == 16 && !memcmp(made, ecb_block, 16));
	length = sizeof(made);
	NEED(run_one(&family_encrypt, &cbc, key, first_block, 16, made, &length));
	EXPECT_THAT("AES_CBC.example", length == 16 && !memcmp(made, cbc_block, 16));
	if (!offers("AES_CTR.encrypt", CKM_AES_CTR, CKF_ENCRYPT | CKF_DECRYPT))
		return;
	section("M 2.9");
	memcpy(counter.cb, "\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9\xfa\xfb\xfc\xfd\xfe\xff", 16);
	reference_encrypt(
		"AES-128-CTR", aes_key, counter.cb, false, text, 50, expected, &expected_length);
	length = sizeof(made);
	NEED(run_one(&family_encrypt, &ctr, key, text, 50, made, &length));
	EXPECT_THAT("AES_CTR.encrypt", length == 50 && !memcmp(made, expected, 50));
	length = sizeof(made);
	NEED(run_parts(&family_decrypt, &ctr, key, expected, 50, 7, made, &length));
	EXPECT_THAT("AES_CTR.decrypt_in_parts", length == 50 && !memcmp(made, text, 50));
}

/* What is encrypted is what OpenSSL gives, in one or in parts, and is decrypted again. */
static bool cipher_fits(CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key, const char *cipher,
	bool padded, CK_ULONG size)
{
	CK_BYTE expected[600], made[600];
	size_t expected_length;
	CK_ULONG length = sizeof(made);

	reference_encrypt(cipher, aes_key, cbc_iv, padded, text, size, expected, &expected_length);
	if (run_one(&family_encrypt, mechanism, key, text, size, made, &length) != CKR_OK ||
		length != expected_length || memcmp(made, expected, length))
		return false;
	length = sizeof(made);
	if (run_parts(&family_encrypt, mechanism, key, text, size, 5, made, &length) != CKR_OK ||
		length != expected_length || memcmp(made, expected, length))
		return false;
	length = sizeof(made);
	if (run_one(&family_decrypt, mechanism, key, expected, expected_length, made, &length) !=
			CKR_OK ||
		length != size || memcmp(made, text, length))
		return false;
	length = sizeof(made);
	return run_parts(&family_decrypt, mechanism, key, expected, expected_length, 7, made,
		       &length) == CKR_OK &&
	       length == size && !memcmp(made, text, length);
}

static void aes_sizes(CK_OBJECT_HANDLE key)
{
	CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0}, cbc = {CKM_AES_CBC, cbc_iv, sizeof(cbc_iv)},
		     pad = {CKM_AES_CBC_PAD, cbc_iv, sizeof(cbc_iv)};
	bool fits = true;

	section("M 2.8");
	for (CK_ULONG size = 16; size <= 96; size += 16)
		fits = cipher_fits(&ecb, key, "AES-128-ECB", false, size) && fits;
	EXPECT_THAT("AES_ECB.sizes", fits);
	fits = true;
	for (CK_ULONG size = 16; size <= 96; size += 16)
		fits = cipher_fits(&cbc, key, "AES-128-CBC", false, size) && fits;
	EXPECT_THAT("AES_CBC.sizes", fits);
	if (!offers("AES_CBC_PAD.sizes", CKM_AES_CBC_PAD, CKF_ENCRYPT | CKF_DECRYPT))
		return;
	fits = true;
	for (CK_ULONG size = 1; size <= 50; size++)
		fits = cipher_fits(&pad, key, "AES-128-CBC", true, size) && fits;
	EXPECT_THAT("AES_CBC_PAD.sizes", fits);
	CK_BYTE made[64];
	CK_ULONG length = sizeof(made);
	NEED(P11->C_EncryptInit(suite.session, &pad, key));
	EXPECT("AES_CBC_PAD.of_nothing", P11->C_EncryptFinal(suite.session, made, &length), CKR_OK);
	EXPECT_THAT("AES_CBC_PAD.of_nothing_is_a_block", length == 16);
}

static void aes_wrong_data(CK_OBJECT_HANDLE key)
{
	CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0}, cbc = {CKM_AES_CBC, cbc_iv, sizeof(cbc_iv)},
		     pad = {CKM_AES_CBC_PAD, cbc_iv, sizeof(cbc_iv)};
	CK_BYTE made[64];
	CK_ULONG length = sizeof(made);

	section("5.8");
	EXPECT("AES_ECB.encrypt_15_bytes",
		run_one(&family_encrypt, &ecb, key, text, 15, made, &length), CKR_DATA_LEN_RANGE);
	length = sizeof(made);
	EXPECT("AES_CBC.encrypt_17_bytes",
		run_one(&family_encrypt, &cbc, key, text, 17, made, &length), CKR_DATA_LEN_RANGE);
	length = sizeof(made);
	EXPECT("AES_CBC.encrypt_17_bytes_in_parts",
		run_parts(&family_encrypt, &cbc, key, text, 17, 17, made, &length),
		CKR_DATA_LEN_RANGE);
	section("5.9");
	length = sizeof(made);
	EXPECT("AES_ECB.decrypt_15_bytes",
		run_one(&family_decrypt, &ecb, key, text, 15, made, &length),
		CKR_ENCRYPTED_DATA_LEN_RANGE);
	length = sizeof(made);
	EXPECT("AES_CBC_PAD.decrypt_17_bytes",
		run_one(&family_decrypt, &pad, key, text, 17, made, &length),
		CKR_ENCRYPTED_DATA_LEN_RANGE);
	length = sizeof(made);
	EXPECT("AES_CBC_PAD.wrong_padding",
		run_one(&family_decrypt, &pad, key, cbc_block, 16, made, &length),
		CKR_ENCRYPTED_DATA_INVALID);
}

static CK_RV encrypt_init(
	CK_MECHANISM_TYPE type, void *parameter, CK_ULONG length, CK_OBJECT_HANDLE key)
{
	CK_MECHANISM mechanism = {type, parameter, length};
	CK_BYTE made[64];
	CK_ULONG made_length = sizeof(made);
	CK_RV rv = P11->C_EncryptInit(suite.session, &mechanism, key);

	if (rv == CKR_OK)
		P11->C_EncryptFinal(suite.session, made, &made_length);
	return rv;
}

static void aes_wrong_parameters(CK_OBJECT_HANDLE key)
{
	CK_AES_CTR_PARAMS counter = {.ulCounterBits = 129};

	section("5.8");
	EXPECT("AES_CBC.no_iv", encrypt_init(CKM_AES_CBC, NULL, 0, key),
		CKR_MECHANISM_PARAM_INVALID, CKR_ARGUMENTS_BAD);
	EXPECT("AES_CBC.short_iv", encrypt_init(CKM_AES_CBC, cbc_iv, 15, key),
		CKR_MECHANISM_PARAM_INVALID, CKR_ARGUMENTS_BAD);
	EXPECT("AES_CBC_PAD.short_iv", encrypt_init(CKM_AES_CBC_PAD, cbc_iv, 15, key),
		CKR_MECHANISM_PARAM_INVALID, CKR_ARGUMENTS_BAD);
	if (!has(CKM_AES_CTR, CKF_ENCRYPT))
		return;
	section("M 2.9");
	EXPECT("AES_CTR.counter_of_129_bits",
		encrypt_init(CKM_AES_CTR, &counter, sizeof(counter), key),
		CKR_MECHANISM_PARAM_INVALID);
	counter.ulCounterBits = 0;
	EXPECT("AES_CTR.counter_of_0_bits",
		encrypt_init(CKM_AES_CTR, &counter, sizeof(counter), key),
		CKR_MECHANISM_PARAM_INVALID);
	EXPECT("AES_CTR.short_parameter", encrypt_init(CKM_AES_CTR, &counter, 5, key),
		CKR_MECHANISM_PARAM_INVALID, CKR_ARGUMENTS_BAD);
}

static void aes_gcm(CK_OBJECT_HANDLE key)
{
	CK_BYTE iv[12] = "twelve bytes", aad[20] = "also authenticated";
	CK_GCM_PARAMS gcm = {.pIv = iv,
		.ulIvLen = 12,
		.ulIvBits = 96,
		.pAAD = aad,
		.ulAADLen = sizeof(aad),
		.ulTagBits = 128};
	CK_MECHANISM mechanism = {CKM_AES_GCM, &gcm, sizeof(gcm)};
	CK_BYTE expected[128], made[128];
	CK_ULONG length = sizeof(made);

	section("M 2.11");
	if (!offers("AES_GCM.encrypt", CKM_AES_GCM, CKF_ENCRYPT | CKF_DECRYPT))
		return;
	reference_gcm(aes_key, iv, 12, aad, sizeof(aad), text, 50, expected, expected + 50);
	NEED(run_one(&family_encrypt, &mechanism, key, text, 50, made, &length));
	EXPECT_THAT("AES_GCM.encrypt", length == 66 && !memcmp(made, expected, 66));
	length = sizeof(made);
	NEED(run_parts(&family_encrypt, &mechanism, key, text, 50, 7, made, &length));
	EXPECT_THAT("AES_GCM.encrypt_in_parts", length == 66 && !memcmp(made, expected, 66));
	length = sizeof(made);
	EXPECT("AES_GCM.decrypt",
		run_one(&family_decrypt, &mechanism, key, expected, 66, made, &length), CKR_OK);
	EXPECT_THAT("AES_GCM.decrypt_is_right", length == 50 && !memcmp(made, text, 50));
	length = sizeof(made);
	EXPECT("AES_GCM.decrypt_in_parts",
		run_parts(&family_decrypt, &mechanism, key, expected, 66, 9, made, &length),
		CKR_OK);
	expected[60] ^= 1;
	length = sizeof(made);
	EXPECT("AES_GCM.wrong_tag",
		run_one(&family_decrypt, &mechanism, key, expected, 66, made, &length),
		CKR_ENCRYPTED_DATA_INVALID, CKR_AEAD_DECRYPT_FAILED);
	length = sizeof(made);
	EXPECT("AES_GCM.shorter_than_the_tag",
		run_one(&family_decrypt, &mechanism, key, expected, 10, made, &length),
		CKR_ENCRYPTED_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_INVALID, CKR_AEAD_DECRYPT_FAILED);
	gcm.ulTagBits = 129;
	EXPECT("AES_GCM.tag_of_129_bits", encrypt_init(CKM_AES_GCM, &gcm, sizeof(gcm), key),
		CKR_MECHANISM_PARAM_INVALID);
	EXPECT("AES_GCM.short_parameter", encrypt_init(CKM_AES_GCM, &gcm, 8, key),
		CKR_MECHANISM_PARAM_INVALID, CKR_ARGUMENTS_BAD);
}

void encrypt_aes(void)
{
	CK_OBJECT_HANDLE key;

	section("M 2.8");
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (CK_BYTE)(i * 7);
	if (!offers("AES_ECB.example", CKM_AES_ECB, CKF_ENCRYPT | CKF_DECRYPT))
		return;
	NEED(login());
	NEED(aes(&key));
	aes_examples(key);
	aes_sizes(key);
	aes_wrong_data(key);
	aes_wrong_parameters(key);
	aes_gcm(key);
}
