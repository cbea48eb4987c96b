/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card/card-type.h"

#include <string.h>

#include "common/buffer.h"
#include "model/key.h"

/* The key that came with the first PIV cards and with every YubiKey since. */
#define FACTORY_ADMIN_KEY "010203040506070801020304050607080102030405060708"
#define FACTORY_PIN	  "123456"
#define FACTORY_PUK	  "12345678"

#define ADMIN_3DES   0x03
#define ADMIN_AES192 0x0A

#define BIT(algorithm) (1U << KEY_ALGORITHM_##algorithm)
#define ALGORITHMS_PIV (BIT(RSA_2048) | BIT(EC_P256) | BIT(EC_P384))
#define ALGORITHMS_5_7 (ALGORITHMS_PIV | BIT(RSA_1024) | BIT(RSA_3072) | BIT(RSA_4096))

static const struct card_type types[] = {
	{.name = "yubikey-neo",
		.driver = "piv",
		.firmware_from = 0x000001,
		.firmware_to = 0x03FFFF,
		.title = "YubiKey NEO",
		.manufacturer = "Yubico",
		.algorithms = BIT(RSA_1024) | BIT(RSA_2048) | BIT(EC_P256),
		.factory_pin = FACTORY_PIN,
		.factory_puk = FACTORY_PUK,
		.factory_admin_key = FACTORY_ADMIN_KEY,
		.factory_admin_algorithm = ADMIN_3DES},
	{.name = "yubikey-4",
		.driver = "piv",
		.firmware_from = 0x040000,
		.firmware_to = 0x04FFFF,
		.title = "YubiKey",
		.manufacturer = "Yubico",
		.algorithms = ALGORITHMS_PIV | BIT(RSA_1024),
		.factory_pin = FACTORY_PIN,
		.factory_puk = FACTORY_PUK,
		.factory_admin_key = FACTORY_ADMIN_KEY,
		.factory_admin_algorithm = ADMIN_3DES},
	{.name = "yubikey-5",
		.driver = "piv",
		.firmware_from = 0x050000,
		.firmware_to = 0x0506FF,
		.title = "YubiKey",
		.manufacturer = "Yubico",
		.algorithms = ALGORITHMS_PIV | BIT(RSA_1024),
		.factory_pin = FACTORY_PIN,
		.factory_puk = FACTORY_PUK,
		.factory_admin_key = FACTORY_ADMIN_KEY,
		.factory_admin_algorithm = ADMIN_3DES},
	{.name = "yubikey-5",
		.driver = "piv",
		.firmware_from = 0x050700,
		.firmware_to = 0xFFFFFF,
		.title = "YubiKey",
		.manufacturer = "Yubico",
		.algorithms = ALGORITHMS_5_7,
		.factory_pin = FACTORY_PIN,
		.factory_puk = FACTORY_PUK,
		.factory_admin_key = FACTORY_ADMIN_KEY,
		.factory_admin_algorithm = ADMIN_AES192},
	{.name = "piv",
		.driver = "piv",
		.title = "PIV card",
		.manufacturer = "unknown",
		.algorithms = ALGORITHMS_PIV,
		.factory_pin = FACTORY_PIN,
		.factory_puk = FACTORY_PUK,
		.factory_admin_key = FACTORY_ADMIN_KEY,
		.factory_admin_algorithm = ADMIN_3DES},
};

static bool atr_matches(const struct card_type *type, const uint8_t *atr, size_t length)
{
	struct buffer wanted _cleanup_buffer_ = BUFFER_INIT;
	struct buffer mask _cleanup_buffer_ = BUFFER_INIT;

	if (!type->atr)
		return true;
	if (!hex_decode(type->atr, &wanted) ||
		!hex_decode(type->atr_mask ? type->atr_mask : "", &mask) || wanted.length != length)
		return false;
	for (size_t i = 0; i < length; i++) {
		uint8_t bits = i < mask.length ? mask.data[i] : 0xFF;
		if ((atr[i] ^ wanted.data[i]) & bits)
			return false;
	}
	return true;
}

const struct card_type *card_type_match(
	const char *driver, const uint8_t *atr, size_t atr_length, unsigned firmware)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		const struct card_type *type = &types[i];
		if (strcmp(type->driver, driver) == 0 && firmware >= type->firmware_from &&
			firmware <= type->firmware_to && atr_matches(type, atr, atr_length))
			return type;
	}
	return NULL;
}

const struct card_type *card_type_find(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(types); i++) {
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	}
	return NULL;
}

const struct card_type *card_type_at(size_t index)
{
	return index < ARRAY_SIZE(types) ? &types[index] : NULL;
}
