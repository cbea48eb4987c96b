/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit/card/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/types-fixture.h"

const uint8_t fixture_guid[16] = {0xA1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static void open_with(struct fixture *f, const struct vcard_options *options, bool short_only)
{
	f->vcard = vcard_open(options, &f->error);
	assert_non_null(f->vcard);
	f->transport = transport_vcard_new(f->vcard);
	if (short_only)
		transport_vcard_set_short(f->transport);
	f->card = card_connect(f->transport, types_fixture(), NULL, NULL, &f->error);
	if (!f->card)
		fail_msg("%s", error_message(&f->error));
	assert_true(card_begin(f->card, FIXTURE_TIMEOUT_MS, &f->error));
}

void fixture_open(struct fixture *f, const struct vcard_options *options)
{
	open_with(f, options, false);
}

void fixture_open_short(struct fixture *f, const struct vcard_options *options)
{
	open_with(f, options, true);
}

void fixture_take_again(struct fixture *f)
{
	card_end(f->card);
	assert_true(card_begin(f->card, FIXTURE_TIMEOUT_MS, &f->error));
}

void fixture_close(struct fixture *f)
{
	if (f->card)
		card_end(f->card);
	card_unref(f->card);
	vcard_free(f->vcard);
	error_clear(&f->error);
}

const struct vcard_options yubikey = {.has_serial = true, .serial = 12345678};
const struct vcard_options yubikey_5_7 = {
	.has_serial = true, .serial = 57, .firmware = VCARD_FIRMWARE(5, 7, 1)};
const struct vcard_options yubikey_4 = {.firmware = VCARD_FIRMWARE(4, 3, 7)};
const struct vcard_options nist = {.profile = VCARD_PROFILE_NIST, .guid = fixture_guid};
const struct vcard_options nist_without_chuid = {.profile = VCARD_PROFILE_NIST};
const struct vcard_options nist_aes = {
	.profile = VCARD_PROFILE_NIST, .guid = fixture_guid, .management_algorithm = 0x08};

static void set_text(struct secret *secret, const char *text)
{
	assert_true(secret_set(secret, text, strlen(text)));
}

bool fixture_verify(struct fixture *f, const char *pin)
{
	struct secret secret _cleanup_secret_ = SECRET_INIT;

	set_text(&secret, pin);
	error_clear(&f->error);
	return f->card->driver->authenticate(f->card, CARD_SECRET_PIN, &secret, &f->error);
}

bool fixture_change(struct fixture *f, enum card_secret which, enum card_secret authority,
	const char *old, const char *fresh)
{
	struct secret first _cleanup_secret_ = SECRET_INIT;
	struct secret second _cleanup_secret_ = SECRET_INIT;

	set_text(&first, old);
	set_text(&second, fresh);
	error_clear(&f->error);
	return f->card->driver->change_secret(
		f->card, which, authority, &first, &second, &f->error);
}

bool fixture_authenticate_admin(struct fixture *f)
{
	struct secret key _cleanup_secret_ = SECRET_INIT;

	error_clear(&f->error);
	return card_factory_secret(f->card, CARD_SECRET_ADMIN, &key, &f->error) &&
	       f->card->driver->authenticate(f->card, CARD_SECRET_ADMIN, &key, &f->error);
}

EVP_PKEY *fixture_generate(
	struct fixture *f, key_slot slot, enum key_algorithm algorithm, enum pin_use pin)
{
	EVP_PKEY *key = NULL;

	if (!f->card->driver->generate_key(
		    f->card, slot, algorithm, pin, TOUCH_USE_DEFAULT, &key, &f->error))
		fail_msg("%s", error_message(&f->error));
	return key;
}

bool fixture_sign(struct fixture *f, key_slot slot, enum key_algorithm algorithm,
	const uint8_t *input, size_t length, struct buffer *output)
{
	error_clear(&f->error);
	return f->card->driver->use_key(
		f->card, slot, algorithm, KEY_USE_SIGN, input, length, output, &f->error);
}

struct card_secret_state fixture_state(struct fixture *f, enum card_secret which)
{
	struct card_secret_state told;

	assert_true(f->card->driver->secret_state(f->card, which, &told, &f->error));
	return told;
}
