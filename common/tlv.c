/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/tlv.h"

#define TAG_NUMBER_MASK	     0x1F
#define TAG_BYTES_MAXIMUM    3
#define LENGTH_BYTES_MAXIMUM 4

static uint32_t read_tag(struct reader *reader)
{
	uint32_t tag = reader_u8(reader);

	if ((tag & TAG_NUMBER_MASK) != TAG_NUMBER_MASK)
		return tag;
	for (int bytes = 1; bytes < TAG_BYTES_MAXIMUM; bytes++) {
		uint8_t next = reader_u8(reader);
		tag = tag << 8 | next;
		if (!(next & 0x80))
			return tag;
	}
	reader->failed = true;
	return 0;
}

static size_t read_length(struct reader *reader)
{
	uint8_t first = reader_u8(reader);
	size_t length = 0;

	if (first < 0x80)
		return first;
	uint8_t bytes = first & 0x7F;
	if (bytes == 0 || bytes > LENGTH_BYTES_MAXIMUM) {
		reader->failed = true;
		return 0;
	}
	while (bytes--)
		length = length << 8 | reader_u8(reader);
	return length;
}

bool tlv_next(struct reader *reader, struct tlv *element)
{
	if (reader_left(reader) == 0)
		return false;
	uint32_t tag = read_tag(reader);
	size_t length = read_length(reader);
	struct reader value = reader_sub(reader, length);
	if (reader->failed)
		return false;
	*element = (struct tlv){.tag = tag, .value = value};
	return true;
}

bool tlv_find(struct reader data, uint32_t tag, struct reader *value)
{
	struct tlv element;

	while (tlv_next(&data, &element)) {
		if (element.tag == tag) {
			*value = element.value;
			return true;
		}
	}
	return false;
}

void tlv_append_header(struct buffer *buffer, uint32_t tag, size_t length)
{
	if (tag > 0xFFFF)
		buffer_append_u8(buffer, (uint8_t)(tag >> 16));
	if (tag > 0xFF)
		buffer_append_u8(buffer, (uint8_t)(tag >> 8));
	buffer_append_u8(buffer, (uint8_t)tag);
	if (length > UINT32_MAX) {
		buffer->failed = true;
		return;
	}
	int bytes = length < 0x80	 ? 0
		    : length <= 0xFF	 ? 1
		    : length <= 0xFFFF	 ? 2
		    : length <= 0xFFFFFF ? 3
					 : 4;
	if (bytes)
		buffer_append_u8(buffer, (uint8_t)(0x80 | bytes));
	for (int shift = bytes ? 8 * (bytes - 1) : 0; shift >= 0; shift -= 8)
		buffer_append_u8(buffer, (uint8_t)(length >> shift));
}

void tlv_append(struct buffer *buffer, uint32_t tag, const void *value, size_t length)
{
	tlv_append_header(buffer, tag, length);
	buffer_append(buffer, value, length);
}
