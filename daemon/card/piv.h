/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The PIV driver's inside: one file per command family (NIST SP 800-73-4
 * part 2), and the YubiKey's own commands where the card answers to them.
 */
#ifndef TESSERA_CARD_PIV_H
#define TESSERA_CARD_PIV_H

#include "card/apdu.h"
#include "card/card-private.h"
#include "card/status-word.h"
#include "common/tlv.h"

/* Commands (SP 800-73-4 part 2, table 2; the last seven are the YubiKey's) */
#define PIV_INS_VERIFY		      0x20
#define PIV_INS_CHANGE_REFERENCE_DATA 0x24
#define PIV_INS_RESET_RETRY_COUNTER   0x2C
#define PIV_INS_GENERATE_KEY_PAIR     0x47
#define PIV_INS_GENERAL_AUTHENTICATE  0x87
#define PIV_INS_GET_DATA	      0xCB
#define PIV_INS_PUT_DATA	      0xDB
#define PIV_INS_GET_METADATA	      0xF7
#define PIV_INS_GET_SERIAL	      0xF8
#define PIV_INS_SET_PIN_RETRIES	      0xFA
#define PIV_INS_RESET		      0xFB
#define PIV_INS_GET_VERSION	      0xFD
#define PIV_INS_SET_MANAGEMENT_KEY    0xFF

/* Key references (SP 800-73-4 part 1, table 4b) */
#define PIV_REFERENCE_PIN   0x80
#define PIV_REFERENCE_PUK   0x81
#define PIV_REFERENCE_ADMIN 0x9B

/* Algorithm references (SP 800-78-4, table 6-2) of management keys */
#define PIV_ALGORITHM_3DES   0x03
#define PIV_ALGORITHM_AES128 0x08
#define PIV_ALGORITHM_AES192 0x0A
#define PIV_ALGORITHM_AES256 0x0C

/* Dynamic authentication template (SP 800-73-4 part 2, table 7) */
#define PIV_TAG_AUTHENTICATION 0x7C
#define PIV_TAG_WITNESS	       0x80
#define PIV_TAG_CHALLENGE      0x81
#define PIV_TAG_RESPONSE       0x82
#define PIV_TAG_EXPONENTIATION 0x85

/* The longest certificate that is taken from a card, uncompressed, in bytes. */
#define PIV_CERTIFICATE_MAXIMUM 32768

/* piv.c: what all families use */

/*
 * One command. When the answer looks like another application's (which another
 * program selected), PIV is selected again and the command repeated, at most
 * once between card_begin and card_end.
 */
bool piv_exchange(struct card *card, const struct apdu *command, struct buffer *response,
	uint16_t *status, struct error *error);
/* The same where nothing but 9000 will do. what: the command's name, for the message. */
bool piv_command(struct card *card, const struct apdu *command, const char *what,
	struct buffer *response, struct error *error);
/* The same for a command that needs the management key: without it ERROR_CARD_FAILED, 6982. */
bool piv_admin_command(struct card *card, const struct apdu *command, const char *what,
	struct buffer *response, struct error *error);
/* ERROR_CARD_FAILED for the answer to `what` that is malformed. Returns false. */
bool piv_malformed(const char *what, struct error *error);
/* GENERAL AUTHENTICATE, template in and template out, both with their tag 7C. */
bool piv_general_authenticate(struct card *card, uint8_t algorithm, uint8_t reference,
	const struct buffer *template, size_t answer, struct buffer *response, uint16_t *status,
	struct error *error);
/* The element `tag` of the 7C template in response. ERROR_CARD_FAILED */
bool piv_template_find(
	const struct buffer *response, uint32_t tag, struct reader *value, struct error *error);
/* Algorithm reference of a key (SP 800-78-4, table 6-2); 0 for none. */
uint8_t piv_algorithm_reference(enum key_algorithm algorithm);
/* KEY_ALGORITHM_NONE for an unknown one. */
enum key_algorithm piv_algorithm_from_reference(uint8_t reference);

/* piv-identify.c */
bool piv_identify(struct card *card, struct error *error);
/* Asks which algorithm the management key has, if info.admin_algorithm is 0, and notes it. */
bool piv_identify_admin_algorithm(struct card *card, struct error *error);
/* "guid-<32 hex>" of a CHUID, heap; NULL when it has no GUID or one of zeros. */
char *piv_serial_of_chuid(const struct buffer *chuid);

/* piv-object.c */
bool piv_read(struct card *card, enum card_object object, key_slot slot, struct buffer *data,
	struct error *error);
bool piv_write(struct card *card, enum card_object object, key_slot slot, const uint8_t *data,
	size_t length, struct error *error);

/* piv-certificate.c: the certificate data object (SP 800-73-4 part 1, table 10) */

/* Unpacks the object's contents to one DER certificate. ERROR_NOT_FOUND when they are empty. */
bool piv_certificate_unpack(struct reader object, struct buffer *der, struct error *error);
void piv_certificate_pack(struct buffer *object, const uint8_t *der, size_t length);

/* piv-public-key.c */

/* The elements of a public key (81 82 or 86) as a key. ERROR_CARD_FAILED when they are none. */
EVP_PKEY *piv_public_key(struct reader elements, enum key_algorithm algorithm, struct error *error);
/* KEY_ALGORITHM_NONE for a key of another kind. */
enum key_algorithm piv_algorithm_of_key(EVP_PKEY *key);

/* piv-key.c */
bool piv_read_key(struct card *card, key_slot slot, struct card_key *key, struct error *error);
bool piv_generate_key(struct card *card, key_slot slot, enum key_algorithm algorithm,
	enum pin_use pin, enum touch_use touch, EVP_PKEY **public_key, struct error *error);

/* piv-use.c */
bool piv_use_key(struct card *card, key_slot slot, enum key_algorithm algorithm, enum key_use use,
	const uint8_t *input, size_t length, struct buffer *output, struct error *error);

/* piv-pin.c */
bool piv_pin_authenticate(struct card *card, const struct secret *pin, struct error *error);
bool piv_pin_change(struct card *card, enum card_secret which, enum card_secret authority,
	const struct secret *old, const struct secret *fresh, struct error *error);
bool piv_pin_state(struct card *card, enum card_secret which, struct card_secret_state *state,
	struct error *error);

/* piv-admin.c */
bool piv_admin_authenticate(struct card *card, const struct secret *key, struct error *error);
/*
 * Asks for a witness as if the management key were of this algorithm: true with *fits when the
 * card says yes.
 */
bool piv_admin_probe(struct card *card, uint8_t algorithm, bool *fits, struct error *error);

/* piv-yubikey.c: commands that are the YubiKey's own */

/* 0x050403; 0 when the card does not know the command. */
bool yubikey_version(struct card *card, unsigned *version, struct error *error);
/* 0 when the card does not tell. */
bool yubikey_serial(struct card *card, uint32_t *serial, struct error *error);
/* What GET METADATA tells of a key reference; members that it leaves out are 0. */
struct yubikey_metadata {
	bool found; /* false: no key is there */
	uint8_t algorithm;
	uint8_t pin_policy, touch_policy;
	bool tells_default, is_default;
	bool tells_tries;
	uint8_t tries_total, tries_left;
	struct reader public_key; /* into the response */
};
/* response: holds what metadata points into. ERROR_NOT_SUPPORTED for a card without metadata. */
bool yubikey_metadata(struct card *card, uint8_t reference, struct buffer *response,
	struct yubikey_metadata *metadata, struct error *error);
bool yubikey_set_management_key(struct card *card, const struct secret *key, struct error *error);
bool yubikey_reset(struct card *card, struct error *error);
/* PIN and PUK get the factory's values. ERROR_PIN_REQUIRED without management key or PIN. */
bool yubikey_set_pin_retries(
	struct card *card, const struct card_tries *tries, struct error *error);
/* The YubiKey's numbers for the policies of a key, 0 for the slot's default, and back. */
uint8_t yubikey_pin_policy(enum pin_use use);
enum pin_use yubikey_pin_use(uint8_t policy);
uint8_t yubikey_touch_policy(enum touch_use use);
enum touch_use yubikey_touch_use(uint8_t policy);

#endif
