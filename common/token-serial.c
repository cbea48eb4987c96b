/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/token-serial.h"

#include <string.h>

#define YUBIKEY_PREFIX "yubikey-"

const char *token_serial(const char *card_serial)
{
	if (strncmp(card_serial, YUBIKEY_PREFIX, strlen(YUBIKEY_PREFIX)) == 0)
		card_serial += strlen(YUBIKEY_PREFIX);
	size_t length = strlen(card_serial);
	return length > TOKEN_SERIAL_LENGTH ? card_serial + length - TOKEN_SERIAL_LENGTH
					    : card_serial;
}
