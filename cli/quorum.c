/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera quorum: operations for which several operators have to log in. */
#include <stdio.h>
#include <string.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/output.h"

static const struct column columns[] = {
	{"operation", "OPERATION", COLUMN_TEXT},
	{"description", "TO", COLUMN_TEXT},
	{"count", "TAKES OPERATORS", COLUMN_TEXT},
	{"able", "WHO MAY", COLUMN_TEXT},
};

static json_t *fetch(struct client *client, struct error *error)
{
	_cleanup_json_ json_t *answer =
		CLIENT_CALL_PLAIN(client, CLIENT_ROOT, CLIENT_MANAGER, "ListQuorums", error);
	json_t *records = answer ? json_array() : NULL;
	const json_t *item;
	size_t index;

	json_array_foreach(json_array_get(answer, 0), index, item) json_array_append_new(
		records, json_pack("{s:O,s:O,s:O,s:O}", "operation", json_array_get(item, 0),
				 "description", json_array_get(item, 1), "count",
				 json_array_get(item, 2), "able", json_array_get(item, 3)));
	return records;
}

bool quorum_list(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *records = client ? fetch(client, error) : NULL;

	if (!records)
		return false;
	output_records(invocation, records, columns, ARRAY_SIZE(columns), "There are no quorums.");
	return true;
}

/* Without a spare one, a card that is lost for good leaves nobody who could do it, or lower it. */
static void warn(struct client *client, const char *operation)
{
	_cleanup_json_ json_t *records = fetch(client, NULL);
	json_t *record;
	size_t index;

	json_array_foreach(records, index, record)
	{
		json_int_t count = json_integer_value(json_object_get(record, "count"));
		const char *name = json_string_value(json_object_get(record, "operation"));
		if (strcmp(name, operation) == 0 && count > 1 &&
			count == json_integer_value(json_object_get(record, "able")))
			fprintf(stderr,
				"tessera: all who may are needed: make one more, before a card is "
				"lost\n");
	}
}

bool quorum_set(struct invocation *invocation, struct error *error)
{
	int64_t count = 0;

	if (!number_parse(invocation->arguments[1], "a quorum", 1, 1000, &count, error))
		return false;
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *answer =
		client ? CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER, "SetQuorum", error,
				 CLIENT_STRING(invocation->arguments[0]), CLIENT_UINT32(count))
		       : NULL;
	if (!answer)
		return false;
	output_text(invocation, "%s takes %lld operator%s now", invocation->arguments[0],
		(long long)count, count == 1 ? "" : "s");
	warn(client, invocation->arguments[0]);
	return true;
}
