/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* C_GenerateKey and C_GenerateKeyPair (5.14; attributes: 4.7 to 4.10). */
#include "conformance/operation.h"

#include <string.h>

static const CK_BYTE p256[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};

static CK_RV generate(CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, struct template *template,
	CK_OBJECT_HANDLE *key)
{
	CK_MECHANISM mechanism = {type, NULL, 0};

	return P11->C_GenerateKey(session, &mechanism, template->attributes, template->count, key);
}

static CK_RV generate_pair(CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type,
	struct template *public, struct template *private, struct pair *pair)
{
	CK_MECHANISM mechanism = {type, NULL, 0};

	return P11->C_GenerateKeyPair(session, &mechanism, public->attributes, public->count,
		private->attributes, private->count, &pair->public, &pair->private);
}

/* --- secret keys --- */

static void aes_template(struct template *template, CK_ULONG length, bool token)
{
	*template = (struct template){.count = 0};
	template_number(template, CKA_VALUE_LEN, length);
	template_boolean(template, CKA_TOKEN, token);
	template_boolean(template, CKA_SENSITIVE, true);
	template_boolean(template, CKA_EXTRACTABLE, false);
	template_boolean(template, CKA_ENCRYPT, true);
	template_bytes(template, CKA_LABEL, "generated", 9);
}

static void key_wrongly(void)
{
	struct template template, none = {.count = 0};
	CK_OBJECT_HANDLE key;
	CK_SESSION_HANDLE reader = session_open(0);

	aes_template(&template, 16, false);
	EXPECT("C_GenerateKey.unknown_session",
		generate(NO_SESSION, CKM_AES_KEY_GEN, &template, &key), CKR_SESSION_HANDLE_INVALID);
	EXPECT("C_GenerateKey.null_mechanism",
		P11->C_GenerateKey(suite.session, NULL, template.attributes, template.count, &key),
		CKR_ARGUMENTS_BAD);
	EXPECT("C_GenerateKey.unknown_mechanism",
		generate(suite.session, NO_MECHANISM, &template, &key), CKR_MECHANISM_INVALID);
	if (!offers("C_GenerateKey.works", CKM_AES_KEY_GEN, CKF_GENERATE))
		return;
	EXPECT("C_GenerateKey.mechanism_of_pairs",
		generate(suite.session, CKM_RSA_PKCS_KEY_PAIR_GEN, &template, &key),
		CKR_MECHANISM_INVALID);
	EXPECT("C_GenerateKey.null_key", generate(suite.session, CKM_AES_KEY_GEN, &template, NULL),
		CKR_ARGUMENTS_BAD);
	EXPECT("C_GenerateKey.null_template",
		P11->C_GenerateKey(
			suite.session, &(CK_MECHANISM){CKM_AES_KEY_GEN, NULL, 0}, NULL, 1, &key),
		CKR_ARGUMENTS_BAD);
	EXPECT("C_GenerateKey.without_length",
		generate(suite.session, CKM_AES_KEY_GEN, &none, &key), CKR_TEMPLATE_INCOMPLETE);
	aes_template(&template, 17, false);
	EXPECT("C_GenerateKey.length_of_17",
		generate(suite.session, CKM_AES_KEY_GEN, &template, &key),
		CKR_ATTRIBUTE_VALUE_INVALID, CKR_KEY_SIZE_RANGE, CKR_TEMPLATE_INCONSISTENT);
	aes_template(&template, 16, true);
	EXPECT("C_GenerateKey.token_key_in_ro_session",
		generate(reader, CKM_AES_KEY_GEN, &template, &key), CKR_SESSION_READ_ONLY);
	P11->C_CloseSession(reader);
	aes_template(&template, 16, false);
	template_number(&template, CKA_KEY_TYPE, CKK_DES3);
	EXPECT("C_GenerateKey.another_key_type",
		generate(suite.session, CKM_AES_KEY_GEN, &template, &key),
		CKR_TEMPLATE_INCONSISTENT, CKR_ATTRIBUTE_VALUE_INVALID);
	aes_template(&template, 16, false);
	template_number(&template, CKA_CLASS, CKO_PRIVATE_KEY);
	EXPECT("C_GenerateKey.another_class",
		generate(suite.session, CKM_AES_KEY_GEN, &template, &key),
		CKR_TEMPLATE_INCONSISTENT, CKR_ATTRIBUTE_VALUE_INVALID);
}

static void key_attributes(CK_OBJECT_HANDLE key)
{
	CK_BYTE value[64];
	CK_ULONG length = sizeof(value);

	section("4.10");
	EXPECT_THAT("generated_key.class", attribute_number(key, CKA_CLASS) == CKO_SECRET_KEY);
	EXPECT_THAT("generated_key.type", attribute_number(key, CKA_KEY_TYPE) == CKK_AES);
	EXPECT_THAT("generated_key.length", attribute_number(key, CKA_VALUE_LEN) == 32);
	EXPECT_THAT("generated_key.is_local", attribute_boolean(key, CKA_LOCAL) == 1);
	EXPECT_THAT("generated_key.was_always_sensitive",
		attribute_boolean(key, CKA_ALWAYS_SENSITIVE) == 1);
	EXPECT_THAT("generated_key.was_never_extractable",
		attribute_boolean(key, CKA_NEVER_EXTRACTABLE) == 1);
	EXPECT_THAT("generated_key.mechanism",
		attribute_number(key, CKA_KEY_GEN_MECHANISM) == CKM_AES_KEY_GEN);
	EXPECT("generated_key.value_is_hidden", attribute_bytes(key, CKA_VALUE, value, &length),
		CKR_ATTRIBUTE_SENSITIVE);
}

static void key_works(void)
{
	struct template template;
	CK_OBJECT_HANDLE key, token_key;
	CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0};
	CK_BYTE text[16] = {0}, made[16];
	CK_ULONG length = sizeof(made);

	if (!has(CKM_AES_KEY_GEN, CKF_GENERATE))
		return;
	section("5.14");
	NEED(login());
	aes_template(&template, 32, false);
	if (!EXPECT("C_GenerateKey.works",
		    generate(suite.session, CKM_AES_KEY_GEN, &template, &key), CKR_OK))
		return;
	EXPECT("C_GenerateKey.encrypts",
		run_one(&family_encrypt, &ecb, key, text, 16, made, &length), CKR_OK);
	length = sizeof(made);
	aes_template(&template, 16, true);
	if (EXPECT("C_GenerateKey.token_key",
		    generate(suite.session, CKM_AES_KEY_GEN, &template, &token_key), CKR_OK)) {
		EXPECT("C_GenerateKey.token_key_encrypts",
			run_one(&family_encrypt, &ecb, token_key, text, 16, made, &length), CKR_OK);
		EXPECT("C_DestroyObject.token_key", P11->C_DestroyObject(suite.session, token_key),
			CKR_OK);
	}
	key_attributes(key);
}

/* --- pairs --- */

static void pair_template(
	struct template *public, struct template *private, CK_KEY_TYPE type, bool token)
{
	*public = *private = (struct template){.count = 0};
	if (type == CKK_RSA)
		template_number(public, CKA_MODULUS_BITS, 1024);
	else
		template_bytes(public, CKA_EC_PARAMS, p256, sizeof(p256));
	template_boolean(public, CKA_TOKEN, token);
	template_boolean(public, CKA_VERIFY, true);
	template_bytes(public, CKA_ID, "made", 4);
	template_boolean(private, CKA_TOKEN, token);
	template_boolean(private, CKA_PRIVATE, true);
	template_boolean(private, CKA_SENSITIVE, true);
	template_boolean(private, CKA_EXTRACTABLE, false);
	template_boolean(private, CKA_SIGN, true);
	template_bytes(private, CKA_ID, "made", 4);
}

static void pair_wrongly(void)
{
	struct template public, private, none = {.count = 0};
	struct pair pair;
	CK_SESSION_HANDLE reader = session_open(0);
	CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};

	section("5.14");
	pair_template(&public, &private, CKK_EC, false);
	EXPECT("C_GenerateKeyPair.unknown_session",
		generate_pair(NO_SESSION, CKM_EC_KEY_PAIR_GEN, &public, &private, &pair),
		CKR_SESSION_HANDLE_INVALID);
	EXPECT("C_GenerateKeyPair.unknown_mechanism",
		generate_pair(suite.session, NO_MECHANISM, &public, &private, &pair),
		CKR_MECHANISM_INVALID);
	EXPECT("C_GenerateKeyPair.null_mechanism",
		P11->C_GenerateKeyPair(suite.session, NULL, public.attributes, public.count,
			private.attributes, private.count, &pair.public, &pair.private),
		CKR_ARGUMENTS_BAD);
	if (!offers("C_GenerateKeyPair.works", CKM_EC_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR))
		return;
	EXPECT("C_GenerateKeyPair.null_private_key",
		P11->C_GenerateKeyPair(suite.session, &mechanism, public.attributes, public.count,
			private.attributes, private.count, &pair.public, NULL),
		CKR_ARGUMENTS_BAD);
	EXPECT("C_GenerateKeyPair.null_public_key",
		P11->C_GenerateKeyPair(suite.session, &mechanism, public.attributes, public.count,
			private.attributes, private.count, NULL, &pair.private),
		CKR_ARGUMENTS_BAD);
	EXPECT("C_GenerateKeyPair.without_curve",
		generate_pair(suite.session, CKM_EC_KEY_PAIR_GEN, &none, &private, &pair),
		CKR_TEMPLATE_INCOMPLETE);
	public.attributes[0].ulValueLen = 5;
	EXPECT("C_GenerateKeyPair.curve_that_is_none",
		generate_pair(suite.session, CKM_EC_KEY_PAIR_GEN, &public, &private, &pair),
		CKR_DOMAIN_PARAMS_INVALID, CKR_ATTRIBUTE_VALUE_INVALID, CKR_CURVE_NOT_SUPPORTED,
		CKR_TEMPLATE_INCONSISTENT);
	pair_template(&public, &private, CKK_EC, true);
	EXPECT("C_GenerateKeyPair.token_keys_in_ro_session",
		generate_pair(reader, CKM_EC_KEY_PAIR_GEN, &public, &private, &pair),
		CKR_SESSION_READ_ONLY);
	P11->C_CloseSession(reader);
	if (has(CKM_RSA_PKCS_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR))
		EXPECT("C_GenerateKeyPair.without_modulus_bits",
			generate_pair(
				suite.session, CKM_RSA_PKCS_KEY_PAIR_GEN, &none, &private, &pair),
			CKR_TEMPLATE_INCOMPLETE);
}

static void pair_works(
	const char *name, CK_MECHANISM_TYPE generates, CK_MECHANISM_TYPE signs, CK_KEY_TYPE type)
{
	struct template public, private;
	struct pair pair;
	CK_MECHANISM mechanism = {signs, NULL, 0};
	CK_BYTE data[32] = {1}, signature[1024];
	CK_ULONG length = sizeof(signature);

	if (!offers(join(name, ".generate"), generates, CKF_GENERATE_KEY_PAIR))
		return;
	section("5.14");
	pair_template(&public, &private, type, false);
	if (!EXPECT(join(name, ".generate"),
		    generate_pair(suite.session, generates, &public, &private, &pair), CKR_OK))
		return;
	EXPECT(join(name, ".generated_signs"),
		run_one(&family_sign, &mechanism, pair.private, data, 32, signature, &length),
		CKR_OK);
	NEED(P11->C_VerifyInit(suite.session, &mechanism, pair.public));
	EXPECT(join(name, ".generated_verifies"),
		P11->C_Verify(suite.session, data, 32, signature, length), CKR_OK);
	section("4.9");
	EXPECT_THAT(join(name, ".generated_is_local"),
		attribute_boolean(pair.private, CKA_LOCAL) == 1 &&
			attribute_boolean(pair.public, CKA_LOCAL) == 1);
	EXPECT_THAT(join(name, ".generated_by"),
		attribute_number(pair.private, CKA_KEY_GEN_MECHANISM) == generates);
	EXPECT_THAT(join(name, ".generated_is_private"),
		attribute_boolean(pair.private, CKA_PRIVATE) == 1);
	EXPECT_THAT(join(name, ".generated_is_of_the_session"),
		attribute_boolean(pair.private, CKA_TOKEN) == 0);
	EXPECT_THAT(join(name, ".generated_is_sensitive"),
		attribute_boolean(pair.private, CKA_SENSITIVE) == 1);
	EXPECT_THAT(join(name, ".generated_was_always_sensitive"),
		attribute_boolean(pair.private, CKA_ALWAYS_SENSITIVE) == 1);
	EXPECT_THAT(join(name, ".generated_was_never_extractable"),
		attribute_boolean(pair.private, CKA_NEVER_EXTRACTABLE) == 1);
}

static void pair_on_token(void)
{
	struct template public, private, like = {.count = 0};
	struct pair pair;

	if (!has(CKM_EC_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR))
		return;
	section("5.14");
	pair_template(&public, &private, CKK_EC, true);
	template_bytes(&like, CKA_ID, "made", 4);
	template_boolean(&like, CKA_TOKEN, true);
	if (!EXPECT("C_GenerateKeyPair.token_keys",
		    generate_pair(suite.session, CKM_EC_KEY_PAIR_GEN, &public, &private, &pair),
		    CKR_OK))
		return;
	EXPECT_THAT(
		"C_GenerateKeyPair.token_keys_are_found", find(suite.session, &like, NULL, 0) == 2);
	EXPECT("C_DestroyObject.private_key", P11->C_DestroyObject(suite.session, pair.private),
		CKR_OK);
	EXPECT("C_DestroyObject.public_key", P11->C_DestroyObject(suite.session, pair.public),
		CKR_OK);
	EXPECT_THAT(
		"C_GenerateKeyPair.token_keys_are_gone", find(suite.session, &like, NULL, 0) == 0);
}

void key_generate(void)
{
	section("5.14");
	NEED(login());
	key_wrongly();
	key_works();
	pair_wrongly();
	pair_works("RSA", CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_RSA_PKCS, CKK_RSA);
	pair_works("EC", CKM_EC_KEY_PAIR_GEN, CKM_ECDSA, CKK_EC);
	pair_on_token();
}
