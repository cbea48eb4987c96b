/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A virtual PIV card for tests: SP 800-73-4 part 2 with, in its YubiKey
 * profile, that device's extensions. It runs in the process of a unit test or,
 * through the program tessera-vcard, behind the vpcd virtual reader.
 *
 * It is a test card: its keys and PINs lie in the clear in its state file.
 * One card serves one thread at a time.
 */
#ifndef TESSERA_VCARD_VCARD_H
#define TESSERA_VCARD_VCARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/buffer.h"
#include "common/error.h"
#include "common/macros.h"

/* Firmware versions compare as numbers. */
#define VCARD_FIRMWARE(major, minor, patch)                                                        \
	((uint32_t)(major) << 16 | (uint32_t)(minor) << 8 | (uint32_t)(patch))

enum vcard_profile {
	VCARD_PROFILE_YUBIKEY, /* SP 800-73-4 in the YubiKey's manner, with its extensions */
	VCARD_PROFILE_NIST,    /* SP 800-73-4 and nothing else */
};

/*
 * What a test can make the card do. The numbers N count APDUs from 1, from the
 * card's opening or the last vcard_reset_count(); 0 is never. Each "at" fires
 * once and is then 0 again.
 */
struct vcard_knobs {
	uint64_t vanish_at;	  /* the card is gone in place of doing the Nth APDU */
	uint64_t vanish_after;	  /* the card does the Nth APDU and is gone before it answers */
	uint64_t fail_at;	  /* the Nth APDU is not done but answered with fail_status */
	uint16_t fail_status;	  /* status word for fail_at */
	uint64_t hold_at;	  /* the program serves no APDU from the Nth on while this stands */
	uint64_t wrong_answer_at; /* the Nth APDU is done, the data of its response is garbled */
	unsigned latency_apdu_us; /* time that each APDU takes more, in microseconds */
	unsigned latency_byte_us; /* the same per byte of command and response */
	bool touch_deny;	  /* nobody touches: keys with a touch policy answer 6982 */
};

/* How to open a card. Zeroed, it is a YubiKey 5.4.3 in factory state, in memory only. */
struct vcard_options {
	enum vcard_profile profile;
	uint32_t firmware;	      /* VCARD_FIRMWARE(); 0 is 5.4.3. Not for the NIST profile */
	bool has_serial;	      /* take serial, else the state's, else a random one */
	uint32_t serial;	      /* 0: the card tells none */
	const char *state_path;	      /* the state file; NULL keeps the state in memory */
	bool blank;		      /* forget what the state file holds: factory state */
	const char *atr;	      /* hex; NULL: the profile's own. T=0 first: no T=1 */
	uint8_t management_algorithm; /* of a new state: 03, 08, 0A, 0C; 0 is the profile's own */
	const char *scp11_ca; /* PEM of a CA; a YubiKey >= 5.7.2 gets an SCP11b key; NULL: none */
	const uint8_t *guid;  /* 16 bytes: a new state has a CHUID with this GUID; NULL: none */
	FILE *apdu_log;	      /* one line per APDU, without any data; NULL: none. Not owned */
	int count_fd;	      /* file to keep the number of APDUs in; 0: none. Not owned */
	struct vcard_knobs knobs;
};

struct vcard;

/*
 * Opens a card, with the state of options->state_path if that file exists and
 * the factory state otherwise. The card is powered. Strings and files of
 * options must stay until vcard_free(). Returns NULL and fills error:
 * ERROR_STORE_FAILED (state file), ERROR_INVALID_ARGUMENT (ATR, algorithm, CA).
 */
struct vcard *vcard_open(const struct vcard_options *options, struct error *error);

/*
 * One command APDU of length bytes in; the response with its status word is
 * put in *response, replacing what it held. What the command changed is on disk
 * before this returns. False if the card is gone (knobs): then *response is
 * empty, and so it stays until vcard_reset().
 */
bool vcard_transmit(
	struct vcard *card, const uint8_t *apdu, size_t length, struct buffer *response);

/* Power cycle, or insertion of a card that vanished: all security status is lost. */
void vcard_reset(struct vcard *card);

/* The card was taken out by a knob and not reset since. */
bool vcard_is_gone(const struct vcard *card);

/* The next APDU is one that hold_at holds back. */
bool vcard_is_held(const struct vcard *card);

/* The answer to reset, owned by the card. */
const struct buffer *vcard_atr(const struct vcard *card);

uint32_t vcard_serial(const struct vcard *card);

/* The knobs, to read and set at any time between APDUs. */
struct vcard_knobs *vcard_knobs(struct vcard *card);

/* Number of APDUs seen since opening or the last vcard_reset_count(). */
uint64_t vcard_count(const struct vcard *card);
void vcard_reset_count(struct vcard *card);

/* NULL is ignored. The state file stays. */
void vcard_free(struct vcard *card);

DEFINE_CLEANUP(struct vcard *, vcard_free);
#define _cleanup_vcard_ _cleanup_(vcard_freep)

#endif
