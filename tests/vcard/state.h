/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a card keeps without power, and its file. The file is written whole to
 * a temporary one beside it, synced and renamed: after a crash it is the old
 * state or the new one.
 */
#ifndef TESSERA_VCARD_STATE_H
#define TESSERA_VCARD_STATE_H

#include <openssl/evp.h>

#include "vcard/vcard.h"

#define STATE_REFERENCE_LENGTH	    8 /* PIN and PUK, padded with FF */
#define STATE_MANAGEMENT_KEY_LENGTH 32
#define STATE_KEY_COUNT		    25 /* 9A 9C 9D 9E, 82 to 95, F9 */
#define STATE_OBJECT_COUNT	    64

/* PIN or PUK with its retry counter; blocked when tries_left is 0. */
struct reference_data {
	uint8_t value[STATE_REFERENCE_LENGTH];
	uint8_t tries_maximum;
	uint8_t tries_left;
};

struct management_key {
	uint8_t algorithm; /* 03, 08, 0A, 0C: SP 800-78-4, table 6-2 */
	uint8_t touch_policy;
	uint8_t length;
	uint8_t value[STATE_MANAGEMENT_KEY_LENGTH];
};

enum key_origin { ORIGIN_GENERATED = 1, ORIGIN_IMPORTED = 2 };

/* An asymmetric key; slot 0 marks an empty place. */
struct card_key {
	uint8_t slot;
	uint8_t algorithm;
	uint8_t origin;
	uint8_t pin_policy;
	uint8_t touch_policy;
	EVP_PKEY *pkey;
};

/* A data object: the value inside tag 53, or all of 7E and 7F61. Tag 0 marks an empty place. */
struct card_object {
	uint32_t tag;
	struct buffer data;
};

struct state {
	uint32_t serial;
	struct reference_data pin;
	struct reference_data puk;
	struct management_key management;
	struct card_key keys[STATE_KEY_COUNT];
	struct card_object objects[STATE_OBJECT_COUNT];
	EVP_PKEY *scp11_key;		  /* SK.SD.ECKA; NULL: none was made */
	struct buffer scp11_certificates; /* DER, one after the other, the key's own last */
};

/* NULL if the slot is empty. */
struct card_key *state_key(struct state *state, uint8_t slot);
/* An empty place for the slot's key; what the slot held is freed. NULL if all are taken. */
struct card_key *state_new_key(struct state *state, uint8_t slot);
void state_drop_key(struct state *state, uint8_t slot);

/* NULL if there is no such object. */
struct card_object *state_object(struct state *state, uint32_t tag);
/* Stores a copy; length 0 drops the object. False when out of room. */
bool state_put_object(struct state *state, uint32_t tag, const void *data, size_t length);

/* Reads the file. ERROR_NOT_FOUND if there is none, ERROR_STORE_FAILED if it cannot be used. */
bool state_load(struct state *state, const char *path, struct error *error);
/* Writes the file, mode 0600. ERROR_STORE_FAILED, ERROR_STORE_FULL. */
bool state_save(const struct state *state, const char *path, struct error *error);

/* Frees and wipes; the state is empty then. */
void state_clear(struct state *state);

#endif
