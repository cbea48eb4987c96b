/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RSA signatures (mechanisms, 2.1.6, 2.1.10, 2.1.12, 2.1.14, 2.1.17). */
#include "conformance/operation.h"

#include <openssl/rsa.h>
#include <string.h>

#include "conformance/reference.h"
#include "conformance/verify.h"

static CK_BYTE data[200];
static struct pair pair;
static EVP_PKEY *public;

/* Signs in one and in parts; both satisfy OpenSSL, and the token itself. */
static void sign_and_verify(
	const char *name, CK_MECHANISM *mechanism, const struct padding *padding, bool hash)
{
	CK_BYTE signature[1025];
	CK_ULONG length = sizeof(signature), size = hash ? sizeof(data) : 32;

	if (!offers(join(name, ".sign"), mechanism->mechanism, CKF_SIGN))
		return;
	EXPECT(join(name, ".sign"),
		run_one(&family_sign, mechanism, pair.private, data, size, signature, &length),
		CKR_OK);
	EXPECT_THAT(join(name, ".sign_is_right"),
		reference_verify(public, padding, hash, data, size, signature, length));
	if (hash) {
		length = sizeof(signature);
		EXPECT(join(name, ".sign_in_parts"),
			run_parts(&family_sign, mechanism, pair.private, data, size, 33, signature,
				&length),
			CKR_OK);
		EXPECT_THAT(join(name, ".sign_in_parts_is_right"),
			reference_verify(public, padding, hash, data, size, signature, length));
	}
	verify_signature(name, mechanism, pair.public, data, size, signature, length);
}

static void pkcs1(void)
{
	static const struct {
		const char *name, *digest;
		CK_MECHANISM_TYPE type;
	} rows[] = {
		{"RSA_PKCS", NULL, CKM_RSA_PKCS},
		{"SHA1_RSA_PKCS", "SHA1", CKM_SHA1_RSA_PKCS},
		{"SHA224_RSA_PKCS", "SHA224", CKM_SHA224_RSA_PKCS},
		{"SHA256_RSA_PKCS", "SHA256", CKM_SHA256_RSA_PKCS},
		{"SHA384_RSA_PKCS", "SHA384", CKM_SHA384_RSA_PKCS},
		{"SHA512_RSA_PKCS", "SHA512", CKM_SHA512_RSA_PKCS},
	};

	section("M 2.1.14");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CK_MECHANISM mechanism = {rows[i].type, NULL, 0};
		const struct padding padding = {.rsa = RSA_PKCS1_PADDING, .digest = rows[i].digest};
		sign_and_verify(rows[i].name, &mechanism, &padding, rows[i].digest != NULL);
	}
}

static void pss(void)
{
	static const struct {
		const char *name, *digest;
		CK_MECHANISM_TYPE type, hash;
		CK_RSA_PKCS_MGF_TYPE mgf;
		CK_ULONG salt;
	} rows[] = {
		{"RSA_PSS", "SHA256", CKM_RSA_PKCS_PSS, CKM_SHA256, CKG_MGF1_SHA256, 32},
		{"SHA1_RSA_PSS", "SHA1", CKM_SHA1_RSA_PKCS_PSS, CKM_SHA_1, CKG_MGF1_SHA1, 20},
		{"SHA224_RSA_PSS", "SHA224", CKM_SHA224_RSA_PKCS_PSS, CKM_SHA224, CKG_MGF1_SHA224,
			28},
		{"SHA256_RSA_PSS", "SHA256", CKM_SHA256_RSA_PKCS_PSS, CKM_SHA256, CKG_MGF1_SHA256,
			32},
		{"SHA384_RSA_PSS", "SHA384", CKM_SHA384_RSA_PKCS_PSS, CKM_SHA384, CKG_MGF1_SHA384,
			48},
		{"SHA512_RSA_PSS", "SHA512", CKM_SHA512_RSA_PKCS_PSS, CKM_SHA512, CKG_MGF1_SHA512,
			64},
		{"SHA256_RSA_PSS_salt_0", "SHA256", CKM_SHA256_RSA_PKCS_PSS, CKM_SHA256,
			CKG_MGF1_SHA256, 0},
		{"SHA256_RSA_PSS_salt_20", "SHA256", CKM_SHA256_RSA_PKCS_PSS, CKM_SHA256,
			CKG_MGF1_SHA256, 20},
	};

	section("M 2.1.10");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CK_RSA_PKCS_PSS_PARAMS pss = {rows[i].hash, rows[i].mgf, rows[i].salt};
		CK_MECHANISM mechanism = {rows[i].type, &pss, sizeof(pss)};
		const struct padding padding = {RSA_PKCS1_PSS_PADDING, rows[i].digest,
			rows[i].digest, (int)rows[i].salt, NULL};
		sign_and_verify(
			rows[i].name, &mechanism, &padding, rows[i].type != CKM_RSA_PKCS_PSS);
	}
}

static CK_RV pss_init(CK_MECHANISM_TYPE type, CK_RSA_PKCS_PSS_PARAMS *pss, CK_ULONG length)
{
	CK_MECHANISM mechanism = {type, pss, length};
	CK_BYTE signature[1024];
	CK_ULONG room = sizeof(signature);
	CK_RV rv = P11->C_SignInit(suite.session, &mechanism, pair.private);

	if (rv == CKR_OK)
		rv = P11->C_Sign(suite.session, data, 32, signature, &room);
	return rv;
}

static void pss_wrongly(void)
{
	CK_RSA_PKCS_PSS_PARAMS pss = {CKM_SHA256, CKG_MGF1_SHA256, 32};

	if (!has(CKM_RSA_PKCS_PSS, CKF_SIGN))
		return;
	EXPECT("RSA_PSS.no_parameter", pss_init(CKM_RSA_PKCS_PSS, NULL, 0),
		CKR_MECHANISM_PARAM_INVALID, CKR_ARGUMENTS_BAD);
	EXPECT("RSA_PSS.short_parameter", pss_init(CKM_RSA_PKCS_PSS, &pss, 8),
		CKR_MECHANISM_PARAM_INVALID, CKR_ARGUMENTS_BAD);
	pss.hashAlg = NO_MECHANISM;
	EXPECT("RSA_PSS.unknown_hash", pss_init(CKM_RSA_PKCS_PSS, &pss, sizeof(pss)),
		CKR_MECHANISM_PARAM_INVALID);
	pss.hashAlg = CKM_SHA_1;
	if (has(CKM_SHA256_RSA_PKCS_PSS, CKF_SIGN))
		EXPECT("SHA256_RSA_PSS.another_hash",
			pss_init(CKM_SHA256_RSA_PKCS_PSS, &pss, sizeof(pss)),
			CKR_MECHANISM_PARAM_INVALID);
	pss = (CK_RSA_PKCS_PSS_PARAMS){CKM_SHA256, 77, 32};
	EXPECT("RSA_PSS.unknown_mgf", pss_init(CKM_RSA_PKCS_PSS, &pss, sizeof(pss)),
		CKR_MECHANISM_PARAM_INVALID);
	pss = (CK_RSA_PKCS_PSS_PARAMS){CKM_SHA256, CKG_MGF1_SHA256, 4000};
	EXPECT("RSA_PSS.salt_too_long", pss_init(CKM_RSA_PKCS_PSS, &pss, sizeof(pss)),
		CKR_MECHANISM_PARAM_INVALID, CKR_KEY_SIZE_RANGE);
	pss = (CK_RSA_PKCS_PSS_PARAMS){CKM_SHA384, CKG_MGF1_SHA384, 48};
	EXPECT("RSA_PSS.data_not_as_long_as_the_hash",
		pss_init(CKM_RSA_PKCS_PSS, &pss, sizeof(pss)), CKR_DATA_LEN_RANGE);
}

/* CKM_RSA_PKCS and CKM_RSA_X_509 take what fits the modulus, and only in one. */
static void lengths(void)
{
	CK_MECHANISM pkcs = {CKM_RSA_PKCS, NULL, 0}, raw = {CKM_RSA_X_509, NULL, 0};
	CK_BYTE block[1025] = {0}, signature[1024];
	CK_ULONG size = (CK_ULONG)EVP_PKEY_get_size(public), length = sizeof(signature);

	section("M 2.1.6");
	memset(block + 1, 7, sizeof(block) - 1);
	EXPECT("RSA_PKCS.sign_the_most",
		run_one(&family_sign, &pkcs, pair.private, block, size - 11, signature, &length),
		CKR_OK);
	length = sizeof(signature);
	EXPECT("RSA_PKCS.sign_too_much",
		run_one(&family_sign, &pkcs, pair.private, block, size - 10, signature, &length),
		CKR_DATA_LEN_RANGE);
	section("M 2.1.12");
	if (!offers("RSA_X_509.sign", CKM_RSA_X_509, CKF_SIGN))
		return;
	const struct padding padding = {.rsa = RSA_NO_PADDING};
	length = sizeof(signature);
	EXPECT("RSA_X_509.sign",
		run_one(&family_sign, &raw, pair.private, block, size, signature, &length), CKR_OK);
	EXPECT_THAT("RSA_X_509.sign_is_right",
		reference_verify(public, &padding, false, block, size, signature, length));
	length = sizeof(signature);
	EXPECT("RSA_X_509.sign_too_much",
		run_one(&family_sign, &raw, pair.private, block, size + 1, signature, &length),
		CKR_DATA_LEN_RANGE);
}

static void recover(void)
{
	CK_MECHANISM pkcs = {CKM_RSA_PKCS, NULL, 0};
	CK_BYTE signature[1024], recovered[1024];
	CK_ULONG length = sizeof(signature), size = sizeof(recovered);

	section("5.11");
	if (!offers("RSA_PKCS.sign_recover", CKM_RSA_PKCS, CKF_SIGN_RECOVER | CKF_VERIFY_RECOVER))
		return;
	NEED(P11->C_SignRecoverInit(suite.session, &pkcs, pair.private));
	EXPECT("RSA_PKCS.sign_recover",
		P11->C_SignRecover(suite.session, data, 32, signature, &length), CKR_OK);
	NEED(P11->C_VerifyRecoverInit(suite.session, &pkcs, pair.public));
	EXPECT("RSA_PKCS.verify_recover",
		P11->C_VerifyRecover(suite.session, signature, length, recovered, &size), CKR_OK);
	EXPECT_THAT("RSA_PKCS.recovers", size == 32 && !memcmp(recovered, data, 32));
}

void sign_rsa(void)
{
	section("M 2.1.6");
	memset(data, 'r', sizeof(data));
	if (!offers("RSA_PKCS.sign", CKM_RSA_PKCS, CKF_SIGN) ||
		!pair_of("RSA_PKCS.sign", CKK_RSA, CKA_SIGN, &pair))
		return;
	public = pair_public(&pair);
	NEED(public ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID);
	pkcs1();
	pss();
	pss_wrongly();
	lengths();
	recover();
	EVP_PKEY_free(public);
}
