/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card/atr.h"

#include <stdio.h>

#define CONVENTION_DIRECT     0x3B
#define CONVENTION_INVERSE    0x3F
#define CATEGORY_COMPACT_TLV  0x80
#define TAG_CAPABILITIES      0x7
#define CAPABILITIES_LENGTH   3
#define CAPABILITIES_EXTENDED 0x40 /* in the third byte (ISO/IEC 7816-4, table 119) */
#define INTERFACE_BYTE_D      0x8
#define INTERFACE_BYTES_ABCD  0xF
#define PROTOCOL_MASK	      0xF
#define PROTOCOL_GLOBAL	      15 /* T=15 says that global bytes follow, not a protocol */

static void add_byte(struct atr *atr, char letter, unsigned group, uint8_t value)
{
	if (atr->interface_count == ATR_INTERFACE_BYTES_MAXIMUM)
		return;
	struct atr_byte *byte = &atr->interface_bytes[atr->interface_count++];
	snprintf(byte->name, sizeof(byte->name), "T%c%u", letter, group % 10);
	byte->value = value;
}

/* One group of interface bytes; answers which of the next one follow. */
static uint8_t read_group(struct reader *reader, uint8_t follows, unsigned group, struct atr *atr)
{
	uint8_t next = 0;
	char letter = 'A';

	for (uint8_t bit = 1; bit <= INTERFACE_BYTES_ABCD; bit <<= 1, letter++) {
		if (!(follows & bit))
			continue;
		uint8_t byte = reader_u8(reader);
		add_byte(atr, letter, group, byte);
		if (bit != INTERFACE_BYTE_D)
			continue;
		next = byte >> 4;
		if ((byte & PROTOCOL_MASK) != PROTOCOL_GLOBAL)
			atr->protocols |= 1U << (byte & PROTOCOL_MASK);
	}
	return next;
}

/* TCK is there when anything but T=0 is offered (ISO/IEC 7816-3, 8.2.5). */
static void check(struct reader *reader, const uint8_t *bytes, size_t length, struct atr *atr)
{
	uint8_t sum = 0;

	atr->has_check = reader_left(reader) == 1;
	for (size_t i = 1; i < length; i++)
		sum ^= bytes[i];
	atr->is_right = atr->has_check && sum == 0;
}

bool atr_parse(const uint8_t *bytes, size_t length, struct atr *atr)
{
	struct reader reader = READER_INIT(bytes, length);

	*atr = (struct atr){0};
	uint8_t convention = reader_u8(&reader);
	uint8_t format = reader_u8(&reader);
	unsigned group = 1;
	atr->is_inverse = convention == CONVENTION_INVERSE;
	for (uint8_t follows = format >> 4; follows && !reader.failed; group++)
		follows = read_group(&reader, follows, group, atr);
	if (atr->protocols == 0)
		atr->protocols = 1; /* T=0 (ISO/IEC 7816-3, 8.2.3) */
	atr->historical = reader_sub(&reader, format & 0xF);
	if (!reader.failed)
		check(&reader, bytes, length, atr);
	return !reader.failed && reader_left(&reader) <= 1 &&
	       (convention == CONVENTION_DIRECT || convention == CONVENTION_INVERSE);
}

bool atr_announces_extended(const uint8_t *bytes, size_t length)
{
	struct atr atr;

	atr_parse(bytes, length, &atr);
	struct reader history = atr.historical;
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
