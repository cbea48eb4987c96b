/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/contact-read.h"

#include <string.h>

#include <openssl/x509.h>

#include "common/alloc.h"
#include "common/log.h"
#include "operation/changeover.h"
#include "operation/pin-history.h"
#include "operation/recover.h"
#include "operation/remote-card.h"
#include "operation/report.h"

/* A card that was just inserted may be in use by the program that woke first. */
#define FIRST_CONTACT_TIMEOUT_MS 30000

void contact_keys_free(struct contact_key *keys, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(keys[i].label);
		buffer_clear(&keys[i].certificate);
		buffer_clear(&keys[i].public_key);
	}
	free(keys);
}

void contact_view_clear(struct contact_view *view)
{
	card_unref(view->card);
	card_type_unref(view->type);
	credential_free(view->credential);
	contact_keys_free(view->keys, view->key_count);
	free(view->problem);
	*view = (struct contact_view)CONTACT_VIEW_INIT;
}

/* error: NULL for none */
static void set_problem(struct contact_view *view, const struct error *error)
{
	free(view->problem);
	view->problem = error ? xstrdup(error_message(error)) : NULL;
	view->problem_code = error ? error->code : ERROR_NONE;
}

static bool encode_public_key(EVP_PKEY *key, struct buffer *der)
{
	unsigned char *encoded = NULL;
	int length = i2d_PUBKEY(key, &encoded);

	if (length <= 0)
		return false;
	buffer_append(der, encoded, (size_t)length);
	OPENSSL_free(encoded);
	return true;
}

/* Programs show this beside the token's label, which names the holder. */
static const char *key_label(key_slot slot)
{
	switch (slot) {
	case KEY_SLOT_AUTHENTICATION:
		return "Authentication key";
	case KEY_SLOT_SIGNATURE:
		return "Signature key";
	case KEY_SLOT_KEY_MANAGEMENT:
		return "Key management key";
	case KEY_SLOT_CARD_AUTHENTICATION:
		return "Card authentication key";
	default:
		return NULL;
	}
}

/* Certificates of retired keys have ended long since, and are kept for what they decrypt. */
static void note_end(struct contact_view *view, const struct contact_key *key)
{
	_cleanup_certificate_ struct certificate certificate = CERTIFICATE_INIT;

	if (key->slot >= KEY_SLOT_RETIRED_1 && key->slot <= KEY_SLOT_RETIRED_20)
		return;
	if (key->certificate.length == 0 ||
		!certificate_from_der(
			&certificate, key->certificate.data, key->certificate.length, NULL))
		return;
	if (view->certificates_end == 0 || certificate.not_after < view->certificates_end)
		view->certificates_end = certificate.not_after;
}

static void add_key(struct contact_view *view, struct card_key *key)
{
	struct contact_key shown = {
		.slot = key->slot, .algorithm = key->algorithm, .pin = key->pin};
	const char *label = key_label(key->slot);

	if (!key->public_key || !encode_public_key(key->public_key, &shown.public_key))
		return;
	shown.label = label ? xstrdup(label)
			    : xasprintf("Retired key %d", key->slot - KEY_SLOT_RETIRED_1 + 1);
	buffer_move(&shown.certificate, &key->certificate);
	note_end(view, &shown);
	view->keys = xreallocarray(view->keys, view->key_count + 1, sizeof(*view->keys));
	view->keys[view->key_count++] = shown;
}

static void forget_keys(struct contact_view *view)
{
	contact_keys_free(view->keys, view->key_count);
	view->keys = NULL;
	view->key_count = 0;
	view->certificates_end = 0;
}

/* The slots that the credential's template uses: what else is on the card is not the holder's. */
static bool read_keys(struct contact_view *view, struct services *services, struct error *error)
{
	const struct credential *credential = view->credential;
	struct template *template _cleanup_template_ = store_template_get(
		services->store, credential->template_name, credential->template_version, error);

	forget_keys(view);
	for (size_t i = 0; template && i < KEY_SLOT_COUNT; i++) {
		struct card_key key _cleanup_(card_key_clear) = {0};
		key_slot slot = key_slot_at(i);
		if (!template_has_slot(template, slot))
			continue;
		if (!view->card->driver->read_key(view->card, slot, &key, error))
			return error_prefix(error, "key slot %s", key_slot_name(slot));
		add_key(view, &key);
	}
	return template != NULL;
}

static bool load_credential(
	struct contact_view *view, struct services *services, struct error *error)
{
	struct error lookup _cleanup_error_ = ERROR_INIT;

	credential_free(view->credential);
	view->credential = NULL;
	if (!view->card->info.serial)
		return true;
	view->credential =
		store_credential_by_serial(services->store, view->card->info.serial, &lookup);
	if (view->credential || lookup.code == ERROR_NOT_FOUND)
		return true;
	return error_move(error, &lookup);
}

/* Whether programs may see the card's keys: it is ours, and something was issued on it. */
static bool shows_keys(const struct credential *credential)
{
	return credential &&
	       (credential->state == LIFECYCLE_ISSUED || credential->state == LIFECYCLE_ACTIVE ||
		       credential->state == LIFECYCLE_INACTIVE ||
		       credential->state == LIFECYCLE_REVOKED ||
		       credential->state == LIFECYCLE_EXPIRED);
}

int64_t contact_unblock_code_until(struct services *services, const struct credential *credential)
{
	struct puk_record puk;

	return credential && store_puk_get(services->store, credential->serial, &puk, NULL)
		       ? puk.exposed_until
		       : 0;
}

static bool refresh(
	struct contact_view *view, struct services *services, bool objects, struct error *error)
{
	if (!load_credential(view, services, error))
		return false;
	if (!view->card->driver->secret_state(view->card, CARD_SECRET_PIN, &view->pin, error))
		return false;
	view->unblock_code_until = contact_unblock_code_until(services, view->credential);
	view->pin_expires_at = 0;
	if (view->credential &&
		!pin_history_expiry(services, view->credential, &view->pin_expires_at, error))
		return false;
	if (!shows_keys(view->credential)) {
		forget_keys(view);
		return true;
	}
	return objects ? read_keys(view, services, error) : true;
}

void contact_view_refresh(struct contact_view *view, struct services *services, bool objects)
{
	struct error error _cleanup_error_ = ERROR_INIT;

	set_problem(view, NULL);
	if (!refresh(view, services, objects, &error))
		set_problem(view, &error);
}

void contact_place_clear(struct contact_place *place)
{
	free(place->reader_name);
	remote_reader_unref(place->remote);
	*place = (struct contact_place){0};
}

struct transport *contact_place_open(const struct contact_place *place, struct error *error)
{
	if (!place->is_remote)
		return transport_pcsc_open(place->reader_name, error);
	if (place->remote)
		return transport_remote_open(place->remote, error);
	error_set(error, ERROR_NO_CARD, "the reader was removed");
	return NULL;
}

/* What was begun with the card before. */
static bool settle_card(
	struct services *services, struct card *card, const char *claimed, struct error *error)
{
	bool is_remote = card->transport->is_remote;
	bool is_claimed = claimed && card->info.serial && strcmp(claimed, card->info.serial) == 0;
	bool recovered = is_remote ? remote_card_recover(services, card, is_claimed, error)
				   : recover_card(services, card, error);

	if (!recovered)
		return error_prefix(error, "recovery");
	/* Of one far away only a verb changes secrets, which somebody has asked for. */
	return is_remote || changeover_at_contact(services, card, error) ||
	       error_prefix(error, "changeover");
}

/* view->card stays NULL for one that is not let in: nobody is to send anything to it. */
static bool connect_card(struct contact_view *view, struct services *services,
	const struct contact_place *place, struct error *error)
{
	struct transport *transport = contact_place_open(place, error);
	if (!transport)
		return false;
	_cleanup_card_ struct card *card =
		card_connect(transport, services->types, services->card_trust, &view->type, error);
	if (!card || !remote_card_check_way(services, card, error))
		return false;
	view->card = steal_pointer(&card);
	return true;
}

static bool open_card(struct contact_view *view, struct services *services,
	const struct contact_place *place, const char *claimed, struct error *error)
{
	if (!connect_card(view, services, place, error) ||
		!card_begin(view->card, FIRST_CONTACT_TIMEOUT_MS, error))
		return false;
	struct card *held _cleanup_(card_endp) = view->card;
	if (!settle_card(services, held, claimed, error) || !refresh(view, services, true, error))
		return false;
	report_note_contact(services, view->credential, place->reader_name);
	return true;
}

void contact_view_open(struct contact_view *view, struct services *services,
	const struct contact_place *place, const char *claimed)
{
	struct error error _cleanup_error_ = ERROR_INIT;

	if (open_card(view, services, place, claimed, &error))
		return;
	log_warning("card cannot be used: %s reader=%s", error_message(&error), place->reader_name);
	set_problem(view, &error);
}
