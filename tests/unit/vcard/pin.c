/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/vcard/fixture.h"

#define CHANGE_PIN	 "0024008010313233343536FFFF363534333231FFFF"
#define CHANGE_PIN_WRONG "0024008010393939393939FFFF363534333231FFFF"
#define VERIFY_NEW_PIN	 "0020008008363534333231FFFF"
#define UNBLOCK		 "002C0080103132333435363738363534333231FFFF"
#define UNBLOCK_WRONG	 "002C0080103939393939393939363534333231FFFF"

static void wrong_pin_three_times_blocks_the_card(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_card(NULL);

	(void)state;
	assert_status(card, VERIFY_STATUS, 0x63C3);
	assert_status(card, VERIFY_WRONG, 0x63C2);
	assert_status(card, VERIFY_WRONG, 0x63C1);
	assert_status(card, VERIFY_STATUS, 0x63C1);
	assert_status(card, VERIFY_WRONG, 0x63C0);
	assert_status(card, VERIFY_WRONG, 0x6983);
	assert_status(card, VERIFY_PIN, 0x6983);
	assert_status(card, VERIFY_STATUS, 0x6983);
	assert_status(card, CHANGE_PIN, 0x6983);
}

static void right_pin_restores_the_retry_counter(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_card(NULL);

	(void)state;
	assert_status(card, VERIFY_WRONG, 0x63C2);
	assert_status(card, VERIFY_PIN, 0x9000);
	assert_status(card, VERIFY_STATUS, 0x9000);
	assert_status(card, "0020FF80", 0x9000);
	assert_status(card, VERIFY_STATUS, 0x63C3);
}

static void malformed_verify_costs_no_try(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_card(NULL);

	(void)state;
	assert_status(card, "0020008006313233343536", 0x6A80);
	assert_status(card, "0020008108393939393939FFFF", 0x6A88);
	assert_status(card, "0020018008393939393939FFFF", 0x6A86);
	assert_status(card, "00200080083939", 0x6700);
	assert_status(card, VERIFY_STATUS, 0x63C3);
}

static void wrong_pin_ends_an_earlier_verification(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_card(NULL);

	(void)state;
	assert_status(card, VERIFY_PIN, 0x9000);
	assert_status(card, VERIFY_WRONG, 0x63C2);
	assert_status(card, "00CB3FFF055C035FC109", 0x6982);
}

static void power_and_other_applets_end_the_verification(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_card(NULL);

	(void)state;
	assert_status(card, VERIFY_PIN, 0x9000);
	assert_status(card, SELECT_PIV, 0x9000);
	assert_status(card, VERIFY_STATUS, 0x9000);
	assert_status(card, "00A4040005A000000999", 0x6A82);
	assert_status(card, VERIFY_STATUS, 0x9000);
	assert_status(card, SELECT_MANAGER, 0x9000);
	assert_status(card, SELECT_PIV, 0x9000);
	assert_status(card, VERIFY_STATUS, 0x63C3);
	assert_status(card, VERIFY_PIN, 0x9000);
	vcard_reset(card);
	assert_status(card, SELECT_PIV, 0x9000);
	assert_status(card, VERIFY_STATUS, 0x63C3);
}

static void pin_changes_and_counts_wrong_old_ones(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_card(NULL);

	(void)state;
	assert_status(card, CHANGE_PIN_WRONG, 0x63C2);
	assert_status(card, "0024008010313233343536FFFF3132333435FFFFFF", 0x6A80);
	assert_status(card, "0024008010313233343536FFFF3132FF3435363738", 0x6A80);
	assert_status(card, "0024008008313233343536FFFF", 0x6A80);
	assert_status(card, "0024008210313233343536FFFF363534333231FFFF", 0x6A88);
	assert_status(card, VERIFY_STATUS, 0x63C2);
	assert_status(card, CHANGE_PIN, 0x9000);
	assert_status(card, VERIFY_STATUS, 0x63C3);
	assert_status(card, VERIFY_PIN, 0x63C2);
	assert_status(card, VERIFY_NEW_PIN, 0x9000);
}

static void puk_unblocks_the_pin(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_card(NULL);

	(void)state;
	for (int i = 0; i < 3; i++)
		transmit(card, VERIFY_WRONG, NULL);
	assert_status(card, UNBLOCK_WRONG, 0x63C2);
	assert_status(card, UNBLOCK, 0x9000);
	assert_status(card, VERIFY_STATUS, 0x63C3);
	assert_status(card, VERIFY_NEW_PIN, 0x9000);
	assert_status(card, "0024008110393939393939393938373635343332 31", 0x63C2);
}

static void wrong_puk_three_times_blocks_it(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_card(NULL);

	(void)state;
	assert_status(card, UNBLOCK_WRONG, 0x63C2);
	assert_status(card, UNBLOCK_WRONG, 0x63C1);
	assert_status(card, UNBLOCK_WRONG, 0x63C0);
	assert_status(card, UNBLOCK_WRONG, 0x6983);
	assert_status(card, UNBLOCK, 0x6983);
	assert_status(card, VERIFY_PIN, 0x9000);
}

/* ykman blocks the PUK so, before it resets a YubiKey. */
static void wrong_puk_counts_also_before_a_malformed_pin(void **state)
{
	static const char empty[] = "002C008010 FFFFFFFFFFFFFFFF FFFFFFFFFFFFFFFF";
	struct vcard_options options = {.profile = VCARD_PROFILE_NIST};
	_cleanup_vcard_ struct vcard *card = open_card(NULL);
	_cleanup_vcard_ struct vcard *nist = open_card(&options);

	(void)state;
	assert_status(card, "002C0080103132333435363738 FFFFFFFFFFFFFFFF", 0x6A80);
	assert_status(card, "0024008010313233343536FFFF FFFFFFFFFFFFFFFF", 0x6A80);
	assert_status(card, "0024008010FFFFFFFFFFFFFFFF FFFFFFFFFFFFFFFF", 0x63C2);
	assert_status(card, "0024008010313233343536FFFF FFFFFFFFFFFFFFFF", 0x6A80);
	assert_status(card, VERIFY_STATUS, 0x63C2);
	assert_status(card, empty, 0x63C2);
	assert_status(card, empty, 0x63C1);
	assert_status(card, empty, 0x63C0);
	assert_status(card, empty, 0x6983);
	/* SP 800-73-4 part 2, 3.2.3: no try is lost, and what was verified stays. */
	assert_status(nist, VERIFY_PIN, 0x9000);
	assert_status(nist, empty, 0x6A80);
	assert_status(nist, VERIFY_STATUS, 0x9000);
	assert_status(nist, UNBLOCK_WRONG, 0x63C2);
}

static void new_retry_counts_need_both_secrets_and_restore_them(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_card(NULL);

	(void)state;
	assert_status(card, CHANGE_PIN, 0x9000);
	assert_status(card, "00FA0504", 0x6982);
	assert_status(card, VERIFY_NEW_PIN, 0x9000);
	assert_status(card, "00FA0504", 0x6982);
	authenticate(card);
	assert_status(card, "00FA0004", 0x6A86);
	assert_status(card, "00FA0504", 0x9000);
	assert_status(card, VERIFY_STATUS, 0x63C5);
	assert_status(card, VERIFY_PIN, 0x9000);
	assert_status(card, UNBLOCK_WRONG, 0x63C3);
}

static void many_tries_are_shown_as_fifteen(void **state)
{
	_cleanup_vcard_ struct vcard *card = open_card(NULL);

	(void)state;
	authenticate(card);
	assert_status(card, VERIFY_PIN, 0x9000);
	assert_status(card, "00FAFF14", 0x9000);
	assert_status(card, VERIFY_STATUS, 0x63CF);
	assert_status(card, VERIFY_WRONG, 0x63CF);
}

static void nist_card_takes_digits_only(void **state)
{
	struct vcard_options options = {.profile = VCARD_PROFILE_NIST};
	_cleanup_vcard_ struct vcard *card = open_card(&options);

	(void)state;
	assert_status(card, "0024008010313233343536FFFF616263646566FFFF", 0x6A80);
	assert_status(card, CHANGE_PIN, 0x9000);
	assert_status(card, VERIFY_STATUS, 0x9000);
	assert_status(card, "00FA0504", 0x6D00);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_pin_three_times_blocks_the_card),
		cmocka_unit_test(right_pin_restores_the_retry_counter),
		cmocka_unit_test(malformed_verify_costs_no_try),
		cmocka_unit_test(wrong_pin_ends_an_earlier_verification),
		cmocka_unit_test(power_and_other_applets_end_the_verification),
		cmocka_unit_test(pin_changes_and_counts_wrong_old_ones),
		cmocka_unit_test(puk_unblocks_the_pin),
		cmocka_unit_test(wrong_puk_three_times_blocks_it),
		cmocka_unit_test(wrong_puk_counts_also_before_a_malformed_pin),
		cmocka_unit_test(new_retry_counts_need_both_secrets_and_restore_them),
		cmocka_unit_test(many_tries_are_shown_as_fifteen),
		cmocka_unit_test(nist_card_takes_digits_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
