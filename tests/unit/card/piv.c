/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The PIV driver against the virtual card: what a card is, its objects and keys, its state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/x509.h>
#include <zlib.h>

#include "card/card-private.h"
#include "common/tlv.h"
#include "unit/card/fixture.h"
#include "lib/types-fixture.h"

static void cards_are_told_apart(void **state)
{
	static const struct {
		const struct vcard_options *options;
		const char *type, *serial, *model;
		bool has_metadata;
		uint8_t admin_algorithm, preferred;
	} cards[] = {
		{&yubikey, "yubikey-5", "yubikey-12345678", "YubiKey 5.4.3", true, 0x03, 0x0C},
		{&yubikey_5_7, "yubikey-5-7", "yubikey-57", "YubiKey 5.7.1", true, 0x0A, 0x0C},
		{&yubikey_4, "yubikey-4", NULL, "YubiKey 4.3.7", false, 0x03, 0x03},
		{&nist, "piv", "guid-a102030405060708090a0b0c0d0e0f10", "PIV card", false, 0x03,
			0x03},
		{&nist_without_chuid, "piv", NULL, "PIV card", false, 0x03, 0x03},
		{&nist_aes, "piv", "guid-a102030405060708090a0b0c0d0e0f10", "PIV card", false, 0x08,
			0x08},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cards); i++) {
		FIXTURE f = {0};
		fixture_open(&f, cards[i].options);
		const struct card_info *info = &f.card->info;
		assert_string_equal(info->type, cards[i].type);
		assert_string_equal(info->model, cards[i].model);
		assert_int_equal(info->has_metadata, cards[i].has_metadata);
		assert_int_equal(info->admin_algorithm, cards[i].admin_algorithm);
		assert_int_equal(info->preferred_admin_algorithm, cards[i].preferred);
		if (cards[i].serial)
			assert_string_equal(info->serial, cards[i].serial);
		else
			assert_null(info->serial);
	}
}

static void writing_needs_the_management_key(void **state)
{
	(void)state;
	FIXTURE f = {0};
	fixture_open(&f, &yubikey);

	assert_false(f.card->driver->write(
		f.card, CARD_OBJECT_CCC, KEY_SLOT_NONE, (const uint8_t *)"x", 1, &f.error));
	assert_int_equal(f.error.code, ERROR_CARD_FAILED);
	assert_int_equal(f.error.detail, 0x6982);
}

static void objects_are_written_read_and_deleted(void **state)
{
	struct buffer read _cleanup_buffer_ = BUFFER_INIT;
	(void)state;
	FIXTURE f = {0};
	fixture_open(&f, &yubikey);
	const struct card_driver *driver = f.card->driver;

	assert_false(driver->read(f.card, CARD_OBJECT_CCC, KEY_SLOT_NONE, &read, &f.error));
	assert_int_equal(f.error.code, ERROR_NOT_FOUND);
	assert_true(fixture_authenticate_admin(&f));
	assert_true(driver->write(
		f.card, CARD_OBJECT_CCC, KEY_SLOT_NONE, (const uint8_t *)"abc", 3, &f.error));
	assert_true(driver->read(f.card, CARD_OBJECT_CCC, KEY_SLOT_NONE, &read, &f.error));
	assert_int_equal(read.length, 3);
	assert_memory_equal(read.data, "abc", 3);
	assert_true(driver->write(f.card, CARD_OBJECT_CCC, KEY_SLOT_NONE, NULL, 0, &f.error));
	assert_false(driver->read(f.card, CARD_OBJECT_CCC, KEY_SLOT_NONE, &read, &f.error));
	assert_int_equal(f.error.code, ERROR_NOT_FOUND);
}

static void append_chuid(struct buffer *chuid, const uint8_t *id)
{
	buffer_truncate(chuid, 0);
	tlv_append(chuid, 0x34, id, 16);
	tlv_append_header(chuid, 0xFE, 0);
}

static void a_chuid_gives_the_serial_number_and_keeps_it(void **state)
{
	struct buffer chuid _cleanup_buffer_ = BUFFER_INIT;
	uint8_t other[16] = {1};
	(void)state;
	FIXTURE f = {0};
	fixture_open(&f, &nist_without_chuid);
	const struct card_driver *driver = f.card->driver;

	assert_true(fixture_authenticate_admin(&f));
	append_chuid(&chuid, fixture_guid);
	assert_true(driver->write(
		f.card, CARD_OBJECT_CHUID, KEY_SLOT_NONE, chuid.data, chuid.length, &f.error));
	assert_string_equal(f.card->info.serial, "guid-a102030405060708090a0b0c0d0e0f10");
	append_chuid(&chuid, other);
	assert_false(driver->write(
		f.card, CARD_OBJECT_CHUID, KEY_SLOT_NONE, chuid.data, chuid.length, &f.error));
	assert_int_equal(f.error.code, ERROR_INVALID_ARGUMENT);
	assert_true(driver->write(f.card, CARD_OBJECT_CHUID, KEY_SLOT_NONE, NULL, 0, &f.error));
}

/* A certificate for the key, signed by a key made here. DER. */
static void make_certificate(EVP_PKEY *key, struct buffer *der)
{
	EVP_PKEY *signer = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	X509 *certificate = X509_new();
	unsigned char *bytes = NULL;

	X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_set_pubkey(certificate, key);
	assert_true(X509_sign(certificate, signer, EVP_sha256()) > 0);
	int length = i2d_X509(certificate, &bytes);
	buffer_append(der, bytes, (size_t)length);
	OPENSSL_free(bytes);
	X509_free(certificate);
	EVP_PKEY_free(signer);
}

static void a_key_is_described_with_its_certificate(void **state)
{
	static const struct vcard_options *const cards[] = {&yubikey, &nist};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cards); i++) {
		FIXTURE f = {0};
		struct buffer certificate _cleanup_buffer_ = BUFFER_INIT;
		struct card_key key _cleanup_(card_key_clear) = {0};
		fixture_open(&f, cards[i]);
		assert_true(fixture_authenticate_admin(&f));
		EVP_PKEY *made = fixture_generate(&f, 0x9C, KEY_ALGORITHM_EC_P256, PIN_USE_DEFAULT);
		make_certificate(made, &certificate);
		assert_true(f.card->driver->write(f.card, CARD_OBJECT_CERTIFICATE, 0x9C,
			certificate.data, certificate.length, &f.error));
		assert_true(f.card->driver->read_key(f.card, 0x9C, &key, &f.error));
		assert_int_equal(key.algorithm, KEY_ALGORITHM_EC_P256);
		assert_int_equal(key.pin, PIN_USE_ALWAYS);
		assert_int_equal(EVP_PKEY_eq(key.public_key, made), 1);
		assert_int_equal(key.certificate.length, certificate.length);
		assert_memory_equal(key.certificate.data, certificate.data, certificate.length);
		EVP_PKEY_free(made);
	}
}

static void a_compressed_certificate_is_unpacked(void **state)
{
	static const uint8_t info[] = {0x71, 0x01, 0x01, 0xFE, 0x00};
	struct buffer certificate _cleanup_buffer_ = BUFFER_INIT;
	struct buffer object _cleanup_buffer_ = BUFFER_INIT;
	struct buffer read _cleanup_buffer_ = BUFFER_INIT;
	uint8_t packed[4096];
	(void)state;
	FIXTURE f = {0};
	fixture_open(&f, &yubikey);
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	make_certificate(key, &certificate);
	EVP_PKEY_free(key);
	z_stream stream = {.next_in = certificate.data,
		.avail_in = (uInt)certificate.length,
		.next_out = packed,
		.avail_out = sizeof(packed)};
	assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 8, 0), Z_OK);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	/* written raw: no function of ours writes compressed certificates */
	tlv_append(&object, 0x70, packed, stream.total_out);
	deflateEnd(&stream);
	buffer_append(&object, info, sizeof(info));
	struct buffer data _cleanup_buffer_ = BUFFER_INIT;
	tlv_append(&data, 0x5C, "\x5f\xc1\x05", 3);
	tlv_append(&data, 0x53, object.data, object.length);
	struct apdu put = {
		.ins = 0xDB, .p1 = 0x3F, .p2 = 0xFF, .data = data.data, .length = data.length};
	uint16_t status;

	assert_true(fixture_authenticate_admin(&f));
	assert_true(card_exchange(f.card, &put, NULL, &status, &f.error));
	assert_int_equal(status, 0x9000);
	assert_true(f.card->driver->read(f.card, CARD_OBJECT_CERTIFICATE, 0x9A, &read, &f.error));
	assert_int_equal(read.length, certificate.length);
	assert_memory_equal(read.data, certificate.data, read.length);
}

static void an_empty_slot_is_no_error(void **state)
{
	static const struct vcard_options *const cards[] = {&yubikey, &yubikey_4, &nist};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cards); i++) {
		FIXTURE f = {0};
		fixture_open(&f, cards[i]);
		for (size_t slot = 0; slot < KEY_SLOT_COUNT; slot++) {
			struct card_key key _cleanup_(card_key_clear) = {0};
			assert_true(f.card->driver->read_key(
				f.card, key_slot_at(slot), &key, &f.error));
			assert_int_equal(key.slot, key_slot_at(slot));
			assert_int_equal(key.algorithm, KEY_ALGORITHM_NONE);
			assert_null(key.public_key);
			assert_int_equal(key.certificate.length, 0);
		}
	}
}

static void policies_that_a_card_does_not_know_are_refused(void **state)
{
	EVP_PKEY *key = NULL;
	(void)state;
	FIXTURE f = {0};
	fixture_open(&f, &nist);

	assert_false(f.card->driver->generate_key(f.card, 0x9A, KEY_ALGORITHM_EC_P256,
		PIN_USE_ALWAYS, TOUCH_USE_DEFAULT, &key, &f.error));
	assert_int_equal(f.error.code, ERROR_NOT_SUPPORTED);
	assert_false(f.card->driver->generate_key(f.card, 0x9A, KEY_ALGORITHM_EC_P256, PIN_USE_ONCE,
		TOUCH_USE_ALWAYS, &key, &f.error));
	assert_int_equal(f.error.code, ERROR_NOT_SUPPORTED);
	assert_false(f.card->driver->generate_key(f.card, 0x9A, KEY_ALGORITHM_RSA_4096,
		PIN_USE_ONCE, TOUCH_USE_DEFAULT, &key, &f.error));
	assert_int_equal(f.error.code, ERROR_NOT_SUPPORTED);
	assert_null(key);
}

static void a_power_cycle_grows_the_epoch_and_selects_again(void **state)
{
	(void)state;
	FIXTURE f = {0};
	fixture_open(&f, &yubikey);

	assert_true(fixture_verify(&f, "123456"));
	unsigned epoch = f.card->epoch;
	fixture_take_again(&f);
	assert_int_equal(f.card->epoch, epoch);
	card_end(f.card);
	transport_vcard_power_cycle(f.transport);
	assert_true(card_begin(f.card, FIXTURE_TIMEOUT_MS, &f.error));
	assert_true(f.card->epoch > epoch);
	assert_true(fixture_verify(&f, "123456"));
}

/* Another program uses the OTP applet of the same key. */
static void select_another_application(struct fixture *f)
{
	static const uint8_t select[] = {0, 0xA4, 4, 0, 7, 0xA0, 0, 0, 5, 0x27, 0x20, 1};
	struct buffer response _cleanup_buffer_ = BUFFER_INIT;

	assert_true(vcard_transmit(f->vcard, select, sizeof(select), &response));
	assert_memory_equal(response.data + response.length - 2, "\x90\0", 2);
}

static void another_program_s_application_is_left_again(void **state)
{
	struct card_key key _cleanup_(card_key_clear) = {0};
	(void)state;
	FIXTURE f = {0};
	fixture_open(&f, &yubikey);

	assert_true(fixture_authenticate_admin(&f));
	EVP_PKEY_free(fixture_generate(&f, 0x9A, KEY_ALGORITHM_EC_P256, PIN_USE_DEFAULT));
	unsigned epoch = f.card->epoch;
	card_end(f.card);
	select_another_application(&f);
	assert_true(card_begin(f.card, FIXTURE_TIMEOUT_MS, &f.error));
	assert_true(fixture_verify(&f, "123456"));
	assert_true(f.card->epoch > epoch);
	card_end(f.card);
	select_another_application(&f);
	assert_true(card_begin(f.card, FIXTURE_TIMEOUT_MS, &f.error));
	assert_true(f.card->driver->read_key(f.card, 0x9A, &key, &f.error));
	assert_int_equal(key.algorithm, KEY_ALGORITHM_EC_P256);
}

static void a_card_in_use_is_busy(void **state)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	(void)state;
	FIXTURE f = {0};
	fixture_open(&f, &yubikey);

	assert_false(card_begin(f.card, 10, &error));
	assert_int_equal(error.code, ERROR_BUSY);
}

static void a_card_that_vanishes_is_no_card_at_every_command(void **state)
{
	(void)state;
	for (uint64_t at = 1;; at++) {
		struct error error _cleanup_error_ = ERROR_INIT;
		struct vcard_options options = yubikey;
		options.knobs.vanish_at = at;
		struct vcard *vcard = vcard_open(&options, &error);
		struct card *card = card_connect(
			transport_vcard_new(vcard), types_fixture(), NULL, NULL, &error);
		bool vanished = vcard_is_gone(vcard);
		card_unref(card);
		vcard_free(vcard);
		if (!vanished) {
			assert_non_null(card);
			assert_true(at > 4);
			break;
		}
		assert_null(card);
		assert_int_equal(error.code, ERROR_NO_CARD);
	}
}

/* What a program does with a card from first to last; false where the card does not play along. */
static bool use_whole_card(struct card *card)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct secret key _cleanup_secret_ = SECRET_INIT;
	struct secret pin _cleanup_secret_ = SECRET_INIT;
	struct buffer made _cleanup_buffer_ = BUFFER_INIT;
	struct card_key found _cleanup_(card_key_clear) = {0};
	struct card_secret_state told;
	EVP_PKEY *public_key = NULL;
	static const uint8_t digest[32];
	const struct card_driver *driver = card->driver;

	bool done = card_begin(card, FIXTURE_TIMEOUT_MS, &error);
	if (!done)
		return false;
	done = secret_set(&pin, "123456", 6) &&
	       card_factory_secret(card, CARD_SECRET_ADMIN, &key, &error) &&
	       driver->secret_state(card, CARD_SECRET_PIN, &told, &error) &&
	       driver->authenticate(card, CARD_SECRET_ADMIN, &key, &error) &&
	       driver->generate_key(card, 0x9A, KEY_ALGORITHM_EC_P256, PIN_USE_DEFAULT,
		       TOUCH_USE_DEFAULT, &public_key, &error) &&
	       driver->read_key(card, 0x9A, &found, &error) &&
	       driver->authenticate(card, CARD_SECRET_PIN, &pin, &error) &&
	       driver->use_key(card, 0x9A, KEY_ALGORITHM_EC_P256, KEY_USE_SIGN, digest,
		       sizeof(digest), &made, &error);
	assert_true(done || error.code != ERROR_NONE);
	EVP_PKEY_free(public_key);
	card_end(card);
	return done;
}

static void a_garbled_answer_anywhere_is_survived(void **state)
{
	(void)state;
	for (uint64_t at = 1;; at++) {
		struct error error _cleanup_error_ = ERROR_INIT;
		struct vcard_options options = nist;
		options.knobs.wrong_answer_at = at;
		struct vcard *vcard = vcard_open(&options, &error);
		struct card *card = card_connect(
			transport_vcard_new(vcard), types_fixture(), NULL, NULL, &error);
		bool done = card && use_whole_card(card);
		bool garbled = vcard_knobs(vcard)->wrong_answer_at == 0;
		card_unref(card);
		vcard_free(vcard);
		if (!garbled) {
			assert_true(done);
			assert_true(at > 8);
			break;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cards_are_told_apart),
		cmocka_unit_test(writing_needs_the_management_key),
		cmocka_unit_test(objects_are_written_read_and_deleted),
		cmocka_unit_test(a_chuid_gives_the_serial_number_and_keeps_it),
		cmocka_unit_test(a_key_is_described_with_its_certificate),
		cmocka_unit_test(a_compressed_certificate_is_unpacked),
		cmocka_unit_test(an_empty_slot_is_no_error),
		cmocka_unit_test(policies_that_a_card_does_not_know_are_refused),
		cmocka_unit_test(a_power_cycle_grows_the_epoch_and_selects_again),
		cmocka_unit_test(another_program_s_application_is_left_again),
		cmocka_unit_test(a_card_in_use_is_busy),
		cmocka_unit_test(a_card_that_vanishes_is_no_card_at_every_command),
		cmocka_unit_test(a_garbled_answer_anywhere_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
