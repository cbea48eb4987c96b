/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys that SoftHSM2 is not given, as it would use them to the end of the process. */
#include "token/softhsm-guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "token/attributes.h"

static const uint8_t p256[] = {6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7};
static const uint8_t ed25519[] = {6, 3, 0x2B, 0x65, 0x70};

static void add_number(struct buffer *template, CK_ATTRIBUTE_TYPE type, CK_ULONG number)
{
	attributes_append(template, (uint32_t)type, &number, sizeof(number));
}

static void begin(struct buffer *template, CK_OBJECT_CLASS object_class, CK_KEY_TYPE type)
{
	buffer_clear(template);
	add_number(template, CKA_CLASS, object_class);
	add_number(template, CKA_KEY_TYPE, type);
}

/* CKR_OK, or the refusal. */
static CK_RV judge(const struct buffer *template, enum hsm_operation operation, uint32_t mechanism)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	const struct hsm_request request = {
		.operation = operation, .mechanism = mechanism, .templates = {reader_of(template)}};

	if (softhsm_survives(&request, &error))
		return CKR_OK;
	assert_int_equal(error.code, ERROR_TOKEN_REFUSED);
	return error.ckr;
}

static CK_RV created(const struct buffer *template)
{
	return judge(template, HSM_CREATE, 0);
}

static const struct {
	CK_ATTRIBUTE_TYPE type;
	const char *name;
} parts[] = {
	{CKA_MODULUS, OSSL_PKEY_PARAM_RSA_N},
	{CKA_PUBLIC_EXPONENT, OSSL_PKEY_PARAM_RSA_E},
	{CKA_PRIVATE_EXPONENT, OSSL_PKEY_PARAM_RSA_D},
	{CKA_PRIME_1, OSSL_PKEY_PARAM_RSA_FACTOR1},
	{CKA_PRIME_2, OSSL_PKEY_PARAM_RSA_FACTOR2},
	{CKA_EXPONENT_1, OSSL_PKEY_PARAM_RSA_EXPONENT1},
	{CKA_EXPONENT_2, OSSL_PKEY_PARAM_RSA_EXPONENT2},
	{CKA_COEFFICIENT, OSSL_PKEY_PARAM_RSA_COEFFICIENT1},
};
#define PARTS (sizeof(parts) / sizeof(parts[0]))

/* change: 0 as it is, 1 without its last byte, 2 one more, 3 zero, 4 left out, 5 empty */
static void add_part(struct buffer *template, EVP_PKEY *key, size_t part, int change)
{
	uint8_t bytes[256];
	BIGNUM *number = NULL;

	assert_int_equal(EVP_PKEY_get_bn_param(key, parts[part].name, &number), 1);
	if (change == 2)
		BN_add_word(number, 1);
	if (change == 3)
		BN_zero(number);
	int length = BN_bn2bin(number, bytes);
	length -= change == 1;
	if (change != 4)
		attributes_append(template, (uint32_t)parts[part].type, bytes,
			change == 5 ? 0 : (size_t)length);
	BN_free(number);
}

static void rsa_keys_fit_in_all_their_parts(void **state)
{
	struct buffer template _cleanup_buffer_ = BUFFER_INIT;
	EVP_PKEY *key = EVP_RSA_gen(1024);

	(void)state;
	for (size_t changed = 0; changed < PARTS; changed++) {
		for (int change = 0; change <= 5; change++) {
			begin(&template, CKO_PRIVATE_KEY, CKK_RSA);
			for (size_t i = 0; i < PARTS; i++)
				add_part(&template, key, i, i == changed ? change : 0);
			assert_int_equal(created(&template),
				change == 0 ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID);
		}
	}
	begin(&template, CKO_PUBLIC_KEY, CKK_RSA);
	add_part(&template, key, 0, 0);
	assert_int_equal(created(&template), CKR_ATTRIBUTE_VALUE_INVALID);
	add_part(&template, key, 1, 0);
	assert_int_equal(created(&template), CKR_OK);
	EVP_PKEY_free(key);
}

static void curves_are_known_ones(void **state)
{
	static const uint8_t unknown[] = {6, 3, 0x2A, 3, 4}, explicit[] = {0x30, 2, 5, 0};
	static const uint8_t named[] = "\x13\x0c"
				       "edwards25519";
	static const struct {
		const uint8_t *bytes;
		size_t length;
		uint32_t mechanism;
		bool known;
	} cases[] = {
		{p256, sizeof(p256), CKM_EC_KEY_PAIR_GEN, true},
		{p256, sizeof(p256), CKM_EC_EDWARDS_KEY_PAIR_GEN, false},
		{p256, sizeof(p256) - 1, CKM_EC_KEY_PAIR_GEN, false},
		{ed25519, sizeof(ed25519), CKM_EC_EDWARDS_KEY_PAIR_GEN, true},
		{ed25519, sizeof(ed25519), CKM_EC_KEY_PAIR_GEN, false},
		{named, sizeof(named) - 1, CKM_EC_EDWARDS_KEY_PAIR_GEN, true},
		{named, sizeof(named) - 2, CKM_EC_EDWARDS_KEY_PAIR_GEN, false},
		{unknown, sizeof(unknown), CKM_EC_KEY_PAIR_GEN, false},
		{explicit, sizeof(explicit), CKM_EC_KEY_PAIR_GEN, false},
		{p256, 0, CKM_EC_KEY_PAIR_GEN, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buffer template _cleanup_buffer_ = BUFFER_INIT;
		attributes_append(&template, CKA_EC_PARAMS, cases[i].bytes, cases[i].length);
		assert_int_equal(judge(&template, HSM_GENERATE_PAIR, cases[i].mechanism),
			cases[i].known ? CKR_OK : CKR_CURVE_NOT_SUPPORTED);
	}
}

static void elliptic_keys_lie_on_their_curves(void **state)
{
	struct buffer template _cleanup_buffer_ = BUFFER_INIT;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	uint8_t point[67] = {4, 65}, scalar[32];
	size_t length;

	(void)state;
	memset(scalar, 0xFF, sizeof(scalar));
	begin(&template, CKO_PRIVATE_KEY, CKK_EC);
	assert_int_equal(created(&template), CKR_ATTRIBUTE_VALUE_INVALID);
	attributes_append(&template, CKA_EC_PARAMS, p256, sizeof(p256));
	attributes_append(&template, CKA_VALUE, scalar, sizeof(scalar));
	assert_int_equal(created(&template), CKR_ATTRIBUTE_VALUE_INVALID);
	begin(&template, CKO_PRIVATE_KEY, CKK_EC);
	attributes_append(&template, CKA_EC_PARAMS, p256, sizeof(p256));
	attributes_append(&template, CKA_VALUE, scalar + 1, 31);
	assert_int_equal(created(&template), CKR_OK);

	assert_int_equal(EVP_PKEY_get_octet_string_param(
				 key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point + 2, 65, &length),
		1);
	for (int change = 0; change <= 2; change++) {
		begin(&template, CKO_PUBLIC_KEY, CKK_EC);
		attributes_append(&template, CKA_EC_PARAMS, p256, sizeof(p256));
		point[66] ^= change == 1;
		attributes_append(&template, CKA_EC_POINT, point, 67 - (change == 2));
		point[66] ^= change == 1;
		assert_int_equal(
			created(&template), change == 0 ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID);
	}
	EVP_PKEY_free(key);
}

static void other_keys_have_their_lengths(void **state)
{
	static const uint8_t bytes[64] = {1};
	struct buffer template _cleanup_buffer_ = BUFFER_INIT;

	(void)state;
	for (size_t length = 0; length <= sizeof(bytes); length++) {
		begin(&template, CKO_SECRET_KEY, CKK_AES);
		attributes_append(&template, CKA_VALUE, bytes, length);
		bool fits = length == 16 || length == 24 || length == 32;
		assert_int_equal(created(&template), fits ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID);
		begin(&template, CKO_PRIVATE_KEY, CKK_EC_EDWARDS);
		attributes_append(&template, CKA_EC_PARAMS, ed25519, sizeof(ed25519));
		attributes_append(&template, CKA_VALUE, bytes, length);
		fits = length == 32 || length == 56 || length == 57;
		assert_int_equal(created(&template), fits ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID);
	}
	begin(&template, CKO_PRIVATE_KEY, CKK_DSA);
	assert_int_equal(created(&template), CKR_ATTRIBUTE_VALUE_INVALID);
	/* What is no key is none of this. */
	begin(&template, CKO_CERTIFICATE, CKK_RSA);
	assert_int_equal(created(&template), CKR_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rsa_keys_fit_in_all_their_parts),
		cmocka_unit_test(curves_are_known_ones),
		cmocka_unit_test(elliptic_keys_lie_on_their_curves),
		cmocka_unit_test(other_keys_have_their_lengths),
	};

	return cmocka_run_group_tests_name("token/softhsm-guard", tests, NULL, NULL);
}
