/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Documents of credential types, read strictly. */
#include <stdio.h>
#include <string.h>

#include "common/alloc.h"
#include "model/card-type.h"
#include "model/document.h"
#include "model/key.h"

#define TITLE_MAXIMUM	     128 /* bytes */
#define NOTES_MAXIMUM	     4096
#define ATRS_MAXIMUM	     32
#define ATR_MINIMUM	     2 /* bytes (ISO/IEC 7816-3, 8.1) */
#define ATR_MAXIMUM	     33
#define APPLICATIONS_MAXIMUM 8
#define APPLICATION_MINIMUM  5 /* bytes (ISO/IEC 7816-4, 8.2.1.2) */
#define APPLICATION_MAXIMUM  16
#define SECRET_MAXIMUM	     64 /* bytes of a PIN or PUK */
#define PIN_LENGTH_MAXIMUM   255
#define ADMIN_KEY_DIGITS     64
#define FIRMWARE_LENGTH	     11 /* "255.255.255" */

static const char *const unblock_names[] = {[CARD_UNBLOCK_NONE] = "none",
	[CARD_UNBLOCK_PUK] = "puk",
	[CARD_UNBLOCK_ADMIN_KEY] = "admin-key"};

static const char *const extension_names[CARD_EXTENSION_COUNT] = {
	[CARD_EXTENSION_VERSION] = "version",
	[CARD_EXTENSION_SERIAL] = "serial",
	[CARD_EXTENSION_METADATA] = "metadata",
	[CARD_EXTENSION_ATTESTATION] = "attestation",
	[CARD_EXTENSION_RESET] = "reset",
	[CARD_EXTENSION_SET_MANAGEMENT_KEY] = "set-management-key",
	[CARD_EXTENSION_SET_TRIES] = "set-tries",
	[CARD_EXTENSION_SCP11] = "scp11"};

static const char *unblock_name_at(size_t index)
{
	return index < ARRAY_SIZE(unblock_names) ? unblock_names[index] : NULL;
}

static const char *extension_name_at(size_t index)
{
	return index < ARRAY_SIZE(extension_names) ? extension_names[index] : NULL;
}

/* KEY_ALGORITHM_NONE has no name. */
static const char *algorithm_name_at(size_t index)
{
	return key_algorithm_name((enum key_algorithm)(index + 1));
}

static const char *admin_algorithm_name_at(size_t index)
{
	static const uint8_t algorithms[] = {0x03, 0x08, 0x0A, 0x0C};

	return index < ARRAY_SIZE(algorithms) ? admin_algorithm_name(algorithms[index]) : NULL;
}

static uint8_t admin_algorithm_from_name(const char *name)
{
	uint8_t algorithm = 0;

	while (!admin_algorithm_name(algorithm) ||
		strcmp(admin_algorithm_name(algorithm), name) != 0)
		algorithm++;
	return algorithm;
}

/* --- the members' forms --- */

/* An optional string; *text stays NULL when it is absent. */
static bool read_text(const struct document_node *object, const char *member, size_t maximum,
	char **text, struct error *error)
{
	struct document_node node;
	const char *value;

	if (!document_find(object, member, &node))
		return true;
	if (!document_string(&node, 1, maximum, &value, error))
		return false;
	*text = xstrdup(value);
	return true;
}

static bool read_required_text(
	const struct document_node *object, const char *member, char **text, struct error *error)
{
	struct document_node node;

	return document_member(object, member, &node, error) &&
	       read_text(object, member, TITLE_MAXIMUM, text, error);
}

static bool read_hex(const struct document_node *node, size_t minimum, size_t maximum,
	struct buffer *bytes, struct error *error)
{
	const char *text;

	if (!document_string(node, 2 * minimum, 2 * maximum, &text, error))
		return false;
	return hex_decode(text, bytes) ||
	       document_fail(node, error, "%zu to %zu bytes of hexadecimal digits are expected",
		       minimum, maximum);
}

static bool read_firmware(const struct document_node *object, const char *member,
	unsigned *firmware, struct error *error)
{
	unsigned major, minor, patch;
	struct document_node node;
	const char *text;
	char rest;

	if (!document_find(object, member, &node))
		return true;
	if (!document_string(&node, 1, FIRMWARE_LENGTH, &text, error))
		return false;
	if (sscanf(text, "%3u.%3u.%3u%c", &major, &minor, &patch, &rest) != 3 || major > 255 ||
		minor > 255 || patch > 255)
		return document_fail(
			&node, error, "a version of three numbers up to 255 is expected (5.4.3)");
	*firmware = major << 16 | minor << 8 | patch;
	return true;
}

/* Names of a list as bits; the choice's index plus `first` is the bit. */
static bool read_bits(const struct document_node *object, const char *member,
	const char *(*name_at)(size_t index), unsigned first, unsigned *bits, struct error *error)
{
	struct document_node list;
	size_t count, choice;

	if (!document_find(object, member, &list))
		return true;
	if (!document_array(&list, 0, 16, &count, error))
		return false;
	*bits = 0;
	for (size_t i = 0; i < count; i++) {
		struct document_node node = document_at(&list, i);
		if (!document_choice(&node, name_at, &choice, error))
			return false;
		*bits |= 1U << (choice + first);
	}
	return true;
}

static bool read_length(const struct document_node *object, const char *member, unsigned *length,
	struct error *error)
{
	struct document_node node;
	int64_t number;

	if (!document_find(object, member, &node))
		return true;
	if (!document_integer(&node, 1, PIN_LENGTH_MAXIMUM, &number, error))
		return false;
	*length = (unsigned)number;
	return true;
}

/* --- the parts of a document --- */

static bool read_mask(const struct document_node *object, struct card_atr *atr, struct error *error)
{
	struct document_node node;

	if (!document_find(object, "mask", &node)) {
		buffer_fill(&atr->mask, 0xFF, atr->value.length);
		return true;
	}
	if (!read_hex(&node, ATR_MINIMUM, ATR_MAXIMUM, &atr->mask, error))
		return false;
	if (atr->mask.length != atr->value.length)
		return document_fail(&node, error, "the mask must be as long as the value");
	for (size_t i = 0; i < atr->mask.length; i++) {
		if (atr->mask.data[i])
			return true;
	}
	return document_fail(&node, error, "a mask of zeros would fit every card");
}

static bool read_atrs(
	const struct document_node *match, struct card_type *type, struct error *error)
{
	static const char *const members[] = {"value", "mask"};
	struct document_node list, value;
	size_t count;

	if (!document_find(match, "atr", &list))
		return true;
	if (!document_array(&list, 1, ATRS_MAXIMUM, &count, error))
		return false;
	type->atrs = xcalloc(count, sizeof(*type->atrs));
	while (type->atr_count < count) {
		struct document_node node = document_at(&list, type->atr_count);
		struct card_atr *atr = &type->atrs[type->atr_count++];
		if (!document_check_members(&node, members, ARRAY_SIZE(members), error) ||
			!document_member(&node, "value", &value, error) ||
			!read_hex(&value, ATR_MINIMUM, ATR_MAXIMUM, &atr->value, error) ||
			!read_mask(&node, atr, error))
			return false;
	}
	return true;
}

static bool read_applications(
	const struct document_node *match, struct card_type *type, struct error *error)
{
	struct document_node list;
	size_t count;

	if (!document_find(match, "applications", &list))
		return true;
	if (!document_array(&list, 1, APPLICATIONS_MAXIMUM, &count, error))
		return false;
	type->applications = xcalloc(count, sizeof(*type->applications));
	while (type->application_count < count) {
		struct document_node node = document_at(&list, type->application_count);
		if (!read_hex(&node, APPLICATION_MINIMUM, APPLICATION_MAXIMUM,
			    &type->applications[type->application_count++], error))
			return false;
	}
	return true;
}

static bool read_firmware_range(
	const struct document_node *match, struct card_type *type, struct error *error)
{
	static const char *const members[] = {"from", "to"};
	struct document_node node;

	if (!document_find(match, "firmware", &node))
		return true;
	type->firmware_from = 1;
	type->firmware_to = 0xFFFFFF;
	if (!document_check_members(&node, members, ARRAY_SIZE(members), error) ||
		!read_firmware(&node, "from", &type->firmware_from, error) ||
		!read_firmware(&node, "to", &type->firmware_to, error))
		return false;
	return (type->firmware_to != 0 && type->firmware_from <= type->firmware_to) ||
	       document_fail(&node, error, "\"from\" must not be above \"to\"");
}

static bool read_match(
	const struct document_node *root, struct card_type *type, struct error *error)
{
	static const char *const members[] = {"atr", "firmware", "applications", "library"};
	struct document_node node;

	if (!document_member(root, "match", &node, error) ||
		!document_check_members(&node, members, ARRAY_SIZE(members), error) ||
		!read_atrs(&node, type, error) || !read_firmware_range(&node, type, error) ||
		!read_applications(&node, type, error) ||
		!read_text(&node, "library", TITLE_MAXIMUM, &type->library, error))
		return false;
	if (type->firmware_to && strcmp(type->driver, "piv") != 0)
		return document_fail(&node, error, "only the driver piv can ask for the firmware");
	if (json_object_size(node.value) == 0)
		return document_fail(&node, error, "at least one of the members is needed");
	return true;
}

static bool read_pin(const struct document_node *root, struct card_type *type, struct error *error)
{
	static const char *const members[] = {"minimum-length", "maximum-length", "unblock"};
	struct document_node node, unblock;
	size_t choice = CARD_UNBLOCK_NONE;

	if (!document_member(root, "pin", &node, error) ||
		!document_check_members(&node, members, ARRAY_SIZE(members), error) ||
		!document_member(&node, "minimum-length", &unblock, error) ||
		!read_length(&node, "minimum-length", &type->pin_minimum, error) ||
		!document_member(&node, "maximum-length", &unblock, error) ||
		!read_length(&node, "maximum-length", &type->pin_maximum, error))
		return false;
	if (type->pin_minimum > type->pin_maximum)
		return document_fail(
			&node, error, "minimum-length must not be above maximum-length");
	if (document_find(&node, "unblock", &unblock) &&
		!document_choice(&unblock, unblock_name_at, &choice, error))
		return false;
	type->unblock = (enum card_unblock)choice;
	return true;
}

static bool read_keys(const struct document_node *root, struct card_type *type, struct error *error)
{
	static const char *const members[] = {"algorithms"};
	struct document_node node, list;

	return document_member(root, "keys", &node, error) &&
	       document_check_members(&node, members, ARRAY_SIZE(members), error) &&
	       document_member(&node, "algorithms", &list, error) &&
	       read_bits(&node, "algorithms", algorithm_name_at, KEY_ALGORITHM_RSA_1024,
		       &type->algorithms, error);
}

static bool read_admin_key(
	const struct document_node *factory, struct card_type *type, struct error *error)
{
	_cleanup_buffer_ struct buffer key = BUFFER_INIT;
	struct document_node node, algorithm;
	size_t choice;

	if (!document_find(factory, "management-key", &node))
		return true;
	if (!read_hex(&node, 16, ADMIN_KEY_DIGITS / 2, &key, error) ||
		!document_member(factory, "management-algorithm", &algorithm, error) ||
		!document_choice(&algorithm, admin_algorithm_name_at, &choice, error))
		return false;
	type->factory_admin_algorithm = admin_algorithm_from_name(admin_algorithm_name_at(choice));
	if (key.length != admin_key_length(type->factory_admin_algorithm))
		return document_fail(&node, error, "a key of this algorithm has %zu bytes",
			admin_key_length(type->factory_admin_algorithm));
	type->factory_admin_key = hex_encode(key.data, key.length);
	return true;
}

static bool read_factory(
	const struct document_node *root, struct card_type *type, struct error *error)
{
	static const char *const members[] = {
		"pin", "puk", "management-key", "management-algorithm"};
	struct document_node node;

	return !document_find(root, "factory", &node) ||
	       (document_check_members(&node, members, ARRAY_SIZE(members), error) &&
		       read_text(&node, "pin", SECRET_MAXIMUM, &type->factory_pin, error) &&
		       read_text(&node, "puk", SECRET_MAXIMUM, &type->factory_puk, error) &&
		       read_admin_key(&node, type, error));
}

static bool read_head(const struct document_node *root, struct card_type *type, struct error *error)
{
	static const char *const members[] = {"name", "title", "manufacturer", "driver", "match",
		"pin", "keys", "extensions", "factory", "notes"};
	struct document_node node;
	const char *text;
	size_t choice;

	if (!document_check_members(root, members, ARRAY_SIZE(members), error) ||
		!document_member(root, "name", &node, error) || !document_name(&node, &text, error))
		return false;
	type->name = xstrdup(text);
	if (!read_required_text(root, "title", &type->title, error) ||
		!read_required_text(root, "manufacturer", &type->manufacturer, error) ||
		!document_member(root, "driver", &node, error) ||
		!document_choice(&node, card_driver_name_at, &choice, error))
		return false;
	type->driver = xstrdup(card_driver_name_at(choice));
	return read_text(root, "notes", NOTES_MAXIMUM, &type->notes, error);
}

/* Keys in HSM slots are no card, and all of one type. */
static bool read_hsm_key(
	const struct document_node *root, struct card_type *type, struct error *error)
{
	static const char *const cards[] = {"match", "pin", "extensions", "factory"};
	struct document_node node;

	for (size_t i = 0; i < ARRAY_SIZE(cards); i++) {
		if (document_find(root, cards[i], &node))
			return document_fail(&node, error,
				"a key in an HSM slot is in no reader and has no PIN of its own");
	}
	if (strcmp(type->name, HSM_KEY_TYPE) != 0 && document_find(root, "driver", &node))
		return document_fail(&node, error,
			"keys in HSM slots are all of the type " HSM_KEY_TYPE ", which is there");
	return read_keys(root, type, error);
}

static bool read_type(const struct document_node *root, struct card_type *type, struct error *error)
{
	type->extensions = CARD_EXTENSIONS_ALL;
	if (!read_head(root, type, error))
		return false;
	if (strcmp(type->driver, HSM_KEY_TYPE) == 0)
		return read_hsm_key(root, type, error);
	return read_match(root, type, error) && read_pin(root, type, error) &&
	       read_keys(root, type, error) &&
	       read_bits(root, "extensions", extension_name_at, 0, &type->extensions, error) &&
	       read_factory(root, type, error);
}

struct card_type *card_type_parse(const char *document, struct error *error)
{
	_cleanup_json_ json_t *value = document_load(document, ERROR_INVALID_TYPE, error);

	if (!value)
		return NULL;
	_cleanup_card_type_ struct card_type *type = xnew(struct card_type);
	struct document_node root = document_root(value, ERROR_INVALID_TYPE);
	atomic_init(&type->references, 1);
	if (!read_type(&root, type, error))
		return NULL;
	type->document = xstrdup(document);
	return steal_pointer(&type);
}
