/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PIN, PUK and management key of the virtual card. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "unit/card/fixture.h"

static void three_wrong_pins_block_the_card(void **state)
{
	(void)state;
	FIXTURE f = {0};
	fixture_open(&f, &yubikey);

	assert_true(fixture_state(&f, CARD_SECRET_PIN).is_default);
	assert_true(fixture_verify(&f, "123456"));
	assert_false(fixture_verify(&f, "000000"));
	assert_int_equal(f.error.code, ERROR_PIN_WRONG);
	assert_int_equal(f.error.detail, 2);
	assert_int_equal(fixture_state(&f, CARD_SECRET_PIN).tries_left, 2);
	assert_false(fixture_verify(&f, "000000"));
	assert_false(fixture_verify(&f, "000000"));
	assert_int_equal(f.error.code, ERROR_PIN_BLOCKED);
	assert_false(fixture_verify(&f, "123456"));
	assert_int_equal(f.error.code, ERROR_PIN_BLOCKED);
	assert_true(fixture_state(&f, CARD_SECRET_PIN).blocked);
	assert_true(fixture_change(&f, CARD_SECRET_PIN, CARD_SECRET_PUK, "12345678", "654321"));
	assert_true(fixture_verify(&f, "654321"));
	assert_false(fixture_state(&f, CARD_SECRET_PIN).is_default);
}

static void a_card_without_metadata_tells_the_tries(void **state)
{
	(void)state;
	FIXTURE f = {0};
	fixture_open(&f, &nist);
	int tries = fixture_state(&f, CARD_SECRET_PIN).tries_left;

	assert_true(tries > 1);
	assert_false(fixture_verify(&f, "000000"));
	assert_int_equal(fixture_state(&f, CARD_SECRET_PIN).tries_left, tries - 1);
	assert_int_equal(fixture_state(&f, CARD_SECRET_PUK).tries_left, -1);
	assert_true(fixture_verify(&f, "123456"));
	assert_int_equal(fixture_state(&f, CARD_SECRET_PIN).tries_left, -1);
}

static void pins_of_the_wrong_length_cost_no_try(void **state)
{
	static const char *const pins[] = {"", "12345", "123456789", "1234\xff\xff"};
	(void)state;
	FIXTURE f = {0};
	fixture_open(&f, &yubikey);

	for (size_t i = 0; i < ARRAY_SIZE(pins); i++) {
		assert_false(fixture_verify(&f, pins[i]));
		assert_int_equal(f.error.code, ERROR_PIN_LENGTH);
		assert_false(
			fixture_change(&f, CARD_SECRET_PIN, CARD_SECRET_PIN, "123456", pins[i]));
		assert_int_equal(f.error.code, ERROR_PIN_LENGTH);
	}
	assert_int_equal(fixture_state(&f, CARD_SECRET_PIN).tries_left, 3);
}

static void wrong_puks_block_the_puk(void **state)
{
	(void)state;
	FIXTURE f = {0};
	fixture_open(&f, &yubikey);

	assert_true(fixture_change(&f, CARD_SECRET_PUK, CARD_SECRET_PUK, "12345678", "87654321"));
	assert_false(fixture_change(&f, CARD_SECRET_PIN, CARD_SECRET_PUK, "12345678", "111111"));
	assert_int_equal(f.error.code, ERROR_PIN_WRONG);
	assert_int_equal(f.error.detail, 2);
	assert_true(card_block(f.card, CARD_SECRET_PUK, &f.error));
	assert_false(fixture_change(&f, CARD_SECRET_PIN, CARD_SECRET_PUK, "87654321", "111111"));
	assert_int_equal(f.error.code, ERROR_PUK_BLOCKED);
}

static void a_reset_restores_the_factory_state(void **state)
{
	(void)state;
	FIXTURE f = {0};
	fixture_open(&f, &yubikey);
	unsigned epoch = f.card->epoch;

	assert_false(f.card->driver->reset(f.card, NULL, &f.error));
	assert_true(card_block(f.card, CARD_SECRET_PIN, &f.error));
	assert_true(card_block(f.card, CARD_SECRET_PUK, &f.error));
	assert_true(f.card->driver->reset(f.card, NULL, &f.error));
	assert_true(f.card->epoch > epoch);
	assert_true(fixture_verify(&f, "123456"));
	assert_true(fixture_authenticate_admin(&f));
}

static void a_card_without_the_vendor_s_commands_is_not_reset(void **state)
{
	(void)state;
	FIXTURE f = {0};
	fixture_open(&f, &nist);

	assert_false(f.card->driver->reset(f.card, NULL, &f.error));
	assert_int_equal(f.error.code, ERROR_NOT_SUPPORTED);
}

static void the_management_key_is_proven_and_changed(void **state)
{
	static const struct vcard_options *const cards[] = {&yubikey, &yubikey_5_7, &yubikey_4};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cards); i++) {
		FIXTURE f = {0};
		struct secret fresh _cleanup_secret_ = SECRET_INIT;
		fixture_open(&f, cards[i]);
		assert_true(secret_allocate(
			&fresh, admin_key_length(f.card->info.preferred_admin_algorithm)));
		for (size_t byte = 0; byte < fresh.length; byte++)
			fresh.data[byte] = (uint8_t)(0xA0 + 3 * byte);

		assert_false(f.card->driver->change_secret(
			f.card, CARD_SECRET_ADMIN, CARD_SECRET_ADMIN, NULL, &fresh, &f.error));
		assert_true(fixture_authenticate_admin(&f));
		assert_true(f.card->driver->change_secret(
			f.card, CARD_SECRET_ADMIN, CARD_SECRET_ADMIN, NULL, &fresh, &f.error));
		assert_int_equal(
			f.card->info.admin_algorithm, f.card->info.preferred_admin_algorithm);
		assert_true(
			f.card->driver->authenticate(f.card, CARD_SECRET_ADMIN, &fresh, &f.error));
		/* the factory's is another key now */
		assert_false(fixture_authenticate_admin(&f));
		assert_int_equal(f.error.code, ERROR_CARD_FOREIGN);
	}
}

static void each_management_algorithm_is_found_by_asking(void **state)
{
	static const uint8_t algorithms[] = {0x03, 0x08, 0x0A, 0x0C};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
		struct vcard_options options = {
			.profile = VCARD_PROFILE_NIST, .management_algorithm = algorithms[i]};
		FIXTURE f = {0};
		fixture_open(&f, &options);
		assert_int_equal(f.card->info.admin_algorithm, algorithms[i]);
	}
}

static void ending_the_pin_is_seen_by_all(void **state)
{
	static const struct vcard_options *const cards[] = {&yubikey, &yubikey_4, &nist};
	static const uint8_t digest[32] = {1};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cards); i++) {
		struct buffer made _cleanup_buffer_ = BUFFER_INIT;
		FIXTURE f = {0};
		fixture_open(&f, cards[i]);
		assert_true(fixture_authenticate_admin(&f));
		EVP_PKEY_free(fixture_generate(&f, 0x9A, KEY_ALGORITHM_EC_P256, PIN_USE_DEFAULT));
		assert_true(fixture_verify(&f, "123456"));
		unsigned epoch = f.card->epoch;
		assert_true(f.card->driver->authenticate(f.card, CARD_SECRET_PIN, NULL, &f.error));
		assert_true(f.card->epoch > epoch);
		assert_false(fixture_sign(
			&f, 0x9A, KEY_ALGORITHM_EC_P256, digest, sizeof(digest), &made));
		assert_int_equal(f.error.code, ERROR_PIN_REQUIRED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_wrong_pins_block_the_card),
		cmocka_unit_test(a_card_without_metadata_tells_the_tries),
		cmocka_unit_test(pins_of_the_wrong_length_cost_no_try),
		cmocka_unit_test(wrong_puks_block_the_puk),
		cmocka_unit_test(a_reset_restores_the_factory_state),
		cmocka_unit_test(a_card_without_the_vendor_s_commands_is_not_reset),
		cmocka_unit_test(the_management_key_is_proven_and_changed),
		cmocka_unit_test(each_management_algorithm_is_found_by_asking),
		cmocka_unit_test(ending_the_pin_is_seen_by_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
