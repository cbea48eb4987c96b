/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A virtual card, connected and taken, for the PIV driver's tests; and what they do to it. */
#ifndef TESSERA_TESTS_CARD_FIXTURE_H
#define TESSERA_TESTS_CARD_FIXTURE_H

#include "card/card.h"
#include "lib/transport-vcard.h"

#define FIXTURE_TIMEOUT_MS 1000

struct fixture {
	struct vcard *vcard;
	struct transport *transport;
	struct card *card; /* begun */
	struct error error;
};

#define FIXTURE struct fixture __attribute__((cleanup(fixture_close)))

/* Cards to open: the GUID of the NIST ones is a1 02 03 ... 10. */
extern const struct vcard_options yubikey;     /* firmware 5.4.3, serial number 12345678 */
extern const struct vcard_options yubikey_5_7; /* firmware 5.7.1, serial number 57 */
extern const struct vcard_options yubikey_4;   /* firmware 4.3.7: no metadata, no serial number */
extern const struct vcard_options nist;
extern const struct vcard_options nist_without_chuid;
extern const struct vcard_options nist_aes; /* management key: AES-128 */
extern const uint8_t fixture_guid[16];

/* Each of these fails the test when it cannot be done, unless it returns bool. */
void fixture_open(struct fixture *f, const struct vcard_options *options);
/* The same in a reader that carries short APDUs only. */
void fixture_open_short(struct fixture *f, const struct vcard_options *options);
void fixture_close(struct fixture *f);
/* card_end() and card_begin(). */
void fixture_take_again(struct fixture *f);

bool fixture_verify(struct fixture *f, const char *pin);
bool fixture_change(struct fixture *f, enum card_secret which, enum card_secret authority,
	const char *old, const char *fresh);
/* With the factory's management key. */
bool fixture_authenticate_admin(struct fixture *f);
struct card_secret_state fixture_state(struct fixture *f, enum card_secret which);
EVP_PKEY *fixture_generate(
	struct fixture *f, key_slot slot, enum key_algorithm algorithm, enum pin_use pin);
bool fixture_sign(struct fixture *f, key_slot slot, enum key_algorithm algorithm,
	const uint8_t *input, size_t length, struct buffer *output);

#endif
