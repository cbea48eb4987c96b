/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The changeover to another master key or PUK, cut off at each of its APDUs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/alloc.h"
#include "operation/changeover.h"
#include "operation/master-keys.h"
#include "operation/ownership.h"
#include "operation/recover.h"
#include "operation/unblock-code.h"
#include "unit/operation/walk.h"

/* The newest, one whose management key is AES, and one that does not tell its key's algorithm. */
static const uint32_t firmwares[] = {
	VCARD_FIRMWARE(5, 4, 3), VCARD_FIRMWARE(5, 7, 1), VCARD_FIRMWARE(4, 3, 5)};

static struct credential *credential_of(const struct card *card)
{
	struct credential *credential =
		store_credential_by_serial(services.store, card->info.serial, NULL);

	assert_non_null(credential);
	return credential;
}

static struct puk_record puk_of(const struct card *card)
{
	struct puk_record puk;

	assert_true(store_puk_get(services.store, card->info.serial, &puk, NULL));
	return puk;
}

static void set_puk(const struct card *card, enum puk_state state)
{
	struct puk_record puk = puk_of(card);

	puk.state = state;
	puk.exposed_at = puk.exposed_until = 1;
	assert_true(store_puk_set(services.store, card->info.serial, &puk, NULL));
}

static void rotate_master_key(void)
{
	struct error error _cleanup_error_ = ERROR_INIT;

	if (!master_key_rotate(services.master_key, &error))
		fail_msg("%s", error_message(&error));
}

static bool change_over(struct card *card, struct error *error)
{
	struct credential *credential _cleanup_credential_ = credential_of(card);

	return changeover(&operation, card, credential, error);
}

/* The PUK that the store believes in sets a PIN, and the one of before does not. */
static void assert_puk_is(struct card *card, uint32_t version, uint32_t generation)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct secret puk _cleanup_secret_ = SECRET_INIT;
	struct secret pin _cleanup_secret_ = SECRET_INIT;

	secret_set(&pin, "314159", 6);
	assert_true(master_key_derive_puk(
		services.master_key, card->info.serial, version, generation, &puk, &error));
	if (!card->driver->change_secret(
		    card, CARD_SECRET_PIN, CARD_SECRET_PUK, &puk, &pin, &error))
		fail_msg("PUK %u/%u: %s", version, generation, error_message(&error));
}

static void assert_whole(struct card *card)
{
	struct credential *credential _cleanup_credential_ = credential_of(card);
	struct puk_record puk = puk_of(card);
	struct error error _cleanup_error_ = ERROR_INIT;

	if (!ownership_authenticate(&services, card, credential->key_version, &error))
		fail_msg("%s", error_message(&error));
	assert_puk_is(card, credential->key_version, puk.generation);
}

/* What an interruption left undone is due still, and is done at the next contact. */
static void assert_changed_over(struct card *card)
{
	struct error error _cleanup_error_ = ERROR_INIT;

	assert_whole(card);
	services.rotate_at_contact = true;
	assert_true(changeover_at_contact(&services, card, &error));
	services.rotate_at_contact = false;
	struct credential *credential _cleanup_credential_ = credential_of(card);
	assert_int_equal(credential->key_version, master_key_version(services.master_key));
	assert_int_equal(credential->state, LIFECYCLE_ISSUED);
	assert_int_equal(puk_of(card).state, PUK_OURS);
	assert_int_equal(puk_of(card).generation, 1);
	assert_whole(card);
	assert_nothing_pending(card);
}

static bool interrupt(uint32_t firmware, enum vanish how, uint64_t apdu, bool new_version)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct contact_with contact = {.vcard = fresh_card(firmware)};

	connect_card(&contact);
	if (!issue_once(contact.card, &error))
		fail_msg("issue: %s", error_message(&error));
	if (new_version)
		rotate_master_key();
	set_puk(contact.card, PUK_EXPOSED);
	arm(contact.vcard, how, apdu);
	bool ok = change_over(contact.card, &error);
	bool vanished = vcard_is_gone(contact.vcard);
	disarm(contact.vcard);
	disconnect_card(&contact);
	if (!ok && !vanished)
		fail_msg("APDU %u: %s", (unsigned)apdu, error_message(&error));
	recover_in_spite_of_interruptions(&contact, how, apdu);
	assert_changed_over(contact.card);
	disconnect_card(&contact);
	vcard_free(contact.vcard);
	return !vanished;
}

static bool interrupt_both(uint32_t firmware, enum vanish how, uint64_t apdu)
{
	return interrupt(firmware, how, apdu, true);
}

/* The PUK alone: the version is the newest already. */
static bool interrupt_puk(uint32_t firmware, enum vanish how, uint64_t apdu)
{
	return interrupt(firmware, how, apdu, false);
}

static void a_card_pulled_at_any_apdu_of_a_changeover_recovers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(firmwares); i++)
		walk(interrupt_both, firmwares[i], 3);
}

static void a_card_pulled_at_any_apdu_of_a_puk_change_recovers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(firmwares); i++)
		walk(interrupt_puk, firmwares[i], 2);
}

/* However often the same step is cut off, the tries of the PUK are not used up by guessing. */
static void recoveries_cut_off_at_the_same_apdu_do_not_block_the_puk(void **state)
{
	(void)state;
	for (uint64_t cut = 1; cut <= 5; cut++) {
		struct error error _cleanup_error_ = ERROR_INIT;
		struct contact_with contact = {.vcard = fresh_card(VCARD_FIRMWARE(4, 3, 5))};
		connect_card(&contact);
		assert_true(issue_once(contact.card, &error));
		set_puk(contact.card, PUK_EXPOSED);
		/* The answer to the change of the PUK is lost. */
		arm(contact.vcard, cut % 2 ? VANISH_AFTER : VANISH_BEFORE, 3);
		change_over(contact.card, &error);
		disarm(contact.vcard);
		disconnect_card(&contact);
		for (unsigned again = 0; again < 8; again++) {
			error_clear(&error);
			connect_card(&contact);
			arm(contact.vcard, VANISH_AFTER, cut);
			recover_card(&services, contact.card, &error);
			disarm(contact.vcard);
			disconnect_card(&contact);
		}
		recover(&contact, cut);
		assert_int_equal(puk_of(contact.card).state, PUK_OURS);
		assert_whole(contact.card);
		disconnect_card(&contact);
		vcard_free(contact.vcard);
	}
}

static void a_foreign_puk_does_not_keep_the_management_key_from_changing(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(firmwares); i++) {
		struct error error _cleanup_error_ = ERROR_INIT;
		struct secret puk _cleanup_secret_ = SECRET_INIT;
		struct secret other _cleanup_secret_ = SECRET_INIT;
		struct contact_with contact = {.vcard = fresh_card(firmwares[i])};
		connect_card(&contact);
		assert_true(issue_once(contact.card, &error));
		struct credential *credential _cleanup_credential_ = credential_of(contact.card);
		assert_true(ownership_secret(&services, contact.card, CARD_SECRET_PUK,
			credential->key_version, &puk, &error));
		secret_set(&other, "87654321", 8);
		assert_true(contact.card->driver->change_secret(
			contact.card, CARD_SECRET_PUK, CARD_SECRET_PUK, &puk, &other, &error));
		rotate_master_key();
		assert_true(change_over(contact.card, &error));
		assert_int_equal(puk_of(contact.card).state, PUK_FOREIGN);
		struct credential *after _cleanup_credential_ = credential_of(contact.card);
		assert_int_equal(after->key_version, credential->key_version + 1);
		/* No contact costs another try. */
		services.rotate_at_contact = true;
		assert_true(changeover_at_contact(&services, contact.card, &error));
		services.rotate_at_contact = false;
		assert_true(retire_once(contact.card, &error));
		assert_int_equal(puk_of(contact.card).state, PUK_OURS);
		assert_true(issue_once(contact.card, &error));
		assert_whole(contact.card);
		disconnect_card(&contact);
		vcard_free(contact.vcard);
	}
}

/* The PUK that somebody was shown is not the card's again after it was retired. */
static void a_retired_card_does_not_get_its_exposed_puk_again(void **state)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct contact_with contact = {.vcard = fresh_card(VCARD_FIRMWARE(5, 4, 3))};

	(void)state;
	connect_card(&contact);
	assert_true(issue_once(contact.card, &error));
	set_puk(contact.card, PUK_EXPOSED);
	assert_true(retire_once(contact.card, &error));
	assert_true(issue_once(contact.card, &error));
	assert_int_equal(puk_of(contact.card).generation, 1);
	assert_whole(contact.card);
	disconnect_card(&contact);
	vcard_free(contact.vcard);
}

static void a_card_of_an_older_version_stays_operable(void **state)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct contact_with contact = {.vcard = fresh_card(VCARD_FIRMWARE(5, 4, 3))};

	(void)state;
	connect_card(&contact);
	assert_true(issue_once(contact.card, &error));
	uint32_t before = master_key_version(services.master_key);
	rotate_master_key();
	assert_true(changeover_at_contact(&services, contact.card, &error));
	struct credential *credential _cleanup_credential_ = credential_of(contact.card);
	assert_int_equal(credential->key_version, before);
	assert_whole(contact.card);
	assert_true(retire_once(contact.card, &error));
	disconnect_card(&contact);
	vcard_free(contact.vcard);
}

/* Another master key than the one the card's secrets came from: the card is not even asked. */
static void a_wrong_key_check_value_stops_all_before_the_card(void **state)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct contact_with contact = {.vcard = fresh_card(VCARD_FIRMWARE(5, 4, 3))};

	(void)state;
	connect_card(&contact);
	assert_true(issue_once(contact.card, &error));
	struct credential *credential _cleanup_credential_ = credential_of(contact.card);
	credential->key_check_value[0] ^= 1;
	assert_true(store_credential_save(services.store, credential, &error));
	vcard_reset_count(contact.vcard);
	assert_false(changeover(&operation, contact.card, credential, &error));
	assert_int_equal(error.code, ERROR_TOKEN_FAILED);
	assert_int_equal(vcard_count(contact.vcard), 0);
	assert_nothing_pending(contact.card);
	disconnect_card(&contact);
	vcard_free(contact.vcard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_card_pulled_at_any_apdu_of_a_changeover_recovers),
		cmocka_unit_test(a_card_pulled_at_any_apdu_of_a_puk_change_recovers),
		cmocka_unit_test(recoveries_cut_off_at_the_same_apdu_do_not_block_the_puk),
		cmocka_unit_test(a_foreign_puk_does_not_keep_the_management_key_from_changing),
		cmocka_unit_test(a_retired_card_does_not_get_its_exposed_puk_again),
		cmocka_unit_test(a_card_of_an_older_version_stays_operable),
		cmocka_unit_test(a_wrong_key_check_value_stops_all_before_the_card),
	};

	return cmocka_run_group_tests(tests, walk_make_services, walk_free_services);
}
