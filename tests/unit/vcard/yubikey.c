/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/x509.h>

#include "common/tlv.h"
#include "unit/vcard/fixture.h"
#include "vcard/keys.h"

#define BLOCK_PUK "002C0080103939393939393939363534333231FFFF"
#define IMPORT_P256                                                                                \
	"00FE119E22 0620 000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"
#define GET_PRINTED	"00CB3FFF055C035FC109"
#define GET_ATTESTATION "00CB3FFF 000005 5C035FFF01 0000"

static const uint8_t hash[32] = "hash";

static void selection_answers_the_application_template(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_card(NULL);

	(void)state;
	assert_answer(card, SELECT_PIV, "61114f0600001000010079074f05a000000308");
	assert_answer(
		card, "00A404000BA000000308000010000100", "61114f0600001000010079074f05a000000308");
	assert_status(card, "00A4040004A0000003", 0x6A82);
	assert_status(card, "00A404000CA00000030800001000010000", 0x6A82);
	assert_status(card, "00A4000005A000000308", 0x6A86);
}

static void objects_follow_their_access_rules(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_card(NULL);

	(void)state;
	assert_answer(card, "00CB3FFF035C017E", "7e124f0ba0000003080000100001005f2f024000");
	authenticate(card);
	assert_status(card, "00DB3FFF0B5C035FC10953047002 0500", 0x9000);
	assert_status(card, GET_PRINTED, 0x6982);
	assert_status(card, VERIFY_PIN, 0x9000);
	assert_answer(card, GET_PRINTED, "530470020500");
	assert_status(card, "00DB3FFF075C035FC1095300", 0x9000);
	assert_status(card, GET_PRINTED, 0x6A82);
	assert_status(card, "00DB3FFF075C035FEEEE5300", 0x6A81);
	assert_status(card, "00DB3FFF055C035FC109", 0x6A80);
	assert_status(card, "00CB3FFF", 0x6A80);
	assert_status(card, "00CB3F00055C035FC109", 0x6A86);
}

static void metadata_tells_defaults_and_policies(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_card(NULL);
	_cleanup_buffer_ struct buffer data = BUFFER_INIT;

	(void)state;
	assert_answer(card, "00F70080", "0101ff05010106020303");
	assert_status(card, VERIFY_WRONG, 0x63C2);
	assert_answer(card, "00F70080", "0101ff05010106020302");
	assert_status(card, "0024008110313233343536373838373635343332 31", 0x9000);
	assert_answer(card, "00F70081", "0101ff05010006020303");
	assert_answer(card, "00F7009B", "01010302020001050101");
	assert_status(card, "00F7009A", 0x6A88);
	authenticate(card);
	assert_int_equal(generate(card, 0x9C, ALGORITHM_P256, NULL), 0x9000);
	assert_int_equal(transmit(card, "00F7009C", &data), 0x9000);
	assert_memory_equal(
		data.data, "\x01\x01\x11\x02\x02\x03\x01\x03\x01\x01\x04\x43\x86\x41\x04", 15);
}

static void old_cards_lack_what_came_later(void **state)
{
	struct vcard_options options = {.firmware = VCARD_FIRMWARE(4, 2, 6)};
	_cleanup_vcard_ struct vcard *card = open_card(&options);

	(void)state;
	assert_answer(card, "00FD0000", "040206");
	assert_status(card, "00F70080", 0x6D00);
	assert_status(card, "00F80000", 0x6D00);
	assert_status(card, "00F99A00", 0x6D00);
	assert_status(card, "00F6829A", 0x6D00);
	assert_status(card, GET_ATTESTATION, 0x6A82);
}

static void nist_card_has_no_extensions(void **state)
{
	static const char *const commands[] = {"00FD0000", "00F80000", "00F70080", "00FB0000",
		"00F99A00", "00FE119A", "00FFFFFF", "00FA0303"};
	struct vcard_options options = {.profile = VCARD_PROFILE_NIST};
	_cleanup_vcard_ struct vcard *card = open_card(&options);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		assert_status(card, commands[i], 0x6D00);
	assert_status(card, SELECT_MANAGER, 0x6A82);
	assert_status(card, "00CB3FFF055C035FFF01", 0x6A82);
	authenticate(card);
	assert_int_equal(generate(card, 0xF9, ALGORITHM_P256, NULL), 0x6A86);
	assert_int_equal(generate(card, 0x9A, ALGORITHM_RSA1024, NULL), 0x6A80);
	assert_int_equal(generate(card, 0x9E, ALGORITHM_P384, NULL), 0x9000);
}

static void imported_key_has_the_public_key_of_its_scalar(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_card(NULL);
	_cleanup_buffer_ struct buffer data = BUFFER_INIT;

	(void)state;
	assert_status(card, IMPORT_P256, 0x6982);
	authenticate(card);
	assert_status(card, IMPORT_P256, 0x9000);
	assert_int_equal(transmit(card, "00F7009E", &data), 0x9000);
	_cleanup_free_ char *hex = hex_encode(data.data, data.length);
	/* 000102...1F times the base point of P-256 */
	assert_non_null(
		strstr(hex, "0301020443864104"
			    "7a593180860c4037c83c12749845c8ee1424dd297fadcb895e358255d2c7d2b2"
			    "a8ca25580f2626fe579062ff1b99ff91c24a0da06fb32b5be20148c9249f5650"));
	assert_int_equal(use_key(card, 0x9E, ALGORITHM_P256, 0x81, hash, 32, NULL), 0x9000);
	assert_status(card, "00F99E00", 0x6A80);
	assert_status(card, "00FE119E03060100", 0x6A80);
	assert_status(card, "00FE119E00", 0x6A80);
	assert_status(card, "00FE079E03010101", 0x6A80);
	assert_status(card, "00FE119B03060101", 0x6A86);
}

static X509 *certificate_in(struct reader der)
{
	long length = (long)reader_left(&der);
	const uint8_t *bytes = reader_bytes(&der, (size_t)length);
	X509 *certificate = d2i_X509(NULL, &bytes, length);

	assert_non_null(certificate);
	return certificate;
}

static void assert_extension(X509 *certificate, const char *oid, const char *value, int length)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	int index = X509_get_ext_by_OBJ(certificate, object, -1);

	assert_true(index >= 0);
	const ASN1_OCTET_STRING *octets = X509_EXTENSION_get_data(X509_get_ext(certificate, index));
	assert_int_equal(ASN1_STRING_length(octets), length);
	assert_memory_equal(ASN1_STRING_get0_data(octets), value, (size_t)length);
	ASN1_OBJECT_free(object);
}

static void generated_key_is_attested(void **state)
{
	struct vcard_options options = {.has_serial = true, .serial = 0x01020304};
	_cleanup_vcard_ struct vcard *card = open_card(&options);
	_cleanup_buffer_ struct buffer data = BUFFER_INIT, object = BUFFER_INIT;
	struct reader value, der;

	(void)state;
	authenticate(card);
	assert_status(card, "00F99A00", 0x6A88);
	assert_status(card, "0047009A0BAC09800111AA0103AB0102", 0x9000);
	assert_int_equal(transmit(card, "00F99A00 000000", &data), 0x9000);
	assert_int_equal(transmit(card, GET_ATTESTATION, &object), 0x9000);
	assert_true(tlv_find(reader_of(&object), 0x53, &value));
	assert_true(tlv_find(value, 0x70, &der));
	X509 *attester = certificate_in(der);
	X509 *attested = certificate_in(reader_of(&data));
	assert_int_equal(X509_verify(attester, X509_get0_pubkey(attester)), 1);
	assert_int_equal(X509_verify(attested, X509_get0_pubkey(attester)), 1);
	assert_int_equal(
		X509_NAME_cmp(X509_get_issuer_name(attested), X509_get_subject_name(attester)), 0);
	assert_extension(attested, "1.3.6.1.4.1.41482.3.3", "\x05\x04\x03", 3);
	assert_extension(attested, "1.3.6.1.4.1.41482.3.7", "\x02\x04\x01\x02\x03\x04", 6);
	assert_extension(attested, "1.3.6.1.4.1.41482.3.8", "\x03\x02", 2);
	assert_extension(attested, "1.3.6.1.4.1.41482.3.9", "\x01", 1);
	X509_free(attester);
	X509_free(attested);
}

static void reset_needs_pin_and_puk_blocked(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_card(NULL);

	(void)state;
	authenticate(card);
	assert_int_equal(generate(card, 0x9E, ALGORITHM_P256, NULL), 0x9000);
	assert_status(card, "00DB3FFF095C035FC10253020102", 0x9000);
	assert_status(card, "00FB0000", 0x6985);
	for (int i = 0; i < 3; i++)
		transmit(card, VERIFY_WRONG, NULL);
	assert_status(card, "00FB0000", 0x6985);
	for (int i = 0; i < 3; i++)
		transmit(card, BLOCK_PUK, NULL);
	assert_status(card, "00FB0000", 0x9000);
	assert_status(card, VERIFY_PIN, 0x9000);
	assert_status(card, "00CB3FFF055C035FC102", 0x6A82);
	assert_status(card, "00F7009E", 0x6A88);
	assert_status(card, "00DB3FFF095C035FC10253020102", 0x6982);
	/* The attestation key outlives it. */
	assert_int_equal(transmit(card, GET_ATTESTATION, NULL), 0x9000);
}

static void keys_move_between_slots(void **state)
{
	struct vcard_options options = {.firmware = VCARD_FIRMWARE(5, 7, 1)};
	_cleanup_vcard_ struct vcard *card = open_card(&options);

	(void)state;
	assert_status(card, "00F6829E", 0x6982);
	assert_int_equal(authenticate_mutual(card, ALGORITHM_AES192), 0x9000);
	assert_status(card, "00F6829E", 0x6A88);
	assert_int_equal(generate(card, 0x9E, ALGORITHM_ED25519, NULL), 0x9000);
	assert_int_equal(use_key(card, 0x9E, ALGORITHM_ED25519, 0x81, hash, 32, NULL), 0x9000);
	assert_status(card, "00F6F99E", 0x6A86);
	assert_status(card, "00F6829E", 0x9000);
	assert_status(card, "00F7009E", 0x6A88);
	assert_int_equal(use_key(card, 0x82, ALGORITHM_ED25519, 0x81, hash, 32, NULL), 0x9000);
	assert_status(card, "00F6FF82", 0x9000);
	assert_status(card, "00F70082", 0x6A88);
}

static void management_applet_tells_the_device(void **state)
{
	struct vcard_options options = {.has_serial = true, .serial = 7};
	_cleanup_vcard_ struct vcard *card = open_card(&options);

	(void)state;
	assert_status(card, SELECT_MANAGER, 0x9000);
	assert_answer(card, "001D0000", "19010200100204000000070302001004010105030504030a0100");
	assert_status(card, VERIFY_STATUS, 0x6D00);
	vcard_reset(card);
	assert_status(card, VERIFY_STATUS, 0x6D00);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(selection_answers_the_application_template),
		cmocka_unit_test(objects_follow_their_access_rules),
		cmocka_unit_test(metadata_tells_defaults_and_policies),
		cmocka_unit_test(old_cards_lack_what_came_later),
		cmocka_unit_test(nist_card_has_no_extensions),
		cmocka_unit_test(imported_key_has_the_public_key_of_its_scalar),
		cmocka_unit_test(generated_key_is_attested),
		cmocka_unit_test(reset_needs_pin_and_puk_blocked),
		cmocka_unit_test(keys_move_between_slots),
		cmocka_unit_test(management_applet_tells_the_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
