/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include "common/tlv.h"
#include "unit/vcard/fixture.h"
#include "vcard/keys.h"

#define PUT_KEY_HISTORY "00DB3FFF0B5C035FC10C53047002 0500"

static const uint8_t hash[48] = "a hash is only a number to the card";

static void management_key_authenticates_both_ways(void **state)
{
	static const uint8_t algorithms[] = {
		ALGORITHM_3DES, ALGORITHM_AES128, ALGORITHM_AES192, ALGORITHM_AES256};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
		struct vcard_options options = {.management_algorithm = algorithms[i]};
		_cleanup_vcard_ struct vcard *card = open_card(&options);
		assert_status(card, PUT_KEY_HISTORY, 0x6982);
		assert_int_equal(authenticate_mutual(card, algorithms[i]), 0x9000);
		assert_status(card, PUT_KEY_HISTORY, 0x9000);
		vcard_reset(card);
		assert_status(card, SELECT_PIV, 0x9000);
		assert_status(card, PUT_KEY_HISTORY, 0x6982);
		assert_int_equal(authenticate_external(card, algorithms[i]), 0x9000);
		assert_status(card, PUT_KEY_HISTORY, 0x9000);
	}
}

static void other_algorithm_than_the_keys_is_refused(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_card(NULL);

	(void)state;
	assert_int_equal(authenticate_mutual(card, ALGORITHM_AES256), 0x6A80);
	assert_int_equal(authenticate_external(card, ALGORITHM_AES192), 0x6A80);
	assert_status(card, "0087FF9B047C028000", 0x6A80);
	/* 00 stands for 3DES. */
	assert_status(card, "0087009B047C028000", 0x9000);
}

static void wrong_answers_do_not_authenticate(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_card(NULL);

	(void)state;
	assert_status(card, "0087039B0C7C0A82080000000000000000", 0x6982);
	assert_status(card, "0087039B047C028100", 0x9000);
	assert_status(card, "0087039B0C7C0A82080000000000000000", 0x6982);
	assert_status(card, "0087039B047C028000", 0x9000);
	assert_status(card, "0087039B167C14 8008 0000000000000000 8108 0000000000000000", 0x6982);
	/* A witness is not a challenge's answer, and internal authentication is not offered. */
	assert_status(card, "0087039B047C028000", 0x9000);
	assert_status(card, "0087039B0C7C0A82080000000000000000", 0x6982);
	assert_status(card, "0087039B0E7C0C8200 8108 0000000000000000", 0x6A80);
	assert_status(card, PUT_KEY_HISTORY, 0x6982);
}

static void failed_authentication_ends_an_earlier_one(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_card(NULL);

	(void)state;
	authenticate(card);
	assert_status(card, "0087039B0C7C0A82080000000000000000", 0x6982);
	assert_status(card, PUT_KEY_HISTORY, 0x6982);
}

static void malformed_templates_are_refused(void **state)
{
	static const char *const commands[] = {"0087039B", "0087039B027C00", "0087039B037C0280",
		"0087039B047C028700", "0087039B067C0280007C00", "0087039B04 7D028000",
		"0087039B047C048000"};
	_cleanup_vcard_ struct vcard *card = open_card(NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		assert_status(card, commands[i], 0x6A80);
	assert_status(card, "0087039F047C028000", 0x6A86);
}

static void touch_policy_of_the_management_key_is_kept(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_card(NULL);

	(void)state;
	authenticate(card);
	assert_status(
		card, "00FFFFFE1B039B18010203040506070801020304050607080102030405060708", 0x9000);
	assert_answer(card, "00F7009B",
		"0101030202000205"
		"0101");
	vcard_knobs(card)->touch_deny = true;
	assert_int_equal(authenticate_mutual(card, ALGORITHM_3DES), 0x6982);
	vcard_knobs(card)->touch_deny = false;
	authenticate(card);
}

static void management_key_changes_algorithm(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_card(NULL);

	(void)state;
	assert_status(card, "00FFFFFF130A9B10", 0x6700);
	assert_status(card, "00FFFFFF13089B1001020304050607080102030405060708", 0x6982);
	authenticate(card);
	assert_status(card, "00FFFFFF13 0A9B10 01020304050607080102030405060708", 0x6A80);
	assert_status(card, "00FFFFFF13 089C10 01020304050607080102030405060708", 0x6A80);
	assert_status(card, "00FFFF0013 089B10 01020304050607080102030405060708", 0x6A86);
	assert_status(card, "00FFFFFF13 089B10 01020304050607080102030405060708", 0x9000);
	vcard_reset(card);
	assert_status(card, SELECT_PIV, 0x9000);
	assert_int_equal(authenticate_mutual(card, ALGORITHM_3DES), 0x6A80);
	assert_int_equal(authenticate_mutual(card, ALGORITHM_AES128), 0x9000);
}

static void old_firmware_has_no_aes_management_key(void **state)
{
	struct vcard_options options = {.firmware = VCARD_FIRMWARE(5, 4, 1)};
	_cleanup_vcard_ struct vcard *card = open_card(&options);

	(void)state;
	authenticate(card);
	assert_status(card, "00FFFFFF13 089B10 01020304050607080102030405060708", 0x6A80);
}

static void firmware_57_ships_an_aes192_key(void **state)
{
	struct vcard_options options = {.firmware = VCARD_FIRMWARE(5, 7, 1)};
	_cleanup_vcard_ struct vcard *card = open_card(&options);

	(void)state;
	assert_int_equal(authenticate_mutual(card, ALGORITHM_AES192), 0x9000);
	assert_answer(card, "00F7009B", "01010a02020001050101");
}

static void signature_slot_asks_for_the_pin_each_time(void **state)
{
	static const enum vcard_profile profiles[] = {VCARD_PROFILE_YUBIKEY, VCARD_PROFILE_NIST};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
		struct vcard_options options = {.profile = profiles[i]};
		_cleanup_vcard_ struct vcard *card = open_card(&options);
		authenticate(card);
		assert_int_equal(generate(card, 0x9C, ALGORITHM_P256, NULL), 0x9000);
		assert_int_equal(generate(card, 0x9A, ALGORITHM_P256, NULL), 0x9000);
		assert_int_equal(generate(card, 0x9E, ALGORITHM_P256, NULL), 0x9000);
		assert_int_equal(use_key(card, 0x9A, ALGORITHM_P256, 0x81, hash, 32, NULL), 0x6982);
		assert_int_equal(use_key(card, 0x9E, ALGORITHM_P256, 0x81, hash, 32, NULL), 0x9000);
		assert_status(card, VERIFY_PIN, 0x9000);
		assert_int_equal(use_key(card, 0x9C, ALGORITHM_P256, 0x81, hash, 32, NULL), 0x9000);
		assert_int_equal(use_key(card, 0x9C, ALGORITHM_P256, 0x81, hash, 32, NULL), 0x6982);
		assert_int_equal(use_key(card, 0x9A, ALGORITHM_P256, 0x81, hash, 32, NULL), 0x9000);
		assert_int_equal(use_key(card, 0x9A, ALGORITHM_P256, 0x81, hash, 32, NULL), 0x9000);
	}
}

static void policies_of_a_key_override_the_slots(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_card(NULL);

	(void)state;
	authenticate(card);
	assert_status(card, "0047009C0BAC09800111AA0101AB0102", 0x9000);
	assert_int_equal(use_key(card, 0x9C, ALGORITHM_P256, 0x81, hash, 32, NULL), 0x9000);
	vcard_knobs(card)->touch_deny = true;
	assert_int_equal(use_key(card, 0x9C, ALGORITHM_P256, 0x81, hash, 32, NULL), 0x6982);
	assert_status(card, "0047009C08AC06800111AA0104", 0x6A80);
	assert_status(card, "0047009C08AC06800111AB0104", 0x6A80);
}

static EVP_PKEY *rsa_from(const struct buffer *template)
{
	struct reader key, modulus;
	EVP_PKEY *pkey = NULL;
	uint8_t n[512], e[] = {1, 0, 1};

	assert_true(tlv_find(reader_of(template), 0x7F49, &key));
	assert_true(tlv_find(key, 0x81, &modulus));
	size_t length = reader_left(&modulus);
	/* Native order is what OSSL_PARAM wants of a number. */
	const uint8_t *bytes = reader_bytes(&modulus, length);
	for (size_t i = 0; i < length; i++)
		n[i] = bytes[length - 1 - i];
	OSSL_PARAM parameters[] = {OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, n, length),
		OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, e, sizeof(e)),
		OSSL_PARAM_construct_end()};
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
	assert_int_equal(EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, parameters), 1);
	EVP_PKEY_CTX_free(context);
	return pkey;
}

/* What the public key makes of a raw signature. */
static void raise_to_public(EVP_PKEY *pkey, const struct buffer *signature, uint8_t *out)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(pkey, NULL);
	size_t length = signature->length;

	assert_int_equal(EVP_PKEY_encrypt_init(context), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING), 1);
	assert_int_equal(
		EVP_PKEY_encrypt(context, out, &length, signature->data, signature->length), 1);
	assert_int_equal(length, signature->length);
	EVP_PKEY_CTX_free(context);
}

static void rsa_keys_do_the_raw_operation(void **state)
{
	static const struct {
		uint8_t algorithm;
		size_t length;
	} cases[] = {{ALGORITHM_RSA1024, 128}, {ALGORITHM_RSA2048, 256}, {ALGORITHM_RSA3072, 384}};
	struct vcard_options options = {.firmware = VCARD_FIRMWARE(5, 7, 1)};
	_cleanup_vcard_ struct vcard *card = open_card(&options);
	uint8_t input[512] = {0}, output[512];

	(void)state;
	memset(input + 1, 0x5A, sizeof(input) - 1);
	assert_int_equal(authenticate_mutual(card, ALGORITHM_AES192), 0x9000);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buffer_ struct buffer template = BUFFER_INIT, signature = BUFFER_INIT;
		uint8_t algorithm = cases[i].algorithm;
		size_t length = cases[i].length;
		assert_int_equal(generate(card, 0x9E, algorithm, &template), 0x9000);
		assert_int_equal(
			use_key(card, 0x9E, algorithm, 0x81, input, length, &signature), 0x9000);
		assert_int_equal(signature.length, length);
		EVP_PKEY *pkey = rsa_from(&template);
		raise_to_public(pkey, &signature, output);
		assert_memory_equal(output, input, length);
		EVP_PKEY_free(pkey);
		assert_int_equal(
			use_key(card, 0x9E, algorithm, 0x81, input, length - 1, NULL), 0x6A80);
	}
	memset(input, 0xFF, sizeof(input));
	assert_int_equal(use_key(card, 0x9E, ALGORITHM_RSA3072, 0x81, input, 384, NULL), 0x6A80);
}

/* The point in the template 7F49, as the card writes it. */
static struct reader point_of(const struct buffer *template)
{
	struct reader key, point;

	assert_true(tlv_find(reader_of(template), 0x7F49, &key));
	assert_true(tlv_find(key, 0x86, &point));
	return point;
}

static void two_slots_agree_on_a_secret(void **state)
{
	static const struct {
		uint8_t algorithm;
		size_t length, point_length;
	} cases[] = {
		{ALGORITHM_P256, 32, 65}, {ALGORITHM_P384, 48, 97}, {ALGORITHM_X25519, 32, 32}};
	struct vcard_options options = {.firmware = VCARD_FIRMWARE(5, 7, 1)};
	_cleanup_vcard_ struct vcard *card = open_card(&options);

	(void)state;
	assert_int_equal(authenticate_mutual(card, ALGORITHM_AES192), 0x9000);
	assert_status(card, VERIFY_PIN, 0x9000);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buffer_ struct buffer one = BUFFER_INIT, other = BUFFER_INIT;
		_cleanup_buffer_ struct buffer secret = BUFFER_INIT, same = BUFFER_INIT;
		uint8_t algorithm = cases[i].algorithm;
		size_t length = cases[i].point_length;
		assert_int_equal(generate(card, 0x9D, algorithm, &one), 0x9000);
		assert_int_equal(generate(card, 0x82, algorithm, &other), 0x9000);
		struct reader first = point_of(&one), second = point_of(&other);
		assert_int_equal(reader_left(&first), length);
		uint8_t point[97];
		memcpy(point, reader_bytes(&second, length), length);
		assert_int_equal(
			use_key(card, 0x9D, algorithm, 0x85, point, length, &secret), 0x9000);
		assert_int_equal(use_key(card, 0x82, algorithm, 0x85, reader_bytes(&first, length),
					 length, &same),
			0x9000);
		assert_int_equal(secret.length, cases[i].length);
		assert_memory_equal(secret.data, same.data, secret.length);
		assert_int_equal(
			use_key(card, 0x9D, algorithm, 0x85, point, length - 1, NULL), 0x6A80);
		if (algorithm == ALGORITHM_X25519)
			continue;
		point[length - 1] ^= 1; /* not on the curve */
		assert_int_equal(use_key(card, 0x9D, algorithm, 0x85, point, length, NULL), 0x6A80);
	}
}

static void keys_refuse_what_does_not_fit_them(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_card(NULL);

	(void)state;
	assert_int_equal(generate(card, 0x9E, ALGORITHM_P256, NULL), 0x6982);
	authenticate(card);
	assert_int_equal(use_key(card, 0x9E, ALGORITHM_P256, 0x81, hash, 32, NULL), 0x6A80);
	assert_int_equal(generate(card, 0x9E, ALGORITHM_RSA3072, NULL), 0x6A80);
	assert_int_equal(generate(card, 0x9E, 0x42, NULL), 0x6A80);
	assert_int_equal(generate(card, 0x9B, ALGORITHM_P256, NULL), 0x6A86);
	assert_int_equal(generate(card, 0x96, ALGORITHM_P256, NULL), 0x6A86);
	assert_int_equal(generate(card, 0x9E, ALGORITHM_P256, NULL), 0x9000);
	assert_int_equal(use_key(card, 0x9E, ALGORITHM_P384, 0x81, hash, 48, NULL), 0x6A80);
	assert_int_equal(use_key(card, 0x9E, ALGORITHM_P256, 0x81, hash, 33, NULL), 0x6A80);
	assert_int_equal(use_key(card, 0x9E, ALGORITHM_P256, 0x81, hash, 0, NULL), 0x6A80);
	assert_int_equal(use_key(card, 0x9E, ALGORITHM_P256, 0x80, hash, 32, NULL), 0x6A80);
	assert_int_equal(use_key(card, 0x9E, ALGORITHM_P256, 0x81, hash, 20, NULL), 0x9000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(management_key_authenticates_both_ways),
		cmocka_unit_test(other_algorithm_than_the_keys_is_refused),
		cmocka_unit_test(wrong_answers_do_not_authenticate),
		cmocka_unit_test(failed_authentication_ends_an_earlier_one),
		cmocka_unit_test(malformed_templates_are_refused),
		cmocka_unit_test(touch_policy_of_the_management_key_is_kept),
		cmocka_unit_test(management_key_changes_algorithm),
		cmocka_unit_test(old_firmware_has_no_aes_management_key),
		cmocka_unit_test(firmware_57_ships_an_aes192_key),
		cmocka_unit_test(signature_slot_asks_for_the_pin_each_time),
		cmocka_unit_test(policies_of_a_key_override_the_slots),
		cmocka_unit_test(rsa_keys_do_the_raw_operation),
		cmocka_unit_test(two_slots_agree_on_a_secret),
		cmocka_unit_test(keys_refuse_what_does_not_fit_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
