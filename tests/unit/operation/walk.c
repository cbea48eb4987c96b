/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit/operation/walk.h"

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
#include "lib/types-fixture.h"
#include "operation/blank.h"
#include "operation/connection-kinds.h"
#include "operation/issue.h"
#include "operation/ownership.h"
#include "operation/pin.h"
#include "operation/recover.h"

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

struct services services;
struct operation operation = {.services = &services, .actor = &audit_daemon};
static char *folder;

const char *template_name = TEMPLATE_NAME;

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
	assert_true(connection_check_document(connection_document, &connection, &error));
	assert_true(store_connection_save(services.store, &connection, &error));
	assert_true(connection_prepare(&services.connections, "local", &error));
}

int walk_make_services(void **state)
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
	services.connections = (struct connection_services){
		.store = services.store, .token = services.token, .publish_folder = folder};
	add_templates_and_authority();
	licence_fixture_install(&services, folder); /* each step of a walk has a card of its own */
	return 0;
}

int walk_free_services(void **state)
{
	(void)state;
	master_key_close(services.master_key);
	token_close(services.token);
	store_close(services.store);
	scratch_free(folder);
	return 0;
}

void connect_card(struct contact_with *contact)
{
	struct error error _cleanup_error_ = ERROR_INIT;

	vcard_reset(contact->vcard);
	contact->card = card_connect(
		transport_vcard_new(contact->vcard), types_fixture(), NULL, NULL, &error);
	if (!contact->card)
		fail_msg("connect: %s", error_message(&error));
	assert_true(card_begin(contact->card, 1000, &error));
}

void disconnect_card(struct contact_with *contact)
{
	card_end(contact->card);
	card_unref(contact->card);
	contact->card = NULL;
}

bool issue_once(struct card *card, struct error *error)
{
	struct session session = {.operation = &operation, .card = card};
	struct fields holder _cleanup_fields_ = FIELDS_INIT;

	fields_set(&holder, "name", "Ada Lovelace");
	bool ok = issue_card(&session, template_name, &holder, NULL, error);
	credential_free(session.credential);
	return ok;
}

bool retire_once(struct card *card, struct error *error)
{
	struct credential *credential _cleanup_credential_ =
		store_credential_by_serial(services.store, card->info.serial, error);

	return credential && blank_card(&operation, card, credential, LIFECYCLE_RETIRE, error);
}

enum lifecycle_state state_of(const char *serial)
{
	struct credential *credential _cleanup_credential_ =
		serial ? store_credential_by_serial(services.store, serial, NULL) : NULL;

	return credential ? credential->state : LIFECYCLE_UNREGISTERED;
}

void assert_nothing_pending(const struct card *card)
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

void arm(struct vcard *vcard, enum vanish how, uint64_t apdu)
{
	vcard_reset_count(vcard);
	if (how == VANISH_BEFORE)
		vcard_knobs(vcard)->vanish_at = apdu;
	else
		vcard_knobs(vcard)->vanish_after = apdu;
}

void disarm(struct vcard *vcard)
{
	vcard_knobs(vcard)->vanish_at = 0;
	vcard_knobs(vcard)->vanish_after = 0;
}

void recover(struct contact_with *contact, uint64_t apdu)
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
void recover_in_spite_of_interruptions(struct contact_with *contact, enum vanish how, uint64_t apdu)
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
void assert_usable(struct card *card)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct secret pin _cleanup_secret_ = SECRET_INIT;

	secret_set(&pin, "314159", 6);
	if (!ownership_authenticate(&services, card, 1, &error) ||
		!pin_set_by_puk(&services, card, 1, &pin, &error) ||
		!card->driver->authenticate(card, CARD_SECRET_PIN, &pin, &error))
		fail_msg("%s", error_message(&error));
}

struct vcard *fresh_card(uint32_t firmware)
{
	static uint32_t serial = 1000;
	struct vcard_options options = {
		.firmware = firmware, .has_serial = true, .serial = ++serial};
	struct vcard *vcard = vcard_open(&options, NULL);

	assert_non_null(vcard);
	return vcard;
}

/* True when the operation ended before its Nth APDU: the walk is over. */
bool interrupt_issue(uint32_t firmware, enum vanish how, uint64_t apdu)
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

void walk(interruption interrupt, uint32_t firmware, uint64_t fewest)
{
	for (enum vanish how = VANISH_BEFORE; how <= VANISH_AFTER; how++) {
		uint64_t apdu = 1;
		while (!interrupt(firmware, how, apdu))
			apdu++;
		assert_true(apdu > fewest);
	}
}
