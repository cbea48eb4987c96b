/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera card: what is known of managed cards. */
#include "cli/card.h"

#include <string.h>

#include "cli/card-find.h"
#include "cli/card-uri.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/object.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "common/alloc.h"

#define PAGE 1000 /* the most that ListCredentials answers */

static const struct column list_columns[] = {
	{"number", "NUMBER", COLUMN_TEXT},
	{"serial", "SERIAL", COLUMN_TEXT},
	{"state", "STATE", COLUMN_TEXT},
	{"holder_name", "HOLDER", COLUMN_TEXT},
	{"template", "TEMPLATE", COLUMN_TEXT},
	{"reader", "READER", COLUMN_TEXT},
	{"changed_at", "CHANGED", COLUMN_TIME},
};

static const struct column show_columns[] = {
	{"number", "Credential", COLUMN_TEXT},
	{"serial", "Serial", COLUMN_TEXT},
	{"uri", "PKCS#11 URI", COLUMN_TEXT},
	{"card_type", "Card type", COLUMN_TEXT},
	{"state", "State", COLUMN_TEXT},
	{"reason", "Reason", COLUMN_TEXT},
	{"expires_at", "Expires", COLUMN_TIME},
	{"replaces", "Replaces", COLUMN_TEXT},
	{"replaced_by", "Replaced by", COLUMN_TEXT},
	{"holder", "Holder", COLUMN_TEXT},
	{"person", "Person", COLUMN_TEXT},
	{"template", "Template", COLUMN_TEXT},
	{"template_version", "Template version", COLUMN_TEXT},
	{"reader", "Reader", COLUMN_TEXT},
	{"kdf", "Key derivation", COLUMN_TEXT},
	{"key_version", "Master key version", COLUMN_TEXT},
	{"key_check_value", "Key check value", COLUMN_TEXT},
	{"puk_state", "PUK", COLUMN_TEXT},
	{"puk_exposed_at", "PUK shown", COLUMN_TIME},
	{"unblock_code_expires_at", "Unblock code expires", COLUMN_TIME},
	{"pin_expires_at", "PIN expires", COLUMN_TIME},
	{"created_at", "Created", COLUMN_TIME},
	{"changed_at", "Changed", COLUMN_TIME},
};

static const struct column certificate_columns[] = {
	{"slot", "SLOT", COLUMN_TEXT},
	{"status", "STATUS", COLUMN_TEXT},
	{"not_after", "NOT AFTER", COLUMN_TIME},
	{"authority", "AUTHORITY", COLUMN_TEXT},
	{"serial", "SERIAL", COLUMN_TEXT},
	{"subject", "SUBJECT", COLUMN_TEXT},
	{"uri", "PKCS#11 URI", COLUMN_TEXT},
};

/* Members of the Certificates property, in their order. */
static const char *const certificate_keys[] = {
	"slot", "serial", "subject", "authority", "not_after", "status"};

static json_t *certificate_record(const json_t *members)
{
	json_t *record = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(certificate_keys); i++)
		json_object_set(record, certificate_keys[i], json_array_get(members, i));
	return record;
}

/* A key in a slot is no card: it is named by slot and label (tessera slot keys). */
static bool is_slot_key(const json_t *card)
{
	const char *type = json_string_value(json_object_get(card, "card_type"));

	return type && strcmp(type, "hsm-key") == 0;
}

/* The names of members of the Certificates property, and what programs know the keys by. */
static void name_certificates(json_t *card)
{
	const char *serial = json_string_value(json_object_get(card, "serial"));
	const json_t *tuples = json_object_get(card, "certificates");
	json_t *records = json_array();
	json_t *members;
	size_t index;

	json_array_foreach(tuples, index, members)
	{
		json_t *record = certificate_record(members);
		const char *slot = json_string_value(json_object_get(record, "slot"));
		json_object_set_new(record, "uri", card_uri(serial, slot));
		json_array_append_new(records, record);
	}
	json_object_set_new(card, "certificates", records);
	json_object_set_new(card, "uri", is_slot_key(card) ? json_null() : card_uri(serial, NULL));
}

json_t *card_get(struct client *client, const char *path, struct error *error)
{
	json_t *card = object_get(client, path, CLIENT_CREDENTIAL, error);

	if (card)
		name_certificates(card);
	return card;
}

/* Appends the cards of an answer "ao"; *after becomes 0 behind the last page. */
static bool append_cards(struct client *client, const json_t *answer, int64_t *after, json_t *cards,
	struct error *error)
{
	json_t *path;
	size_t index;

	*after = 0;
	json_array_foreach(json_array_get(answer, 0), index, path)
	{
		json_t *card = card_get(client, json_string_value(path), error);
		if (!card)
			return false;
		json_array_append_new(cards, card);
		*after = object_number(json_string_value(path));
	}
	if (index < PAGE)
		*after = 0;
	return true;
}

static bool append_page(struct client *client, const char *state, int64_t *after, json_t *cards,
	struct error *error)
{
	_cleanup_json_ json_t *answer =
		CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER, "ListCredentials", error,
			CLIENT_STRING(state), CLIENT_INT64(*after), CLIENT_UINT32(PAGE));

	return answer && append_cards(client, answer, after, cards, error);
}

static bool append_exposed(
	struct client *client, int64_t *after, json_t *cards, struct error *error)
{
	_cleanup_json_ json_t *answer = CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER,
		"ListExposed", error, CLIENT_INT64(*after), CLIENT_UINT32(PAGE));

	return answer && append_cards(client, answer, after, cards, error);
}

json_t *card_list_of_key(struct client *client, uint32_t version, struct error *error)
{
	_cleanup_json_ json_t *cards = json_array();
	int64_t after = 0;

	do {
		_cleanup_json_ json_t *answer = CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER,
			"ListCardsOfMasterKey", error, CLIENT_UINT32(version), CLIENT_INT64(after),
			CLIENT_UINT32(PAGE));
		if (!answer || !append_cards(client, answer, &after, cards, error))
			return NULL;
	} while (after);
	return steal_pointer(&cards);
}

/* For the table: one short name of the holder. */
static json_t *with_holder_names(const json_t *cards)
{
	json_t *rows = json_array();
	json_t *card;
	size_t index;

	json_array_foreach(cards, index, card)
	{
		json_t *row = json_copy(card);
		json_t *name = json_object_get(json_object_get(card, "holder"), "name");
		json_object_set(row, "holder_name", name ? name : json_object_get(card, "holder"));
		json_array_append_new(rows, row);
	}
	return rows;
}

void card_print_list(const struct invocation *invocation, const json_t *cards)
{
	if (invocation_has(invocation, OPTION_JSON)) {
		output_json(cards);
		return;
	}
	_cleanup_json_ json_t *rows = with_holder_names(cards);
	output_records(invocation, rows, list_columns, ARRAY_SIZE(list_columns),
		"There are no such cards.");
}

bool card_list(struct invocation *invocation, struct error *error)
{
	const char *state = invocation->values[OPTION_STATE];
	_cleanup_json_ json_t *cards = json_array();
	int64_t after = 0;

	struct client *client = invocation_client(invocation, error);
	if (!client)
		return false;
	if (state && invocation_has(invocation, OPTION_EXPOSED))
		return error_set(
			error, ERROR_INVALID_ARGUMENT, "--exposed does not go with --state");
	do {
		bool done = invocation_has(invocation, OPTION_EXPOSED)
				    ? append_exposed(client, &after, cards, error)
				    : append_page(client, state ? state : "", &after, cards, error);
		if (!done)
			return false;
	} while (after);
	card_print_list(invocation, cards);
	return true;
}

/* What keys in slots do not have, and so is not shown of them. */
static void leave_out_card(json_t *key)
{
	static const char *const members[] = {"uri", "person", "reader", "kdf", "key_version",
		"key_check_value", "puk_state", "puk_exposed_at", "unblock_code_expires_at",
		"pin_expires_at"};

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		json_object_del(key, members[i]);
}

bool card_show(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_free_ char *path =
		client ? card_find(client, invocation->arguments[0], error) : NULL;
	_cleanup_json_ json_t *card = path ? card_get(client, path, error) : NULL;

	if (!card)
		return false;
	if (is_slot_key(card) && !invocation_has(invocation, OPTION_JSON))
		leave_out_card(card);
	output_record(invocation, card, show_columns, ARRAY_SIZE(show_columns));
	if (invocation_has(invocation, OPTION_JSON))
		return true;
	output_text(invocation, "%s", "");
	output_records(invocation, json_object_get(card, "certificates"), certificate_columns,
		ARRAY_SIZE(certificate_columns), "It has no certificates.");
	return true;
}

/* "SLOT" alone is of the card in a reader, "CARD SLOT" of any. */
bool card_certificate(struct invocation *invocation, struct error *error)
{
	bool named = invocation->argument_count == 2;
	const char *card = named ? invocation->arguments[0] : NULL;
	const char *slot = invocation->arguments[named ? 1 : 0];

	struct client *client = invocation_client(invocation, error);
	_cleanup_free_ char *path = client ? card_find(client, card, error) : NULL;
	_cleanup_json_ json_t *answer = path ? CLIENT_CALL(client, path, CLIENT_CREDENTIAL,
						       "GetCertificate", error, CLIENT_STRING(slot))
					     : NULL;

	if (!answer)
		return false;
	return output_der(
		invocation, "CERTIFICATE", json_string_value(json_array_get(answer, 0)), error);
}
