/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Encryption by RSA (5.8, 5.9; mechanisms, 2.1.6, 2.1.8, 2.1.12). */
#include "conformance/operation.h"

#include <openssl/rsa.h>
#include <string.h>

#include "conformance/reference.h"

static CK_BYTE text[] = "to be read by one alone";
static struct pair pair;
static EVP_PKEY *public;

/* OpenSSL seals, the token opens; the token seals, and opens. */
static void both_ways(const char *name, CK_MECHANISM *mechanism, const struct padding *padding)
{
	CK_BYTE cipher[1024], plain[1024];
	size_t cipher_length = sizeof(cipher);
	CK_ULONG length = sizeof(plain);

	if (!reference_seal(public, padding, text, sizeof(text), cipher, &cipher_length)) {
		check_skip(join(name, ".decrypt"), "OpenSSL does not encrypt so");
		return;
	}
	EXPECT(join(name, ".decrypt"),
		run_one(&family_decrypt, mechanism, pair.private, cipher, cipher_length, plain,
			&length),
		CKR_OK);
	EXPECT_THAT(join(name, ".decrypt_is_right"),
		length == sizeof(text) && !memcmp(plain, text, sizeof(text)));
	CK_ULONG made = sizeof(cipher);
	if (!EXPECT(join(name, ".encrypt"),
		    run_one(&family_encrypt, mechanism, pair.public, text, sizeof(text), cipher,
			    &made),
		    CKR_OK))
		return;
	length = sizeof(plain);
	EXPECT(join(name, ".decrypt_again"),
		run_one(&family_decrypt, mechanism, pair.private, cipher, made, plain, &length),
		CKR_OK);
	EXPECT_THAT(join(name, ".is_the_same_again"),
		length == sizeof(text) && !memcmp(plain, text, sizeof(text)));
}

static void pkcs1(void)
{
	const struct padding padding = {.rsa = RSA_PKCS1_PADDING};
	CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0};
	CK_BYTE block[1024], plain[1024];
	CK_ULONG size = (CK_ULONG)EVP_PKEY_get_size(public), length = sizeof(plain);

	section("M 2.1.6");
	both_ways("RSA_PKCS", &mechanism, &padding);
	memset(block, 1, sizeof(block));
	EXPECT("RSA_PKCS.encrypt_too_much",
		run_one(&family_encrypt, &mechanism, pair.public, block, size - 10, plain, &length),
		CKR_DATA_LEN_RANGE);
	length = sizeof(plain);
	EXPECT("RSA_PKCS.encrypt_the_most",
		run_one(&family_encrypt, &mechanism, pair.public, block, size - 11, plain, &length),
		CKR_OK);
	length = sizeof(plain);
	EXPECT("RSA_PKCS.decrypt_too_short",
		run_one(&family_decrypt, &mechanism, pair.private, block, size - 1, plain, &length),
		CKR_ENCRYPTED_DATA_LEN_RANGE);
	length = sizeof(plain);
	EXPECT("RSA_PKCS.decrypt_no_padding",
		run_one(&family_decrypt, &mechanism, pair.private, block, size, plain, &length),
		CKR_ENCRYPTED_DATA_INVALID);
}

static void oaep(void)
{
	static const struct {
		const char *name, *digest, *label;
		CK_MECHANISM_TYPE hash;
		CK_RSA_PKCS_MGF_TYPE mgf;
	} rows[] = {
		{"RSA_OAEP_SHA1", "SHA1", NULL, CKM_SHA_1, CKG_MGF1_SHA1},
		{"RSA_OAEP_SHA256", "SHA256", NULL, CKM_SHA256, CKG_MGF1_SHA256},
		{"RSA_OAEP_SHA384", "SHA384", NULL, CKM_SHA384, CKG_MGF1_SHA384},
		{"RSA_OAEP_SHA256_label", "SHA256", "a label", CKM_SHA256, CKG_MGF1_SHA256},
	};

	section("M 2.1.8");
	if (!offers("RSA_OAEP.decrypt", CKM_RSA_PKCS_OAEP, CKF_DECRYPT | CKF_ENCRYPT))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CK_RSA_PKCS_OAEP_PARAMS oaep = {rows[i].hash, rows[i].mgf, CKZ_DATA_SPECIFIED,
			(void *)rows[i].label, rows[i].label ? strlen(rows[i].label) : 0};
		CK_MECHANISM mechanism = {CKM_RSA_PKCS_OAEP, &oaep, sizeof(oaep)};
		const struct padding padding = {
			RSA_PKCS1_OAEP_PADDING, rows[i].digest, rows[i].digest, 0, rows[i].label};
		both_ways(rows[i].name, &mechanism, &padding);
	}
}

static void oaep_wrongly(void)
{
	CK_RSA_PKCS_OAEP_PARAMS oaep = {CKM_SHA_1, CKG_MGF1_SHA1, CKZ_DATA_SPECIFIED, NULL, 0};
	CK_MECHANISM mechanism = {CKM_RSA_PKCS_OAEP, &oaep, sizeof(oaep)};
	CK_BYTE block[1024] = {0}, plain[1024];
	CK_ULONG size = (CK_ULONG)EVP_PKEY_get_size(public), length = sizeof(plain);

	if (!has(CKM_RSA_PKCS_OAEP, CKF_DECRYPT | CKF_ENCRYPT))
		return;
	EXPECT("RSA_OAEP.encrypt_too_much",
		run_one(&family_encrypt, &mechanism, pair.public, block, size - 41, plain, &length),
		CKR_DATA_LEN_RANGE);
	length = sizeof(plain);
	block[1] = 1;
	EXPECT("RSA_OAEP.decrypt_no_padding",
		run_one(&family_decrypt, &mechanism, pair.private, block, size, plain, &length),
		CKR_ENCRYPTED_DATA_INVALID);
	mechanism.pParameter = NULL;
	mechanism.ulParameterLen = 0;
	EXPECT("RSA_OAEP.no_parameter", init_elsewhere(&family_decrypt, &mechanism, pair.private),
		CKR_MECHANISM_PARAM_INVALID, CKR_ARGUMENTS_BAD);
	mechanism.pParameter = &oaep;
	mechanism.ulParameterLen = sizeof(oaep);
	oaep.hashAlg = NO_MECHANISM;
	EXPECT("RSA_OAEP.unknown_hash", init_elsewhere(&family_decrypt, &mechanism, pair.private),
		CKR_MECHANISM_PARAM_INVALID);
}

static void raw(void)
{
	CK_MECHANISM mechanism = {CKM_RSA_X_509, NULL, 0};
	const struct padding padding = {.rsa = RSA_NO_PADDING};
	CK_ULONG size = (CK_ULONG)EVP_PKEY_get_size(public), length;
	CK_BYTE block[1024] = {0}, plain[1024];
	CK_BYTE cipher[1024];
	size_t cipher_length = sizeof(cipher);

	section("M 2.1.12");
	if (!offers("RSA_X_509.decrypt", CKM_RSA_X_509, CKF_DECRYPT | CKF_ENCRYPT))
		return;
	memset(block + 1, 0x5a, size - 1);
	reference_seal(public, &padding, block, size, cipher, &cipher_length);
	length = sizeof(plain);
	EXPECT("RSA_X_509.decrypt",
		run_one(&family_decrypt, &mechanism, pair.private, cipher, cipher_length, plain,
			&length),
		CKR_OK);
	EXPECT_THAT("RSA_X_509.decrypt_is_right", length == size && !memcmp(plain, block, size));
	length = sizeof(plain);
	EXPECT("RSA_X_509.encrypt",
		run_one(&family_encrypt, &mechanism, pair.public, block, size, plain, &length),
		CKR_OK);
	EXPECT_THAT("RSA_X_509.encrypt_is_right", length == size && !memcmp(plain, cipher, size));
	/* Shorter data are filled with zeros in front. */
	memmove(block, block + 5, size - 5);
	memset(plain, 0, 5);
	memcpy(plain + 5, block, size - 5);
	cipher_length = sizeof(cipher);
	reference_seal(public, &padding, plain, size, cipher, &cipher_length);
	length = sizeof(plain);
	EXPECT("RSA_X_509.encrypt_short",
		run_one(&family_encrypt, &mechanism, pair.public, block, size - 5, plain, &length),
		CKR_OK);
	EXPECT_THAT("RSA_X_509.encrypt_short_is_right", !memcmp(plain, cipher, size));
	length = sizeof(plain);
	EXPECT("RSA_X_509.encrypt_too_much",
		run_one(&family_encrypt, &mechanism, pair.public, block, size + 1, plain, &length),
		CKR_DATA_LEN_RANGE);
	memset(block, 0xff, size);
	length = sizeof(plain);
	EXPECT("RSA_X_509.encrypt_more_than_the_modulus",
		run_one(&family_encrypt, &mechanism, pair.public, block, size, plain, &length),
		CKR_DATA_INVALID, CKR_DATA_LEN_RANGE);
}

void encrypt_rsa(void)
{
	section("M 2.1.6");
	if (!offers("RSA_PKCS.decrypt", CKM_RSA_PKCS, CKF_DECRYPT | CKF_ENCRYPT) ||
		!pair_of("RSA_PKCS.decrypt", CKK_RSA, CKA_DECRYPT, &pair))
		return;
	public = pair_public(&pair);
	NEED(public ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID);
	pkcs1();
	oaep();
	oaep_wrongly();
	raw();
	EVP_PKEY_free(public);
}
