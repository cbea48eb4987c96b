/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The issuer security domain, as far as it tells of the card's SCP11b key. */
#include "common/tlv.h"
#include "vcard/scp11.h"

#define DATA_KEY_INFORMATION 0x00E0
#define DATA_CERTIFICATES    0xBF21

#define TAG_KEY_INFORMATION 0xE0
#define TAG_KEY		    0xC0
#define TAG_CONTROL	    0xA6 /* control reference template: of which key */
#define TAG_KEY_REFERENCE   0x83

/*
 * Identifier, version, then type and length of each component. Besides the SCP11b key a card has
 * the factory's SCP03 keys; this one tells them, but does not speak SCP03 with static keys.
 */
static const uint8_t keys[][4] = {
	{0x01, 0xFF, 0x88, 0x10},
	{0x02, 0xFF, 0x88, 0x10},
	{0x03, 0xFF, 0x88, 0x10},
	{SCP11_KEY_IDENTIFIER, SCP11_KEY_VERSION, 0xB1, 0x20},
};

static uint16_t tell_keys(struct reader data, struct buffer *response)
{
	_cleanup_buffer_ struct buffer list = BUFFER_INIT;

	if (reader_left(&data) > 0)
		return SW_WRONG_DATA;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		tlv_append(&list, TAG_KEY, keys[i], sizeof(keys[i]));
	tlv_append(response, TAG_KEY_INFORMATION, list.data, list.length);
	return SW_SUCCESS;
}

/* The value of the only element, which has this tag. */
static bool read_only(struct reader data, uint32_t tag, struct reader *value)
{
	struct tlv element;

	if (!tlv_next(&data, &element) || element.tag != tag || reader_left(&data) > 0)
		return false;
	*value = element.value;
	return true;
}

static uint16_t tell_certificates(
	const struct vcard *card, struct reader data, struct buffer *response)
{
	const struct buffer *certificates = &card->state.scp11_certificates;
	struct reader control, reference;

	if (!read_only(data, TAG_CONTROL, &control) ||
		!read_only(control, TAG_KEY_REFERENCE, &reference) || reader_left(&reference) != 2)
		return SW_WRONG_DATA;
	if (reader_u16(&reference) != (SCP11_KEY_IDENTIFIER << 8 | SCP11_KEY_VERSION))
		return SW_REFERENCE_NOT_FOUND;
	buffer_append(response, certificates->data, certificates->length);
	return SW_SUCCESS;
}

uint16_t command_get_domain_data(
	struct vcard *card, const struct apdu *apdu, struct buffer *response)
{
	switch (apdu->p1 << 8 | apdu->p2) {
	case DATA_KEY_INFORMATION:
		return tell_keys(apdu->data, response);
	case DATA_CERTIFICATES:
		return tell_certificates(card, apdu->data, response);
	default:
		return SW_REFERENCE_NOT_FOUND;
	}
}
