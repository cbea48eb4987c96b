/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card/piv.h"

#include "common/alloc.h"

/* Application property template (SP 800-73-4 part 2, table 3) */
#define TAG_PROPERTIES 0x61
#define TAG_ALGORITHMS 0xAC
#define TAG_ALGORITHM  0x80
#define TAG_GUID       0x34 /* in the CHUID (SP 800-73-4 part 1, table 9) */
#define GUID_LENGTH    16

/* SP 800-73-4 part 2, table 1 */
#define PIN_MINIMUM 6
#define PIN_MAXIMUM 8

#define FIRMWARE_EXTENDED_LENGTH 0x040000
#define FIRMWARE_ATTESTATION	 0x040300
#define FIRMWARE_AES		 0x050402
#define FIRMWARE_SCP11		 0x050702

/* The PIV card application without its version (SP 800-73-4 part 1, 2.2). */
static const uint8_t application[] = {0xA0, 0x00, 0x00, 0x03, 0x08, 0x00, 0x00, 0x10, 0x00};

/* The likeliest first: each wrong guess costs a command. */
static const uint8_t admin_algorithms[] = {
	PIV_ALGORITHM_3DES, PIV_ALGORITHM_AES192, PIV_ALGORITHM_AES256, PIV_ALGORITHM_AES128};

/* What the application says that it supports, on top of what the table of types knows. */
static unsigned announced_algorithms(struct reader properties)
{
	unsigned bits = 0;
	struct reader algorithms;
	struct tlv element;

	if (!tlv_find(properties, TAG_ALGORITHMS, &algorithms))
		return 0;
	while (tlv_next(&algorithms, &element)) {
		enum key_algorithm algorithm = KEY_ALGORITHM_NONE;
		if (element.tag == TAG_ALGORITHM)
			algorithm = piv_algorithm_from_reference(reader_u8(&element.value));
		if (algorithm != KEY_ALGORITHM_NONE)
			bits |= 1U << algorithm;
	}
	return bits;
}

static bool select_application(struct card *card, unsigned *algorithms, struct error *error)
{
	_cleanup_buffer_ struct buffer response = BUFFER_INIT;
	struct reader properties;

	if (!card_select(card, application, sizeof(application), &response, error))
		return false;
	if (!tlv_find(reader_of(&response), TAG_PROPERTIES, &properties))
		return error_set(error, ERROR_CARD_UNKNOWN,
			"the card's application is not a PIV card application");
	*algorithms = announced_algorithms(properties);
	return true;
}

static bool identify_metadata(struct card *card, struct error *error)
{
	_cleanup_buffer_ struct buffer response = BUFFER_INIT;
	struct yubikey_metadata metadata;
	struct error refusal _cleanup_error_ = ERROR_INIT;

	if (yubikey_metadata(card, PIV_REFERENCE_ADMIN, &response, &metadata, &refusal)) {
		card->info.has_metadata = metadata.found;
		card->info.admin_algorithm = metadata.algorithm;
		return true;
	}
	/* A card that refuses the command or garbles its answer does without. */
	if (refusal.code == ERROR_NO_CARD || refusal.code == ERROR_NO_READER_SERVICE)
		return error_move(error, &refusal);
	return true;
}

static bool has_extension(const struct card *card, enum card_extension extension)
{
	return card->type->extensions & 1U << extension;
}

/* What is said from here on can be encrypted. */
static bool identify_way(struct card *card, unsigned firmware, struct error *error)
{
	struct card_info *info = &card->info;

	if (has_extension(card, CARD_EXTENSION_VERSION))
		info->firmware = firmware;
	if (info->firmware >= FIRMWARE_EXTENDED_LENGTH &&
		card->transport->maximum_data > TRANSPORT_SHORT_DATA)
		card->private->channel.extended = true;
	info->can_encrypt =
		has_extension(card, CARD_EXTENSION_SCP11) && info->firmware >= FIRMWARE_SCP11;
	return card_secure(card, error);
}

/* What the card answers is believed as far as its type says so. */
static bool identify_vendor(
	struct card *card, unsigned firmware, uint32_t *serial, struct error *error)
{
	struct card_info *info = &card->info;

	if (firmware == 0)
		return true;
	if ((has_extension(card, CARD_EXTENSION_SERIAL) && !yubikey_serial(card, serial, error)) ||
		(has_extension(card, CARD_EXTENSION_METADATA) && !identify_metadata(card, error)))
		return false;
	info->can_set_admin_key = has_extension(card, CARD_EXTENSION_SET_MANAGEMENT_KEY);
	info->can_reset = has_extension(card, CARD_EXTENSION_RESET);
	info->can_set_tries = has_extension(card, CARD_EXTENSION_SET_TRIES);
	info->can_attest = has_extension(card, CARD_EXTENSION_ATTESTATION) &&
			   info->firmware >= FIRMWARE_ATTESTATION;
	return true;
}

static bool admin_algorithm_by_metadata(struct card *card, uint8_t *algorithm, struct error *error)
{
	_cleanup_buffer_ struct buffer response = BUFFER_INIT;
	struct yubikey_metadata metadata;

	if (!yubikey_metadata(card, PIV_REFERENCE_ADMIN, &response, &metadata, error))
		return false;
	*algorithm = metadata.algorithm;
	return true;
}

static bool admin_algorithm_by_probe(struct card *card, uint8_t *algorithm, struct error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(admin_algorithms); i++) {
		bool fits;
		if (!piv_admin_probe(card, admin_algorithms[i], &fits, error))
			return false;
		if (fits) {
			*algorithm = admin_algorithms[i];
			return true;
		}
	}
	return true;
}

static bool ask_admin_algorithm(struct card *card, uint8_t *algorithm, struct error *error)
{
	const struct card_info *info = &card->info;

	if (info->has_metadata)
		return admin_algorithm_by_metadata(card, algorithm, error);
	if (info->firmware != 0 && info->firmware < FIRMWARE_AES)
		return true;
	return admin_algorithm_by_probe(card, algorithm, error);
}

bool piv_identify_admin_algorithm(struct card *card, struct error *error)
{
	struct card_info *info = &card->info;
	uint8_t algorithm = info->admin_algorithm;

	if (algorithm == 0 && !ask_admin_algorithm(card, &algorithm, error))
		return false;
	info->admin_algorithm = admin_key_length(algorithm) ? algorithm : PIV_ALGORITHM_3DES;
	if (info->firmware >= FIRMWARE_AES)
		info->preferred_admin_algorithm = PIV_ALGORITHM_AES256;
	else if (info->can_set_admin_key)
		info->preferred_admin_algorithm = PIV_ALGORITHM_3DES;
	else
		info->preferred_admin_algorithm = info->admin_algorithm;
	return true;
}

char *piv_serial_of_chuid(const struct buffer *chuid)
{
	struct reader guid;
	uint8_t any = 0;

	if (!tlv_find(reader_of(chuid), TAG_GUID, &guid) || reader_left(&guid) != GUID_LENGTH)
		return NULL;
	for (size_t i = 0; i < GUID_LENGTH; i++)
		any |= guid.data[i];
	_cleanup_free_ char *digits = any ? hex_encode(guid.data, GUID_LENGTH) : NULL;
	return digits ? xasprintf("guid-%s", digits) : NULL;
}

static bool identify_serial(struct card *card, uint32_t serial, struct error *error)
{
	_cleanup_buffer_ struct buffer chuid = BUFFER_INIT;
	struct error refusal _cleanup_error_ = ERROR_INIT;

	if (serial != 0) {
		card->info.serial = xasprintf("yubikey-%u", serial);
		return true;
	}
	if (piv_read(card, CARD_OBJECT_CHUID, KEY_SLOT_NONE, &chuid, &refusal)) {
		card->info.serial = piv_serial_of_chuid(&chuid);
		return true;
	}
	/* Without a CHUID, or with one that nobody can read, it has none yet. */
	if (refusal.code == ERROR_NO_CARD || refusal.code == ERROR_NO_READER_SERVICE)
		return error_move(error, &refusal);
	return true;
}

static bool identify_type(
	struct card *card, unsigned algorithms, unsigned *firmware, struct error *error)
{
	struct card_info *info = &card->info;

	if (!yubikey_version(card, firmware, error) || !card_find_type(card, *firmware, error))
		return false;
	info->manufacturer = xstrdup(card->type->manufacturer);
	info->algorithms = card->type->algorithms | algorithms;
	info->pin_minimum = PIN_MINIMUM;
	info->pin_maximum = PIN_MAXIMUM;
	return true;
}

static void name_model(struct card *card)
{
	struct card_info *info = &card->info;
	_cleanup_free_ char *firmware = firmware_text(info->firmware);

	info->model = info->firmware ? xasprintf("%s %s", card->type->title, firmware)
				     : xstrdup(card->type->title);
}

bool piv_identify(struct card *card, struct error *error)
{
	unsigned algorithms = 0, firmware = 0;
	uint32_t serial = 0;

	if (!select_application(card, &algorithms, error) ||
		!identify_type(card, algorithms, &firmware, error) ||
		!identify_way(card, firmware, error) ||
		!identify_vendor(card, firmware, &serial, error))
		return false;
	name_model(card);
	return piv_identify_admin_algorithm(card, error) && identify_serial(card, serial, error);
}
