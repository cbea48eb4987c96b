/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card/chuid.h"

#include "common/tlv.h"

#define TAG_FASC_N	     0x30
#define TAG_GUID	     0x34
#define TAG_EXPIRATION	     0x35
#define TAG_ISSUER_SIGNATURE 0x3E
#define TAG_ERROR_DETECTION  0xFE

#define FASC_N_LENGTH	 25
#define FASC_N_CHARACTER 5 /* bits: four of the value, one of parity */

/* Separators of the FASC-N (TIG SCEPACS 2.3, section 2.1). */
#define START_SENTINEL	0xB
#define FIELD_SEPARATOR 0xD
#define END_SENTINEL	0xF

/* Agency 9999, system 9999, credential 999999, series 0, issue 1, person 0, category 3, agency
 * 0000, association 1. */
static const uint8_t fasc_n_characters[] = {START_SENTINEL, 9, 9, 9, 9, FIELD_SEPARATOR, 9, 9, 9, 9,
	FIELD_SEPARATOR, 9, 9, 9, 9, 9, 9, FIELD_SEPARATOR, 0, FIELD_SEPARATOR, 1, FIELD_SEPARATOR,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 1, END_SENTINEL};

static void put_bit(uint8_t *bits, unsigned position, unsigned value)
{
	bits[position / 8] |= (uint8_t)(value << (7 - position % 8));
}

/* Least significant bit first, then odd parity. */
static void put_character(uint8_t *bits, unsigned index, uint8_t value)
{
	unsigned ones = 0;

	for (unsigned bit = 0; bit < 4; bit++) {
		unsigned set = value >> bit & 1;
		ones += set;
		put_bit(bits, index * FASC_N_CHARACTER + bit, set);
	}
	put_bit(bits, index * FASC_N_CHARACTER + 4, (ones + 1) & 1);
}

static void append_fasc_n(struct buffer *object)
{
	uint8_t bits[FASC_N_LENGTH] = {0};
	uint8_t redundancy = 0;
	unsigned count = sizeof(fasc_n_characters);

	for (unsigned i = 0; i < count; i++) {
		put_character(bits, i, fasc_n_characters[i]);
		redundancy ^= fasc_n_characters[i];
	}
	put_character(bits, count, redundancy);
	tlv_append(object, TAG_FASC_N, bits, sizeof(bits));
}

void chuid_build(const uint8_t guid[CHUID_GUID_LENGTH], time_t expires_at, struct buffer *object)
{
	char day[sizeof("20301231")];
	struct tm utc;

	gmtime_r(&expires_at, &utc);
	strftime(day, sizeof(day), "%Y%m%d", &utc);
	append_fasc_n(object);
	tlv_append(object, TAG_GUID, guid, CHUID_GUID_LENGTH);
	tlv_append(object, TAG_EXPIRATION, day, sizeof(day) - 1);
	tlv_append(object, TAG_ISSUER_SIGNATURE, NULL, 0);
	tlv_append(object, TAG_ERROR_DETECTION, NULL, 0);
}

void ccc_build(const uint8_t card_id[CCC_CARD_ID_LENGTH], struct buffer *object)
{
	/* GSC-IS RID, manufacturer unknown, card type: Java Card */
	static const uint8_t issuer[] = {0xA0, 0x00, 0x00, 0x01, 0x16, 0xFF, 0x02};
	static const uint8_t empty_tags[] = {0xF6, 0xF7, 0xFA, 0xFB, 0xFC, 0xFD, 0xFE};

	tlv_append_header(object, 0xF0, sizeof(issuer) + CCC_CARD_ID_LENGTH);
	buffer_append(object, issuer, sizeof(issuer));
	buffer_append(object, card_id, CCC_CARD_ID_LENGTH);
	tlv_append(object, 0xF1, "\x21", 1); /* capability container version 2.1 */
	tlv_append(object, 0xF2, "\x21", 1); /* capability grammar version 2.1 */
	tlv_append(object, 0xF3, NULL, 0);   /* applications card URL */
	tlv_append(object, 0xF4, "\x00", 1); /* PKCS#15: no */
	tlv_append(object, 0xF5, "\x10", 1); /* registered data model number */
	for (size_t i = 0; i < sizeof(empty_tags); i++)
		tlv_append(object, empty_tags[i], NULL, 0);
}
