/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* As the PIV pages of Yubico's technical documentation describe the commands. */
#include "card/piv.h"

#define VERSION_LENGTH 3
#define SERIAL_LENGTH  4

/* GET METADATA */
#define TAG_ALGORITHM  0x01
#define TAG_POLICY     0x02
#define TAG_PUBLIC_KEY 0x04
#define TAG_IS_DEFAULT 0x05
#define TAG_TRIES      0x06

#define SET_MANAGEMENT_KEY_PARAMETER 0xFF /* both; P2 FE would ask for touch */

static const uint8_t pin_policies[PIN_USE_COUNT] = {
	[PIN_USE_NEVER] = 1, [PIN_USE_ONCE] = 2, [PIN_USE_ALWAYS] = 3};
static const uint8_t touch_policies[TOUCH_USE_COUNT] = {
	[TOUCH_USE_NEVER] = 1, [TOUCH_USE_ALWAYS] = 2, [TOUCH_USE_CACHED] = 3};

uint8_t yubikey_pin_policy(enum pin_use use)
{
	return (size_t)use < ARRAY_SIZE(pin_policies) ? pin_policies[use] : 0;
}

enum pin_use yubikey_pin_use(uint8_t policy)
{
	/* 4 and 5: the same with a fingerprint in place of the PIN (YubiKey Bio) */
	static const enum pin_use uses[] = {PIN_USE_DEFAULT, PIN_USE_NEVER, PIN_USE_ONCE,
		PIN_USE_ALWAYS, PIN_USE_ONCE, PIN_USE_ALWAYS};

	return policy < ARRAY_SIZE(uses) ? uses[policy] : PIN_USE_DEFAULT;
}

uint8_t yubikey_touch_policy(enum touch_use use)
{
	return (size_t)use < ARRAY_SIZE(touch_policies) ? touch_policies[use] : 0;
}

enum touch_use yubikey_touch_use(uint8_t policy)
{
	static const enum touch_use uses[] = {
		TOUCH_USE_DEFAULT, TOUCH_USE_NEVER, TOUCH_USE_ALWAYS, TOUCH_USE_CACHED};

	return policy < ARRAY_SIZE(uses) ? uses[policy] : TOUCH_USE_DEFAULT;
}

bool yubikey_version(struct card *card, unsigned *version, struct error *error)
{
	struct apdu command = {.ins = PIV_INS_GET_VERSION, .answer = APDU_ANSWER_SHORT};
	_cleanup_buffer_ struct buffer response = BUFFER_INIT;
	uint16_t status;

	if (!piv_exchange(card, &command, &response, &status, error))
		return false;
	*version = 0;
	if (status == SW_SUCCESS && response.length == VERSION_LENGTH)
		*version =
			(unsigned)response.data[0] << 16 | response.data[1] << 8 | response.data[2];
	return true;
}

bool yubikey_serial(struct card *card, uint32_t *serial, struct error *error)
{
	struct apdu command = {.ins = PIV_INS_GET_SERIAL, .answer = APDU_ANSWER_SHORT};
	_cleanup_buffer_ struct buffer response = BUFFER_INIT;
	uint16_t status;

	if (!piv_exchange(card, &command, &response, &status, error))
		return false;
	struct reader reader = reader_of(&response);
	*serial =
		status == SW_SUCCESS && response.length == SERIAL_LENGTH ? reader_u32(&reader) : 0;
	return true;
}

static void read_element(struct yubikey_metadata *metadata, struct tlv *element)
{
	struct reader *value = &element->value;

	switch (element->tag) {
	case TAG_ALGORITHM:
		metadata->algorithm = reader_u8(value);
		break;
	case TAG_POLICY:
		metadata->pin_policy = reader_u8(value);
		metadata->touch_policy = reader_u8(value);
		break;
	case TAG_PUBLIC_KEY:
		metadata->public_key = *value;
		break;
	case TAG_IS_DEFAULT:
		metadata->tells_default = reader_left(value) == 1;
		metadata->is_default = reader_u8(value) != 0;
		break;
	case TAG_TRIES: /* total, left */
		metadata->tells_tries = reader_left(value) == 2;
		metadata->tries_total = reader_u8(value);
		metadata->tries_left = reader_u8(value);
		break;
	default:
		break;
	}
}

bool yubikey_metadata(struct card *card, uint8_t reference, struct buffer *response,
	struct yubikey_metadata *metadata, struct error *error)
{
	struct apdu command = {
		.ins = PIV_INS_GET_METADATA, .p2 = reference, .answer = APDU_ANSWER_LONG};
	uint16_t status;
	struct tlv element;

	*metadata = (struct yubikey_metadata){0};
	if (!piv_exchange(card, &command, response, &status, error))
		return false;
	if (status == SW_REFERENCE_NOT_FOUND || status == SW_FILE_NOT_FOUND)
		return true;
	if (!status_word_check(status, "GET METADATA", error))
		return false;
	struct reader reader = reader_of(response);
	while (tlv_next(&reader, &element))
		read_element(metadata, &element);
	if (reader.failed)
		return piv_malformed("GET METADATA", error);
	metadata->found = true;
	return true;
}

bool yubikey_set_management_key(struct card *card, const struct secret *key, struct error *error)
{
	uint8_t algorithm = card->info.preferred_admin_algorithm;
	_cleanup_buffer_ struct buffer data = BUFFER_INIT_WIPE;
	struct apdu command = {.ins = PIV_INS_SET_MANAGEMENT_KEY,
		.p1 = SET_MANAGEMENT_KEY_PARAMETER,
		.p2 = SET_MANAGEMENT_KEY_PARAMETER};

	if (key->length == 0 || key->length != admin_key_length(algorithm))
		return error_set(
			error, ERROR_INVALID_ARGUMENT, "the management key has the wrong length");
	buffer_append_u8(&data, algorithm);
	buffer_append_u8(&data, PIV_REFERENCE_ADMIN);
	buffer_append_u8(&data, (uint8_t)key->length);
	buffer_append(&data, key->data, key->length);
	if (data.failed)
		return error_set(error, ERROR_FAILED, "out of memory");
	command.data = data.data;
	command.length = data.length;
	if (!piv_admin_command(card, &command, "SET MANAGEMENT KEY", NULL, error))
		return false;
	card->info.admin_algorithm = algorithm;
	return true;
}

bool yubikey_set_pin_retries(struct card *card, const struct card_tries *tries, struct error *error)
{
	struct apdu command = {.ins = PIV_INS_SET_PIN_RETRIES,
		.p1 = (uint8_t)tries->pin,
		.p2 = (uint8_t)tries->puk};

	if (tries->pin < 1 || tries->pin > UINT8_MAX || tries->puk < 1 || tries->puk > UINT8_MAX)
		return error_set(error, ERROR_INVALID_ARGUMENT, "a card counts 1 to 255 tries");
	/* Whatever it answers: a PIN that was proven may be another one now. */
	card_note_security_lost(card);
	return piv_command(card, &command, "SET PIN RETRIES", NULL, error);
}

bool yubikey_reset(struct card *card, struct error *error)
{
	struct apdu command = {.ins = PIV_INS_RESET};

	if (!piv_command(card, &command, "RESET", NULL, error))
		return false;
	/* Nothing that was proven to the card counts any more, and the key is the factory's. */
	card->info.admin_algorithm = 0;
	return card_select_again(card, error) && piv_identify_admin_algorithm(card, error);
}
