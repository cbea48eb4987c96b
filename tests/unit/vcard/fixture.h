/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Talking to a virtual card in hex, for its unit tests. Every helper fails the test by itself. */
#ifndef TESSERA_TESTS_UNIT_VCARD_FIXTURE_H
#define TESSERA_TESTS_UNIT_VCARD_FIXTURE_H

#include "vcard/vcard.h"

#define VERIFY_PIN     "002000800831323334 3536FFFF"
#define VERIFY_WRONG   "0020008008393939393939FFFF"
#define VERIFY_STATUS  "00200080"
#define SELECT_PIV     "00A4040005A000000308"
#define SELECT_MANAGER "00A4040008A000000527471117"

/* Status word of a card that is gone. */
#define GONE 0

/* Appends the bytes of hex, in which spaces are allowed. */
void append_hex(struct buffer *out, const char *hex);

/* A card with PIV selected; options NULL is a YubiKey 5.4.3 in memory. */
struct vcard *open_card(const struct vcard_options *options);

/*
 * Sends a command written in hex (spaces allowed); returns the status word. The response data is
 * put in *data, which may be NULL.
 */
uint16_t transmit(struct vcard *card, const char *command, struct buffer *data);
/* The same for a command that is there in bytes. */
uint16_t transmit_bytes(struct vcard *card, const struct buffer *command, struct buffer *data);
/* The same, with the command's data given as bytes: a short APDU, or extended if it must be. */
uint16_t transmit_data(struct vcard *card, const char *header, const void *bytes, size_t length,
	struct buffer *data);

void assert_status(struct vcard *card, const char *command, unsigned status);
/* The command succeeds and answers exactly this data, in lower-case hex. */
void assert_answer(struct vcard *card, const char *command, const char *answer);

/* The 9B handshakes with a key of 01 02 ... 08, repeated; return the last status word. */
uint16_t authenticate_mutual(struct vcard *card, uint8_t algorithm);
uint16_t authenticate_external(struct vcard *card, uint8_t algorithm);
/* Mutual authentication of a card whose key is the factory's 3DES one; must succeed. */
void authenticate(struct vcard *card);

/* Generates a key, authenticated or not; its 7F49 template in *public_key. */
uint16_t generate(struct vcard *card, uint8_t slot, uint8_t algorithm, struct buffer *public_key);

/* GENERAL AUTHENTICATE with 82 00 and tag (81, 85); the value of 82 is put in *result. */
uint16_t use_key(struct vcard *card, uint8_t slot, uint8_t algorithm, uint8_t tag,
	const void *input, size_t length, struct buffer *result);

#endif
