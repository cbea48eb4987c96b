/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card/chuid.h"

#include <string.h>

#include "common/tlv.h"

#define TAG_FASC_N	     0x30
#define TAG_GUID	     0x34
#define TAG_EXPIRATION	     0x35
#define TAG_ISSUER_SIGNATURE 0x3E
#define TAG_ERROR_DETECTION  0xFE

/* Card Capability Container (table 8) */
#define TAG_CARD_IDENTIFIER   0xF0
#define TAG_CONTAINER_VERSION 0xF1
#define TAG_GRAMMAR_VERSION   0xF2
#define TAG_DATA_MODEL	      0xF5

/* Discovery Object (SP 800-73-4 part 1, 3.3.2) */
#define TAG_APPLICATION 0x4F
#define TAG_PIN_USAGE	0x5F2F

#define FASC_N_LENGTH	 25
#define FASC_N_CHARACTER 5 /* bits: four of the value, one of parity */

/* Separators of the FASC-N (TIG SCEPACS 2.3, section 2.1). */
#define START_SENTINEL	0xB
#define FIELD_SEPARATOR 0xD
#define END_SENTINEL	0xF

#define FASC_N_CHARACTERS 39 /* without the redundancy character */

const struct fasc_n fasc_n_default = {.agency = "9999",
	.system = "9999",
	.credential = "999999",
	.series = "0",
	.issue = "1",
	.person = "0000000000",
	.category = "3",
	.organisation = "0000",
	.association = "1"};

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

/* Digits that are followed by a separator, or by the next field where it is 0. */
static void put_digits(uint8_t *characters, unsigned *count, const char *digits, uint8_t separator)
{
	for (; *digits; digits++)
		characters[(*count)++] = (uint8_t)(*digits - '0');
	if (separator)
		characters[(*count)++] = separator;
}

static void append_fasc_n(struct buffer *object, const struct fasc_n *fasc_n)
{
	uint8_t characters[FASC_N_CHARACTERS] = {START_SENTINEL};
	uint8_t bits[FASC_N_LENGTH] = {0};
	uint8_t redundancy = 0;
	unsigned count = 1;

	put_digits(characters, &count, fasc_n->agency, FIELD_SEPARATOR);
	put_digits(characters, &count, fasc_n->system, FIELD_SEPARATOR);
	put_digits(characters, &count, fasc_n->credential, FIELD_SEPARATOR);
	put_digits(characters, &count, fasc_n->series, FIELD_SEPARATOR);
	put_digits(characters, &count, fasc_n->issue, FIELD_SEPARATOR);
	put_digits(characters, &count, fasc_n->person, 0);
	put_digits(characters, &count, fasc_n->category, 0);
	put_digits(characters, &count, fasc_n->organisation, 0);
	put_digits(characters, &count, fasc_n->association, END_SENTINEL);
	for (unsigned i = 0; i < count; i++) {
		put_character(bits, i, characters[i]);
		redundancy ^= characters[i];
	}
	put_character(bits, count, redundancy);
	tlv_append(object, TAG_FASC_N, bits, sizeof(bits));
}

void chuid_build(const struct fasc_n *fasc_n, const uint8_t guid[CHUID_GUID_LENGTH],
	time_t expires_at, struct buffer *object)
{
	char day[sizeof("20301231")];
	struct tm utc;

	gmtime_r(&expires_at, &utc);
	strftime(day, sizeof(day), "%Y%m%d", &utc);
	append_fasc_n(object, fasc_n);
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

/* --- reading them --- */

static uint8_t get_character(const uint8_t *bits, unsigned index)
{
	uint8_t value = 0;

	for (unsigned bit = 0; bit < 4; bit++) {
		unsigned position = index * FASC_N_CHARACTER + bit;
		value |= (uint8_t)((bits[position / 8] >> (7 - position % 8) & 1) << bit);
	}
	return value;
}

/* `count` decimal digits from character `first` on; false when one is none. */
static bool get_digits(const uint8_t *bits, unsigned first, unsigned count, char *digits)
{
	for (unsigned i = 0; i < count; i++) {
		uint8_t value = get_character(bits, first + i);
		if (value > 9)
			return false;
		digits[i] = (char)('0' + value);
	}
	digits[count] = '\0';
	return true;
}

static bool read_fasc_n(struct reader value, struct fasc_n *fasc_n)
{
	const uint8_t *bits = reader_bytes(&value, FASC_N_LENGTH);

	/* Where the fields begin among the characters, separators counted. */
	return bits && get_character(bits, 0) == START_SENTINEL &&
	       get_digits(bits, 1, 4, fasc_n->agency) && get_digits(bits, 6, 4, fasc_n->system) &&
	       get_digits(bits, 11, 6, fasc_n->credential) &&
	       get_digits(bits, 18, 1, fasc_n->series) && get_digits(bits, 20, 1, fasc_n->issue) &&
	       get_digits(bits, 22, 10, fasc_n->person) &&
	       get_digits(bits, 32, 1, fasc_n->category) &&
	       get_digits(bits, 33, 4, fasc_n->organisation) &&
	       get_digits(bits, 37, 1, fasc_n->association);
}

static void read_day(struct reader value, char day[9])
{
	const uint8_t *digits = reader_bytes(&value, 8);

	for (unsigned i = 0; digits && i < 8; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			digits = NULL;
	}
	if (digits)
		memcpy(day, digits, 8);
}

bool chuid_parse(const struct buffer *object, struct chuid *chuid)
{
	struct reader reader = reader_of(object);
	struct tlv element;

	*chuid = (struct chuid){0};
	while (tlv_next(&reader, &element)) {
		if (element.tag == TAG_FASC_N)
			chuid->has_fasc_n = read_fasc_n(element.value, &chuid->fasc_n);
		else if (element.tag == TAG_GUID)
			chuid->guid = element.value;
		else if (element.tag == TAG_EXPIRATION)
			read_day(element.value, chuid->expires);
		else if (element.tag == TAG_ISSUER_SIGNATURE)
			chuid->is_signed = reader_left(&element.value) > 0;
	}
	return !reader.failed;
}

bool ccc_parse(const struct buffer *object, struct ccc *ccc)
{
	struct reader reader = reader_of(object);
	struct tlv element;

	*ccc = (struct ccc){0};
	while (tlv_next(&reader, &element)) {
		if (element.tag == TAG_CARD_IDENTIFIER)
			ccc->card_identifier = element.value;
		else if (element.tag == TAG_CONTAINER_VERSION)
			ccc->container_version = reader_u8(&element.value);
		else if (element.tag == TAG_GRAMMAR_VERSION)
			ccc->grammar_version = reader_u8(&element.value);
		else if (element.tag == TAG_DATA_MODEL)
			ccc->data_model = reader_u8(&element.value);
	}
	return !reader.failed;
}

bool discovery_parse(const struct buffer *object, struct discovery *discovery)
{
	struct reader reader = reader_of(object);
	struct tlv element;

	*discovery = (struct discovery){0};
	while (tlv_next(&reader, &element)) {
		if (element.tag == TAG_APPLICATION)
			discovery->application = element.value;
		else if (element.tag == TAG_PIN_USAGE)
			discovery->pin_usage = reader_u16(&element.value);
	}
	return !reader.failed && reader_left(&discovery->application) > 0;
}
