/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* C_WrapKey, C_UnwrapKey and C_DeriveKey (5.14; mechanisms, 2.3.8, 2.14). */
#include "conformance/conformance.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <string.h>

/* RFC 3394, 4.1: 128 bits of key data with a 128-bit key. */
static const CK_BYTE kek[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const CK_BYTE key_data[16] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99,
	0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
static const CK_BYTE wrapped_data[24] = {0x1f, 0xa6, 0x8b, 0x0a, 0x81, 0x12, 0xb4, 0x47, 0xae, 0xf3,
	0x4b, 0xd8, 0xfb, 0x5a, 0x7b, 0x82, 0x9d, 0x3e, 0x86, 0x23, 0x71, 0xd2, 0xcf, 0xe5};

static void key_template(struct template *template, CK_KEY_TYPE type)
{
	*template = (struct template){.count = 0};
	template_number(template, CKA_CLASS, CKO_SECRET_KEY);
	template_number(template, CKA_KEY_TYPE, type);
	template_boolean(template, CKA_TOKEN, false);
	template_boolean(template, CKA_SENSITIVE, false);
	template_boolean(template, CKA_EXTRACTABLE, true);
}

static CK_RV wrap(CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE wrapping, CK_OBJECT_HANDLE key,
	CK_BYTE *wrapped, CK_ULONG *length)
{
	CK_MECHANISM mechanism = {type, NULL, 0};

	return P11->C_WrapKey(suite.session, &mechanism, wrapping, key, wrapped, length);
}

static CK_RV unwrap(CK_OBJECT_HANDLE unwrapping, const CK_BYTE *wrapped, CK_ULONG length,
	struct template *template, CK_OBJECT_HANDLE *key)
{
	CK_MECHANISM mechanism = {CKM_AES_KEY_WRAP, NULL, 0};

	return P11->C_UnwrapKey(suite.session, &mechanism, unwrapping, (CK_BYTE *)wrapped, length,
		template->attributes, template->count, key);
}

static void wrap_handles(void)
{
	struct template template;
	CK_MECHANISM mechanism = {CKM_AES_KEY_WRAP, NULL, 0};
	CK_BYTE wrapped[64] = {0};
	CK_ULONG length = sizeof(wrapped);
	CK_OBJECT_HANDLE key;

	key_template(&template, CKK_AES);
	EXPECT("C_WrapKey.unknown_session",
		P11->C_WrapKey(NO_SESSION, &mechanism, NO_OBJECT, NO_OBJECT, wrapped, &length),
		CKR_SESSION_HANDLE_INVALID);
	EXPECT("C_UnwrapKey.unknown_session",
		P11->C_UnwrapKey(NO_SESSION, &mechanism, NO_OBJECT, wrapped, 24,
			template.attributes, template.count, &key),
		CKR_SESSION_HANDLE_INVALID);
	EXPECT("C_DeriveKey.unknown_session",
		P11->C_DeriveKey(NO_SESSION, &mechanism, NO_OBJECT, template.attributes,
			template.count, &key),
		CKR_SESSION_HANDLE_INVALID);
	EXPECT("C_WrapKey.null_mechanism",
		P11->C_WrapKey(suite.session, NULL, NO_OBJECT, NO_OBJECT, wrapped, &length),
		CKR_ARGUMENTS_BAD);
	EXPECT("C_UnwrapKey.null_mechanism",
		P11->C_UnwrapKey(suite.session, NULL, NO_OBJECT, wrapped, 24, template.attributes,
			template.count, &key),
		CKR_ARGUMENTS_BAD);
	EXPECT("C_DeriveKey.null_mechanism",
		P11->C_DeriveKey(
			suite.session, NULL, NO_OBJECT, template.attributes, template.count, &key),
		CKR_ARGUMENTS_BAD);
}

static void wrap_wrongly(CK_OBJECT_HANDLE wrapping, CK_OBJECT_HANDLE key)
{
	CK_BYTE wrapped[64];
	CK_ULONG length = sizeof(wrapped);
	CK_OBJECT_HANDLE fixed, other;
	struct template template;

	EXPECT("C_WrapKey.unknown_key",
		wrap(CKM_AES_KEY_WRAP, wrapping, NO_OBJECT, wrapped, &length),
		CKR_KEY_HANDLE_INVALID);
	EXPECT("C_WrapKey.unknown_wrapping_key",
		wrap(CKM_AES_KEY_WRAP, NO_OBJECT, key, wrapped, &length),
		CKR_WRAPPING_KEY_HANDLE_INVALID);
	EXPECT("C_WrapKey.unknown_mechanism", wrap(NO_MECHANISM, wrapping, key, wrapped, &length),
		CKR_MECHANISM_INVALID);
	EXPECT("C_WrapKey.null_length", wrap(CKM_AES_KEY_WRAP, wrapping, key, wrapped, NULL),
		CKR_ARGUMENTS_BAD);
	EXPECT("C_WrapKey.key_not_for_this",
		wrap(CKM_AES_KEY_WRAP, key, wrapping, wrapped, &length),
		CKR_KEY_FUNCTION_NOT_PERMITTED);
	key_template(&template, CKK_AES);
	template.booleans[4] = CK_FALSE;
	template_bytes(&template, CKA_VALUE, key_data, 16);
	NEED(P11->C_CreateObject(suite.session, template.attributes, template.count, &fixed));
	length = sizeof(wrapped);
	EXPECT("C_WrapKey.not_extractable",
		wrap(CKM_AES_KEY_WRAP, wrapping, fixed, wrapped, &length), CKR_KEY_UNEXTRACTABLE);
	NEED(secret_key(CKK_GENERIC_SECRET, kek, 16, &other, USAGES(CKA_WRAP)));
	length = sizeof(wrapped);
	EXPECT("C_WrapKey.wrapping_key_of_another_type",
		wrap(CKM_AES_KEY_WRAP, other, key, wrapped, &length),
		CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
}

static void wrap_lengths(CK_OBJECT_HANDLE wrapping, CK_OBJECT_HANDLE key)
{
	CK_BYTE wrapped[64];
	CK_ULONG asked = 0, small = 1, length = sizeof(wrapped);

	EXPECT("C_WrapKey.how_long", wrap(CKM_AES_KEY_WRAP, wrapping, key, NULL, &asked), CKR_OK);
	EXPECT_THAT("C_WrapKey.how_long_is_right", asked >= 24 && asked <= sizeof(wrapped));
	EXPECT("C_WrapKey.too_small", wrap(CKM_AES_KEY_WRAP, wrapping, key, wrapped, &small),
		CKR_BUFFER_TOO_SMALL);
	EXPECT("C_WrapKey.works", wrap(CKM_AES_KEY_WRAP, wrapping, key, wrapped, &length), CKR_OK);
	section("M 2.14");
	EXPECT_THAT("AES_KEY_WRAP.example", length == 24 && !memcmp(wrapped, wrapped_data, 24));
	section("5.14");
}

static void unwrap_wrongly(CK_OBJECT_HANDLE wrapping)
{
	struct template template, none = {.count = 0};
	CK_BYTE changed[24];
	CK_OBJECT_HANDLE key, other;

	key_template(&template, CKK_AES);
	EXPECT("C_UnwrapKey.unknown_key", unwrap(NO_OBJECT, wrapped_data, 24, &template, &key),
		CKR_UNWRAPPING_KEY_HANDLE_INVALID);
	EXPECT("C_UnwrapKey.null_wrapped", unwrap(wrapping, NULL, 24, &template, &key),
		CKR_ARGUMENTS_BAD);
	EXPECT("C_UnwrapKey.null_key", unwrap(wrapping, wrapped_data, 24, &template, NULL),
		CKR_ARGUMENTS_BAD);
	EXPECT("C_UnwrapKey.empty_template", unwrap(wrapping, wrapped_data, 24, &none, &key),
		CKR_TEMPLATE_INCOMPLETE);
	memcpy(changed, wrapped_data, sizeof(changed));
	changed[3] ^= 1;
	EXPECT("C_UnwrapKey.changed", unwrap(wrapping, changed, 24, &template, &key),
		CKR_WRAPPED_KEY_INVALID);
	EXPECT("C_UnwrapKey.too_short", unwrap(wrapping, wrapped_data, 20, &template, &key),
		CKR_WRAPPED_KEY_LEN_RANGE, CKR_WRAPPED_KEY_INVALID);
	NEED(secret_key(CKK_AES, kek, 16, &other, USAGES(CKA_ENCRYPT)));
	EXPECT("C_UnwrapKey.key_not_for_this", unwrap(other, wrapped_data, 24, &template, &key),
		CKR_KEY_FUNCTION_NOT_PERMITTED);
	NEED(secret_key(CKK_GENERIC_SECRET, kek, 16, &other, USAGES(CKA_UNWRAP)));
	EXPECT("C_UnwrapKey.key_of_another_type", unwrap(other, wrapped_data, 24, &template, &key),
		CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT);
}

static void unwrap_works(CK_OBJECT_HANDLE wrapping)
{
	struct template template;
	CK_BYTE value[32];
	CK_ULONG length = sizeof(value);
	CK_OBJECT_HANDLE key;

	key_template(&template, CKK_AES);
	if (!EXPECT("C_UnwrapKey.works", unwrap(wrapping, wrapped_data, 24, &template, &key),
		    CKR_OK))
		return;
	NEED(attribute_bytes(key, CKA_VALUE, value, &length));
	EXPECT_THAT("C_UnwrapKey.is_right", length == 16 && !memcmp(value, key_data, 16));
	EXPECT_THAT("C_UnwrapKey.is_not_local", attribute_boolean(key, CKA_LOCAL) == 0);
	EXPECT_THAT("C_UnwrapKey.was_not_always_sensitive",
		attribute_boolean(key, CKA_ALWAYS_SENSITIVE) == 0);
	EXPECT_THAT(
		"C_UnwrapKey.was_extractable", attribute_boolean(key, CKA_NEVER_EXTRACTABLE) == 0);
}

/* A private key goes out under another key and comes back. */
static void wrap_private_key(CK_OBJECT_HANDLE wrapping)
{
	static const CK_BYTE p256[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
	CK_MECHANISM generate = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
	CK_MECHANISM pad = {CKM_AES_KEY_WRAP_PAD, NULL, 0}, ecdsa = {CKM_ECDSA, NULL, 0};
	struct template public = {.count = 0}, private = {.count = 0}, again = {.count = 0};
	CK_BYTE wrapped[512], data[32] = {1}, signature[128];
	CK_ULONG length = sizeof(wrapped), signature_length = sizeof(signature);
	CK_OBJECT_HANDLE public_key, key, back;

	if (!offers("AES_KEY_WRAP_PAD.private_key", CKM_AES_KEY_WRAP_PAD, CKF_WRAP | CKF_UNWRAP) ||
		!has(CKM_EC_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR))
		return;
	template_bytes(&public, CKA_EC_PARAMS, p256, sizeof(p256));
	template_boolean(&public, CKA_VERIFY, true);
	template_boolean(&private, CKA_EXTRACTABLE, true);
	template_boolean(&private, CKA_SIGN, true);
	NEED(P11->C_GenerateKeyPair(suite.session, &generate, public.attributes, public.count,
		private.attributes, private.count, &public_key, &key));
	if (!EXPECT("AES_KEY_WRAP_PAD.private_key",
		    wrap(CKM_AES_KEY_WRAP_PAD, wrapping, key, wrapped, &length), CKR_OK))
		return;
	template_number(&again, CKA_CLASS, CKO_PRIVATE_KEY);
	template_number(&again, CKA_KEY_TYPE, CKK_EC);
	template_boolean(&again, CKA_TOKEN, false);
	template_boolean(&again, CKA_SIGN, true);
	EXPECT("AES_KEY_WRAP_PAD.private_key_back",
		P11->C_UnwrapKey(suite.session, &pad, wrapping, wrapped, length, again.attributes,
			again.count, &back),
		CKR_OK);
	NEED(P11->C_SignInit(suite.session, &ecdsa, back));
	NEED(P11->C_Sign(suite.session, data, 32, signature, &signature_length));
	NEED(P11->C_VerifyInit(suite.session, &ecdsa, public_key));
	EXPECT("AES_KEY_WRAP_PAD.private_key_signs",
		P11->C_Verify(suite.session, data, 32, signature, signature_length), CKR_OK);
}

void key_wrap(void)
{
	CK_OBJECT_HANDLE wrapping, key;

	section("5.14");
	wrap_handles();
	if (!offers("C_WrapKey.works", CKM_AES_KEY_WRAP, CKF_WRAP | CKF_UNWRAP))
		return;
	NEED(login());
	NEED(secret_key(CKK_AES, kek, 16, &wrapping, USAGES(CKA_WRAP, CKA_UNWRAP)));
	NEED(secret_key(CKK_AES, key_data, 16, &key, USAGES(CKA_ENCRYPT)));
	wrap_lengths(wrapping, key);
	wrap_wrongly(wrapping, key);
	unwrap_wrongly(wrapping);
	unwrap_works(wrapping);
	wrap_private_key(wrapping);
}

/* --- C_DeriveKey --- */

static CK_RV derive(CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE base, CK_BYTE *point, CK_ULONG length,
	struct template *template, CK_OBJECT_HANDLE *key)
{
	CK_ECDH1_DERIVE_PARAMS parameters = {
		.kdf = CKD_NULL, .pPublicData = point, .ulPublicDataLen = length};
	CK_MECHANISM mechanism = {type, &parameters, sizeof(parameters)};

	return P11->C_DeriveKey(
		suite.session, &mechanism, base, template->attributes, template->count, key);
}

/* The peer is OpenSSL's: its point, and the secret that it finds with our public key. */
static bool make_peer(EVP_PKEY *ours, CK_BYTE *point, size_t *point_length, CK_BYTE *secret,
	size_t *secret_length)
{
	char curve[64];
	size_t length;

	if (EVP_PKEY_get_group_name(ours, curve, sizeof(curve), &length) != 1)
		return false;
	EVP_PKEY *peer = EVP_EC_gen(curve);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(peer, NULL);
	bool done = EVP_PKEY_get_octet_string_param(
			    peer, "pub", point, *point_length, point_length) == 1 &&
		    EVP_PKEY_derive_init(context) == 1 &&
		    EVP_PKEY_derive_set_peer(context, ours) == 1 &&
		    EVP_PKEY_derive(context, secret, secret_length) == 1;
	EVP_PKEY_CTX_free(context);
	EVP_PKEY_free(peer);
	return done;
}

static void derive_wrongly(const struct pair *pair, CK_BYTE *point, CK_ULONG length)
{
	CK_MECHANISM none = {CKM_ECDH1_DERIVE, NULL, 0};
	struct template template;
	CK_OBJECT_HANDLE key;

	key_template(&template, CKK_GENERIC_SECRET);
	EXPECT("C_DeriveKey.unknown_key",
		derive(CKM_ECDH1_DERIVE, NO_OBJECT, point, length, &template, &key),
		CKR_KEY_HANDLE_INVALID);
	EXPECT("C_DeriveKey.unknown_mechanism",
		derive(NO_MECHANISM, pair->private, point, length, &template, &key),
		CKR_MECHANISM_INVALID);
	EXPECT("C_DeriveKey.no_parameter",
		P11->C_DeriveKey(suite.session, &none, pair->private, template.attributes,
			template.count, &key),
		CKR_MECHANISM_PARAM_INVALID, CKR_ARGUMENTS_BAD);
	EXPECT("C_DeriveKey.point_that_is_none",
		derive(CKM_ECDH1_DERIVE, pair->private, point, length / 2, &template, &key),
		CKR_MECHANISM_PARAM_INVALID);
	EXPECT("C_DeriveKey.null_key",
		derive(CKM_ECDH1_DERIVE, pair->private, point, length, &template, NULL),
		CKR_ARGUMENTS_BAD);
	EXPECT("C_DeriveKey.public_key",
		derive(CKM_ECDH1_DERIVE, pair->public, point, length, &template, &key),
		CKR_KEY_TYPE_INCONSISTENT, CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_KEY_HANDLE_INVALID);
	template.booleans[2] = CK_TRUE;
	CK_SESSION_HANDLE mine = suite.session;
	suite.session = session_open(0);
	EXPECT("C_DeriveKey.token_key_in_ro_session",
		derive(CKM_ECDH1_DERIVE, pair->private, point, length, &template, &key),
		CKR_SESSION_READ_ONLY);
	P11->C_CloseSession(suite.session);
	suite.session = mine;
}

static void derive_with(const char *name, CK_MECHANISM_TYPE type, const struct pair *pair,
	CK_BYTE *point, CK_ULONG length, const CK_BYTE *secret, CK_ULONG secret_length)
{
	struct template template;
	CK_OBJECT_HANDLE key;
	CK_BYTE value[128];
	CK_ULONG value_length = sizeof(value);

	if (!offers(join(name, ".derive"), type, CKF_DERIVE))
		return;
	key_template(&template, CKK_GENERIC_SECRET);
	if (!EXPECT(join(name, ".derive"),
		    derive(type, pair->private, point, length, &template, &key), CKR_OK))
		return;
	NEED(attribute_bytes(key, CKA_VALUE, value, &value_length));
	EXPECT_THAT(join(name, ".derive_is_right"),
		value_length == secret_length && !memcmp(value, secret, secret_length));
	/* The first bytes are cut off where fewer are asked (mechanisms, 2.3.8). */
	template_number(&template, CKA_VALUE_LEN, 16);
	NEED(derive(type, pair->private, point, length, &template, &key));
	value_length = sizeof(value);
	NEED(attribute_bytes(key, CKA_VALUE, value, &value_length));
	EXPECT_THAT(join(name, ".derive_16_bytes"),
		value_length == 16 && !memcmp(value, secret + secret_length - 16, 16));
	EXPECT_THAT(join(name, ".derived_is_not_local"), attribute_boolean(key, CKA_LOCAL) == 0);
}

void key_derive(void)
{
	struct pair pair;
	CK_BYTE point[256], secret[128];
	size_t length = sizeof(point), secret_length = sizeof(secret);

	section("5.14");
	if (!offers("ECDH1.derive", CKM_ECDH1_DERIVE, CKF_DERIVE) ||
		!pair_of("ECDH1.derive", CKK_EC, CKA_DERIVE, &pair))
		return;
	EVP_PKEY *ours = pair_public(&pair);
	NEED(ours && make_peer(ours, point, &length, secret, &secret_length) ? CKR_OK
									     : CKR_GENERAL_ERROR);
	derive_wrongly(&pair, point, length);
	section("M 2.3.8");
	derive_with("ECDH1", CKM_ECDH1_DERIVE, &pair, point, length, secret, secret_length);
	derive_with("ECDH1_COFACTOR", CKM_ECDH1_COFACTOR_DERIVE, &pair, point, length, secret,
		secret_length);
	EVP_PKEY_free(ours);
}
