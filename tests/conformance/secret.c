/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Secret keys: what protects them (4.10), keys derived by encryption (mechanisms, 2.15), generic
 * ones (2.6). */
#include "conformance/operation.h"

#include <string.h>

#include "conformance/reference.h"

static const CK_BYTE key_value[16] = "sixteen bytes of";

static CK_RV set_boolean(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, bool value)
{
	struct template template = {.count = 0};

	template_boolean(&template, type, value);
	return P11->C_SetAttributeValue(suite.session, object, template.attributes, template.count);
}

static CK_RV read_value(CK_OBJECT_HANDLE key, CK_BYTE *value, CK_ULONG *length)
{
	return attribute_bytes(key, CKA_VALUE, value, length);
}

/* Protection is added, and not taken away. */
static void protection(void)
{
	CK_OBJECT_HANDLE key;
	CK_BYTE value[64];
	CK_ULONG length = sizeof(value);

	section("4.10");
	NEED(secret_key(CKK_AES, key_value, 16, &key, USAGES(CKA_ENCRYPT)));
	EXPECT("secret_key.value", read_value(key, value, &length), CKR_OK);
	EXPECT_THAT("secret_key.value_is_right", length == 16 && !memcmp(value, key_value, 16));
	EXPECT_THAT("secret_key.length", attribute_number(key, CKA_VALUE_LEN) == 16);
	EXPECT_THAT("secret_key.is_not_local", attribute_boolean(key, CKA_LOCAL) == 0);
	EXPECT("secret_key.becomes_sensitive", set_boolean(key, CKA_SENSITIVE, true), CKR_OK);
	length = sizeof(value);
	EXPECT("secret_key.sensitive_value", read_value(key, value, &length),
		CKR_ATTRIBUTE_SENSITIVE);
	EXPECT("secret_key.no_longer_sensitive", set_boolean(key, CKA_SENSITIVE, false),
		CKR_ATTRIBUTE_READ_ONLY);
	EXPECT_THAT("secret_key.was_not_always_sensitive",
		attribute_boolean(key, CKA_ALWAYS_SENSITIVE) == 0);
	NEED(secret_key(CKK_AES, key_value, 16, &key, USAGES(CKA_ENCRYPT)));
	EXPECT("secret_key.becomes_unextractable", set_boolean(key, CKA_EXTRACTABLE, false),
		CKR_OK);
	length = sizeof(value);
	EXPECT("secret_key.unextractable_value", read_value(key, value, &length),
		CKR_ATTRIBUTE_SENSITIVE);
	EXPECT("secret_key.extractable_again", set_boolean(key, CKA_EXTRACTABLE, true),
		CKR_ATTRIBUTE_READ_ONLY);
	EXPECT_THAT("secret_key.was_extractable_once",
		attribute_boolean(key, CKA_NEVER_EXTRACTABLE) == 0);
	EXPECT("secret_key.value_is_not_set",
		P11->C_SetAttributeValue(
			suite.session, key, &(CK_ATTRIBUTE){CKA_VALUE, (void *)key_value, 16}, 1),
		CKR_ATTRIBUTE_READ_ONLY);
}

/* A usage that is taken away counts from then on. */
static void usages(void)
{
	CK_MECHANISM ecb = {CKM_AES_ECB, NULL, 0};
	CK_OBJECT_HANDLE key;

	NEED(secret_key(CKK_AES, key_value, 16, &key, USAGES(CKA_ENCRYPT)));
	EXPECT("secret_key.usage_is_taken_away", set_boolean(key, CKA_ENCRYPT, false), CKR_OK);
	EXPECT("secret_key.usage_counts", init_elsewhere(&family_encrypt, &ecb, key),
		CKR_KEY_FUNCTION_NOT_PERMITTED);
	EXPECT("secret_key.usage_is_given", set_boolean(key, CKA_ENCRYPT, true), CKR_OK);
	EXPECT("secret_key.usage_counts_again", init_elsewhere(&family_encrypt, &ecb, key), CKR_OK);
}

static void generic(void)
{
	CK_MECHANISM generate = {CKM_GENERIC_SECRET_KEY_GEN, NULL, 0};
	CK_MECHANISM hmac = {CKM_SHA256_HMAC, NULL, 0};
	struct template template = {.count = 0};
	CK_BYTE value[64], expected[64], made[64];
	CK_ULONG length = sizeof(value), made_length = sizeof(made);
	size_t expected_length;
	CK_OBJECT_HANDLE key;

	section("M 2.6");
	if (!offers("generic_secret.generate", CKM_GENERIC_SECRET_KEY_GEN, CKF_GENERATE))
		return;
	template_number(&template, CKA_VALUE_LEN, 40);
	template_boolean(&template, CKA_TOKEN, false);
	template_boolean(&template, CKA_SENSITIVE, false);
	template_boolean(&template, CKA_EXTRACTABLE, true);
	template_boolean(&template, CKA_SIGN, true);
	if (!EXPECT("generic_secret.generate",
		    P11->C_GenerateKey(
			    suite.session, &generate, template.attributes, template.count, &key),
		    CKR_OK))
		return;
	NEED(read_value(key, value, &length));
	EXPECT_THAT("generic_secret.length", length == 40);
	EXPECT_THAT(
		"generic_secret.type", attribute_number(key, CKA_KEY_TYPE) == CKK_GENERIC_SECRET);
	if (!has(CKM_SHA256_HMAC, CKF_SIGN))
		return;
	reference_mac("HMAC", "SHA256", value, length, "text", 4, expected, &expected_length);
	EXPECT("generic_secret.signs",
		run_one(&family_sign, &hmac, key, (const CK_BYTE *)"text", 4, made, &made_length),
		CKR_OK);
	EXPECT_THAT("generic_secret.signs_right",
		made_length == 32 && !memcmp(made, expected, made_length));
}

/* --- keys that are what another key makes of data --- */

static void derived(
	const char *name, CK_MECHANISM *mechanism, const char *cipher, const CK_BYTE *iv)
{
	static const CK_BYTE text[32] = "thirty-two bytes to be encrypted";
	struct template template = {.count = 0};
	CK_BYTE value[64], expected[64];
	CK_ULONG length = sizeof(value);
	size_t expected_length;
	CK_OBJECT_HANDLE base, key, fixed;

	if (!offers(join(name, ".derive"), mechanism->mechanism, CKF_DERIVE))
		return;
	NEED(secret_key(CKK_AES, key_value, 16, &base, USAGES(CKA_DERIVE)));
	NEED(secret_key(CKK_AES, key_value, 16, &fixed, USAGES(CKA_ENCRYPT)));
	template_number(&template, CKA_CLASS, CKO_SECRET_KEY);
	template_number(&template, CKA_KEY_TYPE, CKK_GENERIC_SECRET);
	template_number(&template, CKA_VALUE_LEN, 32);
	template_boolean(&template, CKA_TOKEN, false);
	template_boolean(&template, CKA_SENSITIVE, false);
	template_boolean(&template, CKA_EXTRACTABLE, true);
	if (!EXPECT(join(name, ".derive"),
		    P11->C_DeriveKey(suite.session, mechanism, base, template.attributes,
			    template.count, &key),
		    CKR_OK))
		return;
	reference_encrypt(cipher, key_value, iv, false, text, 32, expected, &expected_length);
	NEED(read_value(key, value, &length));
	EXPECT_THAT(join(name, ".derive_is_right"), length == 32 && !memcmp(value, expected, 32));
	EXPECT(join(name, ".key_not_for_this"),
		P11->C_DeriveKey(
			suite.session, mechanism, fixed, template.attributes, template.count, &key),
		CKR_KEY_FUNCTION_NOT_PERMITTED);
}

static void derivations(void)
{
	CK_BYTE text[32] = "thirty-two bytes to be encrypted";
	CK_KEY_DERIVATION_STRING_DATA string = {text, sizeof(text)};
	CK_AES_CBC_ENCRYPT_DATA_PARAMS chained = {
		.iv = {9, 8, 7}, .pData = text, .length = sizeof(text)};
	CK_MECHANISM ecb = {CKM_AES_ECB_ENCRYPT_DATA, &string, sizeof(string)};
	CK_MECHANISM cbc = {CKM_AES_CBC_ENCRYPT_DATA, &chained, sizeof(chained)};

	section("M 2.15");
	derived("AES_ECB_ENCRYPT_DATA", &ecb, "AES-128-ECB", NULL);
	derived("AES_CBC_ENCRYPT_DATA", &cbc, "AES-128-CBC", chained.iv);
}

void secret_keys(void)
{
	section("4.10");
	if (!offers("secret_key.value", CKM_AES_ECB, CKF_ENCRYPT))
		return;
	NEED(login());
	protection();
	usages();
	generic();
	derivations();
}
