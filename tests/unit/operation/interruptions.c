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
#include "lib/licence-fixture.h"
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

static const char connection_document[] =
	"{\"name\": \"local\", \"kind\": \"local-ca\", \"key-algorithm\": \"ec-p256\", "
	"\"subject\": [[\"CN\", \"Test CA\"]], \"validity-days\": 30, \"crl-days\": 7, "
	"\"profiles\": {\"test\": {\"validity-days\": 10, \"key-usage\": [\"digitalSignature\"], "
	"\"extended-key-usage\": [\"clientAuth\"]}}}";

static struct services services;
static struct operation operation = {.services = &services, .actor = "test"};
static char *folder;

static void add_template_and_authority(void)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct connection connection _cleanup_(connection_clear) = CONNECTION_INIT;
	struct template *template _cleanup_template_ = template_parse(template_document, &error);

	assert_non_null(template);
	assert_true(store_template_save(services.store, template, &error));
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
	add_template_and_authority();
	licence_fixture_install(&services, folder); /* each step of a walk has a card of its own */
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
	bool ok = issue_card(&session, TEMPLATE_NAME, &holder, error);
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

static void recover(struct contact_with *contact, uint64_t apdu)
{
	struct error error _cleanup_error_ = ERROR_INIT;

	connect_card(contact);
	if (!recover_card(&services, contact->card, &error))
		fail_msg("not recovered after APDU %u: %s", (unsigned)apdu, error_message(&error));
	assert_nothing_pending(contact->card);
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
		recover(&contact, apdu);
		enum lifecycle_state state = state_of(contact.card->info.serial);
		assert_true(state == LIFECYCLE_UNREGISTERED || state == LIFECYCLE_REGISTERED ||
			    (ok && state == LIFECYCLE_ISSUED));
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
	recover(&contact, apdu);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_card_pulled_at_any_apdu_of_issue_recovers),
		cmocka_unit_test(an_old_card_without_metadata_pulled_at_any_apdu_of_issue_recovers),
		cmocka_unit_test(a_new_card_with_an_aes_management_key_recovers_too),
		cmocka_unit_test(a_card_pulled_at_any_apdu_of_retire_ends_retired),
	};

	return cmocka_run_group_tests(tests, make_services, free_services);
}
