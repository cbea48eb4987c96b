/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card/application.h"

#include <string.h>

#include "card/card-private.h"
#include "card/status-word.h"

static const struct card_application applications[] = {
	{"PIV (NIST SP 800-73)", "piv", {0xA0, 0, 0, 3, 8, 0, 0, 0x10, 0}, 9},
	{"GIDS (Microsoft)", "gids", {0xA0, 0, 0, 3, 0x97, 0x42, 0x54, 0x46, 0x59}, 9},
	{"OpenPGP", NULL, {0xD2, 0x76, 0, 1, 0x24, 1}, 6},
	{"FIDO", NULL, {0xA0, 0, 0, 6, 0x47, 0x2F, 0, 1}, 8},
	{"PKCS#15", NULL, {0xA0, 0, 0, 0, 0x63, 'P', 'K', 'C', 'S', '-', '1', '5'}, 12},
	{"IDPrime (Thales)", "pkcs11", {0xA0, 0, 0, 0, 0x18, 0x80, 0, 0, 0, 6, 0x62}, 11},
	{"CAC (US Department of Defense)", NULL, {0xA0, 0, 0, 0, 0x79, 1, 0}, 7},
	{"YubiKey management", NULL, {0xA0, 0, 0, 5, 0x27, 0x47, 0x11, 0x17}, 8},
	{"YubiKey OTP", NULL, {0xA0, 0, 0, 5, 0x27, 0x20, 1}, 7},
	{"YubiKey OATH", NULL, {0xA0, 0, 0, 5, 0x27, 0x21, 1}, 7},
	{"Nitrokey administration", NULL, {0xA0, 0, 0, 8, 0x47, 0, 0, 0, 1}, 9},
	{"GlobalPlatform card manager", NULL, {0xA0, 0, 0, 1, 0x51, 0, 0}, 7},
};

const struct card_application *card_application_at(size_t index)
{
	return index < ARRAY_SIZE(applications) ? &applications[index] : NULL;
}

/* Whether one name begins the other: names may be cut at the right. */
static bool is_selected(const struct card *card, const uint8_t *name, size_t length)
{
	const struct card_private *private = card->private;
	size_t common = length < private->application_length ? length : private->application_length;

	return common > 0 && memcmp(private->application, name, common) == 0;
}

bool card_application_is_there(
	struct card *card, const uint8_t *name, size_t length, struct buffer *response)
{
	uint16_t status = 0;

	if (!response && is_selected(card, name, length))
		return true;
	bool done = card_select_plain(card, name, length, response, &status, NULL);
	if (card->private->application_length)
		card_select_again(card, NULL);
	return done && status == SW_SUCCESS;
}
