/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera audit: what was done, by whom, and whether the record is whole. */
#include <string.h>

#include "cli/card-find.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/object.h"
#include "cli/output.h"
#include "common/alloc.h"

#define PAGE 1000 /* the most that ListAudit answers */

static const struct column columns[] = {
	{"id", "ID", COLUMN_TEXT},
	{"time", "TIME", COLUMN_TIME_MICRO},
	{"actor", "ACTOR", COLUMN_TEXT},
	{"operation", "OPERATION", COLUMN_TEXT},
	{"card", "CARD", COLUMN_TEXT},
	{"outcome", "OUTCOME", COLUMN_TEXT},
	{"job", "JOB", COLUMN_TEXT},
	{"detail", "DETAIL", COLUMN_TEXT},
};

/* Members of a record, in their order (ListAudit in Manager.xml). */
static const char *const keys[] = {
	"id", "time", "actor", "operation", "card", "outcome", "detail", "job"};

static json_t *record_of(const json_t *members)
{
	json_t *record = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		json_object_set(record, keys[i], json_array_get(members, i));
	if (json_integer_value(json_object_get(record, "job")) == 0)
		json_object_set_new(record, "job", json_null());
	return record;
}

/* Appends at most limit records behind *after, which moves on. Answers how many; -1 with error. */
static int64_t append_page(struct client *client, const char *card, int64_t *after, int64_t limit,
	json_t *records, struct error *error)
{
	_cleanup_json_ json_t *answer = CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER,
		"ListAudit", error, CLIENT_STRING(card), CLIENT_INT64(*after),
		CLIENT_UINT32(limit < PAGE ? limit : PAGE));
	json_t *members;
	size_t index;

	if (!answer)
		return -1;
	json_array_foreach(json_array_get(answer, 0), index, members)
	{
		*after = json_integer_value(json_array_get(members, 0));
		json_array_append_new(records, record_of(members));
	}
	return (int64_t)index;
}

/* Audit records know cards by their serials; a card that is gone is still asked for by it. */
static char *card_serial(struct client *client, const char *card, struct error *error)
{
	bool is_serial = card && strspn(card, "0123456789") != strlen(card) &&
			 strncmp(card, "reader:", 7) != 0;

	if (!card || is_serial)
		return xstrdup(card ? card : "");
	_cleanup_free_ char *path = card_find(client, card, error);
	_cleanup_json_ json_t *record =
		path ? object_get(client, path, CLIENT_CREDENTIAL, error) : NULL;
	return xstrdup(json_string_value(json_object_get(record, "serial")));
}

static bool read_numbers(
	const struct invocation *invocation, int64_t *after, int64_t *limit, struct error *error)
{
	const char *after_text = invocation->values[OPTION_AFTER];
	const char *limit_text = invocation->values[OPTION_LIMIT];

	*after = 0;
	*limit = INT64_MAX;
	return (!after_text || number_parse(after_text, "--after", 0, INT64_MAX, after, error)) &&
	       (!limit_text || number_parse(limit_text, "--limit", 1, INT64_MAX, limit, error));
}

bool audit_list(struct invocation *invocation, struct error *error)
{
	_cleanup_json_ json_t *records = json_array();
	int64_t after, left, got;

	if (!read_numbers(invocation, &after, &left, error))
		return false;
	struct client *client = invocation_client(invocation, error);
	_cleanup_free_ char *card =
		client ? card_serial(client, invocation->values[OPTION_CARD], error) : NULL;
	if (!card)
		return false;
	do {
		got = append_page(client, card, &after, left, records, error);
		if (got < 0)
			return false;
		left -= got;
	} while (got == PAGE && left > 0);
	output_records(
		invocation, records, columns, ARRAY_SIZE(columns), "There are no such records.");
	return true;
}

bool audit_verify(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *answer = client ? CLIENT_CALL_PLAIN(client, CLIENT_ROOT,
							 CLIENT_MANAGER, "VerifyAudit", error)
					       : NULL;
	json_int_t records = json_integer_value(json_array_get(answer, 0));
	json_int_t first_bad = json_integer_value(json_array_get(answer, 1));

	if (!answer)
		return false;
	if (first_bad)
		return error_set(error, ERROR_FAILED,
			"the audit trail was changed: record %lld does not follow from the one "
			"before it",
			(long long)first_bad);
	if (invocation_has(invocation, OPTION_JSON)) {
		_cleanup_json_ json_t *record =
			json_pack("{s:I,s:b}", "records", records, "whole", 1);
		output_json(record);
	}
	output_text(invocation, "The audit trail is whole: %lld records.", (long long)records);
	return true;
}
