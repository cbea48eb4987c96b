/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Decision 5 of the design, walked: a card that vanishes at any APDU of issue
 * or retire recovers at the next contact. Real store, real token, real local
 * CA; the card is the virtual one, in this process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "common/alloc.h"
#include "lib/scratch.h"
#include "lib/transport-vcard.h"
#include "operation/blank.h"
#include "operation/issue.h"
#include "operation/ownership.h"
#include "operation/pin.h"
#include "operation/recover.h"
#include "vcard/vcard.h"

#define TEMPLATE_NAME "walk"
/* An issue of two keys that took fewer APDUs than this would not have been walked. */
#define FEWEST_APDUS_OF_ISSUE 20

static const char template_document[] =
	"{\"name\": \"walk\", \"card-type\": \"piv\", \"keys\": ["
	"{\"slot\": \"authentication\", \"algorithm\": \"ec-p256\", \"certificate\": "
	"{\"authority\": \"local\", \"profile\": \"test\", \"subject\": [[\"CN\", \"{name}\"]]}},"
	"{\"slot\": \"signature\", \"algorithm\": \"ec-p256\", \"certificate\": "
	"{\"authority\": \"local\", \"profile\": \"test\", \"subject\": [[\"CN\", \"{name}\"]]}}]}";

static const char tries_document[] =
	"{\"name\": \"tries\", \"card-type\": \"piv\", \"keys\": ["
	"{\"slot\": \"authentication\", \"algorithm\": \"ec-p256\"}], "
	"\"pin-policy\": {\"pin-tries\": 5, \"puk-tries\": 4, \"history\": 2}}";

static const char connection_document[] =
	"{\"name\": \"local\", \"kind\": \"local-ca\", \"key-algorithm\": \"ec-p256\", "
	"\"subject\": [[\"CN\", \"Test CA\"]], \"validity-days\": 30, \"crl-days\": 7, "
	"\"profiles\": {\"test\": {\"validity-days\": 10, \"key-usage\": [\"digitalSignature\"], "
	"\"extended-key-usage\": [\"clientAuth\"]}}}";

static struct services services;
static struct operation operation = {.services = &services, .actor = "test"};
static char *folder;

static const char *template_name = TEMPLATE_NAME;

static void add_template(const char *document)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct template *template _cleanup_template_ = template_parse(document, &error);

	assert_non_null(template);
	assert_true(store_template_save(services.store, template, &error));
}

static void add_templates_and_authority(void)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct connection connection _cleanup_(connection_clear) = CONNECTION_INIT;

	add_template(template_document);
	add_template(tries_document);
	assert_true(authority_check_document(connection_document, &connection, &error));
	assert_true(store_connection_save(services.store, &connection, &error));
	assert_true(authority_prepare(&services.authority, "local", &error));
}

static int make_services(void **state)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct secret pin _cleanup_secret_ = SECRET_INIT;

	(void)state;
	folder = scratch_new();
	_cleanup_free_ char *store_path = xasprintf("%s/store.db", folder);
	_cleanup_free_ char *token_folder = xasprintf("%s/token", folder);
	struct token_options options = {
		.module = TOKEN_MODULE, .label = "test", .embedded_folder = token_folder};
	secret_set(&pin, "1234567890", 10);
	services.store = store_open(store_path, &error);
	services.token = token_open(&options, &pin, &error);
	assert_non_null(services.store);
	assert_non_null(services.token);
	services.master_key = master_key_open(services.token, &error);
	assert_non_null(services.master_key);
	services.authority = (struct authority_services){
		.store = services.store, .token = services.token, .publish_folder = folder};
	add_templates_and_authority();
	return 0;
}

static int free_services(void **state)
{
	(void)state;
	master_key_close(services.master_key);
	token_close(services.token);
	store_close(services.store);
	scratch_free(folder);
	return 0;
}

/* A card and the contact with it; the card outlives contacts. */
struct contact_with {
	struct vcard *vcard;
	struct card *card;
};

static void connect_card(struct contact_with *contact)
{
	struct error error _cleanup_error_ = ERROR_INIT;

	vcard_reset(contact->vcard);
	contact->card = card_connect(transport_vcard_new(contact->vcard), &error);
	if (!contact->card)
		fail_msg("connect: %s", error_message(&error));
	assert_true(card_begin(contact->card, 1000, &error));
}

static void disconnect_card(struct contact_with *contact)
{
	card_end(contact->card);
	card_unref(contact->card);
	contact->card = NULL;
}

static bool issue_once(struct card *card, struct error *error)
{
	struct session session = {.operation = &operation, .card = card};
	struct fields holder _cleanup_fields_ = FIELDS_INIT;

	fields_set(&holder, "name", "Ada Lovelace");
	bool ok = issue_card(&session, template_name, &holder, error);
	credential_free(session.credential);
	return ok;
}

static bool retire_once(struct card *card, struct error *error)
{
	struct credential *credential _cleanup_credential_ =
		store_credential_by_serial(services.store, card->info.serial, error);

	return credential && blank_card(&operation, card, credential, error);
}

static enum lifecycle_state state_of(const char *serial)
{
	struct credential *credential _cleanup_credential_ =
		serial ? store_credential_by_serial(services.store, serial, NULL) : NULL;

	return credential ? credential->state : LIFECYCLE_UNREGISTERED;
}

static void assert_nothing_pending(const struct card *card)
{
	struct intent *intents = NULL;
	size_t count = 1;

	/* A card that was known by its CHUID only is nobody again. */
	if (!card->info.serial)
		return;
	assert_true(store_intent_list(services.store, card->info.serial, &intents, &count, NULL));
	assert_int_equal(count, 0);
	free(intents);
}

static void assert_no_valid_certificate(const struct card *card)
{
	struct certificates all _cleanup_certificates_ = CERTIFICATES_INIT;
	struct credential *credential _cleanup_credential_ =
		card->info.serial
			? store_credential_by_serial(services.store, card->info.serial, NULL)
			: NULL;

	if (!credential)
		return;
	assert_true(store_certificate_list(services.store, credential->id, &all, NULL));
	for (size_t i = 0; i < all.count; i++)
		assert_int_equal(all.items[i].status, CERTIFICATE_REVOKED);
}

enum vanish { VANISH_BEFORE, VANISH_AFTER };

static void arm(struct vcard *vcard, enum vanish how, uint64_t apdu)
{
	vcard_reset_count(vcard);
	if (how == VANISH_BEFORE)
		vcard_knobs(vcard)->vanish_at = apdu;
	else
		vcard_knobs(vcard)->vanish_after = apdu;
}

static void disarm(struct vcard *vcard)
{
	vcard_knobs(vcard)->vanish_at = 0;
	vcard_knobs(vcard)->vanish_after = 0;
}

static void recover(struct contact_with *contact, uint64_t apdu)
{
	struct error error _cleanup_error_ = ERROR_INIT;

	connect_card(contact);
	if (!recover_card(&services, contact->card, &error))
		fail_msg("not recovered after APDU %u: %s", (unsigned)apdu, error_message(&error));
	assert_nothing_pending(contact->card);
}

/*
 * The recovery is cut off as well: at its first APDU, then, at the next contact, at its second, and
 * so on, until it ends.
 */
static void recover_in_spite_of_interruptions(
	struct contact_with *contact, enum vanish how, uint64_t apdu)
{
	bool vanished = true;

	for (uint64_t again = 1; vanished; again++) {
		struct error error _cleanup_error_ = ERROR_INIT;
		connect_card(contact);
		arm(contact->vcard, how, again);
		bool ok = recover_card(&services, contact->card, &error);
		vanished = vcard_is_gone(contact->vcard);
		disarm(contact->vcard);
		disconnect_card(contact);
		if (!ok && !vanished)
			fail_msg("APDU %u, recovery %u: %s", (unsigned)apdu, (unsigned)again,
				error_message(&error));
	}
	recover(contact, apdu);
}

/* Nobody is left with a PIN that works on a card without a holder, but the factory's. */
static void assert_no_unknown_pin(struct card *card)
{
	struct card_secret_state state;
	struct error error _cleanup_error_ = ERROR_INIT;
	struct secret factory _cleanup_secret_ = SECRET_INIT;

	assert_true(card->driver->secret_state(card, CARD_SECRET_PIN, &state, &error));
	if (state.blocked)
		return;
	assert_true(card_factory_secret(card, CARD_SECRET_PIN, &factory, &error));
	if (!card->driver->authenticate(card, CARD_SECRET_PIN, &factory, &error))
		fail_msg("the PIN is neither blocked nor the factory's");
}

/* The secrets that the store believes in are those on the card: a PIN can be set by the PUK. */
static void assert_usable(struct card *card)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct secret pin _cleanup_secret_ = SECRET_INIT;

	secret_set(&pin, "314159", 6);
	if (!ownership_authenticate(&services, card, 1, &error) ||
		!pin_set_by_puk(&services, card, 1, &pin, &error) ||
		!card->driver->authenticate(card, CARD_SECRET_PIN, &pin, &error))
		fail_msg("%s", error_message(&error));
}

static struct vcard *fresh_card(uint32_t firmware)
{
	static uint32_t serial = 1000;
	struct vcard_options options = {
		.firmware = firmware, .has_serial = true, .serial = ++serial};
	struct vcard *vcard = vcard_open(&options, NULL);

	assert_non_null(vcard);
	return vcard;
}

/* True when the operation ended before its Nth APDU: the walk is over. */
static bool interrupt_issue(uint32_t firmware, enum vanish how, uint64_t apdu)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct contact_with contact = {.vcard = fresh_card(firmware)};

	connect_card(&contact);
	arm(contact.vcard, how, apdu);
	bool ok = issue_once(contact.card, &error);
	bool vanished = vcard_is_gone(contact.vcard);
	disarm(contact.vcard);
	disconnect_card(&contact);
	if (vanished) {
		recover_in_spite_of_interruptions(&contact, how, apdu);
		enum lifecycle_state state = state_of(contact.card->info.serial);
		assert_true(state == LIFECYCLE_UNREGISTERED || state == LIFECYCLE_REGISTERED ||
			    (ok && state == LIFECYCLE_ISSUED));
		assert_no_unknown_pin(contact.card);
		if (!ok)
			assert_no_valid_certificate(contact.card);
		if (!ok && !issue_once(contact.card, &error))
			fail_msg("second issue after APDU %u: %s", (unsigned)apdu,
				error_message(&error));
		assert_int_equal(state_of(contact.card->info.serial), LIFECYCLE_ISSUED);
		assert_usable(contact.card);
		disconnect_card(&contact);
	} else if (!ok) {
		fail_msg("issue failed by itself: %s", error_message(&error));
	}
	vcard_free(contact.vcard);
	return !vanished;
}

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

typedef bool (*interruption)(uint32_t firmware, enum vanish how, uint64_t apdu);

static void walk(interruption interrupt, uint32_t firmware, uint64_t fewest)
{
	for (enum vanish how = VANISH_BEFORE; how <= VANISH_AFTER; how++) {
		uint64_t apdu = 1;
		while (!interrupt(firmware, how, apdu))
			apdu++;
		assert_true(apdu > fewest);
	}
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
	template_name = "tries";
	walk(interrupt_activate, VCARD_FIRMWARE(5, 4, 3), 1);
	walk(interrupt_unblock, VCARD_FIRMWARE(5, 4, 3), 1);
	template_name = TEMPLATE_NAME;
}

static void a_card_whose_numbers_of_tries_are_set_recovers_at_any_apdu(void **state)
{
	(void)state;
	template_name = "tries";
	walk(interrupt_issue, VCARD_FIRMWARE(5, 4, 3), FEWEST_APDUS_OF_ISSUE);
	walk(interrupt_issue, VCARD_FIRMWARE(4, 3, 5), FEWEST_APDUS_OF_ISSUE);
	walk(interrupt_issue, VCARD_FIRMWARE(5, 7, 1), FEWEST_APDUS_OF_ISSUE);
	template_name = TEMPLATE_NAME;
}

static void a_card_that_is_pulled_at_its_recoveries_too_recovers(void **state)
{
	(void)state;
	template_name = "tries";
	walk(interrupt_recoveries, VCARD_FIRMWARE(5, 4, 3), FEWEST_APDUS_OF_ISSUE);
	walk(interrupt_recoveries, VCARD_FIRMWARE(4, 3, 5), FEWEST_APDUS_OF_ISSUE);
	template_name = TEMPLATE_NAME;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_card_pulled_at_any_apdu_of_issue_recovers),
		cmocka_unit_test(an_old_card_without_metadata_pulled_at_any_apdu_of_issue_recovers),
		cmocka_unit_test(a_new_card_with_an_aes_management_key_recovers_too),
		cmocka_unit_test(a_card_pulled_at_any_apdu_of_retire_ends_retired),
		cmocka_unit_test(a_card_with_a_puk_of_somebody_else_is_left_as_it_is),
		cmocka_unit_test(a_puk_that_was_changed_meanwhile_does_not_strand_the_card),
		cmocka_unit_test(a_card_whose_numbers_of_tries_are_set_recovers_at_any_apdu),
		cmocka_unit_test(a_card_that_is_pulled_at_its_recoveries_too_recovers),
		cmocka_unit_test(a_card_pulled_at_any_apdu_of_a_new_pin_keeps_its_history),
	};

	return cmocka_run_group_tests(tests, make_services, free_services);
}
