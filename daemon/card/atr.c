/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card/apdu.h"

#define CATEGORY_COMPACT_TLV  0x80
#define TAG_CAPABILITIES      0x7
#define CAPABILITIES_LENGTH   3
#define CAPABILITIES_EXTENDED 0x40 /* in the third byte (ISO/IEC 7816-4, table 119) */
#define INTERFACE_BYTE_D      0x8
#define INTERFACE_BYTES_ABCD  0xF

/* Skips TS, T0 and the interface bytes (ISO/IEC 7816-3, 8.2) and gives the historical bytes. */
static struct reader historical_bytes(const uint8_t *atr, size_t length)
{
	struct reader reader = READER_INIT(atr, length);

	reader_u8(&reader);
	uint8_t format = reader_u8(&reader);
	size_t count = format & 0xF;
	for (uint8_t follows = format >> 4; follows;) {
		uint8_t next = 0;
		for (uint8_t bit = 1; bit <= INTERFACE_BYTES_ABCD; bit <<= 1) {
			if (!(follows & bit))
				continue;
			uint8_t byte = reader_u8(&reader);
			if (bit == INTERFACE_BYTE_D)
				next = byte >> 4;
		}
		follows = next;
	}
	return reader_sub(&reader, count);
}

bool atr_announces_extended(const uint8_t *atr, size_t length)
{
	struct reader history = historical_bytes(atr, length);

	if (reader_u8(&history) != CATEGORY_COMPACT_TLV)
		return false;
	while (reader_left(&history)) {
		uint8_t header = reader_u8(&history);
		const uint8_t *value = reader_bytes(&history, header & 0xF);
		if (value && header >> 4 == TAG_CAPABILITIES &&
			(header & 0xF) == CAPABILITIES_LENGTH)
			return value[CAPABILITIES_LENGTH - 1] & CAPABILITIES_EXTENDED;
	}
	return false;
}
