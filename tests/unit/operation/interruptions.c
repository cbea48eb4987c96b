/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* register, issue, retire and unregister, cut off at each of their APDUs, and PUKs that others have
 * set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/alloc.h"
#include "operation/blank.h"
#include "operation/issue.h"
#include "operation/ownership.h"
#include "operation/recover.h"
#include "unit/operation/walk.h"

static bool interrupt_retire(uint32_t firmware, enum vanish how, uint64_t apdu)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct contact_with contact = {.vcard = fresh_card(firmware)};

	connect_card(&contact);
	assert_true(issue_once(contact.card, &error));
	_cleanup_free_ char *serial = xstrdup(contact.card->info.serial);
	arm(contact.vcard, how, apdu);
	bool ok = retire_once(contact.card, &error);
	bool vanished = vcard_is_gone(contact.vcard);
	disarm(contact.vcard);
	disconnect_card(&contact);
	if (!vanished && !ok)
		fail_msg("retire failed by itself: %s", error_message(&error));
	recover_in_spite_of_interruptions(&contact, how, apdu);
	assert_int_equal(state_of(serial), LIFECYCLE_RETIRED);
	assert_true(ownership_authenticate(&services, contact.card, 0, &error));
	if (!issue_once(contact.card, &error))
		fail_msg("issue after retire, APDU %u: %s", (unsigned)apdu, error_message(&error));
	assert_usable(contact.card);
	disconnect_card(&contact);
	vcard_free(contact.vcard);
	return !vanished;
}

static bool register_once(struct card *card, struct error *error)
{
	if (!issue_give_identity(&operation, card, error))
		return false;
	struct credential *credential _cleanup_credential_ =
		issue_find_credential(&services, card, error);
	return credential && issue_own(&operation, card, credential, LIFECYCLE_REGISTER, error);
}

static bool unregister_once(struct card *card, struct error *error)
{
	struct credential *credential _cleanup_credential_ =
		store_credential_by_serial(services.store, card->info.serial, error);

	return credential && blank_card(&operation, card, credential, LIFECYCLE_UNREGISTER, error);
}

static void assert_pin_blocked(struct card *card)
{
	struct card_secret_state state;

	assert_true(card->driver->secret_state(card, CARD_SECRET_PIN, &state, NULL));
	assert_true(state.blocked);
}

/* Unregistered with its factory secrets, or registered with its PIN blocked: nothing between. */
static bool interrupt_register(uint32_t firmware, enum vanish how, uint64_t apdu)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct contact_with contact = {.vcard = fresh_card(firmware)};

	connect_card(&contact);
	arm(contact.vcard, how, apdu);
	bool ok = register_once(contact.card, &error);
	bool vanished = vcard_is_gone(contact.vcard);
	disarm(contact.vcard);
	disconnect_card(&contact);
	if (!vanished && !ok)
		fail_msg("register failed by itself: %s", error_message(&error));
	recover_in_spite_of_interruptions(&contact, how, apdu);
	error_clear(&error);
	if (state_of(contact.card->info.serial) == LIFECYCLE_UNREGISTERED) {
		assert_true(ownership_authenticate(&services, contact.card, 0, &error));
		if (!register_once(contact.card, &error))
			fail_msg("second register after APDU %u: %s", (unsigned)apdu,
				error_message(&error));
	}
	assert_int_equal(state_of(contact.card->info.serial), LIFECYCLE_REGISTERED);
	assert_pin_blocked(contact.card);
	assert_usable(contact.card);
	disconnect_card(&contact);
	vcard_free(contact.vcard);
	return !vanished;
}

static bool interrupt_unregister(uint32_t firmware, enum vanish how, uint64_t apdu)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct contact_with contact = {.vcard = fresh_card(firmware)};

	connect_card(&contact);
	assert_true(register_once(contact.card, &error));
	_cleanup_free_ char *serial = xstrdup(contact.card->info.serial);
	arm(contact.vcard, how, apdu);
	bool ok = unregister_once(contact.card, &error);
	bool vanished = vcard_is_gone(contact.vcard);
	disarm(contact.vcard);
	disconnect_card(&contact);
	if (!vanished && !ok)
		fail_msg("unregister failed by itself: %s", error_message(&error));
	recover_in_spite_of_interruptions(&contact, how, apdu);
	assert_int_equal(state_of(serial), LIFECYCLE_UNREGISTERED);
	assert_true(ownership_authenticate(&services, contact.card, 0, &error));
	if (!register_once(contact.card, &error))
		fail_msg("register after unregister, APDU %u: %s", (unsigned)apdu,
			error_message(&error));
	disconnect_card(&contact);
	vcard_free(contact.vcard);
	return !vanished;
}

static void a_card_pulled_at_any_apdu_of_register_is_ours_or_not(void **state)
{
	(void)state;
	walk(interrupt_register, VCARD_FIRMWARE(5, 4, 3), 8);
	walk(interrupt_register, VCARD_FIRMWARE(4, 3, 5), 8);
	walk(interrupt_register, VCARD_FIRMWARE(5, 7, 1), 8);
}

static void a_card_pulled_at_any_apdu_of_unregister_ends_unregistered(void **state)
{
	(void)state;
	walk(interrupt_unregister, VCARD_FIRMWARE(5, 4, 3), 3);
	walk(interrupt_unregister, VCARD_FIRMWARE(4, 3, 5), 3);
}

/* As after the loss of a store: the secrets are derived again, and the PIN is blocked. */
static void a_card_that_is_ours_already_is_registered_again(void **state)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct contact_with contact = {.vcard = fresh_card(VCARD_FIRMWARE(5, 4, 3))};
	struct credential *credential;

	(void)state;
	connect_card(&contact);
	assert_true(issue_once(contact.card, &error));
	assert_usable(contact.card);
	credential = store_credential_by_serial(services.store, contact.card->info.serial, &error);
	credential->state = LIFECYCLE_UNREGISTERED;
	assert_true(store_credential_save(services.store, credential, &error));
	credential_free(credential);
	assert_true(register_once(contact.card, &error));
	assert_int_equal(state_of(contact.card->info.serial), LIFECYCLE_REGISTERED);
	assert_pin_blocked(contact.card);
	assert_nothing_pending(contact.card);
	disconnect_card(&contact);
	vcard_free(contact.vcard);
}

static void a_card_pulled_at_any_apdu_of_issue_recovers(void **state)
{
	(void)state;
	walk(interrupt_issue, VCARD_FIRMWARE(5, 4, 3), FEWEST_APDUS_OF_ISSUE);
}

static void an_old_card_without_metadata_pulled_at_any_apdu_of_issue_recovers(void **state)
{
	(void)state;
	walk(interrupt_issue, VCARD_FIRMWARE(4, 3, 5), FEWEST_APDUS_OF_ISSUE);
}

static void a_new_card_with_an_aes_management_key_recovers_too(void **state)
{
	(void)state;
	walk(interrupt_issue, VCARD_FIRMWARE(5, 7, 1), FEWEST_APDUS_OF_ISSUE);
}

static void a_card_pulled_at_any_apdu_of_retire_ends_retired(void **state)
{
	(void)state;
	walk(interrupt_retire, VCARD_FIRMWARE(5, 4, 3), 3);
	walk(interrupt_retire, VCARD_FIRMWARE(4, 3, 5), 3);
}

/* The factory's management key, but a PUK that somebody has set. */
static void set_other_puk(struct card *card)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct secret factory _cleanup_secret_ = SECRET_INIT;
	struct secret other _cleanup_secret_ = SECRET_INIT;

	assert_true(ownership_secret(&services, card, CARD_SECRET_PUK, 0, &factory, &error));
	secret_set(&other, "87654321", 8);
	assert_true(card->driver->change_secret(
		card, CARD_SECRET_PUK, CARD_SECRET_PUK, &factory, &other, &error));
}

static void a_card_with_a_puk_of_somebody_else_is_left_as_it_is(void **state)
{
	static const uint32_t firmwares[] = {VCARD_FIRMWARE(5, 4, 3), VCARD_FIRMWARE(4, 3, 5)};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(firmwares); i++) {
		struct error error _cleanup_error_ = ERROR_INIT;
		struct contact_with contact = {.vcard = fresh_card(firmwares[i])};
		connect_card(&contact);
		set_other_puk(contact.card);
		assert_false(issue_once(contact.card, &error));
		assert_int_equal(error.code, ERROR_CARD_FOREIGN);
		error_clear(&error);
		if (!ownership_authenticate(&services, contact.card, 0, &error))
			fail_msg("the management key was changed: %s", error_message(&error));
		assert_nothing_pending(contact.card);
		disconnect_card(&contact);
		vcard_free(contact.vcard);
	}
}

/* Cut off after the management key was changed; then somebody sets the PUK. */
static void a_puk_that_was_changed_meanwhile_does_not_strand_the_card(void **state)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct contact_with contact = {.vcard = fresh_card(VCARD_FIRMWARE(4, 3, 5))};
	uint64_t apdu = 0;
	bool ours = false;

	(void)state;
	while (!ours) {
		connect_card(&contact);
		arm(contact.vcard, VANISH_AFTER, ++apdu);
		assert_false(issue_once(contact.card, &error));
		disarm(contact.vcard);
		disconnect_card(&contact);
		error_clear(&error);
		connect_card(&contact);
		ours = ownership_authenticate(&services, contact.card, 1, NULL);
		if (!ours)
			assert_true(recover_card(&services, contact.card, &error));
		else
			set_other_puk(contact.card);
		disconnect_card(&contact);
	}
	recover(&contact, apdu);
	assert_int_equal(state_of(contact.card->info.serial), LIFECYCLE_REGISTERED);
	assert_false(issue_once(contact.card, &error));
	/* The tries were used up by looking for the PUK that fits. */
	assert_int_equal(error.code, ERROR_PUK_BLOCKED);
	error_clear(&error);
	assert_true(retire_once(contact.card, &error));
	disconnect_card(&contact);
	connect_card(&contact);
	if (!issue_once(contact.card, &error))
		fail_msg("%s", error_message(&error));
	disconnect_card(&contact);
	vcard_free(contact.vcard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_card_pulled_at_any_apdu_of_issue_recovers),
		cmocka_unit_test(an_old_card_without_metadata_pulled_at_any_apdu_of_issue_recovers),
		cmocka_unit_test(a_new_card_with_an_aes_management_key_recovers_too),
		cmocka_unit_test(a_card_pulled_at_any_apdu_of_retire_ends_retired),
		cmocka_unit_test(a_card_pulled_at_any_apdu_of_register_is_ours_or_not),
		cmocka_unit_test(a_card_pulled_at_any_apdu_of_unregister_ends_unregistered),
		cmocka_unit_test(a_card_that_is_ours_already_is_registered_again),
		cmocka_unit_test(a_card_with_a_puk_of_somebody_else_is_left_as_it_is),
		cmocka_unit_test(a_puk_that_was_changed_meanwhile_does_not_strand_the_card),
	};

	return cmocka_run_group_tests(tests, walk_make_services, walk_free_services);
}
