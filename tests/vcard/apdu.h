/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Command APDUs and status words (ISO/IEC 7816-4, 5.1 and 5.6). */
#ifndef TESSERA_VCARD_APDU_H
#define TESSERA_VCARD_APDU_H

#include "common/buffer.h"

#define APDU_SHORT_RESPONSE    256
#define APDU_EXTENDED_RESPONSE 65536

enum status_word {
	SW_SUCCESS = 0x9000,
	SW_MORE_DATA = 0x6100,	 /* low byte: bytes left, 00 for 256 or more */
	SW_WRONG_TRIES = 0x63C0, /* low digit: tries left */
	SW_MEMORY_FAILURE = 0x6581,
	SW_WRONG_LENGTH = 0x6700,
	SW_NO_CHANNELS = 0x6881,
	SW_NO_SECURE_MESSAGING = 0x6882,
	SW_SECURITY_STATUS = 0x6982,
	SW_BLOCKED = 0x6983,
	SW_CONDITIONS = 0x6985,
	SW_WRONG_DATA = 0x6A80,
	SW_NOT_SUPPORTED = 0x6A81,
	SW_NOT_FOUND = 0x6A82,
	SW_NO_MEMORY = 0x6A84,
	SW_WRONG_PARAMETERS = 0x6A86,
	SW_REFERENCE_NOT_FOUND = 0x6A88,
	SW_UNKNOWN_INSTRUCTION = 0x6D00,
	SW_UNKNOWN_CLASS = 0x6E00,
	SW_FAILED = 0x6F00,
};

/* A command; data is a view. response_maximum is Le, or the most its form allows where absent. */
struct apdu {
	uint8_t cla, ins, p1, p2;
	struct reader data;
	bool has_le;
	bool is_extended;
	size_t response_maximum;
};

/* Takes a command apart, short or extended. False if its lengths do not fit. */
bool apdu_parse(const uint8_t *bytes, size_t length, struct apdu *apdu);

#endif
