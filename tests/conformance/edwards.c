/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ed25519 (mechanisms of 3.0, 2.3.5, 2.3.14) and wrapping by RSA (2.1.6, 2.1.8). */
#include "conformance/operation.h"

#include <openssl/evp.h>
#include <string.h>

#include "conformance/verify.h"

static CK_BYTE data[100];

/* --- Ed25519 --- */

static CK_RV ed25519_pair(struct pair *pair)
{
	/* PrintableString "edwards25519", which tokens of 3.0 and before both take. */
	static const CK_BYTE curve[] = "\x13\x0c"
				       "edwards25519";
	CK_MECHANISM generate = {CKM_EC_EDWARDS_KEY_PAIR_GEN, NULL, 0};
	struct template public = {.count = 0}, private = {.count = 0};

	template_bytes(&public, CKA_EC_PARAMS, curve, sizeof(curve) - 1);
	template_boolean(&public, CKA_VERIFY, true);
	template_boolean(&private, CKA_SIGN, true);
	return P11->C_GenerateKeyPair(suite.session, &generate, public.attributes, public.count,
		private.attributes, private.count, &pair->public, &pair->private);
}

/* The point is 32 bytes, in an OCTET STRING or bare. */
static EVP_PKEY *ed25519_public(CK_OBJECT_HANDLE object)
{
	CK_BYTE point[64];
	CK_ULONG length = sizeof(point);

	if (attribute_bytes(object, CKA_EC_POINT, point, &length) != CKR_OK || length < 32)
		return NULL;
	return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, point + length - 32, 32);
}

static bool ed25519_verifies(EVP_PKEY *key, const CK_BYTE *signature, CK_ULONG length)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool done = EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
		    EVP_DigestVerify(context, signature, length, data, sizeof(data)) == 1;

	EVP_MD_CTX_free(context);
	return done;
}

void sign_edwards(void)
{
	CK_MECHANISM eddsa = {CKM_EDDSA, NULL, 0};
	CK_BYTE signature[128];
	CK_ULONG length = sizeof(signature);
	struct pair pair;

	section("3.0 M 2.3.14");
	memset(data, 'E', sizeof(data));
	if (!offers("EDDSA.sign", CKM_EDDSA, CKF_SIGN))
		return;
	NEED(login());
	if (!EXPECT("EDDSA.generate", ed25519_pair(&pair), CKR_OK))
		return;
	EVP_PKEY *key = ed25519_public(pair.public);
	EXPECT_THAT("EDDSA.public_point", key != NULL);
	EXPECT("EDDSA.sign",
		run_one(&family_sign, &eddsa, pair.private, data, sizeof(data), signature, &length),
		CKR_OK);
	EXPECT_THAT("EDDSA.sign_is_right",
		length == 64 && key && ed25519_verifies(key, signature, length));
	verify_signature("EDDSA", &eddsa, pair.public, data, sizeof(data), signature, length);
	EVP_PKEY_free(key);
}

/* --- a secret key wrapped by an RSA key --- */

static CK_RV wrapping_pair(struct pair *pair)
{
	CK_MECHANISM generate = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
	struct template public = {.count = 0}, private = {.count = 0};

	template_number(&public, CKA_MODULUS_BITS, 2048);
	template_boolean(&public, CKA_WRAP, true);
	template_boolean(&private, CKA_UNWRAP, true);
	return P11->C_GenerateKeyPair(suite.session, &generate, public.attributes, public.count,
		private.attributes, private.count, &pair->public, &pair->private);
}

static void wrap_and_back(const char *name, CK_MECHANISM *mechanism, const struct pair *pair)
{
	static const CK_BYTE value[16] = "to be wrapped up";
	struct template template = {.count = 0};
	CK_BYTE wrapped[512], back[32];
	CK_ULONG length = sizeof(wrapped), back_length = sizeof(back);
	CK_OBJECT_HANDLE key, unwrapped;

	if (!offers(join(name, ".wrap"), mechanism->mechanism, CKF_WRAP | CKF_UNWRAP))
		return;
	NEED(secret_key(CKK_AES, value, 16, &key, USAGES(CKA_ENCRYPT)));
	if (!EXPECT(join(name, ".wrap"),
		    P11->C_WrapKey(suite.session, mechanism, pair->public, key, wrapped, &length),
		    CKR_OK))
		return;
	EXPECT_THAT(join(name, ".wrapped_is_a_block"), length == 256);
	template_number(&template, CKA_CLASS, CKO_SECRET_KEY);
	template_number(&template, CKA_KEY_TYPE, CKK_AES);
	template_boolean(&template, CKA_TOKEN, false);
	template_boolean(&template, CKA_SENSITIVE, false);
	template_boolean(&template, CKA_EXTRACTABLE, true);
	if (!EXPECT(join(name, ".unwrap"),
		    P11->C_UnwrapKey(suite.session, mechanism, pair->private, wrapped, length,
			    template.attributes, template.count, &unwrapped),
		    CKR_OK))
		return;
	NEED(attribute_bytes(unwrapped, CKA_VALUE, back, &back_length));
	EXPECT_THAT(join(name, ".unwrap_is_right"),
		back_length == 16 && !memcmp(back, value, sizeof(value)));
}

void key_wrap_rsa(void)
{
	CK_RSA_PKCS_OAEP_PARAMS sha1 = {CKM_SHA_1, CKG_MGF1_SHA1, CKZ_DATA_SPECIFIED, NULL, 0};
	CK_MECHANISM pkcs = {CKM_RSA_PKCS, NULL, 0};
	CK_MECHANISM oaep = {CKM_RSA_PKCS_OAEP, &sha1, sizeof(sha1)};
	struct pair pair;

	section("M 2.1.6");
	if (!offers("RSA_PKCS.wrap_by", CKM_RSA_PKCS, CKF_WRAP | CKF_UNWRAP))
		return;
	NEED(login());
	NEED(wrapping_pair(&pair));
	wrap_and_back("RSA_PKCS", &pkcs, &pair);
	section("M 2.1.8");
	wrap_and_back("RSA_OAEP", &oaep, &pair);
}
