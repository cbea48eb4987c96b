/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GET DATA and PUT DATA (SP 800-73-4 part 2, 3.1.2 and 3.3.2). */
#include "common/tlv.h"
#include "vcard/card.h"

#define OBJECT_MAXIMUM 3072
#define TAG_LIST       0x5C
#define TAG_DATA       0x53
#define TAG_DISCOVERY  0x7E
#define TAG_BIT_GROUP  0x7F61

/* Data objects and who may read them: SP 800-73-4 part 1, table 2; the YubiKey's own below 5FFFxx.
 */
struct object_range {
	uint32_t first, last;
	bool needs_pin;
	bool is_extension;
};

static const struct object_range ranges[] = {
	{TAG_DISCOVERY, TAG_DISCOVERY, false, false}, {TAG_BIT_GROUP, TAG_BIT_GROUP, false, false},
	{0x5FC101, 0x5FC102, false, false}, /* 9E certificate, CHUID */
	{0x5FC103, 0x5FC103, true, false},  /* fingerprints */
	{0x5FC105, 0x5FC107, false, false}, /* 9A certificate, security object, CCC */
	{0x5FC108, 0x5FC109, true, false},  /* facial image, printed information */
	{0x5FC10A, 0x5FC10C, false, false}, /* 9C, 9D certificates, key history */
	{0x5FC10D, 0x5FC120, false, false}, /* 82 to 95 certificates */
	{0x5FC121, 0x5FC121, true, false},  /* iris images */
	{0x5FC122, 0x5FC122, false, false}, /* secure messaging certificate signer */
	{0x5FC123, 0x5FC123, true, false},  /* pairing code */
	{0x5FFF00, 0x5FFF01, false, true},  /* administrative data, attestation certificate */
	{0x5FFF10, 0x5FFF15, false, true},  /* key map and roots of the minidriver */
};

/* SP 800-73-4 part 1, 3.3.2: the PIV PIN alone satisfies the access rules. */
static const uint8_t discovery[] = {TAG_DISCOVERY, 0x12, 0x4F, 0x0B, 0xA0, 0, 0, 3, 8, 0, 0, 0x10,
	0, 1, 0, 0x5F, 0x2F, 2, 0x40, 0};

static const struct object_range *find_range(const struct vcard *card, uint32_t tag)
{
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (tag >= ranges[i].first && tag <= ranges[i].last &&
			!(ranges[i].is_extension && card_is_nist(card)))
			return &ranges[i];
	return NULL;
}

/* The tag in a tag list 5C; 0 if it has none of one to three bytes. */
static uint32_t tag_of(struct reader list)
{
	uint32_t tag = 0;

	if (reader_left(&list) < 1 || reader_left(&list) > 3)
		return 0;
	while (reader_left(&list) > 0)
		tag = tag << 8 | reader_u8(&list);
	return tag;
}

uint16_t command_get_data(struct vcard *card, const struct apdu *apdu, struct buffer *response)
{
	struct reader list;

	if (apdu->p1 != 0x3F || apdu->p2 != 0xFF)
		return SW_WRONG_PARAMETERS;
	if (!tlv_find(apdu->data, TAG_LIST, &list))
		return SW_WRONG_DATA;
	uint32_t tag = tag_of(list);
	const struct object_range *range = find_range(card, tag);
	if (!range)
		return SW_NOT_FOUND;
	if (range->needs_pin && !card->status.pin_verified)
		return SW_SECURITY_STATUS;
	const struct card_object *object = state_object(&card->state, tag);
	if (!object && tag == TAG_DISCOVERY) {
		buffer_append(response, discovery, sizeof(discovery));
		return SW_SUCCESS;
	}
	if (!object)
		return SW_NOT_FOUND;
	if (tag > 0xFFFF)
		tlv_append_header(response, TAG_DATA, object->data.length);
	buffer_append(response, object->data.data, object->data.length);
	return SW_SUCCESS;
}

static uint16_t store(struct vcard *card, uint32_t tag, struct reader value)
{
	size_t length = reader_left(&value);

	if (!find_range(card, tag))
		return SW_NOT_SUPPORTED;
	if (length > OBJECT_MAXIMUM ||
		!state_put_object(&card->state, tag, reader_bytes(&value, length), length))
		return SW_NO_MEMORY;
	card->dirty = true;
	return SW_SUCCESS;
}

/* 7E and 7F61 come without a tag list, and are kept whole. */
static uint16_t store_template(struct vcard *card, const struct apdu *apdu, uint32_t tag)
{
	struct reader inner;

	if (!tlv_find(apdu->data, tag, &inner))
		return SW_WRONG_DATA;
	return store(card, tag, reader_left(&inner) ? apdu->data : inner);
}

uint16_t command_put_data(struct vcard *card, const struct apdu *apdu, struct buffer *response)
{
	struct reader data = apdu->data;
	struct tlv list, value;

	(void)response;
	if (apdu->p1 != 0x3F || apdu->p2 != 0xFF)
		return SW_WRONG_PARAMETERS;
	if (!card->status.management)
		return SW_SECURITY_STATUS;
	if (!tlv_next(&data, &list))
		return SW_WRONG_DATA;
	if (list.tag == TAG_DISCOVERY || list.tag == TAG_BIT_GROUP)
		return store_template(card, apdu, list.tag);
	if (list.tag != TAG_LIST || !tlv_next(&data, &value) || value.tag != TAG_DATA ||
		reader_left(&data) > 0)
		return SW_WRONG_DATA;
	return store(card, tag_of(list.value), value.value);
}
