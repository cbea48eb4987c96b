/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers to reset, taken apart (ISO/IEC 7816-3, 8.2; historical bytes: ISO/IEC 7816-4, 8.1.1). */
#ifndef TESSERA_CARD_ATR_H
#define TESSERA_CARD_ATR_H

#include "common/buffer.h"

#define ATR_INTERFACE_BYTES_MAXIMUM 32

struct atr_byte {
	char name[5]; /* "TA1" */
	uint8_t value;
};

/* Views into the bytes that were parsed. */
struct atr {
	bool is_inverse; /* convention; direct otherwise */
	struct atr_byte interface_bytes[ATR_INTERFACE_BYTES_MAXIMUM];
	size_t interface_count;
	unsigned protocols; /* bit (1 << T) for each that it offers */
	struct reader historical;
	bool has_check; /* there is a check byte ... */
	bool is_right;	/* ... and it is right */
};

/* False for bytes that are no answer to reset; what was read of them is in *atr nevertheless. */
bool atr_parse(const uint8_t *bytes, size_t length, struct atr *atr);

/*
 * Whether the answer to reset announces extended length: card capabilities in
 * the historical bytes (ISO/IEC 7816-4, 8.1.1.2.7). False for a malformed one.
 */
bool atr_announces_extended(const uint8_t *bytes, size_t length);

#endif
