/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The PIV driver against a card that answers anything. Input: a byte of
 * transport, three bytes that choose what is asked of the card, and the card's
 * answers (lib/transport-bytes.h).
 */
#include <stdlib.h>

#include <openssl/x509_vfy.h>

#include "card/card.h"
#include "fuzz/card-certificate.h"
#include "fuzz/fuzz.h"
#include "lib/transport-bytes.h"
#include "lib/types-fixture.h"

#define HEADER	   4
#define TIMEOUT_MS 100

#define TRANSPORT_EXTENDED 0x01
#define TRANSPORT_T0	   0x02
#define TRANSPORT_REMOTE   0x04 /* a card that may encrypt is asked to */

/* One visit to a card: what is asked, and what is needed for it. */
struct visit {
	struct card *card;
	const struct card_driver *driver;
	uint8_t choice;
	enum key_algorithm algorithm;
	struct secret pin, admin;
	struct buffer data;
};

/* A failure has a reason, a success none. */
static void check(bool done, const struct error *error)
{
	if (done != (error->code == ERROR_NONE))
		abort();
}

static bool read_key(struct visit *visit, struct error *error)
{
	struct card_key key _cleanup_(card_key_clear) = {0};
	key_slot slot = visit->choice & 0x80 ? KEY_SLOT_SIGNATURE : KEY_SLOT_RETIRED_1;

	return visit->driver->read_key(visit->card, slot, &key, error);
}

static bool read_object(struct visit *visit, struct error *error)
{
	enum card_object object =
		visit->choice & 0x80 ? CARD_OBJECT_CHUID : CARD_OBJECT_CERTIFICATE;

	return visit->driver->read(
		visit->card, object, KEY_SLOT_AUTHENTICATION, &visit->data, error);
}

static bool write_object(struct visit *visit, struct error *error)
{
	static const uint8_t contents[60];

	return visit->driver->write(
		visit->card, CARD_OBJECT_CHUID, KEY_SLOT_NONE, contents, sizeof(contents), error);
}

static bool generate_key(struct visit *visit, struct error *error)
{
	EVP_PKEY *public_key = NULL;
	bool done = visit->driver->generate_key(visit->card, KEY_SLOT_AUTHENTICATION,
		visit->algorithm, PIN_USE_DEFAULT, TOUCH_USE_DEFAULT, &public_key, error);

	if (done != (public_key != NULL))
		abort();
	EVP_PKEY_free(public_key);
	return done;
}

static bool use_key(struct visit *visit, struct error *error)
{
	static const uint8_t input[512] = {0x04};
	bool is_rsa = key_algorithm_is_rsa(visit->algorithm);
	size_t size = key_algorithm_bits(visit->algorithm) / 8;
	bool signs = visit->choice & 0x80;
	enum key_use use = signs ? KEY_USE_SIGN : is_rsa ? KEY_USE_DECRYPT : KEY_USE_DERIVE;

	return visit->driver->use_key(visit->card, KEY_SLOT_AUTHENTICATION, visit->algorithm, use,
		input, use == KEY_USE_DERIVE ? 1 + 2 * size : size, &visit->data, error);
}

static bool prove_pin(struct visit *visit, struct error *error)
{
	return visit->driver->authenticate(
		visit->card, CARD_SECRET_PIN, visit->choice & 0x80 ? &visit->pin : NULL, error);
}

static bool prove_admin(struct visit *visit, struct error *error)
{
	return visit->driver->authenticate(visit->card, CARD_SECRET_ADMIN, &visit->admin, error);
}

static bool change_pin(struct visit *visit, struct error *error)
{
	enum card_secret authority = visit->choice & 0x80 ? CARD_SECRET_PUK : CARD_SECRET_PIN;

	return visit->driver->change_secret(
		visit->card, CARD_SECRET_PIN, authority, &visit->pin, &visit->pin, error);
}

static bool change_admin(struct visit *visit, struct error *error)
{
	return visit->driver->change_secret(visit->card, CARD_SECRET_ADMIN, CARD_SECRET_ADMIN,
		&visit->admin, &visit->admin, error);
}

static bool tell_state(struct visit *visit, struct error *error)
{
	struct card_secret_state told;

	return visit->driver->secret_state(
		visit->card, visit->choice % (CARD_SECRET_ADMIN + 1), &told, error);
}

static bool block(struct visit *visit, struct error *error)
{
	return card_block(
		visit->card, visit->choice & 0x80 ? CARD_SECRET_PIN : CARD_SECRET_PUK, error);
}

static bool reset(struct visit *visit, struct error *error)
{
	return visit->driver->reset(visit->card, NULL, error);
}

static bool (*const acts[])(struct visit *, struct error *) = {read_key, read_object, generate_key,
	use_key, prove_admin, prove_pin, tell_state, change_pin, change_admin, block, reset,
	write_object};

static void visit_card(struct card *card, uint8_t choice)
{
	struct error error _cleanup_error_ = ERROR_INIT;
	struct error refusal _cleanup_error_ = ERROR_INIT;
	struct visit visit = {.card = card, .driver = card->driver, .choice = choice};

	visit.algorithm = 1 + choice / ARRAY_SIZE(acts) % (KEY_ALGORITHM_COUNT - 1);
	if (!secret_set(&visit.pin, "123456", 6) || !card_begin(card, TIMEOUT_MS, &refusal)) {
		secret_clear(&visit.pin);
		return;
	}
	card_factory_secret(card, CARD_SECRET_ADMIN, &visit.admin, &refusal);
	check(acts[choice % ARRAY_SIZE(acts)](&visit, &error), &error);
	card_end(card);
	secret_clear(&visit.pin);
	secret_clear(&visit.admin);
	buffer_clear(&visit.data);
}

/* Trusts the one key that is known beforehand. */
static X509_STORE *make_trust(void)
{
	_cleanup_buffer_ struct buffer der = BUFFER_INIT;
	X509_STORE *trust = X509_STORE_new();

	if (!trust || !hex_decode(CARD_CERTIFICATE, &der))
		abort();
	const unsigned char *at = der.data;
	X509 *certificate = d2i_X509(NULL, &at, (long)der.length);
	if (!certificate || X509_STORE_add_cert(trust, certificate) != 1 ||
		X509_STORE_set_flags(
			trust, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME) != 1)
		abort();
	X509_free(certificate);
	return trust;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	struct error error _cleanup_error_ = ERROR_INIT;

	if (length < HEADER)
		return 0;
	struct transport *transport = transport_bytes_new(data + HEADER, length - HEADER);
	if (!(data[0] & TRANSPORT_EXTENDED))
		transport->maximum_data = TRANSPORT_SHORT_DATA;
	transport->is_t0 = data[0] & TRANSPORT_T0;
	transport->is_remote = data[0] & TRANSPORT_REMOTE;
	X509_STORE *trust = transport->is_remote ? make_trust() : NULL;
	struct card *card = card_connect(transport, types_fixture(), trust, NULL, &error);
	X509_STORE_free(trust);
	check(card, &error);
	for (size_t i = 1; card && i < HEADER; i++) {
		visit_card(card, data[i]);
		if (i == HEADER - 2)
			transport_bytes_reset(transport);
	}
	card_unref(card);
	return 0;
}
