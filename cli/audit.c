/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tessera audit list and checkpoint: what was done, and by whom. */
#include "cli/audit.h"

#include <string.h>

#include "cli/card-find.h"
#include "cli/command.h"
#include "cli/object.h"
#include "cli/output.h"
#include "cli/time.h"
#include "common/alloc.h"

static const struct column columns[] = {
	{"id", "ID", COLUMN_TEXT},
	{"time", "TIME", COLUMN_TIME_MICRO},
	{"actor", "ACTOR", COLUMN_TEXT},
	{"operator", "OPERATOR", COLUMN_TEXT},
	{"operation", "OPERATION", COLUMN_TEXT},
	{"card", "CARD", COLUMN_TEXT},
	{"outcome", "OUTCOME", COLUMN_TEXT},
	{"job", "JOB", COLUMN_TEXT},
	{"detail", "DETAIL", COLUMN_TEXT},
};

/* Members of a record, in their order (ListAudit in Manager.xml). */
static const char *const keys[] = {"id", "time", "actor", "operation", "card", "outcome", "detail",
	"job", "operator", "signature", "hash"};

json_t *audit_object(const json_t *members, const char *const *names, size_t count)
{
	json_t *object = json_object();

	for (size_t i = 0; i < count; i++) {
		json_t *member = json_array_get(members, i);
		if (json_is_string(member) && json_string_length(member) == 0)
			json_object_set_new(object, names[i], json_null());
		else
			json_object_set(object, names[i], member);
	}
	return object;
}

static json_t *record_of(const json_t *members)
{
	json_t *record = audit_object(members, keys, ARRAY_SIZE(keys));

	if (json_integer_value(json_object_get(record, "job")) == 0)
		json_object_set_new(record, "job", json_null());
	return record;
}

bool audit_page(struct client *client, const json_t *filter, int64_t limit, int64_t *after,
	json_t *records, struct error *error)
{
	_cleanup_json_ json_t *answer = CLIENT_CALL(client, CLIENT_ROOT, CLIENT_MANAGER,
		"ListAudit", error, CLIENT_FIELDS(filter), CLIENT_INT64(*after),
		CLIENT_UINT32(limit < AUDIT_PAGE ? limit : AUDIT_PAGE));
	json_t *members;
	size_t index;

	if (!answer)
		return false;
	json_array_foreach(json_array_get(answer, 0), index, members)
		json_array_append_new(records, record_of(members));
	*after = json_integer_value(json_array_get(answer, 1));
	return true;
}

/* Audit records know cards by their serials; a card that is gone is still asked for by it. */
static char *card_serial(struct client *client, const char *card, struct error *error)
{
	bool is_serial =
		strspn(card, "0123456789") != strlen(card) && strncmp(card, "reader:", 7) != 0;

	if (is_serial)
		return xstrdup(card);
	_cleanup_free_ char *path = card_find(client, card, error);
	_cleanup_json_ json_t *record =
		path ? object_get(client, path, CLIENT_CREDENTIAL, error) : NULL;
	return xstrdup(json_string_value(json_object_get(record, "serial")));
}

static void set(json_t *filter, const char *name, const char *value)
{
	if (value)
		json_object_set_new(filter, name, json_string(value));
}

static bool set_time(const struct invocation *invocation, enum option option, json_t *filter,
	struct error *error)
{
	const char *text = invocation->values[option];
	int64_t microseconds;

	if (!text)
		return true;
	if (!time_parse(text, option_specs[option].name, &microseconds, error))
		return false;
	_cleanup_free_ char *number = xasprintf("%lld", (long long)microseconds);
	set(filter, option_specs[option].name + 2, number);
	return true;
}

/* Everything but the card, which tesserad may have to be asked for. */
static bool make_filter(const struct invocation *invocation, json_t *filter, struct error *error)
{
	set(filter, "actor", invocation->values[OPTION_ACTOR]);
	set(filter, "operator", invocation->values[OPTION_OPERATOR]);
	set(filter, "operation", invocation->values[OPTION_OPERATION]);
	set(filter, "outcome", invocation->values[OPTION_OUTCOME]);
	if (invocation_has(invocation, OPTION_NEWEST))
		set(filter, "order", "newest");
	return set_time(invocation, OPTION_SINCE, filter, error) &&
	       set_time(invocation, OPTION_UNTIL, filter, error);
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

static bool set_card(
	struct invocation *invocation, struct client *client, json_t *filter, struct error *error)
{
	const char *card = invocation->values[OPTION_CARD];
	_cleanup_free_ char *serial = card ? card_serial(client, card, error) : NULL;

	set(filter, "card", serial);
	return !card || serial;
}

bool audit_list(struct invocation *invocation, struct error *error)
{
	_cleanup_json_ json_t *records = json_array();
	_cleanup_json_ json_t *filter = json_object();
	int64_t after, limit;

	if (!read_numbers(invocation, &after, &limit, error) ||
		!make_filter(invocation, filter, error))
		return false;
	struct client *client = invocation_client(invocation, error);
	if (!client || !set_card(invocation, client, filter, error))
		return false;
	do {
		int64_t left = limit - (int64_t)json_array_size(records);
		if (!audit_page(client, filter, left, &after, records, error))
			return false;
	} while (after != 0 && (int64_t)json_array_size(records) < limit);
	output_records(
		invocation, records, columns, ARRAY_SIZE(columns), "There are no such records.");
	return true;
}

bool audit_checkpoint(struct invocation *invocation, struct error *error)
{
	struct client *client = invocation_client(invocation, error);
	_cleanup_json_ json_t *answer = client ? CLIENT_CALL_PLAIN(client, CLIENT_ROOT,
							 CLIENT_MANAGER, "WriteCheckpoint", error)
					       : NULL;
	static const char *const names[] = {"checkpoint", "covered"};

	if (!answer)
		return false;
	_cleanup_json_ json_t *record = audit_object(answer, names, ARRAY_SIZE(names));
	if (invocation_has(invocation, OPTION_JSON))
		output_json(record);
	output_text(invocation, "Checkpoint %lld covers the records up to %lld.",
		(long long)json_integer_value(json_array_get(answer, 0)),
		(long long)json_integer_value(json_array_get(answer, 1)));
	return true;
}
