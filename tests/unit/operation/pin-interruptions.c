/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers of tries and new PINs, cut off at each of their APDUs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "operation/pin.h"
#include "operation/recover.h"
#include "operation/session.h"
#include "unit/operation/walk.h"

/* One wrong PIN leaves four of five tries, one wrong PUK three of four. */
static void assert_tries(struct vcard *vcard)
{
	struct contact_with contact = {.vcard = vcard};
	struct error error _cleanup_error_ = ERROR_INIT;
	struct secret wrong _cleanup_secret_ = SECRET_INIT;

	secret_set(&wrong, "00000000", 8);
	connect_card(&contact);
	assert_usable(contact.card);
	const struct card_driver *driver = contact.card->driver;
	assert_false(driver->authenticate(contact.card, CARD_SECRET_PIN, &wrong, &error));
	assert_int_equal(error.detail, 4);
	assert_false(driver->change_secret(
		contact.card, CARD_SECRET_PUK, CARD_SECRET_PUK, &wrong, &wrong, &error));
	assert_int_equal(error.detail, 3);
	disconnect_card(&contact);
}

/*
 * The card is pulled at an APDU of issue, and then at one of the recovery, time and again: no try
 * that finding out may cost adds up to a blocked PUK.
 */
static bool interrupt_recoveries(uint32_t firmware, enum vanish how, uint64_t apdu)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct contact_with contact = {.vcard = fresh_card(firmware)};

	connect_card(&contact);
	arm(contact.vcard, how, apdu);
	bool ok = issue_once(contact.card, &error);
	bool vanished = vcard_is_gone(contact.vcard);
	disarm(contact.vcard);
	disconnect_card(&contact);
	for (uint64_t again = 1; vanished && again <= 12; again++) {
		connect_card(&contact);
		arm(contact.vcard, how, again);
		recover_card(&services, contact.card, NULL);
		disarm(contact.vcard);
		disconnect_card(&contact);
	}
	recover(&contact, apdu);
	if (state_of(contact.card->info.serial) != LIFECYCLE_ISSUED &&
		!issue_once(contact.card, &error))
		fail_msg("issue after APDU %u: %s", (unsigned)apdu, error_message(&error));
	disconnect_card(&contact);
	assert_tries(contact.vcard);
	vcard_free(contact.vcard);
	return !vanished || ok;
}

/* activate or unblock, without the frame that needs a reader. */
static bool set_pin_once(
	struct card *card, enum lifecycle_verb verb, const char *text, struct error *error)
{
	struct secret pin _cleanup_secret_ = SECRET_INIT;
	struct pin_change change _cleanup_pin_change_ = PIN_CHANGE_INIT;
	struct credential *credential _cleanup_credential_ =
		store_credential_by_serial(services.store, card->info.serial, error);
	struct session session = {.operation = &operation,
		.card = card,
		.credential = credential,
		.next = LIFECYCLE_ACTIVE};

	secret_set(&pin, text, strlen(text));
	return pin_change_begin(&change, &session, verb, &pin, error) &&
	       pin_set_by_puk(&services, card, credential->key_version, &pin, error) &&
	       pin_change_settle(&change, error);
}

static void assert_refused(struct card *card, const char *text)
{
	struct error error _cleanup_error_ = ERROR_INIT;

	assert_false(set_pin_once(card, LIFECYCLE_UNBLOCK, text, &error));
	assert_int_equal(error.code, ERROR_PIN_POLICY);
}

static void must_set_pin(struct card *card, enum lifecycle_verb verb, const char *text)
{
	struct error error _cleanup_error_ = ERROR_INIT;

	if (!set_pin_once(card, verb, text, &error))
		fail_msg("%s with %s: %s", lifecycle_verb_name(verb), text, error_message(&error));
}

/* A PIN that was perhaps set may be set again, and counts as used once another one is. */
static bool interrupt_unblock(uint32_t firmware, enum vanish how, uint64_t apdu)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct contact_with contact = {.vcard = fresh_card(firmware)};

	connect_card(&contact);
	assert_true(issue_once(contact.card, &error));
	must_set_pin(contact.card, LIFECYCLE_ACTIVATE, "271828");
	arm(contact.vcard, how, apdu);
	bool ok = set_pin_once(contact.card, LIFECYCLE_UNBLOCK, "314159", &error);
	bool vanished = vcard_is_gone(contact.vcard);
	disarm(contact.vcard);
	disconnect_card(&contact);
	recover(&contact, apdu);
	assert_int_equal(state_of(contact.card->info.serial), LIFECYCLE_ACTIVE);
	assert_refused(contact.card, "271828");
	if (!ok)
		must_set_pin(contact.card, LIFECYCLE_UNBLOCK, "314159");
	assert_refused(contact.card, "314159");
	must_set_pin(contact.card, LIFECYCLE_UNBLOCK, "161803");
	assert_refused(contact.card, "314159");
	disconnect_card(&contact);
	vcard_free(contact.vcard);
	return !vanished;
}

/* A first PIN that was interrupted is taken back, and is as good as never set. */
static bool interrupt_activate(uint32_t firmware, enum vanish how, uint64_t apdu)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct contact_with contact = {.vcard = fresh_card(firmware)};

	connect_card(&contact);
	assert_true(issue_once(contact.card, &error));
	arm(contact.vcard, how, apdu);
	bool ok = set_pin_once(contact.card, LIFECYCLE_ACTIVATE, "271828", &error);
	bool vanished = vcard_is_gone(contact.vcard);
	disarm(contact.vcard);
	disconnect_card(&contact);
	recover(&contact, apdu);
	assert_int_equal(
		state_of(contact.card->info.serial), ok ? LIFECYCLE_ACTIVE : LIFECYCLE_ISSUED);
	if (!ok)
		must_set_pin(contact.card, LIFECYCLE_ACTIVATE, "271828");
	assert_refused(contact.card, "271828");
	disconnect_card(&contact);
	vcard_free(contact.vcard);
	return !vanished;
}

static void a_card_pulled_at_any_apdu_of_a_new_pin_keeps_its_history(void **state)
{
	(void)state;
	template_name = TRIES_TEMPLATE_NAME;
	walk(interrupt_activate, VCARD_FIRMWARE(5, 4, 3), 1);
	walk(interrupt_unblock, VCARD_FIRMWARE(5, 4, 3), 1);
	template_name = TEMPLATE_NAME;
}

static void a_card_whose_numbers_of_tries_are_set_recovers_at_any_apdu(void **state)
{
	(void)state;
	template_name = TRIES_TEMPLATE_NAME;
	walk(interrupt_issue, VCARD_FIRMWARE(5, 4, 3), FEWEST_APDUS_OF_ISSUE);
	walk(interrupt_issue, VCARD_FIRMWARE(4, 3, 5), FEWEST_APDUS_OF_ISSUE);
	walk(interrupt_issue, VCARD_FIRMWARE(5, 7, 1), FEWEST_APDUS_OF_ISSUE);
	template_name = TEMPLATE_NAME;
}

static void a_card_that_is_pulled_at_its_recoveries_too_recovers(void **state)
{
	(void)state;
	template_name = TRIES_TEMPLATE_NAME;
	walk(interrupt_recoveries, VCARD_FIRMWARE(5, 4, 3), FEWEST_APDUS_OF_ISSUE);
	walk(interrupt_recoveries, VCARD_FIRMWARE(4, 3, 5), FEWEST_APDUS_OF_ISSUE);
	template_name = TEMPLATE_NAME;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_card_pulled_at_any_apdu_of_a_new_pin_keeps_its_history),
		cmocka_unit_test(a_card_whose_numbers_of_tries_are_set_recovers_at_any_apdu),
		cmocka_unit_test(a_card_that_is_pulled_at_its_recoveries_too_recovers),
	};

	return cmocka_run_group_tests(tests, walk_make_services, walk_free_services);
}
