/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vcard/apdu.h"

static bool parse_short(struct reader *reader, struct apdu *apdu)
{
	size_t length = reader_u8(reader);

	if (reader_left(reader) == 0) {
		apdu->has_le = true;
		apdu->response_maximum = length ? length : APDU_SHORT_RESPONSE;
		return true;
	}
	apdu->data = reader_sub(reader, length);
	apdu->response_maximum = APDU_SHORT_RESPONSE;
	if (reader_left(reader) > 0) {
		size_t maximum = reader_u8(reader);
		apdu->has_le = true;
		apdu->response_maximum = maximum ? maximum : APDU_SHORT_RESPONSE;
	}
	return !reader->failed && reader_left(reader) == 0;
}

static bool parse_extended(struct reader *reader, struct apdu *apdu)
{
	reader_u8(reader);
	size_t length = reader_u16(reader);

	apdu->is_extended = true;
	apdu->response_maximum = APDU_EXTENDED_RESPONSE;
	if (reader_left(reader) == 0) {
		apdu->has_le = true;
		apdu->response_maximum = length ? length : APDU_EXTENDED_RESPONSE;
		return !reader->failed;
	}
	apdu->data = reader_sub(reader, length);
	if (reader_left(reader) > 0) {
		size_t maximum = reader_u16(reader);
		apdu->has_le = true;
		apdu->response_maximum = maximum ? maximum : APDU_EXTENDED_RESPONSE;
	}
	return !reader->failed && reader_left(reader) == 0;
}

bool apdu_parse(const uint8_t *bytes, size_t length, struct apdu *apdu)
{
	struct reader reader = READER_INIT(bytes, length);

	*apdu = (struct apdu){.response_maximum = APDU_SHORT_RESPONSE};
	apdu->cla = reader_u8(&reader);
	apdu->ins = reader_u8(&reader);
	apdu->p1 = reader_u8(&reader);
	apdu->p2 = reader_u8(&reader);
	if (reader.failed)
		return false;
	if (reader_left(&reader) == 0)
		return true;
	if (reader_left(&reader) >= 3 && bytes[reader.position] == 0)
		return parse_extended(&reader, apdu);
	return parse_short(&reader, apdu);
}
