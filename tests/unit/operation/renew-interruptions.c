/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* renew, cut off at each of its APDUs: the old certificate works or the new one, the PIN stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include <openssl/ec.h>
#include <openssl/x509.h>

#include "common/alloc.h"
#include "operation/card-renew.h"
#include "operation/ownership.h"
#include "operation/pin.h"
#include "unit/operation/walk.h"

static const key_slot slots[] = {KEY_SLOT_AUTHENTICATION, KEY_SLOT_SIGNATURE};
static const char pin_text[] = "271828";

static struct credential *load(const struct card *card)
{
	struct credential *credential =
		store_credential_by_serial(services.store, card->info.serial, NULL);

	assert_non_null(credential);
	return credential;
}

/* Issued, and with a PIN that its holder knows. */
static void activate(struct card *card)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct secret pin _cleanup_secret_ = SECRET_INIT;

	if (!issue_once(card, &error))
		fail_msg("issue: %s", error_message(&error));
	struct credential *credential _cleanup_credential_ = load(card);
	secret_set(&pin, pin_text, strlen(pin_text));
	assert_true(pin_set_by_puk(&services, card, credential->key_version, &pin, &error));
	credential->state = LIFECYCLE_ACTIVE;
	assert_true(store_credential_save(services.store, credential, &error));
}

static bool renew_once(struct card *card, bool new_key, struct error *error)
{
	struct credential *credential _cleanup_credential_ = load(card);
	struct secret pin _cleanup_secret_ = SECRET_INIT;
	const struct card_renewal request = {.new_key = new_key, .pin = &pin};

	secret_set(&pin, pin_text, strlen(pin_text));
	return card_renew(&operation, card, credential, &request, error);
}

/* The one good certificate that the store has for the slot, or NULL. */
static const struct certificate *good_one(const struct certificates *all, key_slot slot)
{
	const struct certificate *found = NULL;

	for (size_t i = 0; i < all->count; i++) {
		if (all->items[i].slot != slot || all->items[i].status != CERTIFICATE_VALID)
			continue;
		if (found)
			fail_msg("two good certificates of one slot");
		found = &all->items[i];
	}
	return found;
}

static void assert_key_signs_for(struct card *card, key_slot slot, X509 *x509)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct secret pin _cleanup_secret_ = SECRET_INIT;
	_cleanup_buffer_ struct buffer raw = BUFFER_INIT;
	static const uint8_t digest[32] = {1, 2, 3};

	secret_set(&pin, pin_text, strlen(pin_text));
	if (!card->driver->authenticate(card, CARD_SECRET_PIN, &pin, &error) ||
		!card->driver->use_key(card, slot, KEY_ALGORITHM_EC_P256, KEY_USE_SIGN, digest,
			sizeof(digest), &raw, &error))
		fail_msg("the PIN or the key is of no use: %s", error_message(&error));
	assert_int_equal(raw.length, 64);
	ECDSA_SIG *signature = ECDSA_SIG_new();
	ECDSA_SIG_set0(
		signature, BN_bin2bn(raw.data, 32, NULL), BN_bin2bn(raw.data + 32, 32, NULL));
	unsigned char *der = NULL;
	int length = i2d_ECDSA_SIG(signature, &der);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(X509_get0_pubkey(x509), NULL);
	assert_int_equal(EVP_PKEY_verify_init(context), 1);
	assert_int_equal(EVP_PKEY_verify(context, der, (size_t)length, digest, sizeof(digest)), 1);
	EVP_PKEY_CTX_free(context);
	OPENSSL_free(der);
	ECDSA_SIG_free(signature);
}

/* What the store calls good is on the card, and its key is there. Answers how many there are. */
static unsigned assert_whole(struct card *card)
{
	struct credential *credential _cleanup_credential_ = load(card);
	_cleanup_certificates_ struct certificates all = CERTIFICATES_INIT;
	unsigned count = 0;

	assert_int_equal(credential->state, LIFECYCLE_ACTIVE);
	assert_true(store_certificate_list(services.store, credential->id, &all, NULL));
	for (size_t i = 0; i < ARRAY_SIZE(slots); i++) {
		_cleanup_buffer_ struct buffer der = BUFFER_INIT;
		const struct certificate *good = good_one(&all, slots[i]);
		bool found =
			card->driver->read(card, CARD_OBJECT_CERTIFICATE, slots[i], &der, NULL);
		assert_int_equal(found && der.length > 0, good != NULL);
		if (!good)
			continue;
		count++;
		assert_int_equal(der.length, good->der.length);
		assert_memory_equal(der.data, good->der.data, der.length);
		const unsigned char *position = der.data;
		X509 *x509 = d2i_X509(NULL, &position, (long)der.length);
		assert_key_signs_for(card, slots[i], x509);
		X509_free(x509);
	}
	return count;
}

static bool interrupt(uint32_t firmware, enum vanish how, uint64_t apdu, bool new_key)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct contact_with contact = {.vcard = fresh_card(firmware)};

	connect_card(&contact);
	activate(contact.card);
	arm(contact.vcard, how, apdu);
	bool ok = renew_once(contact.card, new_key, &error);
	bool vanished = vcard_is_gone(contact.vcard);
	disarm(contact.vcard);
	disconnect_card(&contact);
	if (!vanished && !ok)
		fail_msg("renew failed by itself: %s", error_message(&error));
	recover_in_spite_of_interruptions(&contact, how, apdu);
	unsigned good = assert_whole(contact.card);
	/* PIV has one place for a key: the one that was being renewed may have no certificate. */
	if (good < ARRAY_SIZE(slots) - (new_key ? 1 : 0))
		fail_msg("APDU %u: %u certificates are left", (unsigned)apdu, good);
	assert_nothing_pending(contact.card);
	disconnect_card(&contact);
	vcard_free(contact.vcard);
	return !vanished;
}

static bool interrupt_renew(uint32_t firmware, enum vanish how, uint64_t apdu)
{
	return interrupt(firmware, how, apdu, false);
}

static bool interrupt_new_keys(uint32_t firmware, enum vanish how, uint64_t apdu)
{
	return interrupt(firmware, how, apdu, true);
}

static void a_card_pulled_at_any_apdu_of_renew_has_the_old_or_the_new(void **state)
{
	(void)state;
	walk(interrupt_renew, VCARD_FIRMWARE(5, 4, 3), 10);
	walk(interrupt_renew, VCARD_FIRMWARE(4, 3, 5), 10);
}

static void new_keys_leave_the_other_slots_alone(void **state)
{
	(void)state;
	walk(interrupt_new_keys, VCARD_FIRMWARE(5, 4, 3), 12);
	walk(interrupt_new_keys, VCARD_FIRMWARE(4, 3, 5), 12);
}

static char *serial_on_card(struct card *card)
{
	_cleanup_buffer_ struct buffer der = BUFFER_INIT;
	_cleanup_certificate_ struct certificate certificate = CERTIFICATE_INIT;

	assert_true(card->driver->read(
		card, CARD_OBJECT_CERTIFICATE, KEY_SLOT_AUTHENTICATION, &der, NULL));
	assert_true(certificate_from_der(&certificate, der.data, der.length, NULL));
	return steal_pointer(&certificate.serial_hex);
}

static void the_same_key_gets_another_certificate(void **state)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct contact_with contact = {.vcard = fresh_card(VCARD_FIRMWARE(5, 4, 3))};

	(void)state;
	connect_card(&contact);
	activate(contact.card);
	_cleanup_free_ char *before = serial_on_card(contact.card);
	if (!renew_once(contact.card, false, &error))
		fail_msg("%s", error_message(&error));
	_cleanup_free_ char *after = serial_on_card(contact.card);
	assert_string_not_equal(before, after);
	assert_int_equal(assert_whole(contact.card), ARRAY_SIZE(slots));
	assert_true(renew_once(contact.card, true, &error));
	assert_int_equal(assert_whole(contact.card), ARRAY_SIZE(slots));
	disconnect_card(&contact);
	vcard_free(contact.vcard);
}

static void a_wrong_pin_costs_a_try_and_nothing_else(void **state)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct contact_with contact = {.vcard = fresh_card(VCARD_FIRMWARE(5, 4, 3))};
	struct secret pin _cleanup_secret_ = SECRET_INIT;
	const struct card_renewal request = {.new_key = true, .pin = &pin};

	(void)state;
	connect_card(&contact);
	activate(contact.card);
	struct credential *credential _cleanup_credential_ = load(contact.card);
	assert_false(card_renew(&operation, contact.card, credential, &request, &error));
	assert_int_equal(error.code, ERROR_PIN_REQUIRED);
	error_clear(&error);
	secret_set(&pin, "314159", 6);
	assert_false(card_renew(&operation, contact.card, credential, &request, &error));
	assert_int_equal(error.code, ERROR_PIN_WRONG);
	assert_int_equal(error.detail, 2);
	assert_nothing_pending(contact.card);
	assert_int_equal(assert_whole(contact.card), ARRAY_SIZE(slots));
	disconnect_card(&contact);
	vcard_free(contact.vcard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_key_gets_another_certificate),
		cmocka_unit_test(a_wrong_pin_costs_a_try_and_nothing_else),
		cmocka_unit_test(a_card_pulled_at_any_apdu_of_renew_has_the_old_or_the_new),
		cmocka_unit_test(new_keys_leave_the_other_slots_alone),
	};

	return cmocka_run_group_tests(tests, walk_make_services, walk_free_services);
}
