/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The PIV driver against cards that lie: each malformed answer is refused, none is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <zlib.h>

#include "card/card-private.h"
#include "card/card.h"
#include "common/tlv.h"
#include "lib/transport-script.h"
#include "lib/types-fixture.h"

#define TIMEOUT_MS 1000

#define END                                                                                        \
	{                                                                                          \
		NULL, ""                                                                           \
	}
#define POINT_P256                                                                                 \
	"046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"                       \
	"4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"

static const struct script_step plain_card[] = {
	{"00a4", "61084f060000100001009000"},
	{"00200080", "63c3"},
	END,
};
/* firmware 5.4.3 with metadata of 9B: 3DES, default */
static const struct script_step yubikey_card[] = {
	{"00a4", "61084f060000100001009000"},
	{"00fd", "0504039000"},
	{"00f8", "00bc614e9000"},
	{"00f7009b", "0101030501019000"},
	{"00200080", "63c3"},
	END,
};

static struct card *connect_script(const struct script_step *steps)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct card *card =
		card_connect(transport_script_new(steps), types_fixture(), NULL, NULL, &error);

	if (!card)
		fail_msg("%s", error_message(&error));
	assert_true(card_begin(card, TIMEOUT_MS, &error));
	return card;
}

/* Connects to an honest card that then begins to lie. */
static struct card *connect_liar(const struct script_step *honest, const struct script_step *liar)
{
	struct card *card = connect_script(honest);

	transport_script_set(card->transport, liar);
	return card;
}

static void disconnect(struct card *card)
{
	card_end(card);
	card_unref(card);
}

static void other_applications_are_unknown_cards(void **state)
{
	static const char *const answers[] = {
		"6a82", "6999", "6d00", "6f00", "9000", "6f009000", "61ff4f9000", "00009000"};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		struct error error _cleanup_error_ = ERROR_INIT;
		const struct script_step steps[] = {{"00a4", answers[i]}, END};
		assert_null(card_connect(
			transport_script_new(steps), types_fixture(), NULL, NULL, &error));
		assert_int_equal(error.code, ERROR_CARD_UNKNOWN);
	}
}

static void malformed_vendor_answers_are_taken_as_none(void **state)
{
	static const char *const answers[] = {"9000", "05049000", "05040302019000", "6a82"};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		const struct script_step steps[] = {{"00a4", "61084f060000100001009000"},
			{"00fd", answers[i]}, {"00200080", "63c3"}, END};
		struct card *card = connect_script(steps);
		assert_string_equal(card->info.type, "piv");
		assert_null(card->info.serial);
		assert_int_equal(card->info.admin_algorithm, 0x03);
		disconnect(card);
	}
}

static void malformed_metadata_at_connection_is_taken_as_none(void **state)
{
	static const char *const answers[] = {
		"01ff039000", "0105039000", "1f9000", "6d00", "6f00", "80848f9000"};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		const struct script_step steps[] = {{"00a4", "61084f060000100001009000"},
			{"00fd", "0504039000"}, {"00f7", answers[i]}, {"00200080", "63c3"}, END};
		struct card *card = connect_script(steps);
		assert_false(card->info.has_metadata);
		assert_int_equal(card->info.admin_algorithm, 0x03);
		disconnect(card);
	}
}

static void malformed_objects_are_refused(void **state)
{
	static const char *const answers[] = {"9000", "009000", "539000", "53ff009000",
		"5384ffffffff9000", "53809000", "7001009000", "1f9000"};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		struct buffer data _cleanup_buffer_ = BUFFER_INIT;
		struct error error _cleanup_error_ = ERROR_INIT;
		const struct script_step steps[] = {{"00cb", answers[i]}, END};
		struct card *card = connect_liar(plain_card, steps);
		assert_false(
			card->driver->read(card, CARD_OBJECT_CHUID, KEY_SLOT_NONE, &data, &error));
		assert_int_equal(error.code, ERROR_CARD_FAILED);
		assert_int_equal(data.length, 0);
		disconnect(card);
	}
}

static void malformed_certificates_are_refused(void **state)
{
	static const struct {
		const char *answer;
		enum error_code code;
	} cases[] = {
		{"53009000", ERROR_NOT_FOUND},
		{"53077000710100fe009000", ERROR_NOT_FOUND},
		{"530200009000", ERROR_CARD_FAILED},
		{"53037001009000", ERROR_CARD_FAILED},
		{"530370ff009000", ERROR_CARD_FAILED},
		/* a sequence that promises 64 KiB */
		{"530770053083ffffff9000", ERROR_CARD_FAILED},
		/* gzip: no data, cut data, wrong flags */
		{"530670011f7101019000", ERROR_CARD_FAILED},
		{"530770021f8b7101019000", ERROR_CARD_FAILED},
		{"530f700a1f8b08000000000000037101019000", ERROR_CARD_FAILED},
		{"530f700a1f8bffffffffffffffff7101019000", ERROR_CARD_FAILED},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buffer data _cleanup_buffer_ = BUFFER_INIT;
		struct card_key key _cleanup_(card_key_clear) = {0};
		struct error error _cleanup_error_ = ERROR_INIT;
		const struct script_step steps[] = {{"00cb", cases[i].answer}, END};
		struct card *card = connect_liar(plain_card, steps);
		assert_false(
			card->driver->read(card, CARD_OBJECT_CERTIFICATE, 0x9A, &data, &error));
		assert_int_equal(error.code, cases[i].code);
		assert_int_equal(data.length, 0);
		/* one bad object does not hide the card's other keys */
		assert_true(card->driver->read_key(card, 0x9A, &key, &error));
		assert_int_equal(key.certificate.length, 0);
		disconnect(card);
	}
}

/* 1 MiB of zeros, which gzip makes a thousand bytes of. */
static void a_decompression_bomb_is_refused(void **state)
{
	static uint8_t zeros[1 << 20];
	uint8_t packed[2048];
	struct buffer data _cleanup_buffer_ = BUFFER_INIT;
	struct buffer answer _cleanup_buffer_ = BUFFER_INIT;
	struct error error _cleanup_error_ = ERROR_INIT;
	z_stream stream = {.next_in = zeros,
		.avail_in = sizeof(zeros),
		.next_out = packed,
		.avail_out = sizeof(packed)};
	(void)state;

	assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 8, 0), Z_OK);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	tlv_append_header(&answer, 0x53, 4 + stream.total_out);
	tlv_append(&answer, 0x70, packed, stream.total_out);
	deflateEnd(&stream);
	buffer_append_u16(&answer, 0x9000);
	_cleanup_free_ char *hex = hex_encode(answer.data, answer.length);
	const struct script_step steps[] = {{"00cb", hex}, END};
	struct card *card = connect_liar(plain_card, steps);
	assert_false(card->driver->read(card, CARD_OBJECT_CERTIFICATE, 0x9A, &data, &error));
	assert_int_equal(error.code, ERROR_CARD_FAILED);
	assert_int_equal(data.length, 0);
	disconnect(card);
}

static void malformed_signatures_are_refused(void **state)
{
	static const char *const answers[] = {
		"9000",				      /* no data */
		"7c009000",			      /* empty template */
		"7c0282009000",			      /* empty signature */
		"7c04820230009000",		      /* empty sequence */
		"7c07820530030201019000",	      /* one integer */
		"7c0d820b30090201010201010201019000", /* three integers */
		"7c0b82093006020101020101009000",     /* rubbish behind the sequence */
		"7c0a820830060201000201019000",	      /* r = 0 */
		"7c0b82093007020101020200009000",     /* s = 0 */
		"7c0882063004020002009000",	      /* integers of no bytes */
		"7c2a822830260221010101010101010101010101010101010101010101010101010101010101010101"
		"0201019000",			    /* r is longer than the field */
		"7c0a8208300602ff010201019000",	    /* length beyond the end */
		"7c0a820830ff0201010201019000",	    /* the same, of the sequence */
		"7c0a820830060401010201019000",	    /* an octet string for r */
		"7c84ffffffff9000",		    /* template of 4 GiB */
		"7c0b820830060201010201019000",	    /* template longer than the answer */
		"820830060201010201019000",	    /* no template */
		"7c808208300602010102010100009000", /* indefinite length */
	};
	static const uint8_t digest[32];
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		struct buffer made _cleanup_buffer_ = BUFFER_INIT;
		struct error error _cleanup_error_ = ERROR_INIT;
		const struct script_step steps[] = {{"0087", answers[i]}, END};
		struct card *card = connect_liar(plain_card, steps);
		if (card->driver->use_key(card, 0x9A, KEY_ALGORITHM_EC_P256, KEY_USE_SIGN, digest,
			    sizeof(digest), &made, &error))
			fail_msg("answer %zu was believed", i);
		assert_int_not_equal(error.code, ERROR_NONE);
		assert_int_equal(made.length, 0);
		disconnect(card);
	}
}

static void odd_but_right_signatures_are_taken(void **state)
{
	static const char *const answers[] = {
		"7c0a820830060201010201029000",	      /* DER */
		"7c0d820b30090203000001020200029000", /* needless zeros */
		"7c810a820830060201010201029000",     /* long form of a length */
		"7c0b82093081060201010201029000",     /* the same, of the sequence */
	};
	static const uint8_t digest[32];
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		struct buffer made _cleanup_buffer_ = BUFFER_INIT;
		struct error error _cleanup_error_ = ERROR_INIT;
		const struct script_step steps[] = {{"0087", answers[i]}, END};
		struct card *card = connect_liar(plain_card, steps);
		if (!card->driver->use_key(card, 0x9A, KEY_ALGORITHM_EC_P256, KEY_USE_SIGN, digest,
			    sizeof(digest), &made, &error))
			fail_msg("answer %zu: %s", i, error_message(&error));
		assert_int_equal(made.length, 64);
		assert_int_equal(made.data[31], 1);
		assert_int_equal(made.data[63], 2);
		disconnect(card);
	}
}

static void short_rsa_blocks_are_refused(void **state)
{
	static const uint8_t block[256];
	struct buffer made _cleanup_buffer_ = BUFFER_INIT;
	struct error error _cleanup_error_ = ERROR_INIT;
	const struct script_step steps[] = {{"1087", "9000"}, {"0087", "7c038201019000"}, END};
	(void)state;

	struct card *card = connect_liar(plain_card, steps);
	assert_false(card->driver->use_key(card, 0x9A, KEY_ALGORITHM_RSA_2048, KEY_USE_SIGN, block,
		sizeof(block), &made, &error));
	assert_int_equal(error.code, ERROR_CARD_FAILED);
	disconnect(card);
}

static void malformed_public_keys_are_refused(void **state)
{
	static const struct {
		enum key_algorithm algorithm;
		const char *answer;
	} cases[] = {
		{KEY_ALGORITHM_EC_P256, "9000"},
		{KEY_ALGORITHM_EC_P256, "7f49009000"},
		{KEY_ALGORITHM_EC_P256, "7f490286009000"},
		{KEY_ALGORITHM_EC_P256, "7f49ff86419000"},
		{KEY_ALGORITHM_EC_P256, "7f498441ffffff9000"},
		{KEY_ALGORITHM_EC_P256, "7f"},
		/* not on the curve: the last byte is another */
		{KEY_ALGORITHM_EC_P256,
			"7f49438641046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2"
			"9"
			"64fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f69000"},
		/* compressed, and of another curve */
		{KEY_ALGORITHM_EC_P256, "7f49238621036b17d1f2e12c4247f8bce6e563a440f277037d812deb33"
					"a0f4a13945d898c296"
					"9000"},
		{KEY_ALGORITHM_EC_P384, "7f49438641" POINT_P256 "9000"},
		{KEY_ALGORITHM_RSA_2048, "7f4907810101820101009000"},
		{KEY_ALGORITHM_RSA_2048, "7f49068101018201039000"},
		{KEY_ALGORITHM_RSA_2048, "7f49438641" POINT_P256 "9000"},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error error _cleanup_error_ = ERROR_INIT;
		EVP_PKEY *key = NULL;
		const struct script_step steps[] = {{"0047", cases[i].answer}, END};
		struct card *card = connect_liar(plain_card, steps);
		if (card->driver->generate_key(card, 0x9A, cases[i].algorithm, PIN_USE_DEFAULT,
			    TOUCH_USE_DEFAULT, &key, &error))
			fail_msg("answer %zu was believed", i);
		assert_int_equal(error.code, ERROR_CARD_FAILED);
		assert_null(key);
		disconnect(card);
	}
}

static void a_public_key_s_point_is_read(void **state)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	EVP_PKEY *key = NULL;
	const struct script_step steps[] = {{"0047", "7f49438641" POINT_P256 "9000"}, END};
	(void)state;

	struct card *card = connect_liar(plain_card, steps);
	assert_true(card->driver->generate_key(card, 0x9A, KEY_ALGORITHM_EC_P256, PIN_USE_DEFAULT,
		TOUCH_USE_DEFAULT, &key, &error));
	EVP_PKEY_free(key);
	disconnect(card);
}

static void malformed_metadata_of_a_key_is_refused(void **state)
{
	static const char *const answers[] = {"01ff119000", "01011104458641049000",
		"010111040286009000", "01010704068101018201039000"};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		struct card_key key _cleanup_(card_key_clear) = {0};
		struct error error _cleanup_error_ = ERROR_INIT;
		const struct script_step steps[] = {{"00f7", answers[i]}, {"00cb", "6a82"}, END};
		struct card *card = connect_liar(yubikey_card, steps);
		if (card->driver->read_key(card, 0x9A, &key, &error))
			fail_msg("answer %zu was believed", i);
		assert_int_equal(error.code, ERROR_CARD_FAILED);
		assert_null(key.public_key);
		disconnect(card);
	}
}

static void a_card_that_does_not_know_the_management_key_is_foreign(void **state)
{
	static const struct {
		const char *witness, *answer;
		enum error_code code;
	} cases[] = {
		/* it takes whatever is proven, and answers at random */
		{"7c0a800801020304050607089000", "7c0a820801020304050607089000",
			ERROR_CARD_FOREIGN},
		{"7c0a800801020304050607089000", "6982", ERROR_CARD_FOREIGN},
		{"7c0a800801020304050607089000", "6300", ERROR_CARD_FOREIGN},
		{"7c0a800801020304050607089000", "63c5", ERROR_CARD_FOREIGN},
		{"7c0a800801020304050607089000", "9000", ERROR_CARD_FAILED},
		{"7c0a800801020304050607089000", "7c038201019000", ERROR_CARD_FAILED},
		{"7c0a800801020304050607089000", "7c0282009000", ERROR_CARD_FAILED},
		{"9000", "9000", ERROR_CARD_FAILED},
		{"7c0280009000", "9000", ERROR_CARD_FAILED},
		{"7c128010000000000000000000000000000000009000", "9000", ERROR_CARD_FAILED},
		{"7cff9000", "9000", ERROR_CARD_FAILED},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error error _cleanup_error_ = ERROR_INIT;
		struct secret key _cleanup_secret_ = SECRET_INIT;
		const struct script_step steps[] = {{"0087039b047c028000", cases[i].witness},
			{"0087039b", cases[i].answer}, END};
		struct card *card = connect_liar(plain_card, steps);
		assert_true(card_factory_secret(card, CARD_SECRET_ADMIN, &key, &error));
		assert_false(card->driver->authenticate(card, CARD_SECRET_ADMIN, &key, &error));
		assert_int_equal(error.code, cases[i].code);
		disconnect(card);
	}
}

static void a_key_of_another_length_is_foreign(void **state)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct secret key _cleanup_secret_ = SECRET_INIT;
	(void)state;

	struct card *card = connect_script(plain_card);
	assert_true(secret_allocate(&key, 32));
	assert_false(card->driver->authenticate(card, CARD_SECRET_ADMIN, &key, &error));
	assert_int_equal(error.code, ERROR_CARD_FOREIGN);
	disconnect(card);
}

static void a_pin_is_sent_at_most_twice(void **state)
{
	static const struct script_step steps[] = {{"00a4", "61009000"}, {NULL, "6d00"}, END};
	struct error error _cleanup_error_ = ERROR_INIT;
	struct secret pin _cleanup_secret_ = SECRET_INIT;
	(void)state;

	struct card *card = connect_liar(plain_card, steps);
	free(transport_script_take_log(card->transport));
	card->private->selected = false;
	assert_true(secret_set(&pin, "123456", 6));
	assert_false(card->driver->authenticate(card, CARD_SECRET_PIN, &pin, &error));
	assert_int_equal(error.code, ERROR_NOT_SUPPORTED);
	_cleanup_free_ char *log = transport_script_take_log(card->transport);
	assert_string_equal(log, "0020008008313233343536ffff 00200080 "
				 "00a4040009a0000003080000100000 "
				 "0020008008313233343536ffff ");
	disconnect(card);
}

static void a_card_that_never_blocks_is_given_up(void **state)
{
	static const struct script_step steps[] = {{NULL, "63c3"}, END};
	struct error error _cleanup_error_ = ERROR_INIT;
	(void)state;

	struct card *card = connect_liar(plain_card, steps);
	assert_false(card_block(card, CARD_SECRET_PIN, &error));
	assert_int_equal(error.code, ERROR_CARD_FAILED);
	disconnect(card);
}

static void a_card_where_every_pin_is_right_is_given_up(void **state)
{
	static const struct script_step steps[] = {{NULL, "9000"}, END};
	struct error error _cleanup_error_ = ERROR_INIT;
	(void)state;

	struct card *card = connect_liar(plain_card, steps);
	assert_false(card_block(card, CARD_SECRET_PUK, &error));
	assert_int_equal(error.code, ERROR_CARD_FAILED);
	disconnect(card);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_applications_are_unknown_cards),
		cmocka_unit_test(malformed_vendor_answers_are_taken_as_none),
		cmocka_unit_test(malformed_metadata_at_connection_is_taken_as_none),
		cmocka_unit_test(malformed_objects_are_refused),
		cmocka_unit_test(malformed_certificates_are_refused),
		cmocka_unit_test(a_decompression_bomb_is_refused),
		cmocka_unit_test(malformed_signatures_are_refused),
		cmocka_unit_test(odd_but_right_signatures_are_taken),
		cmocka_unit_test(short_rsa_blocks_are_refused),
		cmocka_unit_test(malformed_public_keys_are_refused),
		cmocka_unit_test(a_public_key_s_point_is_read),
		cmocka_unit_test(malformed_metadata_of_a_key_is_refused),
		cmocka_unit_test(a_card_that_does_not_know_the_management_key_is_foreign),
		cmocka_unit_test(a_key_of_another_length_is_foreign),
		cmocka_unit_test(a_pin_is_sent_at_most_twice),
		cmocka_unit_test(a_card_that_never_blocks_is_given_up),
		cmocka_unit_test(a_card_where_every_pin_is_right_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
