/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/key-backup.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>
#include <openssl/evp.h>

#include "common/alloc.h"
#include "model/document.h"

#define FORMAT_NAME	    "tessera master key backup"
#define FORMAT_VERSION	    1
#define TEXT_MAXIMUM	    128 /* bytes of a serial, an operator, a label */
#define CERTIFICATE_MAXIMUM 8192
#define SEALED_MAXIMUM	    8192
#define COMPLAINT	    ERROR_DATA_INVALID

static void card_clear(struct key_backup_card *card)
{
	free(card->serial);
	free(card->operator_id);
	buffer_clear(&card->certificate);
	buffer_clear(&card->sealed);
}

void key_backup_clear(struct key_backup *backup)
{
	for (size_t i = 0; i < backup->card_count; i++)
		card_clear(&backup->cards[i]);
	free(backup->cards);
	free(backup->versions);
	free(backup->store_id);
	free(backup->token_label);
	buffer_clear(&backup->data);
	*backup = (struct key_backup)KEY_BACKUP_INIT;
}

/* --- bytes in JSON --- */

static json_t *base64(const struct buffer *bytes)
{
	_cleanup_free_ char *text = xcalloc(4 * (bytes->length / 3 + 1) + 1, 1);

	EVP_EncodeBlock((unsigned char *)text, bytes->data, (int)bytes->length);
	return json_string(text);
}

static bool decode(const char *text, struct buffer *bytes)
{
	size_t length = strlen(text);
	uint8_t *room = buffer_extend(bytes, length);
	int decoded = room && length % 4 == 0
			      ? EVP_DecodeBlock(room, (const unsigned char *)text, (int)length)
			      : -1;

	if (decoded <= 0)
		return false;
	/* It counts what the padding stands for, too. */
	for (size_t i = length; i-- > length - 2 && text[i] == '=';)
		decoded--;
	buffer_truncate(bytes, (size_t)decoded);
	/* One way of writing only: it lets blanks pass, and bits that count for nothing. */
	_cleanup_json_ json_t *same = base64(bytes);
	return strcmp(json_string_value(same), text) == 0;
}

static bool read_bytes(const struct document_node *object, const char *member, size_t maximum,
	struct buffer *bytes, struct error *error)
{
	struct document_node node;
	const char *text;

	return document_member(object, member, &node, error) &&
	       document_string(&node, 1, maximum, &text, error) &&
	       (decode(text, bytes) || document_fail(&node, error, "it must be base64"));
}

static bool read_hex(const struct document_node *object, const char *member, uint8_t *bytes,
	size_t length, struct error *error)
{
	struct buffer decoded _cleanup_buffer_ = BUFFER_INIT;
	struct document_node node;
	const char *text;

	if (!document_member(object, member, &node, error) ||
		!document_string(&node, 2 * length, 2 * length, &text, error))
		return false;
	if (!hex_decode(text, &decoded))
		return document_fail(&node, error, "it must be %zu bytes in hex", length);
	memcpy(bytes, decoded.data, length);
	return true;
}

static bool read_text(const struct document_node *object, const char *member, size_t minimum,
	char **copy, struct error *error)
{
	struct document_node node;
	const char *text;

	if (!document_member(object, member, &node, error) ||
		!document_string(&node, minimum, TEXT_MAXIMUM, &text, error))
		return false;
	*copy = xstrdup(text);
	return true;
}

static bool read_number(const struct document_node *object, const char *member, int64_t minimum,
	int64_t maximum, int64_t *number, struct error *error)
{
	struct document_node node;

	return document_member(object, member, &node, error) &&
	       document_integer(&node, minimum, maximum, number, error);
}

/* --- reading --- */

static bool read_version(const struct document_node *node, const struct key_backup_version *before,
	struct key_backup_version *version, struct error *error)
{
	static const char *const members[] = {"version", "key-check-value"};
	int64_t number = 0, least = before ? (int64_t)before->version + 1 : 1;

	if (!document_check_members(node, members, ARRAY_SIZE(members), error) ||
		!read_number(node, "version", least, UINT32_MAX, &number, error) ||
		!read_hex(node, "key-check-value", version->key_check_value,
			sizeof(version->key_check_value), error))
		return false;
	version->version = (uint32_t)number;
	return true;
}

static bool read_versions(
	const struct document_node *root, struct key_backup *backup, struct error *error)
{
	struct document_node array;
	size_t count = 0;

	if (!document_member(root, "master-keys", &array, error) ||
		!document_array(&array, 1, KEY_BACKUP_VERSION_MAXIMUM, &count, error))
		return false;
	backup->versions = xcalloc(count, sizeof(*backup->versions));
	for (size_t i = 0; i < count; i++) {
		struct document_node node = document_at(&array, i);
		if (!read_version(&node, i > 0 ? &backup->versions[i - 1] : NULL,
			    &backup->versions[i], error))
			return false;
		backup->version_count = i + 1;
	}
	return true;
}

static bool read_card(
	const struct document_node *node, struct key_backup_card *card, struct error *error)
{
	static const char *const members[] = {"serial", "operator", "certificate", "sealed"};

	return document_check_members(node, members, ARRAY_SIZE(members), error) &&
	       read_text(node, "serial", 1, &card->serial, error) &&
	       read_text(node, "operator", 0, &card->operator_id, error) &&
	       read_bytes(node, "certificate", CERTIFICATE_MAXIMUM, &card->certificate, error) &&
	       read_bytes(node, "sealed", SEALED_MAXIMUM, &card->sealed, error);
}

static bool read_cards(
	const struct document_node *root, struct key_backup *backup, struct error *error)
{
	struct document_node array;
	size_t count = 0;

	if (!document_member(root, "cards", &array, error) ||
		!document_array(&array, 1, KEY_BACKUP_CARDS_MAXIMUM, &count, error))
		return false;
	backup->cards = xcalloc(count, sizeof(*backup->cards));
	for (size_t i = 0; i < count; i++) {
		struct document_node node = document_at(&array, i);
		backup->card_count = i + 1;
		if (!read_card(&node, &backup->cards[i], error))
			return false;
		if (key_backup_find_card(backup, backup->cards[i].serial) != i)
			return document_fail(&node, error, "the card is there twice");
	}
	return true;
}

static bool read_format(const struct document_node *root, struct error *error)
{
	struct document_node node;
	const char *text;
	int64_t version;

	if (!document_member(root, "format", &node, error) ||
		!document_string(&node, 1, TEXT_MAXIMUM, &text, error))
		return false;
	if (strcmp(text, FORMAT_NAME) != 0)
		return document_fail(&node, error, "it must be \"" FORMAT_NAME "\"");
	if (!document_member(root, "format-version", &node, error) ||
		!document_integer(&node, 1, INT32_MAX, &version, error))
		return false;
	return version == FORMAT_VERSION ||
	       document_fail(&node, error, "this program knows version %d only", FORMAT_VERSION);
}

static bool read_all(
	const struct document_node *root, struct key_backup *backup, struct error *error)
{
	static const char *const members[] = {"format", "format-version", "id", "store", "token",
		"made-at", "needed", "master-keys", "cards", "data"};
	int64_t needed = 0;

	if (!document_check_members(root, members, ARRAY_SIZE(members), error) ||
		!read_format(root, error) ||
		!read_hex(root, "id", backup->id, sizeof(backup->id), error) ||
		!read_text(root, "store", 1, &backup->store_id, error) ||
		!read_text(root, "token", 1, &backup->token_label, error) ||
		!read_number(root, "made-at", 0, INT64_MAX, &backup->made_at, error) ||
		!read_versions(root, backup, error) || !read_cards(root, backup, error) ||
		!read_number(root, "needed", 1, (int64_t)backup->card_count, &needed, error) ||
		!read_bytes(root, "data", KEY_BACKUP_SIZE_MAXIMUM, &backup->data, error))
		return false;
	backup->needed = (unsigned)needed;
	return true;
}

bool key_backup_parse(const char *text, struct key_backup *backup, struct error *error)
{
	struct key_backup read _cleanup_key_backup_ = KEY_BACKUP_INIT;
	_cleanup_json_ json_t *document =
		document_load_long(text, KEY_BACKUP_SIZE_MAXIMUM, COMPLAINT, error);
	struct document_node root = document_root(document, COMPLAINT);

	if (!document)
		return error_prefix(error, "this is no backup of a master key, or a damaged one");
	if (!read_all(&root, &read, error))
		return false;
	key_backup_clear(backup);
	*backup = read;
	read = (struct key_backup)KEY_BACKUP_INIT;
	return true;
}

/* --- writing --- */

static json_t *hex(const uint8_t *bytes, size_t length)
{
	_cleanup_free_ char *text = hex_encode(bytes, length);

	return json_string(text);
}

static json_t *versions_value(const struct key_backup *backup)
{
	json_t *array = json_array();

	for (size_t i = 0; i < backup->version_count; i++) {
		const struct key_backup_version *version = &backup->versions[i];
		json_array_append_new(array,
			json_pack("{s:I,s:o}", "version", (json_int_t)version->version,
				"key-check-value",
				hex(version->key_check_value, sizeof(version->key_check_value))));
	}
	return array;
}

static json_t *cards_value(const struct key_backup *backup)
{
	json_t *array = json_array();

	for (size_t i = 0; i < backup->card_count; i++) {
		const struct key_backup_card *card = &backup->cards[i];
		json_array_append_new(
			array, json_pack("{s:s,s:s,s:o,s:o}", "serial", card->serial, "operator",
				       card->operator_id, "certificate", base64(&card->certificate),
				       "sealed", base64(&card->sealed)));
	}
	return array;
}

static json_t *without_data(const struct key_backup *backup)
{
	return json_pack("{s:s,s:i,s:o,s:s,s:s,s:I,s:i,s:o,s:o}", "format", FORMAT_NAME,
		"format-version", FORMAT_VERSION, "id", hex(backup->id, sizeof(backup->id)),
		"store", backup->store_id, "token", backup->token_label, "made-at",
		(json_int_t)backup->made_at, "needed", (int)backup->needed, "master-keys",
		versions_value(backup), "cards", cards_value(backup));
}

char *key_backup_associated(const struct key_backup *backup)
{
	_cleanup_json_ json_t *document = without_data(backup);

	return json_dumps(document, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
}

char *key_backup_format(const struct key_backup *backup, struct error *error)
{
	_cleanup_json_ json_t *document = without_data(backup);

	json_object_set_new(document, "data", base64(&backup->data));
	char *text = json_dumps(document, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	if (text && strlen(text) <= KEY_BACKUP_SIZE_MAXIMUM)
		return text;
	free(text);
	error_set(error, ERROR_NOT_SUPPORTED,
		"the token holds too much for a backup of %d bytes: back its folder up as a whole",
		KEY_BACKUP_SIZE_MAXIMUM);
	return NULL;
}

/* --- asking --- */

uint32_t key_backup_newest(const struct key_backup *backup)
{
	return backup->version_count ? backup->versions[backup->version_count - 1].version : 0;
}

size_t key_backup_find_card(const struct key_backup *backup, const char *serial)
{
	size_t i = 0;

	while (i < backup->card_count && strcmp(backup->cards[i].serial, serial) != 0)
		i++;
	return i;
}

char *key_backup_cards_text(const struct key_backup *backup)
{
	char *text = xstrdup("");

	for (size_t i = 0; i < backup->card_count; i++) {
		const struct key_backup_card *card = &backup->cards[i];
		bool named = card->operator_id[0] != '\0';
		char *longer = xasprintf("%s%s%s%s%s%s", text, i > 0 ? ", " : "", card->serial,
			named ? " (" : "", card->operator_id, named ? ")" : "");
		free(text);
		text = longer;
	}
	return text;
}
