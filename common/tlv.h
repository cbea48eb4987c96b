/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BER-TLV (ISO/IEC 7816-4, 5.2.2; ITU-T X.690): tags of one to three bytes as
 * they are written (0x5F52, 0x7F49), definite lengths up to four bytes.
 */
#ifndef TESSERA_COMMON_TLV_H
#define TESSERA_COMMON_TLV_H

#include "common/buffer.h"

/* One element; value is a view into the parsed data. */
struct tlv {
	uint32_t tag;
	struct reader value;
};

/*
 * Reads the next element. False at the end of the data (reader->failed stays
 * false) and for a malformed element (reader->failed is set).
 */
bool tlv_next(struct reader *reader, struct tlv *element);
/* Searches the elements of data (not nested ones) for tag. The caller's reader is not moved. */
bool tlv_find(struct reader data, uint32_t tag, struct reader *value);

/* Appends tag, length and value. */
void tlv_append(struct buffer *buffer, uint32_t tag, const void *value, size_t length);
/* Appends tag and length only; the caller appends the value. */
void tlv_append_header(struct buffer *buffer, uint32_t tag, size_t length);

#endif
