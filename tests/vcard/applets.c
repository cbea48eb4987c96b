/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SELECT, and the YubiKey's small applets beside PIV from which tools read version and serial. */
#include <string.h>

#include "common/tlv.h"
#include "vcard/card.h"
#include "vcard/keys.h"

#define CAPABILITY_PIV	     0x0010
#define FORM_FACTOR_KEYCHAIN 0x01
#define OTP_READ_SERIAL	     0x10

struct application {
	enum applet applet;
	bool is_extension;
	uint8_t aid_length;
	uint8_t aid_minimum; /* a name cut at the right is taken down to this length */
	uint8_t aid[11];
};

/* SP 800-73-4 part 1, 2.2 */
static const struct application applications[] = {
	{APPLET_PIV, false, 11, 5, {0xA0, 0, 0, 3, 8, 0, 0, 0x10, 0, 1, 0}},
	{APPLET_MANAGEMENT, true, 8, 8, {0xA0, 0, 0, 5, 0x27, 0x47, 0x11, 0x17}},
	{APPLET_OTP, true, 7, 7, {0xA0, 0, 0, 5, 0x27, 0x20, 0x01}},
	{APPLET_SECURITY_DOMAIN, true, 8, 8, {0xA0, 0, 0, 1, 0x51, 0, 0, 0}},
};

static bool has_application(const struct vcard *card, const struct application *application)
{
	if (application->applet == APPLET_SECURITY_DOMAIN)
		return card_has_scp11(card);
	return !(application->is_extension && card_is_nist(card));
}

static const struct application *find_application(const struct vcard *card, struct reader name)
{
	size_t length = reader_left(&name);
	const uint8_t *aid = reader_bytes(&name, length);

	for (size_t i = 0; i < ARRAY_SIZE(applications); i++) {
		const struct application *application = &applications[i];
		if (length >= application->aid_minimum && length <= application->aid_length &&
			memcmp(aid, application->aid, length) == 0 &&
			has_application(card, application))
			return application;
	}
	return NULL;
}

static void append_version(const struct vcard *card, struct buffer *out)
{
	uint32_t firmware = card->options.firmware;

	buffer_append_u8(out, (uint8_t)(firmware >> 16));
	buffer_append_u16(out, (uint16_t)firmware);
}

/* Application property template: SP 800-73-4 part 2, 3.1.1. */
static void describe_piv(const struct vcard *card, struct buffer *response)
{
	_cleanup_buffer_ struct buffer template = BUFFER_INIT;
	static const uint8_t authority[] = {0x4F, 5, 0xA0, 0, 0, 3, 8};

	tlv_append(&template, 0x4F, (uint8_t[]){0, 0, 0x10, 0, 1, 0}, 6);
	tlv_append(&template, 0x79, authority, sizeof(authority));
	if (card_is_nist(card))
		tlv_append(&template, 0x50, "Tessera virtual PIV card", 24);
	tlv_append(response, 0x61, template.data, template.length);
}

static void describe_management(const struct vcard *card, struct buffer *response)
{
	uint32_t firmware = card->options.firmware;
	char text[64];

	snprintf(text, sizeof(text), "Virtual mgr - FW version %u.%u.%u", firmware >> 16,
		firmware >> 8 & 0xFF, firmware & 0xFF);
	buffer_append_string(response, text);
}

/* GlobalPlatform Card Specification 2.3, 11.9.3.1: name, and the most that fits into a command. */
static void describe_security_domain(struct buffer *response)
{
	static const uint8_t template[] = {
		0x84, 8, 0xA0, 0, 0, 1, 0x51, 0, 0, 0, 0xA5, 4, 0x9F, 0x65, 1, 0xFF};

	tlv_append(response, 0x6F, template, sizeof(template));
}

uint16_t command_select(struct vcard *card, const struct apdu *apdu, struct buffer *response)
{
	if (apdu->p1 != 0x04)
		return SW_WRONG_PARAMETERS;
	const struct application *application = find_application(card, apdu->data);
	if (!application)
		return SW_NOT_FOUND;
	if (card->status.applet != application->applet)
		card->status = (struct security_status){.applet = application->applet};
	switch (application->applet) {
	case APPLET_PIV:
		describe_piv(card, response);
		break;
	case APPLET_MANAGEMENT:
		describe_management(card, response);
		break;
	case APPLET_SECURITY_DOMAIN:
		describe_security_domain(response);
		break;
	default: /* OTP: version, sequence number, two bytes of configuration state */
		append_version(card, response);
		buffer_fill(response, 0, 3);
	}
	return SW_SUCCESS;
}

/* Device information as the management applet tells it: a length byte, then TLVs. */
uint16_t command_read_config(struct vcard *card, const struct apdu *apdu, struct buffer *response)
{
	_cleanup_buffer_ struct buffer config = BUFFER_INIT;
	static const uint8_t capabilities[] = {CAPABILITY_PIV >> 8, CAPABILITY_PIV & 0xFF};

	if (apdu->p1 != 0)
		return SW_WRONG_PARAMETERS;
	tlv_append(&config, 0x01, capabilities, sizeof(capabilities));
	if (card->state.serial) {
		tlv_append_header(&config, 0x02, 4);
		buffer_append_u32(&config, card->state.serial);
	}
	tlv_append(&config, 0x03, capabilities, sizeof(capabilities));
	tlv_append(&config, 0x04, (uint8_t[]){FORM_FACTOR_KEYCHAIN}, 1);
	tlv_append_header(&config, 0x05, 3);
	append_version(card, &config);
	tlv_append(&config, 0x0A, (uint8_t[]){0}, 1); /* configuration is not locked */
	buffer_append_u8(response, (uint8_t)config.length);
	buffer_append(response, config.data, config.length);
	return SW_SUCCESS;
}

uint16_t command_otp(struct vcard *card, const struct apdu *apdu, struct buffer *response)
{
	if (apdu->p1 != OTP_READ_SERIAL)
		return SW_WRONG_PARAMETERS;
	buffer_append_u32(response, card->state.serial);
	return SW_SUCCESS;
}

uint16_t command_get_version(struct vcard *card, const struct apdu *apdu, struct buffer *response)
{
	(void)apdu;
	append_version(card, response);
	return SW_SUCCESS;
}

uint16_t command_get_serial(struct vcard *card, const struct apdu *apdu, struct buffer *response)
{
	(void)apdu;
	if (card->state.serial == 0)
		return SW_NOT_FOUND;
	buffer_append_u32(response, card->state.serial);
	return SW_SUCCESS;
}
